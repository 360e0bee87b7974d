"""What is cached and for how long, and that other servers learn little about our verifications."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.adapters.web_documents import fresh_for, may_be_kept
from app.adapters.web_documents.url_policy import Limits
from sceau_credentials.errors import DocumentUnavailable
from tests.support.app import NOON
from tests.support.running.every import for_each
from tests.support.servers.hostile_server import Conversation, answer, redirect

URL = "https://issuer.example/did.json"


def list_of(ttl: object) -> bytes:
    subject = {"type": "BitstringStatusList", "ttl": ttl}
    kind = ["VerifiableCredential", "BitstringStatusListCredential"]
    return json.dumps({"type": kind, "credentialSubject": subject}).encode()


# --- how long


@for_each(
    ("headers", "body", "seconds"),
    [
        ({}, b"{}", 300),
        ({"cache-control": "max-age=60"}, b"{}", 60),
        ({"cache-control": "public, MAX-AGE = 60"}, b"{}", 60),
        ({"cache-control": 'max-age="60"'}, b"{}", 60),
        ({"cache-control": "max-age=60, s-maxage=30"}, b"{}", 30),
        ({"cache-control": "max-age=60, max-age=900"}, b"{}", 60),
        ({"cache-control": "max-age=60", "age": "45"}, b"{}", 15),
        ({"cache-control": "max-age=60", "age": "99"}, b"{}", 0),
        ({"cache-control": "max-age=soon"}, b"{}", 0),
        ({"cache-control": "max-age=-1"}, b"{}", 0),
        ({"cache-control": "max-age=99999999999999999999"}, b"{}", 3600),
        ({"cache-control": "max-age=31536000"}, b"{}", 3600),
        ({"cache-control": "no-cache, max-age=60"}, b"{}", 0),
        (
            {"date": "Tue, 24 Nov 2026 12:00:00 GMT", "expires": "Tue, 24 Nov 2026 12:02:00 GMT"},
            b"{}",
            120,
        ),
        ({"date": "Tue, 24 Nov 2026 12:00:00 GMT", "expires": "0"}, b"{}", 0),
        ({"expires": "Tue, 24 Nov 2026 12:02:00 GMT"}, b"{}", 0),
        (
            {"date": f"Tue, 24 Nov 2026 {'9' * 30}:00:00 GMT", "expires": "Tue, 24 Nov 2026 12:02:00 GMT"},
            b"{}",
            0,
        ),
        ({"date": "Tue, 24 Nov 2026 12:00:00", "expires": "Tue, 24 Nov 2026 12:02:00 +0100"}, b"{}", 0),
        ({}, list_of(120_000), 120),
        ({}, list_of(900_000), 900),
        ({}, list_of(7_200_000), 3600),
        ({}, list_of(10**30), 3600),
        ({}, list_of(-1), 0),
        ({}, list_of(True), 300),
        ({}, list_of("120000"), 300),
        ({"cache-control": "max-age=60"}, list_of(120_000), 60),
        ({"cache-control": "max-age=600"}, list_of(120_000), 120),
        ({}, b'{"type":"Other","credentialSubject":{"ttl":1}}', 300),
        ({}, b"\xff", 300),
    ],
)
def test_the_shortest_stated_lifetime_counts_and_never_more_than_an_hour(headers, body, seconds):
    assert fresh_for(headers, body, Limits()) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store"},
        {"cache-control": "max-age=60, No-Store"},
        {"cache-control": "private"},
        {"cache-control": 'private="set-cookie"'},
        {"cache-control": 'max-age = 60 ,, x="a, b" ; y, \tprivate'},
        {"cache-control": "a" * 30_000 + "! no-store"},
        {"cache-control": "max-age=1 no-store"},
        {"vary": "*"},
    ],
)
def test_private_answers_are_not_cached(headers):
    assert not may_be_kept(headers)


def test_answers_without_a_restriction_may_be_cached():
    assert may_be_kept({})
    assert may_be_kept({"cache-control": "max-age=1", "vary": "Accept"})


# --- what other servers can observe (T48)


def test_a_document_is_fetched_once_while_it_is_fresh(network, fetcher, clock):
    network.server.scripts["/did.json"] = answer(cache_control="max-age=60")
    documents = fetcher()
    first = documents.fetch(URL)
    clock.move(seconds=59)
    assert documents.fetch(URL) == first
    assert len(network.server.requests) == len(network.resolved) == 1
    clock.move(seconds=1)
    assert documents.fetch(URL).fetched_at == NOON + timedelta(seconds=60)
    assert len(network.server.requests) == 2


def test_a_calendar_is_revalidated_after_minutes_despite_a_longer_max_age(network, fetcher, clock):
    network.server.scripts["/agenda.ics"] = answer(
        b"BEGIN:VCALENDAR", content_type="text/calendar", cache_control="max-age=86400", etag='"1"'
    )
    documents = fetcher()
    for _ in range(2):
        documents.fetch("https://issuer.example/agenda.ics", accept="text/calendar")
        clock.move(minutes=5)
    first, second = network.server.requests
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"] == '"1"'


def test_a_clock_set_back_extends_no_lifetime(network, fetcher, clock):
    network.server.scripts["/did.json"] = answer(cache_control="max-age=60")
    documents = fetcher()
    documents.fetch(URL)
    clock.move(seconds=-1)
    documents.fetch(URL)
    assert len(network.server.requests) == 2


def test_a_status_list_is_cached_for_its_own_time_to_live(network, fetcher, clock):
    network.server.scripts["/statuts/1"] = answer(list_of(120_000))
    documents = fetcher()
    for _ in range(3):
        documents.fetch("https://issuer.example/statuts/1")
        clock.move(seconds=59)
    assert len(network.server.requests) == 1
    clock.move(seconds=3)
    documents.fetch("https://issuer.example/statuts/1")
    assert len(network.server.requests) == 2


def test_a_no_store_answer_is_fetched_each_time(network, fetcher):
    network.server.scripts["/did.json"] = answer(list_of(120_000), cache_control="no-store")
    documents = fetcher()
    documents.fetch(URL)
    documents.fetch(URL)
    assert len(network.server.requests) == 2


def test_a_no_store_redirect_is_not_hidden_by_a_cacheable_document(network, fetcher):
    network.server.scripts["/did.json"] = answer(b"", "302 F", location="/new", cache_control="no-store")
    network.server.scripts["/new"] = answer(cache_control="max-age=60")
    documents = fetcher()
    documents.fetch(URL)
    documents.fetch(URL)
    assert network.server.paths == ["/did.json", "/new"] * 2


def test_other_media_types_of_a_url_are_other_documents(network, fetcher):
    network.server.scripts["/did.json"] = answer(cache_control="max-age=60")
    documents = fetcher()
    documents.fetch(URL, accept="application/json")
    documents.fetch(URL, accept="application/vc")
    assert len(network.server.requests) == 2


def test_an_unchanged_document_is_revalidated_without_its_body(network, fetcher, clock):
    def script(talk: Conversation) -> None:
        unchanged = talk.request.headers.get("if-none-match") == '"v1"'
        again = answer(b"", "304 Not Modified", cache_control="max-age=90", etag='"v1"')
        first = answer(b'{"v":1}', etag='"v1"', cache_control="max-age=60", age="30")
        (again if unchanged else first)(talk)

    network.server.scripts["/did.json"] = script
    documents = fetcher()
    documents.fetch(URL)
    clock.move(seconds=61)
    renewed = documents.fetch(URL)
    assert (renewed.body, renewed.fetched_at) == (b'{"v":1}', NOON + timedelta(seconds=61))
    clock.move(seconds=89)
    assert documents.fetch(URL) == renewed
    assert len(network.server.requests) == 2


def test_a_validator_is_sent_only_to_the_url_that_gave_it(network, fetcher, clock):
    network.server.scripts["/did.json"] = redirect("https://other.example/new")
    network.server.scripts["/new"] = answer(etag='"v1"', cache_control="max-age=60")
    documents = fetcher()
    documents.fetch(URL)
    clock.move(seconds=61)
    documents.fetch(URL)
    shown = [("if-none-match" in request.headers) for request in network.server.requests]
    assert shown == [False, False, False, True]


def test_a_stale_document_is_not_used_when_the_server_is_down(network, fetcher, clock):
    network.server.scripts["/did.json"] = answer(cache_control="max-age=60")
    documents = fetcher()
    documents.fetch(URL)
    clock.move(seconds=61)
    network.server.scripts["/did.json"] = answer(b"", "500 Oops")
    with pytest.raises(DocumentUnavailable):
        documents.fetch(URL)


def test_the_size_of_the_cache_is_bounded(network, fetcher):
    documents = fetcher(limits=Limits(cache_bytes=10_000))
    for number in range(5):
        network.server.scripts[f"/{number}"] = answer(b" " * 1000, cache_control="max-age=60")
        documents.fetch(f"https://issuer.example/{number}")
    documents.fetch("https://issuer.example/4")
    assert len(network.server.requests) == 5
    documents.fetch("https://issuer.example/0")
    assert len(network.server.requests) == 6


def test_the_least_used_document_is_evicted_first(network, fetcher):
    for number in range(4):
        network.server.scripts[f"/{number}"] = answer(b" " * 1000, cache_control="max-age=60")
    documents = fetcher(limits=Limits(cache_bytes=11_000))
    for number in (0, 1, 2, 0, 3, 0, 2, 1):
        documents.fetch(f"https://issuer.example/{number}")
    assert network.server.paths == ["/0", "/1", "/2", "/3", "/1"]


def test_a_document_larger_than_the_cache_is_still_returned(network, fetcher):
    network.server.scripts["/did.json"] = answer(b" " * 20_000, cache_control="max-age=60")
    assert len(fetcher(limits=Limits(cache_bytes=10_000)).fetch(URL).body) == 20_000
