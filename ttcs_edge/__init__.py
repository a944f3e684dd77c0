"""ttcs-edge: the daemon inside every village loudspeaker station."""

__version__ = "0.1.0"
