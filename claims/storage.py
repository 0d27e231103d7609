"""Where the bytes of documents and their previews lie, in whatever storage Django was given. Reading only.

`documents/ab/abcd…` are bytes by their hash; `previews/ab/abcd…/` holds `1.png`, `2.png`…, or `text.json`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.core.files.storage import Storage

from claims.models import StoredFile
from coop.lib.errors import NotFound

DOCUMENTS, PREVIEWS = "documents", "previews"


def storage() -> Storage:
    found: Storage = StoredFile._meta.get_field("file").storage
    return found


def name_of(sha256: str) -> str:
    return f"{DOCUMENTS}/{sha256[:2]}/{sha256}"


def preview_folder(sha256: str) -> str:
    return f"{PREVIEWS}/{sha256[:2]}/{sha256}"


def hash_of(name: str) -> str:
    """The SHA-256 of bytes as they lie there, read in blocks. Raises FileNotFoundError."""
    digest = hashlib.sha256()
    with storage().open(name, "rb") as file:
        for block in file.chunks(1024**2):
            digest.update(block)
    return digest.hexdigest()


def is_whole(name: str, sha256: str) -> bool:
    """Whether bytes lie there and have this hash."""
    try:
        return hash_of(name) == sha256
    except FileNotFoundError:
        return False


def folders_in(folder: str) -> list[str]:
    """The names of the folders in a folder."""
    return listed(folder)[0]


def files_in(folder: str) -> list[str]:
    """The files in a folder, by their whole names."""
    return [f"{folder}/{name}" for name in listed(folder)[1]]


def listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        found: Any = storage().listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    return sorted(found[0]), sorted(found[1])


def page_of(stored: StoredFile, number: int) -> Any:
    """The open PNG of a preview's page, counted from 1. Raises NotFound."""
    if stored.deleted_at is not None or not 1 <= number <= stored.pages:
        raise NotFound("There is no such page.")
    try:
        return storage().open(f"{preview_folder(stored.sha256)}/{number}.png", "rb")
    except FileNotFoundError:
        raise NotFound("There is no such page.") from None


def blocks_of(stored: StoredFile) -> list[dict[str, Any]]:
    """The text of a preview, in blocks with a title and a text or rows; nothing for what has pages, or no preview."""
    if stored.preview != "ready" or stored.pages or stored.deleted_at is not None:
        return []
    try:
        with storage().open(f"{preview_folder(stored.sha256)}/text.json", "rb") as file:
            found: list[dict[str, Any]] = json.load(file)
    except FileNotFoundError:
        return []
    return found
