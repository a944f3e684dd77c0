"""The pure core: it decides and does nothing."""
