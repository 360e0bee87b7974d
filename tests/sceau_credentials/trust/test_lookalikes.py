"""Names and hosts that could be mistaken for a recognised one are reported; those of the list never are."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.trust import Entry, Likeness, names_alike, resemblance, skeleton, within_slips
from tests.support.running.every import for_each

ITIP = Entry(
    "did:web:badges.exemple.fr:campus:itip",
    "Industrie Technologique Innovante et Performante",
    short_name="ITIP",
    domain="campus-itip.exemple.fr",
)
FB = Entry("did:web:badges.exemple.fr:campus:fb", "Forêt-Bois", short_name="FB")
MMA = Entry("did:web:cuir.exemple.fr", "Maroquinerie et Métiers d’Art", short_name="MMA")
LIST = (ITIP, FB, MMA)
FAR = "did:web:inconnu.example"


def likeness(name: str, issuer: str = FAR) -> Likeness | None:
    found = resemblance(LIST, issuer=issuer, name=name)
    return found.likeness if found else None


@for_each(
    "name",
    [
        "Industrie Technologique Innovante et Performante",
        "Campus Industrie technologique innovante & performante",
        "INDUSTRIE-TECHNOLOGIQUE INNOVANTE ET PERFORMANTE",
        "Industrie Technologique Innovante et Perforrnante",
        "Industrie Technologlque Inovante et Performante",
        "Indսstrіe Technоlogіque Innovаnte et Performante",
        "ΙΤΙΡ",
        "Foret Bois",
        "Forêt\u200b-Bois",
        "\u2063" * 50_000 + "Forêt-Bois",
        "\u0301" * 50_000 + "Forêt-Bois",
        "ғᴏʀᴇ̂ᴛ ʙᴏɪꜱ",
        "🅕🅞🅡🅔🅣 🅑🅞🅘🅢",
        "🅵🅾🆁🅴🆃 🅱🅾🅸🆂",
        "Campus des métiers et des qualifications Forêt-Bois",
        "𝐅𝐨𝐫𝐞̂𝐭-𝐁𝐨𝐢𝐬",
        "Fоrêt-Воіѕ",
        "Maroquinerie et Métier d'Art",
        "Maroqiunerie et Métiers d’Art",
    ],
)
def test_a_name_similar_to_a_recognised_one_is_reported(name: str):
    assert likeness(name) is Likeness.NAME


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Campus",
        "Lycée Saint-Exupéry",
        "Bois",
        "Industrie",
        "Université de Lyon",
        "Campus des métiers de l’eau",
    ],
)
def test_other_names_are_not_reported(name: str):
    assert likeness(name) is None


@pytest.mark.parametrize(
    "host",
    [
        "bаdges.exemple.fr".encode("idna").decode(),
        "badges-exemple.fr",
        "badge.exemple.fr",
        "bagdes.exemple.fr",
        "badges.exernple.fr",
        "badges.exemple.fr.ailleurs.net",
        "badges.exemple.com",
        "campus-ltip.exemple.fr",
        "campusitip.exemple.fr",
    ],
)
def test_a_host_similar_to_a_recognised_one_is_reported(host: str):
    assert likeness("Un nom à soi", f"did:web:{host}") is Likeness.HOST


@pytest.mark.parametrize(
    "issuer",
    [
        "did:web:badges.exemple.fr:campus:autre",
        "did:web:annexe.badges.exemple.fr",
        "did:web:openbadgepassport.com",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "pas une adresse",
    ],
)
def test_other_issuers_are_not_reported(issuer: str):
    assert likeness("Un nom à soi", issuer) is None


def test_recognised_issuers_are_not_reported_as_similar_to_each_other():
    twins = (ITIP, Entry("did:web:itip.exemple", ITIP.name, short_name="ITIP", domain="badges-exemple.fr"))
    for each in twins:
        assert resemblance(twins, issuer=each.id, name=each.name) is None


_WORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + "éèçôÉœ -’"), min_size=4, max_size=40)


@given(_WORDS)
def test_a_skeleton_is_its_own_skeleton(name: str):
    assert skeleton(skeleton(name)) == skeleton(name)


@given(_WORDS)
def test_case_accents_and_hyphens_change_no_skeleton(name: str):
    assert skeleton(name.upper()) == skeleton(name.lower())
    assert skeleton("-".join(name)) == skeleton(name.replace(" ", ""))


@given(_WORDS, _WORDS)
def test_likeness_is_symmetric(one: str, other: str):
    assert names_alike(one, other) == names_alike(other, one)


@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 3))
def test_edit_distance_equals_the_plain_recursion(one: str, other: str, most: int):
    assert within_slips(one, other, most) == (_slips(one, other) <= most)


def _slips(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    best = min(
        _slips(one[1:], other) + 1,
        _slips(one, other[1:]) + 1,
        _slips(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if len(one) > 1 and len(other) > 1 and one[0] == other[1] and one[1] == other[0]:
        best = min(best, _slips(one[2:], other[2:]) + 1)
    return best
