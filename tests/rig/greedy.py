"""Takes tasks, then memory, until it gets no more: ``greedy.py MEGABYTES-AT-A-TIME``."""

import sys
import threading

ENOUGH_MB = 10_000

over = threading.Event()
try:
    while True:
        threading.Thread(target=over.wait).start()
except RuntimeError:
    print("tasks", threading.active_count())
    over.set()
step_mb = int(sys.argv[1])
held: list[bytes] = []
while len(held) * step_mb < ENOUGH_MB:
    held.append(b"x" * (step_mb << 20))
    print("megabytes", len(held) * step_mb)
print("enough")
