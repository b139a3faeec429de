"""When a worker speaks. The same numbers as `services/worker/src/pace.ts`, which says why; a test compares them."""

MIN_FLUSH_MS = 2
MAX_FLUSH_MS = 100
FLUSH_SHARE = 0.1
LEAD_MS = 3
GIVE_BACK_MS = 250
ANNOUNCE_MS = 50
WATCHED_CALLS = 64
TRUNCATE_BYTES = 1 << 20
NATIVE_READ_BYTES = 1 << 20
UPDATE_MS = 500
UPDATE_CHARACTERS = 1024
LOG_LINES_PER_SECOND = 20_000
LOG_BURST_LINES = 200_000
MAX_LOG_LINE_BYTES = 16 * 1024

#: Of this service only: its other thread looks this often at a call that runs, for what waits to be sent.
TICK_MS = 50
#: Lines wait this long for company, so that each `print` does not become a message.
GATHER_MS = 5
