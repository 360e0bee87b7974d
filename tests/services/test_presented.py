"""Whose name a document shows, beside the name in the badge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.presented import NameMatch, compare_name

PAGE = "Campus des métiers\natteste que\n{name}\na reçu le badge de compétence\nSouder une pièce"


@pytest.mark.parametrize(
    ("text", "holder", "match", "written"),
    [
        (PAGE.format(name="Zoé N’Diaye"), "Zoé N’Diaye", NameMatch.SAME, ""),
        (PAGE.format(name="Zoe N'DIAYE"), "Zoé N’Diaye", NameMatch.SAME, ""),
        (PAGE.format(name="Jean Faux"), "Zoé N’Diaye", NameMatch.DIFFERENT, "Jean Faux"),
        (PAGE.format(name="Zoé N’Diaye-Faux"), "Zoé N’Diaye", NameMatch.DIFFERENT, "Zoé N’Diaye-Faux"),
        (PAGE.format(name="Anne Lebœuf"), "Anne Leboeuf", NameMatch.SAME, ""),
        (PAGE.format(name=""), "Zoé N’Diaye", NameMatch.DIFFERENT, ""),
        (
            "This attests that Jo received the badge of participation here",
            "Li",
            NameMatch.DIFFERENT,
            "Jo",
        ),
        ("Curriculum vitae de N’DIAYE Zoé, soudeuse", "Zoé N’Diaye", NameMatch.SAME, ""),
        ("Curriculum vitae de quelqu’un d’autre ici", "Zoé N’Diaye", NameMatch.DIFFERENT, ""),
        ("page 1", "Zoé N’Diaye", NameMatch.UNREAD, ""),
        (PAGE.format(name="Jean Faux"), "", NameMatch.UNREAD, ""),
    ],
)
def test_compares_without_accents_case_or_order(text: str, holder: str, match: NameMatch, written: str):
    assert compare_name(text, holder) == (match, written)


NAMES = st.text(st.characters(categories=("Lu", "Ll")), min_size=2, max_size=12)


@given(NAMES, NAMES)
def test_a_certificate_names_its_holder_whatever_the_name(given_name: str, family_name: str):
    holder = f"{given_name} {family_name}"
    assert compare_name(PAGE.format(name=holder), holder)[0] is NameMatch.SAME


def test_endless_marks_change_no_name():
    """Putting them in order would take hours: a time with the square of how many follow each other."""
    marks = "\u0301\u0323" * 500_000
    assert compare_name(PAGE.format(name=f"Zoé Martin{marks}"), "Zoé Martin")[0] is NameMatch.SAME
    assert compare_name(PAGE.format(name="Zoé Martin"), f"Zoé Martin{marks}")[0] is NameMatch.SAME
