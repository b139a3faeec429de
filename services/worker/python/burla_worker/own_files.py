"""Which files are Burla's own: their frames are left out of what the user sees."""

import os

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def is_ours(file: str) -> bool:
    return file.startswith(_FOLDER)


def folder() -> str:
    return _FOLDER.rstrip(os.sep)
