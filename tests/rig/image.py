"""The disk of the virtual machine: the layers of the container, a kernel, and what the rig needs in there.

    bare -> installed -> virtual (kernel, initrd) -> this checkout, installed

The modules that Debian does not build are built of Debian's own source against its headers, in a layer that is thrown
away. All of it is kept in the cache: the kernel's part for as long as recipe and what is installed are the same, the
disk for as long as the product is, too. Nothing is mounted: mkfs.ext4 fills the disk by itself.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rig.bench import RELAYS
from tests.rig.machine import CACHE, CHECKOUT, TOP, bare, installed, machine, put_checkout

GUEST = Path(__file__).with_name("guest")
LIB = "/usr/local/lib/rig"
DISK_GB = 3
CARD_MB = 512
LGPIO = "lgpio==0.2.2.0"
"""The same that Raspberry Pi OS packages."""
KERNEL = r"""
export DEBIAN_FRONTEND=noninteractive
install='apt-get install -y -qq --no-install-recommends'
apt-get update -qq
$install initramfs-tools zstd udev kmod iproute2 e2fsprogs >/dev/null
printf '%s\n' virtio_pci virtio_blk ext4 i6300esb >>/etc/initramfs-tools/modules
printf 'MODULES=list\nCOMPRESS=zstd\n' >/etc/initramfs-tools/conf.d/rig
$install linux-image-amd64 tpm2-tools >/dev/null
/opt/ttcs-edge/bin/python -m pip install -q --disable-pip-version-check --root-user-action ignore LGPIO
apt-get clean
ls /lib/modules
"""
MODULES = r"""
export DEBIAN_FRONTEND=noninteractive
version=$(ls /lib/modules)
apt-get update -qq
apt-get install -y -qq --no-install-recommends linux-headers-$version linux-source make gcc >/dev/null
mkdir /root/sim && cd /root/sim
set -- /usr/src/linux-source-*.tar.xz
tree=$(basename "$1" .tar.xz)
tar -xf "$1" $tree/drivers/gpio/gpio-sim.c $tree/drivers/gpio/gpiolib.h $tree/kernel/irq/irq_sim.c
sed -f /root/guest/gpio_sim.sed $tree/drivers/gpio/gpio-sim.c >gpio-sim.c
sed -f /root/guest/irq_sim.sed $tree/kernel/irq/irq_sim.c >irq_sim.c
cp $tree/drivers/gpio/gpiolib.h .
echo 'obj-m := gpio-sim.o irq_sim.o' >Makefile
make -s -C /lib/modules/$version/build M=$PWD modules
"""
SETTINGS = {
    "/etc/fstab": "/dev/vda / ext4 defaults 0 0\n/dev/vdb /var/lib/ttcs-edge ext4 errors=remount-ro,nofail 0 0\n",
    "/etc/hostname": "pole\n",
    "/etc/modules-load.d/rig.conf": "virtio_console\nvirtio_net\nsnd-aloop\n",
    "/etc/modprobe.d/rig.conf": "options snd-aloop pcm_substreams=1\n"
    + "".join(f"blacklist {module}\n" for module in ("kvm_amd", "kvm_intel", "ccp", "cfg80211", "ahci", "powernow_k8")),
    "/etc/systemd/network/10-rig.network": "[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n",
    "/etc/systemd/system.conf.d/watchdog.conf": "[Manager]\nRuntimeWatchdogSec=14\n",
    f"{LIB}/cpuinfo": "Revision\t: c03115\n",
    # gpiozero asks there which Raspberry Pi this is.
    "/etc/systemd/system/ttcs-edge.service.d/bench.conf": "[Unit]\nAfter=rig-agent.service\n"
    f"[Service]\nBindReadOnlyPaths={LIB}/cpuinfo:/proc/cpuinfo\n",
}
"""What makes the machine a pole's: network, watchdog (as ``firmware_notes/raspberry-pi.md`` has it), card, lines."""


IDLE = ("e2scrub_reap", "systemd-logind", "systemd-binfmt", "getty@tty1", "serial-getty@ttyS0")
"""What no pole needs, and an emulated processor takes seconds to start."""


@dataclass(frozen=True)
class Image:
    """What QEMU is given."""

    disk: Path
    kernel: Path
    initrd: Path


def virtual(release: str) -> Path:
    """The layer with a kernel and the modules that Debian does not build, made once for each recipe."""
    recipe = "".join([KERNEL, MODULES, LGPIO, *(path.read_text() for path in sorted(GUEST.glob("*.sed")))])
    below = installed(release)
    key = hashlib.sha256((below.name + recipe).encode()).hexdigest()[:12]
    layer = CACHE / f"{release}-virtual-{key}"
    if not layer.exists():
        for old in CACHE.glob(f"{release}-virtual-*"):
            shutil.rmtree(old)
        lower = [below, bare(release)]
        with machine(CACHE / f"{release}-kernel", lower) as one:
            version = one.shell(KERNEL.replace("LGPIO", LGPIO)).split()[-1]
            one.power_off()
            one.close()
            part = CACHE / f"{release}-virtual.part"
            shutil.rmtree(part, ignore_errors=True)
            one.own.rename(part)
        with machine(CACHE / f"{release}-modules", [part, *lower]) as one:
            shutil.copytree(GUEST, one.root / "root/guest")
            one.shell(MODULES)
            extra = part / f"lib/modules/{version}/extra"
            if not extra.parent.exists():
                extra = part / f"usr/lib/modules/{version}/extra"
            extra.mkdir()
            for module in (one.root / "root/sim").glob("*.ko"):
                shutil.copy(module, extra)
        part.rename(layer)
    return layer


def image(release: str) -> Image:
    """The disk with this checkout installed, and its kernel; made anew when anything in it has changed."""
    layer = virtual(release)
    (version,) = (path.name.removeprefix("vmlinuz-") for path in (layer / "boot").glob("vmlinuz-*"))
    disk = CACHE / f"{release}-{version}-{_key(layer)}.raw"
    if not disk.exists():
        for old in CACHE.glob(f"{release}-*.raw"):
            old.unlink()
        with machine(CACHE / f"{release}-disk", [layer, installed(release), bare(release)]) as one:
            put_checkout(one.root)
            one.install()
            _fit(one.root)
            one.shell(f"depmod {version}; systemctl enable -q rig-agent systemd-networkd; rm -r {CHECKOUT}")
            one.shell(f"systemctl mask -q {' '.join(IDLE)}")
            one.power_off()
            part = disk.with_suffix(".part")
            part.unlink(missing_ok=True)
            subprocess.run(["truncate", "-s", f"{DISK_GB}G", part], check=True)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-d", one.root, part], check=True)
            part.rename(disk)
    return Image(disk, layer / f"boot/vmlinuz-{version}", layer / f"boot/initrd.img-{version}")


def card(path: Path) -> None:
    """An empty card for what the station keeps."""
    path.unlink(missing_ok=True)
    subprocess.run(["truncate", "-s", f"{CARD_MB}M", path], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", path], check=True)


def _fit(root: Path) -> None:
    for name, text in SETTINGS.items():
        path = root / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    lib = root / LIB[1:]
    for source in (GUEST / "agent.py", GUEST / "lines.sh", Path(__file__).with_name("listening.py")):
        shutil.copy(source, lib)
    (lib / "lines.sh").chmod(0o755)
    unit = (GUEST / "rig-agent.service").read_text()
    assert " ".join(map(str, RELAYS.values())) in unit, "the agent must watch every relay's line"
    (root / "etc/systemd/system/rig-agent.service").write_text(unit)
    (root / "var/lib/ttcs-edge").mkdir(exist_ok=True)


def _key(layer: Path) -> str:
    digest = hashlib.sha256(layer.name.encode())
    for path in sorted(_content()):
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _content() -> Iterator[Path]:
    names = ["ls-files", "-co", "--exclude-standard", "ttcs_edge", "systemd", "config", "setup.cfg", "tests/rig/guest"]
    listed = subprocess.run(["git", *names], cwd=TOP, capture_output=True, text=True, check=True).stdout
    yield from (TOP / name for name in listed.splitlines() if (TOP / name).is_file())
    yield from (Path(__file__), Path(__file__).with_name("listening.py"))
