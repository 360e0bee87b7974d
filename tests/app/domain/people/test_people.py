"""Names, addresses and roles: who is the same person, and who may do what."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.imports.lists.vocabulary.names import doubt_about
from app.domain.people import (
    Membership,
    Role,
    check_name,
    family_initial,
    is_address,
    is_own_address,
    masked_address,
    name_faults,
    name_key,
    normal_address,
    roles_at,
    suggested_address,
)
from app.errors import InvalidInput

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Anne-Gaëlle", "LE BŒUF"), ("anne gaelle", "Le Boeuf")),
        (("Łukasz", "Wiśniewski"), ("Lukasz", "WISNIEWSKI")),
        (("Jean-Noël", "d’Hérouville"), ("D'HEROUVILLE", "Jean Noel")),
        (("Thị Hương", "Đặng"), ("Huong Thi", "DANG")),
    ],
)
def test_two_spellings_of_one_name_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert name_key(*one) == name_key(*other)


def test_two_names_do_not_share_a_key() -> None:
    assert name_key("Zoé", "Martin") != name_key("Zoé", "Martinet")


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_key_of_a_key_is_itself(given_name: str, family_name: str) -> None:
    key = name_key(given_name, family_name)
    assert name_key("", key) == key


@pytest.mark.parametrize("address", ["zoe@exemple.fr", "a.b+c@sub.exemple.fr", "é@exemple.fr"])
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "text",
    ["", "zoe", "zoe@", "@exemple.fr", "zoe@exemple", "zoe@exemple,fr", "zo e@exemple.fr", "a..b@exemple.fr"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert not is_address(text)


def test_one_slip_is_explained_by_the_address_probably_meant() -> None:
    assert suggested_address("Nolwenn.Jaouen@exemple,fr") == "nolwenn.jaouen@exemple.fr"
    assert suggested_address("nolwenn jaouen@exemple.fr") == "nolwennjaouen@exemple.fr"
    assert suggested_address("nolwenn@exemple.fr") is None
    assert suggested_address("nolwenn") is None


def test_an_address_is_compared_without_case_or_brackets() -> None:
    assert normal_address(" <Zoe@Exemple.FR> ") == "zoe@exemple.fr"


@pytest.mark.parametrize(
    ("given_name", "family_name"),
    [("", "  "), ("a" * 121, "b"), ("Zo\u202eé", "Martin"), ("Noa", "?"), ("-", "Martin"), ("Zoé", "0612")],
)
def test_a_name_that_cannot_be_printed_is_refused(given_name: str, family_name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(given_name, family_name)


def test_a_role_holds_only_in_its_campus_and_its_time() -> None:
    here, elsewhere = uuid.uuid4(), uuid.uuid4()
    someone = uuid.uuid4()
    memberships = [
        Membership(person_id=someone, campus_id=here, role=Role.TRAINER, since=NOON),
        Membership(
            person_id=someone,
            campus_id=here,
            role=Role.CAMPUS_ADMIN,
            since=NOON - timedelta(days=9),
            until=NOON,
        ),
        Membership(person_id=someone, campus_id=elsewhere, role=Role.CAMPUS_ADMIN, since=NOON),
    ]
    assert roles_at(memberships, here, at=NOON) == {Role.TRAINER}
    assert roles_at(memberships, here, at=NOON - timedelta(days=1)) == {Role.CAMPUS_ADMIN}


@pytest.mark.parametrize(
    ("address", "masked"),
    [("marie.durand@exemple.fr", "m•••@exemple.fr"), ("m@exemple.fr", "•••@exemple.fr")],
)
def test_a_masked_address_is_known_again_only_by_who_knows_it(address: str, masked: str):
    assert masked_address(address) == masked


MARKS = "\u0301\u0323" * 500_000
"""Putting them in order takes hours: a time with the square of how many follow each other."""


def test_endless_marks_are_neither_an_address_nor_a_name() -> None:
    assert not is_address(normal_address(f"a{MARKS}@exemple.fr"))
    with pytest.raises(InvalidInput):
        check_name("Zoé", MARKS)


def test_check_name_refuses_letters_of_which_no_key_is_left():
    """An Arabic vowel sign in a form for presentation is a letter until it is decomposed."""
    with pytest.raises(InvalidInput):
        check_name("", "\ufe76")


@pytest.mark.parametrize(
    ("family_name", "initial"),
    [
        ("d’Hérouville", "H."),
        ("D'HÉROUVILLE", "H."),
        ("de La Fontaine", "L."),
        ("DE LA TOUR", "L."),
        ("van der Berg", "B."),
        ("Le Goff", "L."),
        ("L’Hostis", "L."),
        ("N’Diaye", "N."),
        ("D’Angelo", "D."),
        ("martin", "M."),
        ("de", "D."),
        ("", ""),
    ],
)
def test_initial_of_a_family_name_skips_particles(family_name: str, initial: str):
    assert family_initial(family_name) == initial


@pytest.mark.parametrize(
    "other",
    [
        "ZOE.martin@Gmail.com",
        "zoe.martin+badges@gmail.com",
        "zoemartin@gmail.com",
        "z.o.e.martin+x@googlemail.com",
        "ｚoe.martin@gmail.com",
    ],
)
def test_one_mailbox_has_many_spellings(other: str) -> None:
    assert is_own_address(other, ["zoe.martin@gmail.com"])


@pytest.mark.parametrize("other", ["zoemartin@exemple.fr", "zoe.martin@gmail.fr", "zoe.martine@exemple.fr"])
def test_other_mailboxes_are_others(other: str) -> None:
    assert not is_own_address(other, ["zoe.martin@exemple.fr", "zoe.martin@gmail.com"])


@pytest.mark.parametrize(
    ("given_name", "family_name"),
    [("https://exemple.org/chloe", "Martin"), ("Chloé", "www.exemple.org"), ("chloe@exemple.fr", "Martin")],
)
def test_check_name_refuses_addresses(given_name: str, family_name: str):
    with pytest.raises(InvalidInput, match="Une adresse n’est pas un nom"):
        check_name(given_name, family_name)


def test_name_faults_names_every_refused_half():
    assert list(name_faults("https://exemple.org", "Martin")) == ["given_name"]
    assert list(name_faults("Chloé", "0612")) == ["family_name"]
    assert list(name_faults("Chloé", "")) == ["family_name"]
    assert list(name_faults("Chloé 2", "", is_own=True)) == ["given_name", "family_name"]
    assert not name_faults("Chloé", "Martin")
    assert not name_faults("", "Martin")


@pytest.mark.parametrize(
    ("given", "family", "proposed"),
    [
        ("Martin", "Chloé", ("Chloé", "Martin")),
        ("Chloé Martin", "Martin", ("Chloé", "Martin")),
        ("Chloé", "Martin Chloé", ("Chloé", "Martin")),
        ("Chloé Martin", "Chloé Martin", ("Chloé", "Martin")),
        ("", "Chloé Martin", ("Chloé", "Martin")),
        ("Mme Chloé", "Martin", ("Chloé", "Martin")),
        ("Chloé", "Martin Mme", ("Chloé", "Martin")),
        ("Madame", "Martin", ("", "")),
        ("Prénom", "Nom", ("", "")),
        ("Chloé (Clo)", "Martin", ("", "")),
        ("Chloé", "Martin 2nde B", ("", "")),
        ("Chloé", "M.", ("", "")),
    ],
)
def test_slip_in_a_typed_name_is_asked_about(given: str, family: str, proposed: tuple[str, str]):
    found = doubt_about(given, family)
    assert found
    assert (found.given, found.family) == proposed


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("Chloé", "Martin"), ("CHLOÉ", "MARTIN"), ("Jean Paul", "Le Goff"), ("", "Ravalomanana"), ("", "Le Goff"),
        ("Anne-Gaëlle", "d’Hérouville"), ("Thomas", "Martin"), ("Ali", "Ali"), ("Moussa", "N’Diaye"), ("", ""),
    ],
)  # fmt: skip
def test_right_typed_name_is_not_asked_about(given: str, family: str):
    assert doubt_about(given, family) is None


@pytest.mark.parametrize("name", ["Chloé ✔", "Chloé 😀", "★ Chloé", "Chloé ©"])
def test_name_holds_no_symbol(name: str):
    with pytest.raises(InvalidInput, match="symbole"):
        check_name(name, "Martin")


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\u00ad", "\u202e", "\u2066", "\u200d"])
def test_address_is_the_same_without_the_signs_that_are_not_seen(sign: str) -> None:
    pasted = f"{sign}zo{sign}e@exem{sign}ple.fr"
    assert normal_address(pasted) == "zoe@exemple.fr"
    assert not is_address(pasted)


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x7f", "\x85", "\ud800", "\ue000"])
def test_address_has_no_control_character(sign: str) -> None:
    assert not is_address(normal_address(f"zo{sign}e@exemple.fr"))
