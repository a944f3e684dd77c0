"""Adds to a copyright file, from standard input to standard output, what the environment that runs this brings along.

``licences.py PREFIX``: one paragraph for each distribution, of the licence that it names itself.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions

OURS = ("ttcs-edge", "pip")


def licence(one: Distribution) -> str:
    """The licence's name, in a word that DEP-5 takes: its SPDX expression, its classifiers, or else its field."""
    classifiers = [line for line in one.metadata.get_all("Classifier", []) if line.startswith("License")]
    names = " and ".join(line.rpartition(" :: ")[2] for line in classifiers)
    fields = [one.metadata.get("License-Expression"), names, one.metadata.get("License")]
    name = next((field for field in fields if field), "unknown").splitlines()[0]
    return re.sub(r"[^\w.+-]+", "-", name).strip("-")[:60]


def tops(one: Distribution) -> list[str]:
    """What it has in site-packages: its modules, and its folders as ``folder/*``."""
    found = {file.parts[0] + ("/*" if len(file.parts) > 1 else "") for file in one.files or ()}
    return sorted(name for name in found if name not in ("../*", "__pycache__/*"))


def main() -> None:
    """Write the paragraphs, by the names of the distributions."""
    prefix = sys.argv[1]
    site = f"{prefix.lstrip('/')}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    print(sys.stdin.read().rstrip())
    told = {"Apache-2.0"}
    for one in sorted(distributions(), key=lambda one: one.name.lower()):
        if one.name in OURS:
            continue
        folder = next(top for top in tops(one) if ".dist-info" in top)
        print(f"\nFiles: {' '.join(f'{site}/{top}' for top in tops(one))}")
        print(f"Copyright: the authors of {one.name}, named in {folder}\nLicense: {licence(one)}")
        if licence(one) not in told:
            told.add(licence(one))
            print(f"\nLicense: {licence(one)}\n The text is in {site}/{folder}.")


if __name__ == "__main__":
    main()
