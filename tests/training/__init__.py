"""What tries the class: its score, its screen."""
