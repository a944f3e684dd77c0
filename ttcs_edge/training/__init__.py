"""``ttcs-edge simulate``: a whole station on a laptop, for those who learn to look after one.

Everything is real but the poles: a centre, a broker, the daemon, libvlc, the commands. What hangs on its lines obeys
physics: amplifier, speaker lines and energy meter (``pole``, behind the frames of ``boards``), and the air that its
monitor hears (``air``). A trainer breaks something (``troubles``), a trainee finds what it is by the station's own
commands and says what he would mend (``lesson`` counts it). ``school`` puts it all together and takes it down again.

The same poles serve the tests, and are tried by them.
"""
