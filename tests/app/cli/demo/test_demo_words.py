"""The demo's texts are what every visitor reads: honest, short, and well set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.messages import is_reserved
from demo.content import FOLDER, Campus, DemoContent

TOML_FILES = sorted(FOLDER.rglob("*.toml"))
FORBIDDEN = re.compile(r"dipl[oô]m|certifi|RNCP|ROME\b|\bRS\d", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-]+@[\w.-]+")


def texts_of(campus: Campus) -> Iterator[str]:
    yield from (campus.name, campus.sector, campus.description)
    yield from (label.note for label in campus.labels if label.note)
    for framework in campus.frameworks:
        yield from (framework.name, framework.description, *framework.levels)
        yield from (competency.statement for competency in framework.competencies)
    for badge in campus.badges:
        yield from (badge.name, badge.description, badge.criteria, *badge.tags)
        for earlier in badge.earlier:
            yield from (earlier.change, earlier.description, earlier.criteria)
    for activity in campus.activities:
        yield from (activity.title, activity.description)


def all_texts(content: DemoContent) -> Iterator[str]:
    yield from (content.network.name, content.network.description)
    for pole in content.groups_of_campuses:
        yield from (pole.name, pole.description)
    for campus in content.campuses.values():
        yield from texts_of(campus)
    for group in content.groups:
        yield from group.contributions
    for award in content.awards:
        yield from (text for text in (award.contribution, award.revocation_reason) if text)


def wordings(content: DemoContent) -> Iterator[tuple[str, str, str]]:
    """Name, description and criteria of every version of every badge."""
    for _, _, badge in content.badges():
        yield badge.name, badge.description, badge.criteria
        for earlier in badge.earlier:
            yield badge.name, earlier.description, earlier.criteria


def test_a_badge_never_passes_for_more_than_it_is(content: DemoContent) -> None:
    for text in all_texts(content):
        assert not FORBIDDEN.search(text), text


def test_a_neighbouring_title_is_only_said_to_be_linked(content: DemoContent) -> None:
    for _, _, criteria in wordings(content):
        if "titre professionnel" in criteria:
            assert "En lien avec le titre professionnel" in criteria
            assert "Ce badge n’est pas ce titre" in criteria


def test_french_is_set_with_its_own_apostrophes_quotes_and_spaces(content: DemoContent) -> None:
    names = [learner.name for learner in content.learners.values()] + [
        person.name for person in content.staff
    ]
    for text in (*all_texts(content), *names):
        assert "'" not in text, text
        assert '"' not in text, text
        assert not re.search(r"(?<![\u00a0\u202f])[:»]", text), text
        assert not re.search(r"(?<!\u202f)[;!?%]", text), text
        assert not re.search(r"«(?!\u00a0)", text), text
        assert not re.search(r"\d \d", text), text
        assert "  " not in text, text


@pytest.mark.parametrize("path", TOML_FILES, ids=lambda path: path.name)
def test_files_hold_no_address_outside_the_example_domains(path: Path) -> None:
    """No mail server can be behind `.example` (RFC 2606): a demo with a mail server writes to nobody."""
    for address in EMAIL.findall(path.read_text("utf-8")):
        assert is_reserved(address), address


def test_criteria_are_short_enough_to_read_and_say_how_it_was_judged(content: DemoContent) -> None:
    for name, _, criteria in wordings(content):
        assert 60 <= len(criteria.split()) <= 135, (name, len(criteria.split()))
        assert "**Comment c’est jugé.**" in criteria, name
        assert criteria.count("\n- ") >= 3, name


def test_descriptions_take_one_or_two_sentences_and_begin_with_the_person(content: DemoContent) -> None:
    for name, description, _ in wordings(content):
        sentences = re.findall(r"[.](?:\s|$)", description)
        assert 1 <= len(sentences) <= 3, name
        assert "La personne" in description, name


def test_names_of_badges_fit_on_their_picture(content: DemoContent) -> None:
    for name, _, _ in wordings(content):
        assert len(name) <= 63, name
