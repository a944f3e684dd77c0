"""The process that owns libvlc and the sound device."""
