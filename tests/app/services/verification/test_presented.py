"""Comparison of name, title and days in a document with those of the badge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.badges import BadgeKind
from app.language import day, gettext, known_locales, speaking
from app.services.verification.presented import (
    ATTESTS,
    AWARDED_ON,
    NO_END,
    RECEIVED,
    VALID_UNTIL,
    Difference,
    NameMatch,
    Stated,
    compare_name,
    lead_of_carrier,
)

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
def test_certificate_contains_the_name_of_its_holder_for_any_name(given_name: str, family_name: str):
    holder = f"{given_name} {family_name}"
    assert compare_name(PAGE.format(name=holder), holder)[0] is NameMatch.SAME


def test_name_with_many_combining_marks_is_compared_quickly():
    """Sorting them would take hours: the time grows with the square of their number."""
    marks = "\u0301\u0323" * 500_000
    assert compare_name(PAGE.format(name=f"Zoé Martin{marks}"), "Zoé Martin")[0] is NameMatch.SAME
    assert compare_name(PAGE.format(name="Zoé Martin"), f"Zoé Martin{marks}")[0] is NameMatch.SAME


def badge(
    title: str = "Souder une pièce", *, until: datetime | None = None, at: datetime | None = None
) -> dict:
    given_at = at or datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    ends = {"validUntil": f"{until:%Y-%m-%dT%H:%M:%SZ}"} if until else {}
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "validFrom": f"{given_at:%Y-%m-%dT%H:%M:%SZ}",
        "credentialSubject": {"achievement": {"name": title}},
        **ends,
    }


def differences(page: str, document: dict) -> tuple[Difference, ...]:
    return lead_of_carrier("pdf", page, document).differences


CERTIFICATE = "{attests}\n{name}\n{received}\n{title}\n{awarded}\n{on}\n{until}\n{end}"
WORDS = (ATTESTS, RECEIVED[BadgeKind.COMPETENCY], AWARDED_ON, VALID_UNTIL, NO_END)


def page_of(language: str, on: str, end: str = "", title: str = "Souder une pièce") -> str:
    with speaking(language):
        attests, received, awarded, until, no_end = map(gettext, WORDS)
    return CERTIFICATE.format(
        attests=attests, name="Zoé", received=received, title=title, awarded=awarded, on=on, until=until,
        end=end or no_end,
    )  # fmt: skip


MOMENTS = st.integers(0, 40 * 365 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(
    MOMENTS,
    st.none() | MOMENTS,
    st.sampled_from(known_locales()),
    st.sampled_from(["Europe/Paris", "Pacific/Noumea"]),
)
def test_days_in_the_format_of_our_certificates_match(
    at: datetime, until: datetime | None, language: str, zone: str
):
    with speaking(language):
        page = page_of(language, day(at, zone), day(until, zone) if until else "")
    assert differences(page, badge(at=at, until=until)) == ()


@pytest.mark.parametrize("language", known_locales())
def test_another_day_or_an_end_missing_from_the_badge_differs(language: str):
    with speaking(language):
        page = page_of(language, day(date(2025, 3, 1)), day(date(2030, 1, 2)))
    assert [(each.about, each.signed) for each in differences(page, badge())] == [
        (Stated.AWARDED, date(2026, 3, 1)),
        (Stated.VALID_UNTIL, None),
    ]


def test_end_missing_from_the_page_differs():
    end = datetime(2027, 1, 1, tzinfo=UTC)
    page = page_of("fr", "1er mars 2026")
    assert differences(page, badge(until=end)) == (Difference(Stated.VALID_UNTIL, "", date(2027, 1, 1)),)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Souder une pièce", "SOUDER une\npiece"),
        ("L’efficacité", "L'eﬃcacité"),
        ("Souder « une » pièce", "Souder une pièce"),
    ],
)
def test_title_in_another_typography_matches(title: str, shown: str):
    assert differences(page_of("fr", "1er mars 2026", title=shown), badge(title)) == ()


def test_another_title_differs():
    page = page_of("fr", "1er mars 2026", title="Souder un navire")
    assert [each.about for each in differences(page, badge())] == [Stated.TITLE]


@pytest.mark.parametrize(
    "text",
    [
        "Mon CV. Attribué le 3 mars 1999 : un prix. Valable jusqu’au 4 mai 2001.",
        "atteste que Zoé a reçu le badge de compétence Souder une pièce Attribué le jour de son départ.",
        "atteste que Zoé a reçu le badge de compétence Souder une pièce Attribué le 01/03/2026",
        "atteste que Zoé a reçu le badge de compétence Souder une pièce Attribué le 2026-03-01",
        "atteste que Zoé a reçu le badge de compétence Souder une pièce Attribué le 3/1/2026, à Dijon",
    ],
)
def test_text_in_another_layout_or_without_a_day_is_not_reported_as_different(text: str):
    assert differences(text, badge()) == ()


@pytest.mark.parametrize(
    "end",
    ["31 novembre 2036", "31/12/2036", "31.12.2036", "31 déc. 2036", "31 d\u0435cembre 2036", "fin 2036", "2036",
     "31 décembre 20366", "３１ décembre 2036"],
)  # fmt: skip
def test_end_in_another_format_differs(end: str):
    """A forged later day in another format, or a day that does not exist."""
    until = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
    (found,) = differences(page_of("fr", "1er mars 2026", end), badge(until=until))
    assert (found.about, found.written, found.signed) == (Stated.VALID_UNTIL, end, date(2026, 12, 31))


@pytest.mark.parametrize("text", ["canalisation et plomberie", "Banal, il a lu", "un plan ali menté"])
def test_short_name_inside_longer_text_does_not_match(text: str):
    assert compare_name(f"Curriculum de Jean Faux : {text}", "Ana Li") == (NameMatch.DIFFERENT, "")


@pytest.mark.parametrize("text", ["A na L i", "Ana-Li", "LI Ana", "AnaLi"])
def test_short_name_is_found_with_any_spacing(text: str):
    assert compare_name(f"Curriculum vitae : {text}, soudeuse", "Ana Li") == (NameMatch.SAME, "")


def test_other_days_differ_even_at_the_end_of_the_calendar():
    page = page_of("fr", "31 décembre 9999", "1er janvier 0001")
    found = differences(page, badge(until=datetime(9999, 12, 31, tzinfo=UTC) - timedelta(days=400)))
    assert [each.about for each in found] == [Stated.AWARDED, Stated.VALID_UNTIL]
