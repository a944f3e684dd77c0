"""libvlc, by python-vlc, which is told the library's name.

To find that out by itself it would run ``ldconfig``, which a player in its unit has not, and a compiler behind that.
"""

from __future__ import annotations

import os

os.environ.setdefault("PYTHON_VLC_LIB_PATH", "libvlc.so.5")

import vlc

__all__ = ["vlc"]
