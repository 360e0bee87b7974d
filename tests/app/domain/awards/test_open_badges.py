"""What people paste can be signed: the same words, without the signs nobody sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.core import as_signed
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints import faults_of
from tests.support.badges.credentials import NOON, Campus, badge_document

CAMPUS = Campus()


@pytest.mark.parametrize(
    ("pasted", "signed"),
    [
        ("Zoe\u0301 Lefe\u0300vre", "Zoé Lefèvre"),
        ("Robo\u200btique", "Robotique"),
        ("\ufeffAtelier", "Atelier"),
        ("Atelier \u202etirw", "Atelier tirw"),
        ("ligne\x0b une\nligne deux\tsuite", "ligne une\nligne deux\tsuite"),
        ("👩\u200d🔧 en atelier", "👩\u200d🔧 en atelier"),
        ("L’œuvre « commune » – 100 %", "L’œuvre « commune » – 100 %"),
    ],
)
def test_pasted_words_keep_their_letters_and_lose_what_nobody_sees(pasted: str, signed: str) -> None:
    assert as_signed(pasted) == signed


@given(st.text(min_size=1, max_size=200))
def test_whatever_was_pasted_into_a_description_no_lint_on_its_signs_stops_the_award(pasted: str) -> None:
    description = as_signed(pasted)
    document = badge_document() | ({"description": description} if description else {})
    draft = Draft(document, signer=CAMPUS.signer, jwt_signer=CAMPUS.jwt_signer, at=NOON)
    assert set(faults_of(draft)) == set()
