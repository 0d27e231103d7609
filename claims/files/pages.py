"""The pages of a PDF, drawn by PDFium without its scripts and forms."""

from __future__ import annotations

from typing import Any

import pypdfium2
from PIL import Image

from claims.files.pictures import WIDTH, as_png

MAX_PAGES = 10


def ready(media_type: str) -> None:
    """Load the encoder of the pictures: later no file can be opened."""
    Image.preinit()


def render(media_type: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The first pages, 1,000 points wide."""
    with pypdfium2.PdfDocument(data) as document:
        return {"of": len(document)}, [drawn(document[number]) for number in range(min(len(document), MAX_PAGES))]


def drawn(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    # A page may be a strip a kilometre long.
    scale = min(WIDTH / max(width, 1), 3 * WIDTH / max(height, 1))
    return as_png(page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB"))


def needs_password(data: bytes) -> bool:
    """Whether it opens only with a password."""
    try:
        pypdfium2.PdfDocument(data).close()
    except pypdfium2.PdfiumError as error:
        return "password" in str(error).lower()
    return False
