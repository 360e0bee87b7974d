"""The guides as pages and as PDF."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from app.web.campus.guides import GUIDES, LANGUAGES
from tests.support.app import App


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GUIDES)
def test_guide_has_contents_that_lead_to_its_parts(app: App, name: str, language: str) -> None:
    shown = app.client().get(f"/aide/{name}", headers={"accept-language": language})
    assert shown.status_code == 200
    assert f'<html lang="{language}"' in shown.text
    anchors = re.findall(r'<li><a href="#([^"]+)"', shown.text)
    assert len(anchors) > 6
    assert all(f'<h2 id="{anchor}">' in shown.text for anchor in anchors)
    assert not re.search(r'<script(?! type="application/ld\+json">)', shown.text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GUIDES)
def test_guide_is_a_tagged_pdf(app: App, name: str, language: str) -> None:
    sent = app.client().get(f"/aide/{name}.pdf", headers={"accept-language": language})
    assert sent.headers["content-type"] == "application/pdf"
    read = PdfReader(BytesIO(sent.content))
    assert read.root_object["/MarkInfo"]["/Marked"]
    assert read.root_object["/Lang"].startswith(language)
    assert len(read.pages) >= 2


def test_unknown_guide_is_not_found_and_help_leads_to_the_guides(app: App) -> None:
    visitor = app.client()
    assert visitor.get("/aide/inconnu").status_code == 404
    assert visitor.get("/aide/inconnu.pdf").status_code == 404
    assert all(f'href="/aide/{name}"' in visitor.get("/aide").text for name in GUIDES)
    home = app.client(app.trainer).get("/gestion/itip").text
    assert 'href="/aide#guides"' in home
    assert all(f'href="/aide/{name}"' in home for name in GUIDES)
