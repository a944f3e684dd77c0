"""Tests of letters and pages of a character display."""
