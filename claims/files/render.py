"""Turns one file into its preview. The program of the confined process: `python -m claims.files.render MEDIA-TYPE`.

The file comes on standard input. On standard output goes one line of JSON, then the pictures, one after the other, whose
lengths the line says. What reads the file is loaded before `confine`, because after it no file can be opened.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from importlib import import_module
from typing import Any

from claims.files.confinement import confine

PASSWORD = "password"  # noqa: S105 - a question: does this PDF need one?
WITH_THREADS = ("image/heic", "image/heif")  # libde265 decodes in a thread of its own, or not at all
PAGES, PICTURES, OFFICE, TEXTS = "pages", "pictures", "office", "texts"
CANNOT = {
    PAGES: "This PDF cannot be drawn: it is damaged.",
    PICTURES: "This picture cannot be drawn: it is damaged.",
    OFFICE: "The text of this file cannot be read: it is damaged.",
    TEXTS: "This text cannot be read.",
}


def reader_of(media_type: str) -> str:
    """The module that reads files of this type."""
    if media_type in ("application/pdf", PASSWORD):
        return PAGES
    if media_type.startswith("image/"):
        return PICTURES
    return OFFICE if "officedocument" in media_type else TEXTS


def main(asked: str) -> int:
    name = reader_of(asked)
    reader = import_module(f"claims.files.{name}")
    reader.ready(asked)
    logging.disable()
    confine(threads=asked in WITH_THREADS)
    data = sys.stdin.buffer.read()
    said: dict[str, Any] = {}
    blobs: list[bytes] = []
    try:
        if asked == PASSWORD:
            said["password"] = reader.needs_password(data)
        else:
            said, blobs = reader.render(asked, data)
    except MemoryError:
        return 3
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises of a file, the file cannot be shown
        said = {"failed": CANNOT[name], "error": f"{type(error).__name__}: {error}"[:300]}
    said["lengths"] = [len(blob) for blob in blobs]
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(json.dumps(said).encode() + b"\n")
        out.writelines(blobs)
    return 0


if __name__ == "__main__":
    # Not through the interpreter's own end: a decoder that is broken by now could stumble there.
    os._exit(main(sys.argv[1]))
