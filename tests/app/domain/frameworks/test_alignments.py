"""Codes of public frameworks: read as people write them, refused with the form they have."""

from __future__ import annotations

import pytest

from app.domain.frameworks import PublicAlignment, public_alignment
from app.errors import InvalidInput

SKILL = "http://data.europa.eu/esco/skill/0005c151-5b5a-4a66-8aac-60e734beb1ab"


@pytest.mark.parametrize(
    ("framework", "written", "code", "url"),
    [
        ("rome", " i1307 ", "I1307", "https://candidat.francetravail.fr/metierscope/fiche-metier/I1307"),
        ("rncp", "rncp 35316", "RNCP35316", "https://www.francecompetences.fr/recherche/rncp/35316/"),
        ("rncp", "RNCP35316BC02", "RNCP35316BC02", "https://www.francecompetences.fr/recherche/rncp/35316/"),
        ("rs", "RS5801", "RS5801", "https://www.francecompetences.fr/recherche/rs/5801/"),
        ("esco", SKILL, SKILL, SKILL),
    ],
)
def test_a_code_is_read_as_people_write_it(framework, written, code, url):
    found = public_alignment(framework, written, "  Un   intitulé ")
    assert (found.code, found.name, found.url) == (code, "Un intitulé", url)
    assert PublicAlignment.read(found.kept()) == found


@pytest.mark.parametrize(
    ("framework", "code", "name"),
    [
        ("rome", "13071", "Intitulé"),
        ("rome", "I1307", " "),
        ("rncp", "35316", "Intitulé"),
        ("esco", "https://exemple.fr/esco", "Intitulé"),
        ("esco", "javascript:alert(1)", "Intitulé"),
        ("isced", "0714", "Intitulé"),
        ("rs", "RS5801", "x" * 201),
    ],
)
def test_anything_else_is_refused_with_a_sentence(framework, code, name):
    with pytest.raises(InvalidInput):
        public_alignment(framework, code, name)
