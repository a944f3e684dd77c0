"""The commands of the technician."""
