"""The off-air monitor: a process of its own that listens to what is on the air, beside what was written to it."""
