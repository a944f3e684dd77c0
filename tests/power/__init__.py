"""Deaths and power cuts at random instants, of the real daemon with a real broker: what is left, and what it tells."""
