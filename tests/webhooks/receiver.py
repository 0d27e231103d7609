"""A receiver of webhooks as a client would write it, which can also be told to misbehave.

It verifies signatures by the words of the Standard Webhooks form, with nothing of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 5 * 60  # seconds


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a message was signed with this secret, lately."""
    key = base64.b64decode(secret.split("whsec_")[1])
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.partition(",") for one in headers["webhook-signature"].split(" ")]
    late = abs(time.time() - int(headers["webhook-timestamp"])) > PATIENCE
    return not late and any(kind == "v1" and hmac.compare_digest(expected, said) for kind, _, said in given)


@dataclass(frozen=True)
class Message:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> Any:
        return json.loads(self.body)


Conduct = Callable[[Message], int]


@dataclass
class Receiver:
    """A server at 127.0.0.1. `conduct` says with which status each message is answered, or does worse by itself."""

    conduct: Conduct = lambda message: 204
    messages: list[Message] = field(default_factory=list)
    taken: list[Message] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # that clients asked for in TLS

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def url(self, path: str = "/coop", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def encrypt(self, certificate: str) -> None:
        """Speak TLS with the certificate and key of a file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda sock, name, ctx: self.names.append(name)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def start(self) -> Receiver:
        self.thread.start()
        return self

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def accepted(self) -> list[Message]:
        """What was accepted, each id once, in the order in which it first was."""
        return list({message.id: message for message in reversed(self.taken)}.values())[::-1]


def handler_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = Message(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.messages.append(message)
            self.answer(message)

        def answer(self, message: Message) -> None:
            worse = getattr(receiver.conduct, "worse", None)
            if worse:
                worse(self, message)
                self.close_connection = True
                return
            status = receiver.conduct(message)
            if 200 <= status < 300:
                receiver.taken.append(message)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url("/elsewhere"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                pass  # the caller hung up, which some tests are about

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def badly(act: Callable[[BaseHTTPRequestHandler, Message], None]) -> Conduct:
    """A conduct that answers by itself, with whatever it writes."""

    def conduct(message: Message) -> int:
        raise AssertionError

    conduct.worse = act  # type: ignore[attr-defined]
    return conduct


def write(handler: BaseHTTPRequestHandler, *pieces: bytes, pause: float = 0) -> None:
    for piece in pieces:
        handler.wfile.write(piece)
        handler.wfile.flush()
        time.sleep(pause)


def nobody() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
