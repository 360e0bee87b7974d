"""Contextual help: at most three short sentences, in both languages, where a question comes up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import app.web
from app.language import DOMAIN, po_file

TEMPLATES = Path(app.web.__file__).parent / "templates"
CALL = re.compile(r"{% call ui\.help\(_\(\"([^\"]+)\"\)\) %}{{ _\(\"([^\"]+)\"\) }}{% endcall %}")
HELPS = {
    path.relative_to(TEMPLATES).as_posix(): CALL.findall(path.read_text("utf-8"))
    for path in sorted(TEMPLATES.rglob("*.html"))
}


def test_rules_disclosure_and_withdrawal_have_help() -> None:
    pages = {name for name, found in HELPS.items() if found}
    assert pages >= {
        "badges/_rule.html",
        "awards/rule.html",
        "awards/preview.html",
        "learners/badge/opening.html",
        "awards/withdraw.html",
        "awards/withdraw_many.html",
    }


@pytest.mark.parametrize(("question", "answer"), sorted({each for found in HELPS.values() for each in found}))
def test_help_is_a_question_with_three_short_sentences(question: str, answer: str) -> None:
    with po_file("en").open("rb") as file:
        catalogue = read_po(file, locale="en", domain=DOMAIN)
    for asked, said in ((question, answer), (catalogue[question].string, catalogue[answer].string)):
        assert asked.endswith("?")
        sentences = re.split(r"(?<=[.!?])\s+", said)
        assert 1 <= len(sentences) <= 3
        assert all(len(sentence.split()) <= 20 for sentence in sentences)
