"""The control socket: whatever a client does, the next one is answered and the station goes on."""

from __future__ import annotations

import json
import os
import pwd
import resource
import select
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts import eventually
from ttcs_edge.core.model import LocalUser
from ttcs_edge.link.control import (
    ANSWER_BYTES,
    CLIENTS_MOST,
    REQUEST_BYTES,
    REQUEST_TIMEOUT_S,
    ControlError,
    ControlServer,
    ask,
)

HELLO = {"ask": "hello"}


def slowly() -> dict[str, Any]:
    """What takes its time: no wait of a test, but the work of the daemon that others must not wait for."""
    time.sleep(0.5)
    return {"done": True}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the daemon of these tests answers."""
    table: dict[str, Callable[[], Any]] = {
        "hello": lambda: {"heard": request},
        "large": lambda: {"text": "x" * 8_000_000},
        "too-large": lambda: {"text": "x" * ANSWER_BYTES},
        "no-json": lambda: {"text": object()},
        "slow": slowly,
    }
    if request["ask"] == "refuse":
        raise ControlError("bad-request", found="refuse", expected="hello")
    if request["ask"] == "runtime":
        raise RuntimeError("dictionary changed size during iteration")
    return dict(table[request["ask"]]())


class Daemon:
    """A control server on a path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.server = ControlServer(path, answer)

    def connect(self) -> socket.socket:
        """A client of its own manners."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(10)
        client.connect(str(self.path))
        return client

    def say(self, data: bytes) -> bytes:
        """Send bytes and give all that comes back."""
        with self.connect() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(65_536), b""))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "control.sock")
    yield daemon
    daemon.server.close()


@pytest.fixture
def ended() -> Iterator[list[str]]:
    """The threads that ended by an exception: any of them would end the daemon."""
    names: list[str] = []
    before = threading.excepthook
    threading.excepthook = lambda ended: names.append(ended.thread.name if ended.thread else "")
    yield names
    threading.excepthook = before


def test_a_question_is_answered(daemon: Daemon) -> None:
    """The ground on which the rest stands."""
    assert ask(daemon.path, HELLO) == {"heard": HELLO}


def test_a_refusal_keeps_its_code_and_its_fields(daemon: Daemon) -> None:
    """What the daemon refuses is told as it was refused."""
    with pytest.raises(ControlError) as caught:
        ask(daemon.path, {"ask": "refuse"})

    assert (caught.value.code, caught.value.detail) == ("bad-request", {"found": "refuse", "expected": "hello"})


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"no json\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'"status"\n',
        b'{"ask": "hello"\n',
        b"[" * 50_000 + b"\n",
        b"9" * 5_000 + b"\n",
        b'{"ask": "' + b"x" * REQUEST_BYTES + b'"}\n',
        b"",
    ],
    ids=["empty", "text", "not-utf8", "list", "string", "half", "nested", "number", "oversized", "nothing"],
)
def test_a_line_that_is_no_question_is_refused_and_the_next_is_answered(
    daemon: Daemon, ended: list[str], line: bytes
) -> None:
    """never-7, on the control socket."""
    said = daemon.say(line)

    assert json.loads(said) == {"ok": False, "error": {"code": "bad-request", "detail": {}}}
    assert ask(daemon.path, HELLO) == {"heard": HELLO}
    assert ended == []


def test_what_follows_the_first_line_is_left_alone(daemon: Daemon) -> None:
    """One question a connection."""
    said = daemon.say(b'{"ask": "hello"}\n{"ask": "runtime"}')

    assert json.loads(said) == {"ok": True, "answer": {"heard": HELLO}}


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ({"ask": "runtime"}, "RuntimeError('dictionary changed size during iteration')"),
        ({"ask": "unheard-of"}, "KeyError('unheard-of')"),
        ({}, "KeyError('ask')"),
        ({"ask": ["hello"]}, "TypeError(\"unhashable type: 'list'\")"),
        ({"ask": "no-json"}, "TypeError('Object of type object is not JSON serializable')"),
    ],
)
def test_a_mistake_in_the_daemons_answer_is_told_and_ends_nothing(
    daemon: Daemon, ended: list[str], question: dict[str, Any], error: str
) -> None:
    """An exception that nobody foresaw: the client hears of it, the thread ends as any other."""
    for _ in range(CLIENTS_MOST + 1):
        with pytest.raises(ControlError) as caught:
            ask(daemon.path, question)
        assert (caught.value.code, caught.value.detail) == ("bad-answer", {"error": error})

    assert ask(daemon.path, HELLO) == {"heard": HELLO}
    assert ended == []


def test_an_answer_of_many_megabytes_arrives_whole(daemon: Daemon) -> None:
    """A schedule of a month with thousands of cues."""
    assert ask(daemon.path, {"ask": "large"}) == {"text": "x" * 8_000_000}


def test_an_answer_beyond_its_bound_is_refused_and_not_cut_short(daemon: Daemon) -> None:
    """The bound holds for what goes out, too."""
    with pytest.raises(ControlError) as caught:
        ask(daemon.path, {"ask": "too-large"})

    assert caught.value.code == "bad-answer"
    assert int(caught.value.detail["found"]) > ANSWER_BYTES


def test_a_client_that_goes_away_before_its_answer_disturbs_nobody(daemon: Daemon, ended: list[str]) -> None:
    """Ctrl-C in the middle of ``status``, more often than there is room."""
    for _ in range(3 * CLIENTS_MOST):
        with daemon.connect() as client:
            client.sendall(b'{"ask": "large"}\n')

    assert ask(daemon.path, HELLO) == {"heard": HELLO}
    assert ended == []


def test_clients_that_say_half_a_line_and_hang_hold_the_others_for_two_seconds_at_most(daemon: Daemon) -> None:
    """As many as there is room for."""
    slow = [daemon.connect() for _ in range(CLIENTS_MOST)]
    for client in slow:
        client.sendall(b'{"ask": ')
    began_s = time.monotonic()
    assert ask(daemon.path, HELLO) == {"heard": HELLO}

    assert time.monotonic() - began_s < REQUEST_TIMEOUT_S + 1
    assert [client.recv(100) for client in slow] == [b""] * CLIENTS_MOST
    for client in slow:
        client.close()


def test_clients_that_drip_hold_the_others_no_longer(daemon: Daemon) -> None:
    """A byte now and then is not a line: the time is for the whole of it."""
    slow = [daemon.connect() for _ in range(CLIENTS_MOST)]
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.2):
            for client in slow:
                try:
                    client.send(b" ")
                except OSError:
                    return

    threading.Thread(target=drip, daemon=True).start()
    began_s = time.monotonic()
    try:
        assert ask(daemon.path, HELLO) == {"heard": HELLO}
        assert time.monotonic() - began_s < REQUEST_TIMEOUT_S + 1
    finally:
        over.set()
        for client in slow:
            client.close()


def test_a_client_beside_slow_ones_is_answered_at_once(daemon: Daemon) -> None:
    """There is room for eight."""
    slow = [daemon.connect() for _ in range(7)]
    began_s = time.monotonic()
    assert ask(daemon.path, HELLO) == {"heard": HELLO}

    assert time.monotonic() - began_s < 0.5
    for client in slow:
        client.close()


def test_more_clients_than_there_is_room_for_are_answered_in_turn(daemon: Daemon) -> None:
    """Twice as many, each of them asking what takes half a second."""
    heard: list[dict[str, Any]] = []
    clients = [
        threading.Thread(target=lambda: heard.append(ask(daemon.path, {"ask": "slow"})))
        for _ in range(2 * CLIENTS_MOST)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join(10)

    assert heard == [{"done": True}] * (2 * CLIENTS_MOST)


def test_the_socket_is_for_its_owner_and_group_alone(daemon: Daemon) -> None:
    """The technician's commands run in the group; nobody else asks."""
    mode = daemon.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


def test_a_socket_left_by_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    """kill -9 leaves the file; the next start takes its place."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError) as caught:
        ask(path, HELLO)
    assert (caught.value.code, caught.value.detail) == ("not-running", {"path": str(path)})
    daemon = Daemon(path)
    try:
        assert ask(path, HELLO) == {"heard": HELLO}
    finally:
        daemon.server.close()
    assert not path.exists()


def test_a_machine_without_descriptors_left_is_served_again_when_it_has_some(daemon: Daemon, ended: list[str]) -> None:
    """accept() fails for a while; the server does not take it for its end."""
    # An accept() that waits already has its descriptor, so the first of them may still be answered.
    clients = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    hoard: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (clients[-1].fileno() + 50, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                hoard.append(os.dup(0))
        for client in clients:
            client.connect(str(daemon.path))
            client.sendall(b'{"ask": "hello"}\n')
        answered, _, _ = select.select(clients, [], [], 0.5)
        assert len(answered) < 3
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in hoard:
            os.close(descriptor)

    for client in clients:
        client.settimeout(5)
        assert json.loads(client.recv(1_000)) == {"ok": True, "answer": {"heard": HELLO}}
        client.close()
    assert ended == []


@pytest.mark.parametrize(
    "said",
    [
        b"garbage\n",
        b"[]\n",
        b'{"ok": true}\n',
        b'{"ok": true, "answer": 1}\n',
        b'{"ok": false}\n',
        b'{"ok": false, "error": "x"}\n',
        b'{"ok": false, "error": {"code": 1, "detail": {}}}\n',
        b'{"ok": true, "answer": {"cut',
        b"[" * 50_000 + b"\n",
    ],
)
def test_an_answer_that_is_none_is_told_as_such(tmp_path: Path, said: bytes) -> None:
    """The technician's half: something else sits on the socket, or an older daemon."""
    assert said_by(tmp_path, said) == ("bad-answer", {})


def test_a_daemon_that_dies_before_its_answer_is_not_running(tmp_path: Path) -> None:
    """kill -9 behind the question: it is no other version, and is to be started."""
    assert said_by(tmp_path, b"") == ("not-running", {"path": str(tmp_path / "control.sock")})


def said_by(folder: Path, said: bytes) -> tuple[str, dict[str, str]]:
    """What the technician's half makes of what a daemon says."""
    path = folder / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1_000)
                client.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(ControlError) as caught:
            ask(path, HELLO)
    return caught.value.code, caught.value.detail


def test_a_daemon_that_drips_is_left_when_the_time_is_over(tmp_path: Path) -> None:
    """The time is for the whole answer."""
    path = tmp_path / "control.sock"
    over = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                while not over.wait(0.1):
                    client.send(b" ")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        began_s = time.monotonic()
        with pytest.raises(ControlError) as caught:
            ask(path, HELLO, timeout_s=0.5)
        over.set()
        thread.join(5)

    assert (caught.value.code, caught.value.detail) == ("timeout", {"seconds": "0.5"})
    assert time.monotonic() - began_s < 2


def test_a_crowd_beyond_what_may_wait_is_told_that_it_takes_too_long(tmp_path: Path) -> None:
    """A full queue of the kernel is no daemon that does not run."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(0)
        crowd = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
        for client in crowd:
            client.setblocking(False)
            client.connect_ex(str(path))
        with pytest.raises(ControlError) as caught:
            ask(path, HELLO, timeout_s=0.5)
        for client in crowd:
            client.close()

    assert (caught.value.code, caught.value.detail) == ("timeout", {"seconds": "0.5"})


def test_no_client_leaves_a_thread_or_a_descriptor_behind(daemon: Daemon) -> None:
    """A hundred questions, good and bad."""
    ask(daemon.path, HELLO)
    eventually(lambda: not any(thread.name == "control-client" for thread in threading.enumerate()))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        ask(daemon.path, HELLO)
        daemon.say(b"garbage\n")
    eventually(lambda: not any(thread.name == "control-client" for thread in threading.enumerate()))

    assert len(os.listdir("/proc/self/fd")) <= before


def open_copies(file: int) -> int:
    """How many descriptors of this process are of the same file."""
    mine = os.fstat(file)

    def is_copy(name: str) -> bool:
        try:
            return os.path.samestat(os.stat(f"/proc/self/fd/{name}"), mine)
        except OSError:  # closed meanwhile
            return False

    return sum(is_copy(name) for name in os.listdir("/proc/self/fd"))


class TestFiles:
    """An open file that comes with a question (SCM_RIGHTS)."""

    @pytest.fixture
    def taking(self, tmp_path: Path) -> Iterator[Path]:
        """A daemon that reads what it is given."""
        path = tmp_path / "taking.sock"
        server = ControlServer(
            path, answer, lambda request, file, by: {"read": os.pread(file, 100, 0).decode(), **request}
        )
        yield path
        server.close()

    @pytest.fixture
    def file(self, tmp_path: Path) -> Iterator[int]:
        """A file that only its owner may open."""
        path = tmp_path / "private"
        path.write_text("chào")
        path.chmod(0o600)
        descriptor = os.open(path, os.O_RDONLY)
        yield descriptor
        os.close(descriptor)

    def test_a_file_arrives_with_its_question(self, taking: Path, file: int) -> None:
        """The daemon reads what the client opened; a question without a file is answered as ever."""
        assert ask(taking, HELLO, file=file) == {"read": "chào", "ask": "hello"}
        assert ask(taking, HELLO) == {"heard": HELLO}

    def test_a_daemon_that_takes_no_files_refuses_one(self, daemon: Daemon, file: int) -> None:
        """An older daemon's answer would be to another question."""
        with pytest.raises(ControlError, match="bad-request"):
            ask(daemon.path, HELLO, file=file)

    @pytest.mark.parametrize("sent", [[1, 1], [253], [1] * 40])
    def test_many_files_are_refused_and_none_is_kept(self, taking: Path, file: int, sent: list[int]) -> None:
        """In one message, in the most that a message holds, in forty messages: no descriptor stays behind."""
        ask(taking, HELLO, file=file)
        eventually(lambda: not any(thread.name == "control-client" for thread in threading.enumerate()))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect(str(taking))
            try:
                for count in sent:
                    socket.send_fds(client, [b'{"ask": "hello", "n": '], [file] * count)
                client.sendall(b"1}\n")
                said = client.recv(1_000)
            except OSError:  # refused before all was said
                said = b""
        eventually(lambda: not any(thread.name == "control-client" for thread in threading.enumerate()))

        assert said == b"" or json.loads(said)["error"]["code"] == "bad-request"
        assert open_copies(file) == 1
        assert ask(taking, HELLO, file=file)["ask"] == "hello"

    def test_who_sends_a_file_is_who_the_kernel_says(self, tmp_path: Path, file: int) -> None:
        """Whatever the line claims."""

        def tell(request: dict[str, Any], file: int, by: LocalUser) -> dict[str, Any]:
            return {"uid": by.uid, "name": by.name}

        server = ControlServer(tmp_path / "x.sock", answer, tell)
        own = {"uid": os.getuid(), "name": pwd.getpwuid(os.getuid()).pw_name}
        assert ask(tmp_path / "x.sock", HELLO | {"by": "root", "uid": 0, "user": "root"}, file=file) == own
        server.close()

    def test_a_mistake_with_a_file_leaves_none_open(self, tmp_path: Path, file: int) -> None:
        """Whatever the answer is, the daemon's copy is closed behind it."""

        def fail(request: dict[str, Any], file: int, by: LocalUser) -> dict[str, Any]:
            raise RuntimeError("a mistake of ours")

        server = ControlServer(tmp_path / "x.sock", answer, fail)
        for _ in range(20):
            with pytest.raises(ControlError, match="bad-answer"):
                ask(tmp_path / "x.sock", HELLO, file=file)
        eventually(lambda: not any(thread.name == "control-client" for thread in threading.enumerate()))

        assert open_copies(file) == 1
        server.close()
