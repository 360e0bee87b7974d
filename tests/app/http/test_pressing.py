"""Pages are compressed for clients that accept it and send no cookie of ours, and for no others."""

from __future__ import annotations

import gzip

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers

from app.domain.awards import Visibility
from app.http.negotiation import takes_gzip
from tests.support.app import COMMAND, App


def asked(client: TestClient, path: str, **headers: str) -> tuple[str, str, int]:
    """The content coding of the answer, its Vary header, and its number of bytes."""
    with client.stream("GET", path, headers={"Accept": "text/html", **headers}) as answer:
        body = b"".join(answer.iter_raw())
    coding = answer.headers.get("content-encoding", "")
    assert len(body) == int(answer.headers["content-length"])
    assert (gzip.decompress(body) if coding else body).startswith(b"<!doctype html>")
    return coding, answer.headers["vary"], len(body)


@pytest.fixture
def award(app: App) -> str:
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    return f"/attributions/{award_id}"


@pytest.mark.parametrize("path", ["/", "/verifier", "/aide", "/nulle-part", "award"])
def test_a_page_without_cookies_is_compressed_each_time(app: App, award: str, path: str) -> None:
    path, client = award if path == "award" else path, app.client()
    plain = asked(client, path, **{"Accept-Encoding": "identity"})
    for _ in range(2):
        coding, vary, size = asked(client, path, **{"Accept-Encoding": "br, gzip"})
        assert coding == "gzip"
        assert "Accept-Encoding" in vary
        assert size < plain[2] / 2
    assert plain[0] == ""
    assert "Accept-Encoding" in plain[1]


@pytest.mark.parametrize("cookie", ["sid=somebody", "badges=some-secret"])
def test_a_client_that_may_be_signed_in_gets_uncompressed_pages(app: App, award: str, cookie: str) -> None:
    for path in ("/verifier", award):
        assert asked(app.client(), path, **{"Accept-Encoding": "gzip", "Cookie": cookie})[0] == ""


@pytest.mark.parametrize(
    ("wish", "taken"),
    [
        *((wish, True) for wish in ("gzip", "br;q=1, gzip;q=0.5", "GZIP")),
        *((wish, False) for wish in ("", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip")),
    ],
)
def test_accept_encoding_decides_about_compression(wish: str, taken: bool) -> None:
    assert takes_gzip(Headers({"accept-encoding": wish})) is taken
