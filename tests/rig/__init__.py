"""Tests on a whole machine: Debian, its systemd, what ``make install`` puts there, and a station's file."""
