"""Write the schemas and their README beside this module: ``make schemas``."""

from pathlib import Path

from ttcs_edge.wire.schemas import files

FOLDER = Path(__file__).parent

for stale in FOLDER.glob("*.json"):
    stale.unlink()
for name, text in files().items():
    (FOLDER / name).write_text(text, "utf-8")
