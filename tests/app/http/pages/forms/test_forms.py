"""Requests that change data are accepted only from our own pages (T29)."""

from __future__ import annotations

import asyncio
import base64
import json
import re

import pytest
from starlette.exceptions import HTTPException

from app.http.pages.forms import FIELD, LONGEST_WITHOUT_FILES, MOST_FIELDS, MOST_MEMBERS, BodySizeLimit
from tests.app.http.pages.small_site import SESSION_COOKIE, reader_of, small_site
from tests.support.running.every import for_each

HERE = "http://testserver"
PLAIN_FORM = {"origin": HERE, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def reader():
    return reader_of(small_site(), cookies={SESSION_COOKIE: "session-of-zoe"})


def token_on(reader) -> str:
    html = reader.get("/dire", params={"mot": "bonjour"}).text
    found = re.search(rf'<input type="hidden" name="{FIELD}" value="([^"]+)">', html)
    assert found is not None
    return found[1]


def withdraw(reader, token, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return reader.post("/retirer", data={FIELD: token, "motif": " erreur "}, headers=names)


def test_our_own_form_is_accepted(reader):
    answer = withdraw(reader, token_on(reader), origin=HERE, sec_fetch_site="same-origin")
    assert (answer.status_code, answer.json()) == (200, {"motif": "erreur"})


def test_no_field_accepts_characters_that_reorder_a_text(reader):
    data = {FIELD: token_on(reader), "motif": "\u202eruerre \u2066simple\u2069\x00"}
    answer = reader.post("/retirer", data=data, headers={"origin": HERE})
    assert answer.json() == {"motif": "ruerre simple"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:81"},
        {"origin": HERE, "sec_fetch_site": "cross-site"},
        {"origin": HERE, "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_another_site_is_refused_even_with_a_valid_token(reader, headers):
    answer = withdraw(reader, token_on(reader), **headers)
    assert answer.status_code == 403
    assert "Rien n’a été changé" in answer.text


def test_a_private_page_without_a_referrer_can_still_send_its_form(reader):
    assert withdraw(reader, token_on(reader), origin="null").status_code == 200
    assert withdraw(reader, token_on(reader), origin="null", sec_fetch_site="same-origin").status_code == 200


def test_a_hidden_origin_without_a_session_is_refused():
    stranger = reader_of(small_site())
    assert withdraw(stranger, token_on(stranger), origin="null").status_code == 403


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 88, base64.urlsafe_b64encode(bytes(64)).decode()])
def test_an_invented_token_is_refused(reader, token):
    assert withdraw(reader, token, origin=HERE).status_code == 403


def test_a_form_without_a_token_or_with_a_file_for_a_token_is_refused(reader):
    assert reader.post("/retirer", data={"motif": "x"}, headers={"origin": HERE}).status_code == 403
    sent = reader.post("/retirer", files={FIELD: ("jeton.txt", b"x")}, headers={"origin": HERE})
    assert sent.status_code == 403


def test_the_token_of_one_session_is_invalid_in_another(reader):
    token = token_on(reader)
    other = reader_of(small_site(), cookies={SESSION_COOKIE: "session-of-max"})
    assert withdraw(other, token, origin=HERE).status_code == 403


def test_the_token_is_written_differently_each_time(reader):
    one, other = token_on(reader), token_on(reader)
    assert one != other
    assert withdraw(reader, one, origin=HERE).status_code == 200
    assert withdraw(reader, other, origin=HERE).status_code == 200


def test_a_request_with_too_large_a_content_length_is_refused(reader):
    answer = reader.post("/retirer", content=b"x" * 1_100_000, headers=PLAIN_FORM)
    assert answer.status_code == 413
    assert "C’est trop lourd" in answer.text


def test_a_too_large_request_without_a_length_is_refused(reader):
    def endless():
        for _ in range(2000):
            yield b"x" * 1000

    assert reader.post("/retirer", content=endless(), headers=PLAIN_FORM).status_code == 413


def test_an_invalid_content_length_is_refused(reader):
    headers = {**PLAIN_FORM, "content-length": "beaucoup"}
    assert reader.post("/retirer", content=b"x", headers=headers).status_code == 413


def test_a_wildcard_path_raises_the_size_limit_only_for_matching_paths():
    limit = BodySizeLimit(small_site(), usual=10, by_path={"/gestion": 100, "/gestion/*/pieces": 1000})  # type: ignore[arg-type]
    paths = (
        "/gestion/itip/activites/1/pieces",
        "/gestion/itip/activites/1",
        "/gestionnaire",
        "/pieces",
        "/autre",
    )
    assert [limit._most(path) for path in paths] == [1000, 100, 100, 10, 10]


MANY = 64 * 1024 * 1024


@for_each(
    "kind, body",
    [
        ("application/x-www-form-urlencoded", b"&" * (MOST_FIELDS + 1)),
        ("application/x-www-form-urlencoded", b"=" * (LONGEST_WITHOUT_FILES + 1)),
        ("application/json", b"[" + b"[]," * MOST_MEMBERS + b"1]"),
        (
            "application/ld+json; charset=utf-8",
            b'{"a":"' + rb"\"" * 9 + b'","b":[' + b"1," * MOST_MEMBERS + b"1]}",
        ),
        ("application/json", b'"' + b"\\\\" * 9 + b'"' + b"," * MOST_MEMBERS + b",1"),
        ("application/octet-stream", b"x" * (LONGEST_WITHOUT_FILES + 1)),
        ("", b"," * (LONGEST_WITHOUT_FILES + 1)),
    ],
)
def test_a_body_that_a_parser_reads_as_a_whole_is_limited_while_it_is_received(kind: str, body: bytes):
    for size in (7, 65536):
        if size == 7 and len(body) > 1_000_000:
            continue
        assert _received(kind, body, size) == 413


def test_separators_inside_strings_are_text():
    text = json.dumps({"text": '[{,"\\' * MOST_MEMBERS, "more": [",,,,", "\\", '"']}).encode()
    for size in (65536, 4097, 13):
        assert _received("application/json", text, size) == len(text)
    assert _received("application/x-www-form-urlencoded", b"a=1" + b"&a=1" * (MOST_FIELDS - 1), 65536) > 0
    assert _received("multipart/form-data; boundary=b", b"&" * LONGEST_WITHOUT_FILES + b"&", 65536) > 0


def test_a_utf_16_character_containing_the_byte_of_a_quotation_mark_hides_no_member():
    text = '["\u2200"' + ",1" * MOST_MEMBERS + "]"
    assert len(json.loads(text.encode("utf-16"))) > MOST_MEMBERS
    assert _received("application/json", text.encode("utf-16"), 4096) == 413
    few = '["\u2200", {"a": 1}]'.encode("utf-16")
    assert _received("application/json", few, 4096) == len(few)


def _received(kind: str, body: bytes, size: int) -> int:
    """How much of it an application behind the limit receives, or the status that stopped it."""
    parts = iter([body[start : start + size] for start in range(0, len(body), size)])

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": next(parts, b""), "more_body": True}

    async def application(_scope, receive, _send) -> None:
        nonlocal received
        while part := (await receive())["body"]:
            received += len(part)

    received = 0
    limit = BodySizeLimit(application, usual=MANY, by_path={})
    scope = {"type": "http", "path": "/", "headers": [(b"content-type", kind.encode())]}
    try:
        asyncio.run(limit(scope, receive, None))  # type: ignore[arg-type]
    except HTTPException as refused:
        return refused.status_code
    return received
