"""Small pictures of results for a cell's card: of images, figures, and whatever shows itself as a picture."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any, Optional

#: The document of a cell is sent some times a second with all of its pictures.
MAX_BYTES = 12 * 1024
_EDGE = 96
_KINDS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"))


def thumbnail_of(value: Any) -> Optional[str]:
    """A `data:` address; None for what is no picture, or has no small one. A value whose code fails is no picture."""
    try:
        data = _bytes_of(value)
        kind = next((kind for start, kind in _KINDS if data is not None and data.startswith(start)), None)
        if data is None or kind is None:
            return None
        if len(data) > MAX_BYTES:
            data, kind = _shrunk(data), "png"
        return None if data is None or len(data) > MAX_BYTES else f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    except Exception:
        return None


def _bytes_of(value: Any) -> Optional[bytes]:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if _is_a(value, "PIL.Image", "Image"):
        return _png_of(value)
    if _is_a(value, "matplotlib.figure", "Figure"):
        picture = io.BytesIO()
        value.savefig(picture, format="png", dpi=_EDGE / max(value.get_size_inches()))
        return picture.getvalue()
    shows = None if isinstance(value, type) else getattr(value, "_repr_png_", None)
    shown = shows() if callable(shows) else None
    # With its metadata, as IPython allows.
    shown = shown[0] if isinstance(shown, tuple) else shown
    return base64.b64decode(shown) if isinstance(shown, str) else shown


def _is_a(value: Any, module: str, name: str) -> bool:
    """Without an import: a value of that class has brought its module along."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _png_of(image: Any) -> bytes:
    small = image.copy()
    small.thumbnail((_EDGE, _EDGE))
    picture = io.BytesIO()
    (small if small.mode in ("1", "L", "LA", "P", "RGB", "RGBA") else small.convert("RGB")).save(picture, format="PNG")
    return picture.getvalue()


def _shrunk(data: bytes) -> Optional[bytes]:
    """Where there is no PIL, a large picture has no small one."""
    try:
        from PIL import Image
    except ImportError:
        return None
    with Image.open(io.BytesIO(data)) as image:
        return _png_of(image)
