"""What browsers are told they may do with our answers."""

from __future__ import annotations

import pytest

from tests.web.small_site import reader_of, small_site


@pytest.fixture
def reader():
    return reader_of(small_site())


EVERY_KIND = ["/", "/aide", "/rien-du-tout", "/echec/interdit", "/defaut", "/nombre/3", "/langue/en"]


@pytest.mark.parametrize("path", EVERY_KIND)
def test_every_answer_even_of_a_fault_is_guarded(reader, path):
    headers = reader.get(path, follow_redirects=False).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]


def test_the_policy_never_allows_what_stands_inside_a_page(reader):
    policy = reader.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "https:" not in policy


def test_a_private_page_leaves_no_trace_behind(reader):
    answer = reader.get("/recevoir/tres-secret")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert '<meta name="robots" content="noindex' in answer.text


def test_an_address_below_a_private_one_is_private_even_when_nothing_is_there(reader):
    answer = reader.get("/mes-badges/3f0c")
    assert answer.status_code == 404
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_only_a_site_on_https_asks_for_https_for_ever():
    assert "strict-transport-security" not in reader_of(small_site()).get("/").headers
    secured = reader_of(small_site(https=True)).get("/").headers["strict-transport-security"]
    assert secured == "max-age=31536000; includeSubDomains"


def test_a_picture_opened_on_its_own_can_run_nothing(reader):
    policy = reader.get("/static/mark.svg").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
