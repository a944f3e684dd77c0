"""The running station: composition, loop, handlers."""
