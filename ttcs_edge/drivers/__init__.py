"""Devices, each behind a Protocol."""
