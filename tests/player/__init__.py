"""Tests of the player process."""
