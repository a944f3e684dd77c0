"""``ttcs-edge doctor``: is everything in order, and if not, what is the cause, and what mends it.

A check is a row of the table in ``checks``: its name, what it waits for, and what looks. What waits for a check that is
red is not looked at: so what is red is a cause, and not what followed from it. ``ground`` is what all of them look at.
Nothing here opens a GPIO line, plays a sound or takes over the station's session at the broker: where the daemon runs,
what only it may touch is told by it.

It stands above the daemon and the other commands, for it looks with the very parts that they use. None of it is loaded
by another command.
"""
