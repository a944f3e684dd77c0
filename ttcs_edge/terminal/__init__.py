"""How both programs speak to a person: command line, screen, JSON. One way for the technician and for the operator.

It stands beside ``cli`` and ``central`` because neither may import the other. It knows no station and no centre.
"""
