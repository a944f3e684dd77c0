"""The off-air monitor: the ear, its process, and what stands between them and the air."""
