"""Which addresses may be called: https, a public host, every one of its addresses public.

A client chooses the address, so without these tests it could make the product call servers inside the operator's own network
(promises.md, attack 30). The form of the address is tested when it is saved, without a network. The host's addresses are
looked up and tested before every call, and the call goes to one of those that were tested: a name that leads elsewhere a
moment later leads nowhere.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

LookUp = Callable[..., Any]
URL_MAX = 500
PORTS = (443, 8443)
PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
# The last part has a letter and does not look like a number: 127.1, 0x7f.1 and 2130706433 are names for 127.0.0.1.
NAME = re.compile(rf"(?=.{{1,253}}$)({LABEL}\.)*(?!0x)[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)

# Python's `is_global` lets some of these pass, so this is a list of our own. What is not here or above is public.
CLOSED_V4 = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # unspecified, this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: where clouds keep the keys of a machine
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols of the IETF
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Public addresses of version 6 all lie here. Outside lie loopback, link-local, site-local, private, multicast, NAT64
# (64:ff9b::/96), and those that hold one of version 4.
OPEN_V6 = ip_network("2000::/3")
CLOSED_V6 = [
    ip_network(text)
    for text in (
        "2001::/23",  # protocols of the IETF, among them Teredo, which holds an address of version 4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an address of version 4
        "3fff::/20",  # documentation
    )
]
# What an operator who allows private addresses means; clouds' keys and multicast stay closed.
PRIVATE = [ip_network(text) for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
PRIVATE_V6 = [ip_network(text) for text in ("::1/128", "fc00::/7")]


class BadAddress(ValueError):
    """An address that is not called; the sentence says why and what to do."""


@dataclass(frozen=True)
class Target:
    """Where a call goes: the host by its name, and what is asked of it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def shown(self) -> str:
        """The host, with its port where that is unusual; paths may hold secrets and are not shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def private_allowed() -> bool:
    """Whether the operator lets webhooks reach private addresses, by plain HTTP too. For demonstrations."""
    return bool(settings.WEBHOOK_PRIVATE_ADDRESSES)


def read_url(text: str) -> Target:
    """The parts of an address that may be saved. Raises BadAddress."""
    if len(text) > URL_MAX:
        raise BadAddress(f"This address is longer than the {URL_MAX} characters that are taken.")
    if not PRINTABLE.fullmatch(text) or "\\" in text:
        raise BadAddress("Write the address without spaces, backslashes and letters outside ASCII (%20, xn--).")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadAddress("This is not an address. Write it like https://example.com/coop.") from None
    schemes = ("https", "http") if private_allowed() else ("https",)
    if parts.scheme not in schemes:
        raise BadAddress("Begin the address with https://, so that nobody on the way can read what is sent.")
    if "@" in parts.netloc or parts.fragment or text.endswith("#"):
        raise BadAddress("Leave out user names, passwords and what comes after #. What is sent is signed instead.")
    host = read_host(parts.hostname or "")
    return Target(parts.scheme, host, read_port(parts.scheme, port), request_path(parts))


def request_path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def read_port(scheme: str, port: int | None) -> int:
    usual = 443 if scheme == "https" else 80
    if port is not None and port not in PORTS and not (private_allowed() and port):
        raise BadAddress(f"Port {port} is not called. Use 443 or 8443.")
    return port or usual


def read_host(host: str) -> str:
    """The host of an address: a public name or number. Raises BadAddress."""
    try:
        number = ip_address(host)
    except ValueError:
        number = None
    if number is not None:
        if getattr(number, "scope_id", None) or is_closed(number):
            raise BadAddress(refusal_of(host))
        return host
    if not NAME.fullmatch(host):
        raise BadAddress("The host of this address cannot be read. Write its name in full, for example example.com.")
    if "." not in host and not private_allowed():
        raise BadAddress(f"“{host[:60]}” is the name of a host inside a network. Write its public name in full.")
    return host


def refusal_of(shown: str) -> str:
    return f"{shown} is not a public address of the internet, so it is not called. Use one that is."


def is_closed(number: IPv4Address | IPv6Address) -> bool:
    """Whether an address must not be called."""
    if isinstance(number, IPv4Address):
        allowed = private_allowed() and any(number in network for network in PRIVATE)
        return not allowed and any(number in network for network in CLOSED_V4)
    if private_allowed() and any(number in network for network in PRIVATE_V6):
        return False
    return number not in OPEN_V6 or any(number in network for network in CLOSED_V6)


def find_addresses(target: Target, look_up: LookUp = socket.getaddrinfo) -> list[str]:
    """The addresses of a host, if every one of them may be called. Raises BadAddress.

    One that is closed refuses all: a host with two faces is nobody's mistake.
    """
    try:
        number = ip_address(target.host)
    except ValueError:
        # The dot at the end keeps the resolver from trying names of the operator's own network.
        name = f"{target.host}." if "." in target.host else target.host
    else:
        if is_closed(number):
            raise BadAddress(refusal_of(target.host))
        return [target.host]
    try:
        answers = look_up(name, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadAddress(f"There is no host of the name {target.host}.") from None
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    closed = [address for address in found if "%" in address or is_closed(ip_address(address))]
    if closed or not found:
        raise BadAddress(
            f"{target.host} leads to {closed[0]}, which is not a public address of the internet, so it is not called."
            if closed
            else f"There is no address for {target.host}."
        )
    return found
