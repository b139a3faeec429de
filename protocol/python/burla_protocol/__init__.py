"""What the Python programs of Burla share: the same bytes as `protocol/src` writes and reads.

Standard library and cloudpickle only. Nothing here decides anything.
"""

#: Equal to `PROTOCOL_VERSION` of `protocol/src/messages.ts`, which a test compares.
PROTOCOL_VERSION = 10
