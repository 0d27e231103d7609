"""A real mail server in the tests' own process. What it took can be read; it can refuse, and it can die."""

from __future__ import annotations

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Post:
    """What the server does with a mail: keep it, or answer with `refuses` ("550 No such box") for some address."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.taken.append(message)  # type: ignore[arg-type]
        return "250 Taken"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class MailServer:
    """A mail server on a port of its own."""

    def __init__(self) -> None:
        self.post = Post()
        self.port = free_port()
        self.controller = Controller(self.post, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> MailServer:
        self.controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.controller.stop()

    @property
    def taken(self) -> list[EmailMessage]:
        return self.post.taken
