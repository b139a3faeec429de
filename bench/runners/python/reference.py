"""The bare loop, in a process of its own: `reference STEPS CALLS` prints the CPU and wall milliseconds it took."""

import json
import sys
import time

from functions import busy

steps, calls = int(sys.argv[1]), int(sys.argv[2])
for _ in range(20):
    busy(steps)
cpu, wall = time.process_time(), time.perf_counter()
for _ in range(calls):
    busy(steps)
print(json.dumps({"cpuMs": (time.process_time() - cpu) * 1000, "wallMs": (time.perf_counter() - wall) * 1000}))
