"""Documents and reports as bytes."""
