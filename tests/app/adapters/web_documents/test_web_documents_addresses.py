"""Request forgery: no address and no spelling in a badge leads to this machine, its network or its cloud."""

from __future__ import annotations

import socket
import ssl
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest

from app.adapters.web_documents import WEBHOOK_LIMITS, GuardedWebhooks, WebDocuments
from app.adapters.web_documents.url_policy import NetworkScope, is_public, system_resolve
from app.domain.campus.integration import Attempt
from sceau_credentials.errors import DocumentUnavailable
from tests.support.app import SettableClock
from tests.support.running.every import for_each
from tests.support.servers.hostile_server import PUBLIC_ADDRESS, answer, raw, redirect

DANGEROUS = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.1.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::1111%eth0",
]
NO_ADDRESSES = ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "127.0.0.1 ", "１２７.0.0.1", "::1/128"]
PUBLIC = ["1.1.1.1", "9.9.9.9", "93.184.215.14", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a01:e0c::1"]

SPELLINGS = [
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1",
    "127.0.0.1.",
    "127.000.000.001",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[fe80::1%25lo]",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "%31%32%37.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ip6-localhost",
    "a.127",
    "user@127.0.0.1",
    "user:secret@127.0.0.1",
    "issuer.example@127.0.0.1",
    "127.0.0.1\\@issuer.example",
    "127.0.0.1%00.issuer.example",
    "127.0.0.1\t",
    "127.0.0.1\n",
]
MALFORMED = [
    "",
    "https://",
    "https:///did.json",
    "https:issuer.example/did.json",
    "//issuer.example/did.json",
    "http://issuer.example/did.json",
    "file:///etc/passwd",
    "gopher://issuer.example/",
    "ftp://issuer.example/",
    "data:application/json,{}",
    "jar:https://issuer.example/!/",
    "https://issuer.example:22/",
    "https://issuer.example:6379/",
    "https://issuer.example:80/",
    "https://issuer.example:0443a/",
    "https://issuer.example:/",
    "https://issuer.example:99999999/",
    "https://user@issuer.example/",
    "https://issuer.example\\.other.example/",
    "https://issuer.example/a b",
    "https://issuer.example/\r\nHost: other.example",
    "https://issuer.example/é",
    " https://issuer.example/",
    "https://issuer..example/",
    "https://-issuer.example/",
    "https://.example/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://issuer.example/" + "a" * 2048,
]


@for_each("address", [*DANGEROUS, *NO_ADDRESSES])
def test_no_dangerous_address_is_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str):
    assert is_public(address)


@pytest.fixture
def listener():
    """Listens on this machine; at the end it has received no connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def real_fetcher(listener: socket.socket, **made_of) -> WebDocuments:
    """With the system's own resolver and connections, and the listener's port among those allowed."""
    reach = NetworkScope(ports=frozenset({443, listener.getsockname()[1]}))
    return WebDocuments(clock=SettableClock(), reach=reach, **made_of)


def why(documents: WebDocuments, url: str) -> str:
    with pytest.raises(DocumentUnavailable) as refusal:
        documents.fetch(url)
    return refusal.value.reason


@pytest.mark.parametrize("address", DANGEROUS)
def test_a_name_of_a_dangerous_address_is_not_connected_to(listener, address: str):
    documents = real_fetcher(listener, resolve=lambda host, port: [address])
    port = listener.getsockname()[1]
    assert why(documents, f"https://issuer.example:{port}/did.json") == "unreachable"


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_this_machine_is_even_resolved(listener, host: str):
    looked_up: list[str] = []

    def resolve(name: str, port: int):
        looked_up.append(name)
        return system_resolve(name, port)

    documents = real_fetcher(listener, resolve=resolve)
    port = listener.getsockname()[1]
    assert why(documents, f"https://{host}:{port}/did.json") == "url_not_allowed"
    assert looked_up == []


@pytest.mark.parametrize("url", MALFORMED)
def test_anything_but_a_plain_https_url_of_a_named_host_is_refused(listener, url: str):
    assert why(real_fetcher(listener, resolve=lambda host, port: ["127.0.0.1"]), url) == "url_not_allowed"


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://issuer.example", "issuer.example", 443, "/"),
        ("HTTPS://Issuer.Example:443/did.json#key-1", "issuer.example", 443, "/did.json"),
        ("https://xn--mtiers-bva.example/a?b=c&d=%20#e", "xn--mtiers-bva.example", 443, "/a?b=c&d=%20"),
        ("https://issuer.example?x=1", "issuer.example", 443, "/?x=1"),
        ("https://a_b.1.issuer.example/@x:y", "a_b.1.issuer.example", 443, "/@x:y"),
    ],
)
def test_a_plain_url_has_the_target_it_states(url: str, host: str, port: int, path: str):
    target = NetworkScope().target(url)
    assert (target.scheme, target.host, target.port, target.path) == ("https", host, port, path)


def test_the_system_resolver_takes_odd_numbers_for_this_machine():
    """If this ever fails, the system no longer needs the rule about spellings; we retain it nevertheless."""
    assert system_resolve("0x7f.1", 443) == ["127.0.0.1"]


# --- webhooks


def test_webhook_reaches_a_private_network_only_where_the_operator_allows_it(network, fetcher):
    network.addresses["issuer.example"] = ["10.20.0.7"]
    network.server.scripts["/badges"] = answer(b"", "204 No Content")
    dialled = []

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        dialled.append(address)
        return network.dial(PUBLIC_ADDRESS, port, seconds)

    allowed, other = ip_network("10.20.0.0/16"), ip_network("10.30.0.0/16")
    for private, expected in (
        ((), Attempt(fault="unreachable")),
        ((other,), Attempt(fault="unreachable")),
        ((other, allowed), Attempt(204)),
    ):
        reach = NetworkScope(private=private)
        webhooks = GuardedWebhooks(fetcher(reach=reach, dial=dial), reach)
        assert webhooks.post("https://issuer.example/badges", b"{}", {"webhook-id": "msg_1"}) == expected
    (request,) = network.server.requests
    assert request.headers["webhook-id"] == "msg_1"
    assert dialled == ["10.20.0.7"]


def test_webhook_follows_no_redirect_and_reads_retry_after(network, fetcher, clock):
    reach = NetworkScope()
    webhooks = GuardedWebhooks(fetcher(reach=reach), reach)
    network.server.scripts["/badges"] = redirect("https://issuer.example/other")
    assert webhooks.post("https://issuer.example/badges", b"{}", {}) == Attempt(302)
    at = {"date": "Wed, 02 Dec 2026 08:00:00 GMT"}
    for headers, seconds in (
        ({"retry_after": "120"}, 120),
        ({"retry_after": "10000000"}, 10_000_000),
        (at | {"retry_after": "Wed, 02 Dec 2026 08:30:00 GMT"}, 1_800),
        (at | {"retry_after": "Wed, 02 Dec 2026 07:30:00 GMT"}, 0),
        (at | {"retry_after": "soon"}, 0),
        ({"retry_after": format_datetime(clock() + timedelta(minutes=20))}, 1_200),
        ({"retry_after": "-5"}, 0),
        ({"retry_after": "99999999999"}, 1_000_000_000),
        ({}, 0),
    ):
        network.server.scripts["/badges"] = answer(b"", "429 Too Many Requests", **headers)
        assert webhooks.post("https://issuer.example/badges", b"{}", {}) == Attempt(429, retry_after=seconds)
    assert set(network.server.paths) == {"/badges"}


def test_webhook_names_a_certificate_that_is_not_accepted(network, fetcher):
    reach = NetworkScope()
    other_name = GuardedWebhooks(fetcher(reach=reach), reach)
    assert other_name.post("https://stranger.example/badges", b"{}", {}) == Attempt(fault="certificate")
    unknown = GuardedWebhooks(fetcher(reach=reach, ssl_context=ssl.create_default_context()), reach)
    assert unknown.post("https://issuer.example/badges", b"{}", {}) == Attempt(fault="certificate")
    assert network.server.requests == []


def test_failing_webhook_of_one_campus_does_not_stop_another_s_on_the_same_host(network, fetcher):
    reach = NetworkScope()
    failing = [True] * 10

    def dial(address: str, port: int, seconds: float):
        if failing and failing.pop():
            raise OSError
        return network.dial(address, port, seconds)

    webhooks = GuardedWebhooks(fetcher(reach=reach, dial=dial, limits=WEBHOOK_LIMITS), reach)
    for _ in range(10):
        assert webhooks.post("https://issuer.example/one", b"{}", {}).fault == "unreachable"
    network.server.scripts["/other"] = answer(b"", "204 No Content")
    assert webhooks.post("https://issuer.example/other", b"{}", {}) == Attempt(204)


@pytest.mark.parametrize(
    "script",
    [
        answer(b"x" * 3_000_000),
        answer(b"thanks", content_encoding="gzip"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"),
    ],
    ids=["long", "compressed", "endless", "cut off"],
)
def test_webhook_is_received_once_its_status_arrived_whatever_its_body(network, fetcher, script):
    reach = NetworkScope()
    network.server.scripts["/badges"] = script
    assert GuardedWebhooks(fetcher(reach=reach), reach).post(
        "https://issuer.example/badges", b"{}", {}
    ) == Attempt(200)
