"""No webhook reaches into the operator's network (promises.md, attack 30): by form, by name or by a trick."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from partners.hooks import addresses
from partners.hooks.addresses import BadAddress, Target, find_addresses, is_closed, read_url
from partners.hooks.calling import Order, call
from tests.webhooks.receiver import Receiver

PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")

CLOSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8
192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:93.184.216.34 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::5db8:d822 64:ff9b:1::1
100::1 2001::1 2001:db8::1 2002:7f00:1::1 2002:5db8:d822::1 3fff::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1 ff0e::1 4000::1
""".split()

UNREADABLE = """
https://2130706433/ https://127.1/ https://0x7f.1/ https://0x7f000001/ https://0177.0.0.1/ https://017700000001/ https://127.0.1/
https://1.2.3/ https://1.2.3.4.5/ https://999.1.1.1/ https://0/ https://[::1%25eth0]/ https://[fe80::1%25lo]/ https://[::1 https://]/
https:// https:/// https:///coop https://localhost/ https://db/ https://host.0x1/ https://exa_mple.com.1/ https://.com/ https://a..b/
https://-a.com/ https://a-/ https://example.com:99999/ https://example.com:0/ https://example.com:22/ https://example.com:80/
https://example.com:6379/ https://user@example.com/ https://user:pass@example.com/ https://@example.com/
https://example.com@127.0.0.1/ https://example.com#@127.0.0.1/ https://example.com/# http://example.com/ ftp://example.com/
file:///etc/passwd gopher://127.0.0.1:6379/_x //example.com/ example.com javascript:alert(1) https:example.com
https://example.com\\@127.0.0.1/ https://ex\u00e4mple.com/ https://\uff11\uff12\uff17.0.0.1/ https://\u2460\u2461\u2466.0.0.1/
""".split()


@pytest.fixture(autouse=True)
def private_addresses_are_closed(settings: Any, receivers_are_on_this_machine: None) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = False


def leading_to(*numbers: str) -> Callable[..., Any]:
    """A resolver that knows these addresses for every name."""
    return lambda name, port, **_: [(0, 0, 0, "", (number, port)) for number in numbers]


@pytest.mark.parametrize("number", CLOSED)
def test_no_closed_number_is_taken_alone_or_behind_a_name(number: str) -> None:
    assert is_closed(ip_address(number))
    written = f"[{number}]" if ":" in number else number
    with pytest.raises(BadAddress, match="not a public address"):
        read_url(f"https://{written}/coop")
    with pytest.raises(BadAddress, match="not a public address"):
        find_addresses(read_url("https://example.com/"), leading_to(number))
    with pytest.raises(BadAddress, match="not a public address"):
        find_addresses(read_url("https://example.com/"), leading_to(PUBLIC[0], number))
    with pytest.raises(BadAddress):
        find_addresses(Target("https", number, 443, "/"), leading_to(PUBLIC[0]))


@pytest.mark.parametrize(
    "text",
    [
        *UNREADABLE,
        "https://example.com/a b",
        "https://exam\nple.com/",
        "https://example.com/\t",
        "https://a\x00.com/",
        "",
        " https://example.com/",
        f"https://example.com/{'a' * 500}",
    ],
)
def test_an_address_of_no_clear_form_is_not_taken(text: str) -> None:
    with pytest.raises(BadAddress):
        read_url(text)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1", "0", "localhost"])
def test_what_the_systems_resolver_reads_as_this_machine_is_closed_at_the_call_too(host: str) -> None:
    """Also if one of them got past the test of the form."""
    with pytest.raises(BadAddress):
        find_addresses(
            Target("https", host, 443, "/"),
            lambda name, port, **more: socket.getaddrinfo(name.rstrip("."), port, **more),
        )


def test_public_addresses_are_taken() -> None:
    for text in (
        "https://example.com",
        "https://hooks.example.co.uk:8443/a/b?c=d%20e",
        "https://xn--exmple-cua.com/",
        "https://93.184.216.34/",
        f"https://[{PUBLIC[1]}]/",
    ):
        target = read_url(text)
        assert find_addresses(target, leading_to(*PUBLIC))
    assert read_url("https://Example.COM?x=1") == Target("https", "example.com", 443, "/?x=1")
    assert not any(is_closed(ip_address(number)) for number in PUBLIC)


def test_a_name_without_addresses_and_a_name_that_nobody_knows_are_no_addresses() -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    for look_up in (unknown, leading_to()):
        with pytest.raises(BadAddress, match=r"example\.com"):
            find_addresses(read_url("https://example.com/"), look_up)


def test_names_of_the_operators_own_network_are_not_tried() -> None:
    """The dot at the end keeps the resolver from adding the domains of its search list."""
    asked: list[str] = []
    find_addresses(
        read_url("https://db.prod/"), lambda name, port, **_: asked.append(name) or leading_to(*PUBLIC)(name, port)
    )
    assert asked == ["db.prod."]


def test_an_operator_who_allows_private_addresses_still_keeps_the_keys_of_the_machine(settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    assert read_url("http://127.0.0.1:8000/x").port == 8000
    assert read_url("http://receiver/").port == 80
    assert not is_closed(ip_address("fd12::1"))
    for number in ("169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"):  # noqa: S104
        assert is_closed(ip_address(number)), number


# --- At the call ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate for hooks.example.com, with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = Path(tmp_path_factory.mktemp("tls")) / "hooks.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return str(path)


def order(receiver: Receiver, host: str = "hooks.example.com") -> Order:
    return Order(
        receiver.url(scheme="https", host=host), b"{}", {"Webhook-Id": "msg_1", "Content-Type": "application/json"}
    )


@pytest.fixture
def this_machine_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """For calls that shall arrive: 127.0.0.1 counts as public, and every port may be called."""
    monkeypatch.setattr(addresses, "CLOSED_V4", [])
    monkeypatch.setattr(addresses, "PORTS", range(1, 65_536))


def test_a_call_goes_to_the_checked_number_under_the_hosts_name(
    receivers: Callable[..., Receiver], certificate: str, this_machine_is_public: None
) -> None:
    receiver = receivers(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    outcome = call(order(receiver), trusting, leading_to("127.0.0.1"))
    assert outcome.accepted, outcome
    assert receiver.names == ["hooks.example.com"], "the name is asked for in TLS"
    assert receiver.taken[0].headers["host"] == f"hooks.example.com:{receiver.port}"


def test_a_certificate_of_another_name_or_of_nobody_is_refused(
    receivers: Callable[..., Receiver], certificate: str, this_machine_is_public: None
) -> None:
    receiver = receivers(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    other = call(order(receiver, "other.example.com"), trusting, leading_to("127.0.0.1"))
    assert "certificate was refused" in other.error
    stranger = call(order(receiver), ssl.create_default_context(), leading_to("127.0.0.1"))
    assert "certificate was refused" in stranger.error
    assert receiver.messages == []


def test_a_host_that_speaks_no_tls_is_a_failure(
    receivers: Callable[..., Receiver], this_machine_is_public: None
) -> None:
    outcome = call(order(receivers()), ssl.create_default_context(), leading_to("127.0.0.1"))
    assert outcome.error.startswith("No encrypted connection could be made")


def test_a_name_that_leads_elsewhere_at_each_look_is_looked_up_once_and_checked_each_time(
    receivers: Callable[..., Receiver], certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is public, those after it are this machine."""
    monkeypatch.setattr(addresses, "PORTS", range(1, 65_536))
    receiver = receivers(certificate)
    asked: list[str] = []
    reached: list[Any] = []

    def look_up(name: str, port: int, **_: Any) -> Any:
        asked.append(name)
        return leading_to(PUBLIC[0] if len(asked) == 1 else "127.0.0.1")(name, port)

    def create_connection(address: Any, timeout: float) -> Any:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", create_connection)
    trusting = ssl.create_default_context(cafile=certificate)
    assert call(order(receiver), trusting, look_up).error == "It refused the connection."
    assert (len(asked), reached) == (1, [(PUBLIC[0], receiver.port)]), "one look, and the call goes to what was checked"
    assert "127.0.0.1, which is not a public address" in call(order(receiver), trusting, look_up).error
    assert len(reached) == 1


def test_what_was_saved_while_the_operator_allowed_it_is_not_called_any_more(receiver: Receiver) -> None:
    outcome = call(Order(receiver.url(), b"{}", {}), ssl.create_default_context())
    assert outcome.error.startswith("Begin the address with https://")
    assert receiver.messages == []
