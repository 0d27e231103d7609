"""A real mail server in the tests' own process. What it took can be read; it can refuse, and it can die."""

from __future__ import annotations

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


class MailServer:
    """A mail server on a port of its own."""

    def __init__(self) -> None:
        self.post = Post()
        self.controller = Controller(self.post, hostname="127.0.0.1", port=0)

    def __enter__(self) -> MailServer:
        self.controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.controller.stop()

    @property
    def port(self) -> int:
        return int(self.controller.server.sockets[0].getsockname()[1])  # type: ignore[union-attr]

    @property
    def taken(self) -> list[EmailMessage]:
        return self.post.taken
