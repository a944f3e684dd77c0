"""Templates of alerts: what is said of a danger, written in a quiet hour, so that little is left to write in a bad one.

Those that every installation brings are put into a new centre's folder, where the operator fits them. One that is not
in the folder is taken from the installation: a centre that was made before there were templates has them too.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from ttcs_edge.whole_files import PUBLIC, write_new

DRILL: Final = "dien-tap"
"""The template of the monthly drill."""
SUFFIX: Final = ".yaml"
_OWN: Final = Path(str(resources.files(__package__).joinpath("templates")))


def write_templates(folder: Path) -> None:
    """Put the templates of the installation into a new folder."""
    folder.mkdir(parents=True, mode=0o700)
    for file in sorted(_OWN.glob(f"*{SUFFIX}")):
        write_new(folder / file.name, file.read_bytes(), PUBLIC)


def template_names(folder: Path) -> list[str]:
    """The names of the templates that a centre has, whose own are in a folder."""
    return sorted({file.stem for place in (folder, _OWN) for file in place.glob(f"*{SUFFIX}")})


def template_file(folder: Path, name: str) -> Path | None:
    """Where a template lies; None when there is none of that name."""
    return next((file for place in (folder, _OWN) for file in place.glob(f"*{SUFFIX}") if file.stem == name), None)
