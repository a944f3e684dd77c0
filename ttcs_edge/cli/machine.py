"""What a command prints for machines."""

from __future__ import annotations

import json
import sys


def print_json(value: object) -> None:
    """Print JSON as UTF-8 (RFC 8259), whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")
