"""Vietnamese on a character display that knows no Vietnamese: letters drawn in 5 x 8 dots, and texts laid out in pages.

An HD44780 (Hitachi data sheet ADE-207-272(Z), table 4) has the letters of ASCII in each of its ROMs, and room for
``GLYPHS`` letters of one's own. ``glyphs`` draws a letter that ASCII lacks from its base and its marks; ``pages`` cuts
a text so that no page needs more of them than there is room for: no letter ever loses its marks. Pure.
"""

GLYPHS = 8
"""How many letters of one's own a display can show at a time (data sheet, table 5)."""
