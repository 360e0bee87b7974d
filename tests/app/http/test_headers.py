"""Security headers of answers."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
import structlog
from fastapi import Response

import app.web
from app.http.request_log import configure_logging
from app.http.security_headers import CONTENT_SECURITY_POLICY
from tests.app.http.pages.small_site import reader_of, small_site
from tests.support.running.every import for_each


@pytest.fixture
def reader():
    return reader_of(small_site())


EVERY_KIND = ["/", "/aide", "/rien-du-tout", "/echec/interdit", "/defaut", "/nombre/3", "/langue/en"]


@pytest.mark.parametrize("path", EVERY_KIND)
def test_every_answer_even_of_an_internal_error_has_security_headers(reader, path):
    headers = reader.get(path, follow_redirects=False).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]


def test_the_policy_never_allows_inline_code(reader):
    policy = reader.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "https:" not in policy


def test_a_private_page_is_neither_cached_nor_leaked_by_a_referrer(reader):
    answer = reader.get("/recevoir/tres-secret")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert '<meta name="robots" content="noindex' in answer.text


def test_a_path_below_a_private_one_is_private_even_if_it_does_not_exist(reader):
    answer = reader.get("/mes-badges/3f0c")
    assert answer.status_code == 404
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_only_a_site_on_https_sends_hsts():
    assert "strict-transport-security" not in reader_of(small_site()).get("/").headers
    secured = reader_of(small_site(https=True)).get("/").headers["strict-transport-security"]
    assert secured == "max-age=31536000; includeSubDomains"


def test_a_picture_opened_on_its_own_runs_no_script(reader):
    policy = reader.get("/static/mark.svg").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy


@for_each("sign", ["\r\n", "\n", "\r", "\0"])
@for_each("name", ["Location", "Content-Disposition", "Link", "X-Anything"])
def test_no_value_starts_another_header(name: str, sign: str):
    site = small_site()

    @site.get("/splitting")
    def splitting() -> Response:
        return Response(headers={name: f"/here{sign}Set-Cookie: a=b{sign}{sign}body"})

    answer = reader_of(site).get("/splitting", follow_redirects=False)
    assert answer.status_code == 500
    assert "a=b" not in str(answer.headers)
    assert "default-src" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("as_json", [True, False])
def test_no_value_starts_another_line_of_the_log(as_json: bool, capsys: pytest.CaptureFixture[str]):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(as_json=as_json)
        typed = "https://evil.example/\r\n2026-01-01 [error] forged\x1b[2J\u2028x"
        structlog.get_logger("test").bind().warning("a followed list was refused", url=typed)
        logging.getLogger("test").warning("nothing from %s", typed)
        shown = capsys.readouterr().err
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    assert len(shown.strip().splitlines()) == 2
    assert "[2J" not in shown.replace("\\x1b[2J", "").replace("\\u001b[2J", "")


# What a browser loads for an element, by the policy directive that applies.
DIRECTIVE_OF_LINK = {
    "stylesheet": "style-src",
    "icon": "img-src",
    "apple-touch-icon": "img-src",
    "manifest": "manifest-src",
    "preload": "font-src",
    "modulepreload": "script-src",
}
TEMPLATES = Path(app.web.__file__).parent / "templates"
NEVER_LOADED = {"canonical", "alternate"}
DIRECTIVE_OF_ELEMENT = {
    "script": "script-src",
    "img": "img-src",
    "iframe": "frame-src",
    "audio": "media-src",
    "video": "media-src",
    "object": "object-src",
    "embed": "object-src",
}


def test_the_policy_allows_what_every_template_loads():
    allowed = {part.split(" ")[0] for part in CONTENT_SECURITY_POLICY.split("; ") if "'self'" in part}
    asked = set()
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text()
        for relation in re.findall(r'<link [^>]*?rel="([^"]+)"', text):
            if relation not in NEVER_LOADED:
                asked.add((DIRECTIVE_OF_LINK[relation], f"{template.name}: <link rel={relation}>"))
        for element in re.findall(r"<([a-z]+) [^<>]*?\bsrc=", text):
            asked.add((DIRECTIVE_OF_ELEMENT[element], f"{template.name}: <{element}>"))
    assert {directive for directive, _ in asked} >= {
        "style-src",
        "script-src",
        "img-src",
        "font-src",
        "manifest-src",
    }
    assert [where for directive, where in sorted(asked) if directive not in allowed] == []
