"""Names are signed on one line, as they are seen, and without markup; the same at entry and at the signer."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.activities import Activity, check_activity
from app.domain.badges import BadgeVersion, check_draft
from app.domain.campus.campus import check_campus_name, check_short_name
from app.domain.core import as_stored, check_signed_name, name_as_signed
from app.domain.people import check_name
from app.domain.trust.organisations import checked_name
from app.errors import InvalidInput
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints import faults_of, text_faults_of
from sceau_credentials.issuing.lints.wording import holds_markup
from tests.sceau_credentials.verification.test_endorsements import endorsement
from tests.support.badges.credentials import NOON, Campus, badge_document

CAMPUS = Campus()
TODAY = NOON.date()


@pytest.mark.parametrize("sign", ["\x00", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))])
def test_stored_text_keeps_its_order_on_screen(sign: str) -> None:
    assert as_stored(f"Atelier {sign}du lundi") == "Atelier du lundi"
    assert as_stored("Zoé\u200d\t« Lefèvre »\u00a0!\n") == "Zoé\u200d\t« Lefèvre »\u00a0!\n"


@pytest.mark.parametrize(
    ("written", "signed"),
    [
        ("Zoé  Lefèvre-N’Diaye", "Zoé  Lefèvre-N’Diaye"),
        ("Atelier «\u00a0Robotique\u00a0»", "Atelier «\u00a0Robotique\u00a0»"),
        ("Zoé\u202e Lefèvre\u200d\u200c\u2066", "Zoé Lefèvre"),
        ("Atelier\n\tdu lundi\u2028", "Atelier du lundi"),
        ("Cam\u00adpus \u3164\ue000", "Campus"),
        ("Zoe\u200d\u0301", "Zoé"),
    ],
)
def test_name_is_signed_as_it_is_seen(written: str, signed: str) -> None:
    assert name_as_signed(written) == signed


@settings(deadline=None)
@given(st.text(max_size=120))
@example("<\x1b?")
@example("<\u200bb>")
def test_whatever_name_passes_the_entry_passes_the_signer(written: str) -> None:
    try:
        check_signed_name(written)
    except InvalidInput:
        signed = name_as_signed(written)
        assert holds_markup(written) or holds_markup(signed) or not any(map(str.isalnum, signed))
        return
    signed = name_as_signed(written)
    assert any(map(str.isalnum, signed)) or not written.strip()
    assert name_as_signed(signed) == signed
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp") for each in signed)
    if not signed:
        return
    document = badge_document() | {"name": signed}
    document["credentialSubject"]["identifier"][0]["identityHash"] = signed
    draft = Draft(document, signer=CAMPUS.signer, jwt_signer=CAMPUS.jwt_signer, at=NOON)
    assert set(faults_of(draft)) <= {"no_mail_address_of_a_person", "engines_sort_it_alike"}


MARKUP = "Robotique <img src=x>"


@pytest.mark.parametrize(
    "enter",
    [
        lambda: check_name("Zoé", MARKUP),
        lambda: check_campus_name(MARKUP),
        lambda: check_short_name("<b>x"),
        lambda: checked_name(MARKUP),
        lambda: check_draft(BadgeVersion(name=MARKUP)),
        lambda: check_activity(Activity(title=MARKUP, starts_on=TODAY, ends_on=TODAY)),
    ],
)
def test_markup_in_a_name_is_refused_where_it_is_typed(enter) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput, match="balise"):
        enter()


@pytest.mark.parametrize(
    ("member", "value", "lint"),
    [
        ("name", "Vu <b>ici</b>", "names_are_plain_text"),
        ("name", "Vu \u202eici", "no_character_that_turns_the_reading_round"),
        ("id", "javascript:alert(1)", "links_have_a_known_scheme"),
        ("id", "http://badges.example/1", "links_have_a_known_scheme"),
    ],
)
def test_text_of_an_endorsement_is_guarded_at_the_signer(member: str, value: str, lint: str) -> None:
    faults = text_faults_of(endorsement() | {member: value}, signer=CAMPUS.signer, at=NOON)
    assert lint in faults
    assert not text_faults_of(endorsement(), signer=CAMPUS.signer, at=NOON)
