"""Hostile or broken servers: each fetch ends soon, reads little, and its error reveals nothing."""

from __future__ import annotations

import gzip
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import monotonic

import pytest

from app.adapters.web_documents.url_policy import Limits
from sceau_credentials.errors import DocumentUnavailable
from tests.support.servers.hostile_server import PUBLIC_ADDRESS, Conversation, answer, raw

URL = "https://issuer.example/did.json"
IMPATIENT = Limits(seconds=0.8)
SOON = 6.0
"""Far above IMPATIENT for a busy machine, far below the patience of the server."""


def why(documents, url: str = URL) -> str:
    began = monotonic()
    with pytest.raises(DocumentUnavailable) as refusal:
        documents.fetch(url)
    assert monotonic() - began < SOON
    return refusal.value.reason


def drip(before: bytes, each: bytes) -> Callable[[Conversation], None]:
    def script(talk: Conversation) -> None:
        talk.send(before)
        while talk.pause():
            talk.send(each)

    return script


def flood(before: bytes, each: bytes) -> Callable[[Conversation], None]:
    def script(talk: Conversation) -> None:
        talk.send(before)
        while not talk.stopping.is_set():
            talk.send(each)

    return script


# --- time (T16)


@pytest.mark.parametrize(
    ("before", "each"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b";a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status line", "headers", "body", "chunks", "chunk extensions", "interim answers"],
)
def test_a_regular_drip_is_cut(network, fetcher, before, each):
    network.server.scripts["/did.json"] = drip(before, each)
    assert why(fetcher(limits=IMPATIENT)) == "timeout"


def test_a_silent_server_is_given_up(network, fetcher):
    network.server.scripts["/did.json"] = lambda talk: talk.stopping.wait()
    assert why(fetcher(limits=IMPATIENT)) == "timeout"


def test_redirects_share_one_time_limit(network, fetcher):
    def slow_redirect(talk: Conversation) -> None:
        for _ in range(20):
            talk.pause()
        talk.send(b"HTTP/1.1 302 F\r\nLocation: /did.json\r\nContent-Length: 0\r\n\r\n")

    network.server.scripts["/did.json"] = slow_redirect
    assert why(fetcher(limits=IMPATIENT)) == "timeout"
    assert len(network.server.requests) < 4


@pytest.mark.parametrize("each", [b"", b"\x00"], ids=["silent", "dripping"])
def test_a_slow_handshake_is_cut(network, fetcher, each):
    """The bytes resemble the beginning of a long TLS record."""
    done = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def shake_slowly() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" if each else b"")
                while not done.wait(0.02):
                    connection.sendall(each)

        def dial(address: str, port: int, seconds: float) -> socket.socket:
            return socket.create_connection(listener.getsockname(), seconds)

        serving = pool.submit(shake_slowly)
        try:
            assert why(fetcher(limits=IMPATIENT, dial=dial)) == "unreachable"
        finally:
            done.set()
        # It continued to the end, or was cut while it did.
        assert isinstance(serving.exception(SOON), OSError | None)


def test_a_resolver_that_never_answers_is_not_waited_for(network, fetcher):
    never = Event()

    def resolve(host: str, port: int) -> list[str]:
        never.wait(SOON * 2)
        return [PUBLIC_ADDRESS]

    assert why(fetcher(limits=IMPATIENT, resolve=resolve)) == "unreachable"
    never.set()


def test_one_dead_address_does_not_use_up_the_time_of_the_next(network, fetcher):
    network.addresses["issuer.example"] = ["93.184.215.98", "93.184.215.99"]
    allowed: list[float] = []

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        allowed.append(seconds)
        raise TimeoutError

    why(fetcher(limits=Limits(seconds=5.0, connect_seconds=1.0), dial=dial))
    why(fetcher(limits=Limits(seconds=0.5, connect_seconds=1.0), dial=dial))
    assert allowed[:2] == [1.0, 1.0]
    assert max(allowed[2:]) <= 0.5


# --- size


def test_a_body_of_one_mebibyte_is_accepted_and_one_byte_more_is_not(network, fetcher):
    network.server.scripts["/did.json"] = answer(b" " * 1024 * 1024, cache_control="no-store")
    documents = fetcher()
    assert len(documents.fetch(URL).body) == 1024 * 1024
    network.server.scripts["/did.json"] = answer(b" " * (1024 * 1024 + 1))
    assert why(documents) == "too_large"


@pytest.mark.parametrize(("length", "is_taken"), [(1000, True), (1001, False)])
def test_a_body_without_a_stated_length_has_the_same_limit(network, fetcher, length, is_taken):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    network.server.scripts["/did.json"] = raw(head + b"%x\r\n%s\r\n0\r\n\r\n" % (length, b" " * length))
    documents = fetcher(limits=Limits(body_bytes=1000))
    if is_taken:
        assert len(documents.fetch(URL).body) == length
    else:
        assert why(documents) == "too_large"


def test_a_body_with_too_large_a_stated_length_is_not_read(network, fetcher):
    network.server.scripts["/did.json"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 13000000\r\n\r\n")
    assert why(fetcher()) == "too_large"


@pytest.mark.parametrize(
    ("before", "each"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 500),
    ],
    ids=["no length", "chunked", "interim answers"],
)
def test_an_endless_answer_is_cut_soon_after_the_limit(network, fetcher, before, each):
    talks: list[Conversation] = []

    def script(talk: Conversation) -> None:
        talks.append(talk)
        flood(before, each)(talk)

    network.server.scripts["/did.json"] = script
    limits = Limits(body_bytes=64 * 1024)
    assert why(fetcher(limits=limits)) == "too_large"
    network.server.close()
    in_flight = 8 * 1024 * 1024  # what the buffers of two sockets on loopback may contain
    assert talks[0].sent < limits.wire_bytes + in_flight


@pytest.mark.parametrize(
    ("headers", "reasons"),
    [
        (b"A: b\r\n" * 100_000, {"malformed_answer"}),
        (b"A: " + b"b" * 1_000_000 + b"\r\n", {"malformed_answer"}),
        (b"A: " + b"b" * 40_000 + b"\r\n", {"too_large"}),
        (b"".join(b"A%d: b\r\n" % number for number in range(6000)), {"too_large"}),
    ],
    ids=["100,000", "one of a megabyte", "one of 40 kB", "6,000"],
)
def test_huge_headers_are_refused(network, fetcher, headers, reasons):
    network.server.scripts["/did.json"] = raw(
        b"HTTP/1.1 200 OK\r\n" + headers + b"Content-Length: 2\r\n\r\n{}"
    )
    assert why(fetcher()) in reasons


def test_a_body_in_tiny_chunks_is_refused_before_it_costs_seconds(network, fetcher):
    network.server.scripts["/did.json"] = raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"
    )
    assert why(fetcher()) == "malformed_answer"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "zstd", "gzip, gzip", "x-unheard-of"])
def test_a_compressed_body_is_refused_and_never_inflated(network, fetcher, coding):
    bomb = gzip.compress(b"\x00" * 20_000_000)
    network.server.scripts["/did.json"] = answer(bomb, content_encoding=coding)
    assert why(fetcher()) == "compressed"


# --- lies


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 F\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n{}",
        b"HTTP/1.1 999999 OK\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{}",
    ],
)
def test_a_contradictory_answer_is_refused(network, fetcher, said):
    network.server.scripts["/did.json"] = raw(said)
    assert why(fetcher()) in ("malformed_answer", "http_status", "too_large")


def test_an_etag_that_cannot_be_sent_back_is_not_sent(network, fetcher, clock):
    network.server.scripts["/did.json"] = answer(etag='"é"', cache_control="max-age=60")
    documents = fetcher()
    documents.fetch(URL)
    clock.move(seconds=61)
    documents.fetch(URL)
    assert "if-none-match" not in network.server.requests[1].headers


# --- identity (TLS)


def test_a_certificate_for_another_name_is_refused(network, fetcher):
    assert why(fetcher(), "https://stranger.example/did.json") == "unreachable"
    assert network.server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(network, fetcher):
    assert why(fetcher(ssl_context=ssl.create_default_context())) == "unreachable"
    assert network.server.requests == []


# --- what the errors reveal (T15)


def refuses_connections(address: str, port: int, seconds: float) -> socket.socket:
    raise ConnectionRefusedError


def has_no_address(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    "made_of",
    [
        {"dial": refuses_connections},
        {"resolve": has_no_address},
        {"resolve": lambda host, port: []},
        {"resolve": lambda host, port: ["10.0.0.1"]},
        {"resolve": lambda host, port: ["no address"]},
        {"ssl_context": ssl.create_default_context()},
    ],
    ids=["closed port", "no such name", "no address", "private address", "nonsense", "strange certificate"],
)
def test_the_error_does_not_reveal_why_a_host_is_unreachable(network, fetcher, made_of):
    assert why(fetcher(**made_of)) == "unreachable"


def test_a_host_that_changes_its_address_is_resolved_once(network, fetcher):
    """DNS rebinding: the checked address is the one that is connected to."""
    answers = iter([[PUBLIC_ADDRESS], ["127.0.0.1"], ["169.254.169.254"]])
    network.server.scripts["/did.json"] = answer(cache_control="no-store")
    documents = fetcher(resolve=lambda host, port: next(answers))
    assert documents.fetch(URL).body == b"{}"
    assert why(documents) == "unreachable"
    assert why(documents) == "unreachable"
    assert network.dialled == [PUBLIC_ADDRESS]


@pytest.mark.parametrize(
    "addresses", [[PUBLIC_ADDRESS, "127.0.0.1"], ["10.1.2.3", PUBLIC_ADDRESS], [PUBLIC_ADDRESS, "::1"]]
)
def test_one_private_address_among_public_ones_refuses_the_host(network, fetcher, addresses):
    network.addresses["issuer.example"] = addresses
    assert why(fetcher()) == "unreachable"
    assert network.dialled == []


def test_the_next_checked_address_is_tried_when_the_first_is_down(network, fetcher):
    network.addresses["issuer.example"] = ["93.184.215.99", PUBLIC_ADDRESS]
    network.server.scripts["/did.json"] = answer()

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        if address == "93.184.215.99":
            raise ConnectionRefusedError
        return network.dial(address, port, seconds)

    assert fetcher(dial=dial).fetch(URL).body == b"{}"


# --- what the HTTP client would do by itself


@pytest.mark.parametrize(
    "location",
    [
        "http://[::1",
        "https://xn--/",
        "https://xn--a-ecp.ru/",
        "https://a\x7fb/",
        "//",
        "https://:99999/",
        "\xff",
    ],
)
@pytest.mark.parametrize("status", ["301 M", "200 OK"])
def test_a_location_is_parsed_only_by_our_rule(network, fetcher, status, location):
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nLocation: "
    network.server.scripts["/did.json"] = raw(head.encode() + location.encode("latin-1") + b"\r\n\r\n{}")
    if status == "200 OK":
        assert fetcher().fetch(URL).body == b"{}"
    else:
        # A label of badly encoded punycode is a name like any other: it is resolved, and not found.
        expected = "unreachable" if "xn--a-" in location else "redirect_refused"
        assert why(fetcher()) == expected


def test_a_copy_of_the_last_ten_seconds_is_not_fetched_again(network, fetcher, clock):
    network.server.scripts["/did.json"] = raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\n{}"
    )
    documents, start = fetcher(), clock.now
    assert not documents.doubt(URL)
    documents.fetch(URL)
    asked = []
    for seconds in (0, 9, 10, 15, 20):
        clock.now = start + timedelta(seconds=seconds)
        documents.doubt(URL)
        documents.fetch(URL)
        asked.append(len(network.server.requests))
    assert asked == [1, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("script", "still"),
    [
        (raw(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), True),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"), True),
        (lambda talk: None, True),
        (raw(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), False),
        (raw(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), False),
    ],
    ids=["busy", "no document", "silent", "not there", "gone"],
)
def test_a_forged_badge_does_not_evict_the_cached_keys_of_a_silent_issuer(
    network, fetcher, clock, script, still
):
    network.server.scripts["/did.json"] = raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\n{}"
    )
    documents = fetcher(limits=IMPATIENT)
    documents.fetch(URL)
    network.server.scripts["/did.json"] = script
    clock.now += timedelta(minutes=1)
    assert documents.doubt(URL)
    if not still:
        assert why(documents) in ("not_found", "gone")
        return
    asked = []
    for _ in range(2):
        assert documents.fetch(URL).body == b"{}"
        asked.append(len(network.server.requests))
    assert asked[0] == asked[1]
    assert not documents.doubt(URL), "fetched in the last ten seconds, in vain"
    clock.now += timedelta(minutes=10)
    assert why(documents) not in ("not_found", "gone")


def test_hundreds_of_odd_cookies_are_cheap_and_not_stored(network, fetcher, clock):
    cookies = b"".join(
        b"Set-Cookie: a%d=b; expires=%s; domain=.example; path=/\r\n" % (each, b"1" * 40)
        for each in range(200)
    )
    network.server.scripts["/did.json"] = raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n" + cookies + b"\r\n{}"
    )
    documents = fetcher()
    documents.fetch(URL)
    clock.now += timedelta(minutes=1)
    documents.doubt(URL)
    documents.fetch(URL)
    assert len(network.server.requests) == 2
    assert all("cookie" not in request.headers for request in network.server.requests)
