"""Two lines of a person who worked with a learner: what they may contain, and whose address it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.people import is_own_address
from app.domain.trust import LONGEST_SIGNATURE, LONGEST_WORDS, MOST_LINES, checked_peer_words
from app.errors import InvalidInput

WORDS = "Zoé a monté le bras du robot avec moi, et l’a expliqué à toute l’équipe."
SIGNED = "Karim, même équipe"
BIDI = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


@given(st.text(max_size=900), st.text(max_size=200))
def test_what_is_accepted_is_short_and_clean(words: str, signature: str):
    try:
        found = checked_peer_words(words, signature)
    except InvalidInput:
        return
    assert len(found.words) <= LONGEST_WORDS
    assert len(found.words.split("\n")) <= MOST_LINES
    assert len(found.signature) <= LONGEST_SIGNATURE
    assert "\n" not in found.signature
    for sign in found.words.replace("\n", "") + found.signature:
        assert unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Cn")
    assert checked_peer_words(found.words, found.signature) == found


@given(st.sampled_from(BIDI + "\x00\x07\u200b\ufeff\u00ad"), st.integers(0, len(WORDS)))
def test_control_and_bidirectional_signs_are_removed(sign: str, at: int):
    assert checked_peer_words(WORDS[:at] + sign + WORDS[at:], f"{sign}{SIGNED}").words == WORDS


def test_more_lines_become_two():
    assert checked_peer_words("Une\n\nligne,\npuis deux.", SIGNED).words == "Une\nligne, puis deux."


@pytest.mark.parametrize(
    "bad",
    [
        "Un <b>grand</b> bravo à elle",
        "<script>alert(1)</script> bravo",
        "Voir [ici](javascript:alert) bravo",
        "Tout est sur https://exemple.fr bravo",
        "Tout est sur www.exemple.fr bravo",
        "Écrivez à zoe@exemple.fr bravo",
        "Bravo à e\u0301\u0302\u0303\u0304\u0305\u0306 toi",
        "Court",
        "x" * (LONGEST_WORDS + 1),
    ],
)
def test_markup_links_addresses_and_lengths_are_refused(bad: str):
    with pytest.raises(InvalidInput):
        checked_peer_words(bad, SIGNED)


@pytest.mark.parametrize("bad", ["", "  ", "1234", "<i>Karim</i>", "karim@exemple.fr", "K" * 61])
def test_signature_is_refused(bad: str):
    with pytest.raises(InvalidInput):
        checked_peer_words(WORDS, bad)


def test_own_address_is_recognised_in_any_spelling():
    own = ["zoe@exemple.fr", "z.martin@lycee.example"]
    for spelling in (
        "ZOE@exemple.fr",
        " zoe@Exemple.FR ",
        "zoe+moi@exemple.fr",
        "z.martin+x+y@lycee.example",
    ):
        assert is_own_address(spelling, own), spelling
    assert not is_own_address("karim@exemple.fr", own)
