"""What tries doctor: broken stations, and how its checks are run."""
