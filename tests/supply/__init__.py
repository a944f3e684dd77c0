"""What the product is made of: its bill of materials, known holes in it, and secrets that must not lie in it."""
