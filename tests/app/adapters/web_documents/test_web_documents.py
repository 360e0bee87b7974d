"""Documents of other issuers: requests, accepted answers, permitted redirects."""

from __future__ import annotations

import pytest

from app.adapters.web_documents import WebDocuments
from app.adapters.web_documents.url_policy import NetworkScope
from sceau_credentials.errors import DocumentUnavailable
from tests.support.app import NOON
from tests.support.servers.hostile_server import HostileServer, answer, redirect

URL = "https://issuer.example/did.json"


def why(documents, url: str = URL, **asked) -> str:
    with pytest.raises(DocumentUnavailable) as refusal:
        documents.fetch(url, **asked)
    assert refusal.value.url == url
    return refusal.value.reason


def test_a_document_has_its_bytes_its_type_and_the_time_of_its_retrieval(network, fetcher):
    network.server.scripts["/did.json"] = answer(
        b'{"id":"did:web:issuer.example"}', content_type="application/did+json; charset=utf-8"
    )
    document = fetcher().fetch(URL)
    assert document.body == b'{"id":"did:web:issuer.example"}'
    assert (document.url, document.media_type) == (URL, "application/did+json")
    assert document.fetched_at == NOON


def test_the_request_contains_the_wanted_type_and_nothing_about_the_client(network, fetcher):
    network.server.scripts["/liste?page=1"] = answer()
    fetcher().fetch("https://issuer.example/liste?page=1#94567", accept="application/vc")
    (request,) = network.server.requests
    assert request.headers == {
        "host": "issuer.example",
        "accept": "application/vc",
        "accept-encoding": "identity",
        "user-agent": "Sceau",
        "connection": "close",
    }


def test_a_cookie_is_never_sent_back(network, fetcher):
    network.server.scripts["/did.json"] = answer(set_cookie="who=you", cache_control="no-store")
    documents = fetcher()
    documents.fetch(URL)
    documents.fetch(URL)
    assert [("cookie" in request.headers) for request in network.server.requests] == [False, False]


def test_a_proxy_of_the_environment_is_not_used(network, fetcher, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{network.tripwire_port}")
    network.server.scripts["/did.json"] = answer()
    assert fetcher().fetch(URL).body == b"{}"


def test_credentials_of_a_netrc_file_are_not_sent(network, fetcher, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login operator password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    network.server.scripts["/did.json"] = answer()
    fetcher().fetch(URL)
    assert "authorization" not in network.server.requests[0].headers


def test_the_log_contains_the_host_and_never_the_whole_url(network, fetcher, caplog):
    network.server.scripts["/did.json?secret=xyz"] = answer(b"", "404 Not Found")
    with caplog.at_level("DEBUG"):
        why(fetcher(), URL + "?secret=xyz")
    of_the_client = [each.getMessage() for each in caplog.records if each.name.startswith("httpx")]
    assert of_the_client == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", "not_found"),
        ("410 Gone", "gone"),
        ("403 Forbidden", "http_status"),
        ("500 Internal Server Error", "http_status"),
        ("206 Partial Content", "http_status"),
        ("204 No Content", "http_status"),
        ("304 Not Modified", "http_status"),
        ("300 Multiple Choices", "http_status"),
    ],
)
def test_any_other_status_than_200_gives_no_document(network, fetcher, status, reason):
    network.server.scripts["/did.json"] = answer(b"{}" if status[0] != "3" else b"", status)
    assert why(fetcher()) == reason


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize(("asked", "seconds"), [({"retry_after": "120"}, 120), ({}, 0)])
def test_a_missing_document_reports_the_retry_after_of_its_server(network, fetcher, status, asked, seconds):
    network.server.scripts["/did.json"] = answer(b"", status, **asked)
    with pytest.raises(DocumentUnavailable) as refused:
        fetcher().fetch("https://issuer.example/did.json")
    assert (refused.value.reason, refused.value.retry_after) == ("http_status", seconds)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/html; charset=utf-8",
        "image/png",
        "text/calendar",
        "application/javascript",
        "text/json+jwt",
        "*/*",
    ],
)
def test_a_page_or_a_picture_instead_of_a_document_is_a_wrong_type(network, fetcher, media_type):
    network.server.scripts["/did.json"] = answer(content_type=media_type)
    assert why(fetcher()) == "wrong_type"


@pytest.mark.parametrize("media_type", ["text/calendar; charset=utf-8", "image/png"])
def test_a_picture_or_a_calendar_is_accepted_on_request(network, fetcher, media_type):
    network.server.scripts["/did.json"] = answer(b"BEGIN:VCALENDAR", content_type=media_type)
    wanted = media_type.partition(";")[0]
    assert fetcher().fetch(URL, accept=f"{wanted}, text/plain").body == b"BEGIN:VCALENDAR"


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/LD+JSON",
        "application/vc",
        "application/vc+jwt",
        "application/jwk-set+json",
        "text/plain",
        "application/octet-stream",
    ],
)
def test_possible_document_types_are_accepted(network, fetcher, media_type):
    network.server.scripts["/did.json"] = answer(content_type=media_type)
    assert fetcher().fetch(URL).body == b"{}"


# --- redirects


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_a_redirect_within_the_rules_is_followed(network, fetcher, status):
    network.server.scripts["/did.json"] = redirect("https://other.example/new.json#part", status)
    network.server.scripts["/new.json"] = answer(b'{"moved":true}')
    document = fetcher().fetch(URL)
    assert (document.url, document.body) == ("https://other.example/new.json", b'{"moved":true}')
    assert [request.headers["host"] for request in network.server.requests] == [
        "issuer.example",
        "other.example",
    ]


def test_three_redirects_are_followed_and_a_fourth_is_not(network, fetcher):
    for step in range(4):
        network.server.scripts[f"/{step}"] = redirect(f"/{step + 1}")
    network.server.scripts["/4"] = answer()
    assert fetcher().fetch("https://issuer.example/1").url == "https://issuer.example/4"
    assert why(fetcher(), "https://issuer.example/0") == "redirect_refused"
    assert network.server.paths == ["/1", "/2", "/3", "/4", "/0", "/1", "/2", "/3"]


def test_a_loop_of_redirects_ends(network, fetcher):
    network.server.scripts["/did.json"] = redirect(URL)
    assert why(fetcher()) == "redirect_refused"
    assert len(network.server.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://issuer.example/did.json",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://localhost/did.json",
        "https://127.0.0.1/did.json",
        "//127.0.0.1/did.json",
        "https://[::1]/did.json",
        "https://2130706433/",
        "https://issuer.example:22/did.json",
        "https://issuer.example@other.example/did.json",
        "file:///etc/passwd",
        "data:application/json,{}",
        "gopher://issuer.example/",
        "https://issuer.example/a b",
        "https://issuer.example\\@other.example/",
        "https://[issuer.example/",
        "",
    ],
)
def test_a_redirect_that_breaks_the_rules_is_not_followed(network, fetcher, location):
    network.server.scripts["/did.json"] = redirect(location)
    assert why(fetcher()) == "redirect_refused"
    assert network.resolved == ["issuer.example"]


def test_a_redirect_to_a_private_address_has_the_error_of_a_closed_port(network, fetcher):
    network.addresses["inside.example"] = ["10.0.0.7"]
    network.server.scripts["/did.json"] = redirect("https://inside.example/admin")
    assert why(fetcher()) == "unreachable"


# --- this machine, in development


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_named_port_of_this_machine_answers_over_plain_http(network, clock, scheme):
    """did:web requires https of every host; a service in development has no certificate."""
    neighbour = HostileServer()
    neighbour.scripts["/campus/itip/did.json"] = answer(b'{"id":"neighbour"}')
    documents = WebDocuments(
        clock=clock, reach=NetworkScope(local_ports=frozenset({neighbour.port})), resolve=network.resolve
    )
    try:
        url = f"{scheme}://localhost:{neighbour.port}/campus/itip/did.json"
        assert documents.fetch(url).body == b'{"id":"neighbour"}'
    finally:
        neighbour.close()
    assert neighbour.requests[0].headers["host"] == f"localhost:{neighbour.port}"
    assert network.resolved == []


@pytest.mark.parametrize(
    "place",
    [
        "https://localhost:8002",
        "http://localhost",
        "https://[::1]:8001",
        "https://localhost.:8001",
        "http://issuer.example:8001",
    ],
)
def test_only_the_named_ports_of_this_machine_are_open(network, fetcher, place):
    documents = fetcher(reach=NetworkScope(local_ports=frozenset({8001})))
    assert why(documents, f"{place}/campus/itip/did.json") == "url_not_allowed"


def test_no_other_issuer_can_redirect_to_a_named_port_of_this_machine(network, fetcher):
    documents = fetcher(reach=NetworkScope(local_ports=frozenset({network.tripwire_port})))
    network.server.scripts["/did.json"] = redirect(f"http://localhost:{network.tripwire_port}/")
    assert why(documents) == "redirect_refused"


def test_another_port_must_be_named(network, fetcher):
    network.server.scripts["/did.json"] = answer()
    url = "https://issuer.example:8443/did.json"
    assert why(fetcher(), url) == "url_not_allowed"
    assert fetcher(reach=NetworkScope(ports=frozenset({443, 8443}))).fetch(url).url == url
    assert network.server.requests[0].headers["host"] == "issuer.example:8443"


def test_the_operator_sees_the_cause_and_only_the_host_of_the_url(network, fetcher, caplog):
    caplog.set_level("INFO")
    why(fetcher(), "https://stranger.example/who/asks?for=whom")
    (record,) = caplog.records
    assert "stranger.example" in record.message
    assert "CERTIFICATE_VERIFY_FAILED" in record.message
    assert "asks" not in record.message
