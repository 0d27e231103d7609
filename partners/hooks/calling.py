"""One call of a webhook: bounded in time and size, to an address that was checked. Threads may call: it knows no database."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from partners.hooks.addresses import BadAddress, LookUp, Target, find_addresses, read_url

CONNECT_SECONDS = 3
WHOLE_SECONDS = 10
ANSWER_BYTES = 64 * 1024
ANSWER_KEPT = 500
ERROR_KEPT = 300
ADDRESSES_TRIED = 3

TOO_SLOW = f"It did not answer within {WHOLE_SECONDS} seconds."
GONE = 410


@dataclass(frozen=True)
class Order:
    """What to post, and where."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """What came of a call: the status of the answer, or the error that kept one away."""

    status: int | None = None
    answer: str = ""
    error: str = ""
    took_ms: int = 0

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def call(order: Order, context: ssl.SSLContext, look_up: LookUp = socket.getaddrinfo) -> Outcome:
    """Post once. What goes wrong is an outcome, too. A redirect is not followed: it could lead anywhere."""
    began = time.monotonic()
    try:
        target = read_url(order.url)
        with connect(target, find_addresses(target, look_up), context, began + WHOLE_SECONDS) as wire:
            status, answer = post(target, order, wire)
    except (BadAddress, OSError, http.client.HTTPException) as error:
        return Outcome(error=said(error)[:ERROR_KEPT], took_ms=since(began))
    return Outcome(status, shown(answer), refusal_in(status), since(began))


def refusal_in(status: int) -> str:
    """What a status says that is no acceptance; nothing for one that is."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}, a redirect. Redirects are not followed: enter the address that it leads to."
    return f"It answered {status} {http.client.responses.get(status, '')}".strip() + "."


def since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def said(error: Exception) -> str:
    """What went wrong, in a sentence for the log."""
    if isinstance(error, BadAddress):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate was refused: {error.verify_message}."
    if isinstance(error, TimeoutError):
        return str(error) if "did not" in str(error) else TOO_SLOW
    if isinstance(error, ssl.SSLError):
        return "No encrypted connection could be made: " + (error.reason or "it was broken off") + "."
    if isinstance(error, ConnectionRefusedError):
        return "It refused the connection."
    if isinstance(error, ConnectionError | http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "It broke off the connection without a whole answer."
    if isinstance(error, http.client.HTTPException):
        return "What it answered is not HTTP."
    return f"It could not be reached: {getattr(error, 'strerror', None) or type(error).__name__}."


def shown(answer: bytes) -> str:
    """The beginning of an answer as text that can be stored and shown."""
    text = answer[: 4 * ANSWER_KEPT].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:ANSWER_KEPT].strip()


class Wire:
    """A connection that ends at a set moment, however slowly the other side drips. It stands where a socket would."""

    def __init__(self, held: socket.socket, until: float) -> None:
        self.held, self.until = held, until

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.held.close()

    def hurry(self) -> socket.socket:
        """The socket, with what is left of the time as its timeout. Raises TimeoutError when nothing is."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError(TOO_SLOW)
        self.held.settimeout(left)
        return self.held

    def sendall(self, data: Any) -> None:
        self.hurry().sendall(data)

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        return io.BufferedReader(Incoming(self))

    def close(self) -> None:
        """Closed by `with` alone: the answer is still to be read when the request is done."""


class Incoming(io.RawIOBase):
    """What comes in over a wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self.wire.hurry().recv_into(buffer)


def connect(target: Target, addresses: list[str], context: ssl.SSLContext, until: float) -> Wire:
    """A connection to one of the addresses that were checked, by TLS for the host's name. Raises OSError."""
    tried: OSError | None = None
    for address in addresses[:ADDRESSES_TRIED]:
        seconds = min(CONNECT_SECONDS, until - time.monotonic())
        if seconds <= 0:
            break
        try:
            bare = socket.create_connection((address, target.port), timeout=seconds)
        except TimeoutError:
            tried = TimeoutError(f"It did not take the connection within {CONNECT_SECONDS} seconds.")
        except OSError as error:
            tried = error
        else:
            return Wire(bare if target.scheme == "http" else encrypted(bare, target, context, until), until)
    raise tried or TimeoutError(TOO_SLOW)


def encrypted(bare: socket.socket, target: Target, context: ssl.SSLContext, until: float) -> ssl.SSLSocket:
    try:
        Wire(bare, until).hurry()
        return context.wrap_socket(bare, server_hostname=target.host)
    except BaseException:
        bare.close()
        raise


class Talk(http.client.HTTPConnection):
    """HTTP over a wire that is open already; the port that goes without saying is that of https."""

    default_port = 443


def post(target: Target, order: Order, wire: Wire) -> tuple[int, bytes]:
    """The status of the answer and the beginning of its body. Its status decides; a body that breaks off changes nothing."""
    maker = Talk if target.scheme == "https" else http.client.HTTPConnection
    connection = maker(target.host, target.port)
    connection.sock = wire
    connection.request("POST", target.path, order.body, {**order.headers, "Connection": "close"})
    response = connection.getresponse()
    try:
        return response.status, response.read(ANSWER_BYTES)
    except http.client.IncompleteRead as cut:
        return response.status, cut.partial
    except OSError:
        return response.status, b""
