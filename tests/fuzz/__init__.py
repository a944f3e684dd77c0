"""Bad input for every reader: one table of them (``targets``), good input spoilt (``spoil``), a long run (``run``)."""
