"""Has a stranger's file read by a process of its own, which can do nothing else and is not waited for long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30  # seconds on the clock
LINE = 4 * 1024**2  # bytes of what is said; pictures follow it


class GaveUp(Exception):
    """The process was killed, ran out of time or memory, or said nothing that could be read. Another try may do better."""


@dataclass(frozen=True)
class Preview:
    """How a file looks: pictures (PNG) of its pages, or its text as blocks; `failed` says why there is neither."""

    pages: list[bytes] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    picture: int | None = None
    failed: str = ""
    error: str = ""


def preview_of(file: IO[bytes], media_type: str) -> Preview:
    """The preview of an open file. Raises GaveUp."""
    said, blobs = ask(media_type, file, patience=PATIENCE)
    return Preview(
        blobs, said.get("blocks", []), said.get("picture"), str(said.get("failed", "")), str(said.get("error", ""))
    )


def needs_password(data: bytes) -> bool:
    """Whether a PDF opens only with a password. What nobody could tell in time does not open."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        try:
            said, _ = ask("password", file, patience=10)
        except GaveUp:
            return True
    return bool(said.get("password"))


def ask(what: str, file: IO[bytes], *, patience: float) -> tuple[dict[str, Any], list[bytes]]:
    """Run the program on a file; what it answers. Raises GaveUp.

    It gets the bytes and a place to write to, both open, an empty folder, and nothing of our environment.
    """
    command = [sys.executable, "-B", "-P", "-s", "-m", "claims.files.render", what]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        for block in iter(lambda: file.read(1024**2), b""):
            given.write(block)
        given.seek(0)
        child = subprocess.Popen(
            command,
            stdin=given,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            status = child.wait(patience)
        except subprocess.TimeoutExpired:
            raise GaveUp("it took too long") from None
        finally:
            end(child)
        if status != 0:
            raise GaveUp(f"it ended with {status}")
        answer.seek(0)
        return read_answer(answer)


def end(child: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it may have started; all of it is one group."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def read_answer(answer: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Raises GaveUp for what our program would not say: it may not be our program any more that said it."""
    try:
        said = json.loads(answer.readline(LINE))
        lengths = said["lengths"]
        blobs = [answer.read(length) for length in lengths]
        sound = [len(blob) for blob in blobs] == lengths and all(blob.startswith(b"\x89PNG") for blob in blobs)
        picture = said.get("picture")
        sound = sound and (picture is None or (type(picture) is int and -(2**63) <= picture < 2**63))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound or len(blobs) > 10:
        raise GaveUp("its answer cannot be read")
    return said, blobs
