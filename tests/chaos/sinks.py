"""A mail server and a receiver of webhooks of our own: they take what comes, now and then refuse, and write down all of it.

Run as `python -m tests.chaos.sinks HOME`; writes `sinks.json` with its ports, and `mails.jsonl` and `webhooks.jsonl`.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
import time
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from aiosmtpd.controller import Controller

REFUSES = 0.03  # of what comes: both must be tried again
SLOW = 0.03  # seconds: so that something is on its way whenever a worker dies


class Book:
    """A file of lines of JSON that several threads write."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", encoding="utf-8")
        self.lock = Lock()
        self.chance = random.Random(str(path))

    def write(self, line: dict[str, Any]) -> None:
        with self.lock:
            self.file.write(json.dumps({**line, "at": time.time()}) + "\n")
            self.file.flush()

    def refuses(self) -> bool:
        with self.lock:
            return self.chance.random() < REFUSES


class Mails:
    def __init__(self, book: Book) -> None:
        self.book = book

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the name that is called
        if self.book.refuses():
            return "451 Try again later"
        message = message_from_bytes(envelope.content)
        self.book.write({"id": message["Message-ID"], "to": envelope.rcpt_tos, "subject": message["Subject"]})
        await asyncio.sleep(SLOW)
        return "250 Taken"


def hooks(book: Book) -> type[BaseHTTPRequestHandler]:
    class Hooks(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if book.refuses():
                self.send_response(503)
                self.end_headers()
                return
            time.sleep(SLOW)
            book.write({"id": self.headers.get("Webhook-Id"), "path": self.path, "body": json.loads(data)})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Nothing: the book has it."""

    return Hooks


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def main(home: Path) -> None:
    mails = Controller(Mails(Book(home / "mails.jsonl")), hostname="127.0.0.1", port=free_port())
    mails.start()
    world = home / "world.json"  # one that was made before has the receiver's address in it
    port = json.loads(world.read_text())["hooks"] if world.exists() else 0
    server = ThreadingHTTPServer(("127.0.0.1", port), hooks(Book(home / "webhooks.jsonl")))
    ports = {"mail": mails.port, "hooks": server.server_address[1]}
    unfinished = home / "sinks.new"
    unfinished.write_text(json.dumps(ports))
    unfinished.replace(home / "sinks.json")
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
