"""Pictures: made small and bare for a preview, and reduced to a print by which the same one is found again.

The print is a difference hash (Neal Krawetz, “Kind of like that”, 2013): the picture is shrunk to nine by eight grey points,
and each of 64 bits says whether a point is darker than its right neighbour. Scaling, saving anew as JPEG and small changes
of light turn few bits; another picture turns about half of them.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from itertools import pairwise
from typing import Any

import pillow_heif
from PIL import Image, ImageOps

WIDTH = 1_000  # points of a preview
SIDE = 8
FLAT = 24  # of 256 shades: what differs less from its lightest to its darkest point shows nothing
MAX_PIXELS = 60_000_000
FORMS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/heic": "HEIF", "image/heif": "HEIF"}
TELLING = (
    16  # bits that must be set, and not be: large flat shapes set few, and would look like all others of their kind
)


def ready(media_type: str) -> None:
    """Load the decoders: later no file can be opened."""
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener()
    Image.init()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def render(media_type: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What the preview of a picture says, and the picture made small."""
    with Image.open(BytesIO(data), formats=[FORMS[media_type]]) as picture:
        shown = small(picture)
    return {"picture": print_of(shown)}, [as_png(shown)]


def small(picture: Image.Image) -> Image.Image:
    """The picture upright, on white where it is transparent, at most 1,000 points wide and three times as high."""
    picture.draft("RGB", (2 * WIDTH, 2 * WIDTH))  # a JPEG is decoded no larger than needed
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((WIDTH, 3 * WIDTH), Image.Resampling.LANCZOS)
    if upright.mode in ("RGBA", "LA", "PA", "P"):
        rgba = upright.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return upright.convert("RGB")


def as_png(picture: Image.Image) -> bytes:
    """The points alone: no place, no camera, no name."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    out = BytesIO()
    bare.save(out, "PNG")
    return out.getvalue()


def print_of(picture: Image.Image) -> int | None:
    """64 bits as a signed number; none for a picture that shows nothing, or the same all over."""
    grey = picture.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    points = grey.tobytes()
    if max(points) - min(points) < FLAT:
        return None
    bits = 0
    for row in range(SIDE):
        line = points[row * (SIDE + 1) : (row + 1) * (SIDE + 1)]
        for left, right in pairwise(line):
            bits = bits << 1 | (left < right)
    if not TELLING <= bits.bit_count() <= SIDE * SIDE - TELLING:
        return None
    return bits - (1 << 64) if bits >> 63 else bits
