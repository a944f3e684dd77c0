"""Codes that two people read to each other on the telephone: letters that sound and look alike are left out.

A one-time code of an enrolment is fifteen characters by chance (75 bits) and one that checks them, in groups of four:
``7K3M-9QXT-2HVB-4WRN``. A fingerprint of a key is written the same way, without the check.

The check is over the field of 32 elements (x^5 + x^2 + 1): each character wrong alone, and any two of them changed for
each other, are found at once, before anything is sent.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U (Crockford's base 32)."""
READ_AS: Final = str.maketrans("ILO", "110", " -.\t\r\n")
"""What people write for what they hear or see; what only groups the code is let go."""
CODE_CHARS: Final = 16
GROUP_CHARS: Final = 4
_REDUCED: Final = 0b100101
_TOP: Final = 0b100000


def new_code() -> str:
    """Make a code of 75 bits by chance, with its check."""
    free = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS - 1))
    return free + ALPHABET[_double(_sum(free))]


def grouped(code: str) -> str:
    """Write a code or a fingerprint as it is read aloud."""
    return "-".join(code[begin : begin + GROUP_CHARS] for begin in range(0, len(code), GROUP_CHARS))


def read_code(typed: str) -> str | None:
    """Give the code that a person typed, in any case and grouping; None for one with a mistake in it."""
    code = typed.upper().translate(READ_AS)
    known = len(code) == CODE_CHARS and set(code) <= set(ALPHABET)
    return code if known and _sum(code) == 0 else None


def fingerprint(public_key: bytes) -> str:
    """80 bits of the SHA-256 of a public key (SubjectPublicKeyInfo, DER), for two people to compare."""
    number = int.from_bytes(hashlib.sha256(public_key).digest()[:10])
    return grouped("".join(ALPHABET[number >> shift & 31] for shift in range(75, -1, -5)))


def _double(value: int) -> int:
    value <<= 1
    return value ^ _REDUCED if value & _TOP else value


def _sum(code: str) -> int:
    total = 0
    for character in code:
        total = _double(total) ^ ALPHABET.index(character)
    return total
