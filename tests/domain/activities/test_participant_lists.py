"""Lists as trainers have them: whatever the spreadsheet did, every line is read or named."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities.activities import PartKind
from app.domain.activities.participant_lists import (
    MAX_BYTES,
    ListedPerson,
    decode_list,
    has_usable_address,
    read_list,
    split_name,
    tidy,
    without_repeats,
)
from app.errors import InvalidInput

ROWS = [
    ["Nom", "Prénom", "Courriel", "Heures"],
    ["LE BŒUF", "Anne-Gaëlle", "a.leboeuf@exemple.fr", "14,5"],
    ["Petit; dit Legrand", "Zoé", "zoe@exemple.fr", "3h30"],
    ["", "", "", ""],
    ["d’Hérouville", "Jean-Noël", "", ""],
]


def as_csv(separator: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(ROWS)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_spreadsheet_is_read_whatever_its_separator_and_encoding(separator: str, encoding: str) -> None:
    first, second, third = read_list(decode_list(as_csv(separator).encode(encoding)))
    assert (first.family_name, first.given_name, first.address) == (
        "LE BŒUF",
        "Anne-Gaëlle",
        "a.leboeuf@exemple.fr",
    )
    assert (first.hours, second.hours, third.hours) == (14.5, 3.5, None)
    assert second.family_name == "Petit; dit Legrand"
    assert (third.name, third.address, third.line) == ("Jean-Noël d’Hérouville", "", 5)


@pytest.mark.parametrize(
    ("typed", "given_name", "family_name", "address"),
    [
        ("LE GOFF Anne", "Anne", "LE GOFF", ""),
        ("Anne LE GOFF anne@exemple.fr", "Anne", "LE GOFF", "anne@exemple.fr"),
        ("Anne Le Goff <Anne@Exemple.fr>", "Anne", "Le Goff", "anne@exemple.fr"),
        ("Le Goff;Anne;anne@exemple.fr", "Anne", "Le Goff", "anne@exemple.fr"),
        ("anne@exemple.fr;Anne;LE GOFF", "Anne", "LE GOFF", "anne@exemple.fr"),
        ("Rakotomalala", "", "Rakotomalala", ""),
        ("Nolwenn Jaouen;nolwenn@exemple,fr", "Nolwenn", "Jaouen", "nolwenn@exemple,fr"),
    ],
)
def test_a_typed_line_gives_a_name_and_an_address(
    typed: str, given_name: str, family_name: str, address: str
) -> None:
    (line,) = read_list(typed)
    assert (line.given_name, line.family_name, line.address) == (given_name, family_name, address)


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Nom;Prénom;Adresse", "Martin;Zoé;zoe@exemple.fr"),
        ("Nom;Prénom;Mél", "Martin;Zoé;zoe@exemple.fr"),
        ("Nom;Prénom;Contact", "Martin;Zoé;zoe@exemple.fr"),
        ("Nom;Prénom;Adresse;Adresse e-mail", "Martin;Zoé;12 rue des Forges;zoe@exemple.fr"),
        ("Nom;Prénom;Courriel du responsable;Identifiant", "Martin;Zoé;prof@exemple.fr;zoe@exemple.fr"),
    ],
)
def test_a_column_of_e_mail_addresses_is_known_by_what_it_holds(heading: str, cells: str) -> None:
    (read,) = read_list(f"{heading}\n{cells}")
    assert (read.name, read.address) == ("Zoé Martin", "zoe@exemple.fr")


def test_a_comma_before_an_address_is_no_part_of_the_name() -> None:
    [_, read] = read_list("MARTIN Zoé; zoe@exemple.fr\nJean-Noël Haddad, jn@exemple.fr")
    assert (f"{read.given_name} {read.family_name}".count(","), read.address) == (0, "jn@exemple.fr")


def test_where_somebody_lives_is_no_e_mail_address() -> None:
    (read,) = read_list("Nom;Prénom;Adresse\nMartin;Zoé;12 rue des Forges")
    assert (read.name, read.address) == ("Zoé Martin", "")


def test_a_wrong_address_stays_on_its_line_to_be_corrected() -> None:
    (line,) = read_list("Nolwenn Jaouen;nolwenn@exemple,fr")
    assert not has_usable_address(line)


def test_unreadable_hours_are_a_fault_of_their_line_alone() -> None:
    first, second = read_list("Nom;Prénom;Heures\nMartin;Zoé;beaucoup\nDurand;Paul;2")
    assert (first.fault, second.fault, second.hours) == ("hours", "", 2.0)


def test_a_list_says_who_was_a_resource() -> None:
    first, second = read_list("Nom;Prénom;Rôle\nMartin;Zoé;Ressource\nDurand;Paul;apprenant")
    assert (first.part, second.part) == (PartKind.RESOURCE, PartKind.LEARNER)


def test_homonyms_with_two_addresses_are_two_people_and_a_repeated_line_is_one() -> None:
    lines = read_list("Martin;Zoé;z1@exemple.fr\nMARTIN;Zoe;z2@exemple.fr\nZoé Martin z1@exemple.fr")
    kept, repeated = without_repeats(lines)
    assert [line.address for line in kept] == ["z1@exemple.fr", "z2@exemple.fr"]
    assert [line.line for line in repeated] == [3]


def test_capitals_of_a_list_are_not_the_spelling_of_a_name() -> None:
    tidied = tidy(ListedPerson(1, given_name="JEAN-NOËL", family_name="D’HÉROUVILLE-LE GOFF"))
    assert tidied.name == "Jean-Noël D’Hérouville-Le Goff"
    assert tidy(ListedPerson(1, given_name="Ana", family_name="Da Silva")).name == "Ana Da Silva"


@pytest.mark.parametrize("data", [b"PK\x03\x04 a workbook", b"x" * (MAX_BYTES + 1)])
def test_what_is_no_list_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_list(data)


def test_a_list_is_not_read_past_ten_thousand_lines() -> None:
    with pytest.raises(InvalidInput):
        read_list("Zoé Martin\n" * 10_001)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        lines = read_list(decode_list(data))
    except InvalidInput:
        return
    assert all(isinstance(line, ListedPerson) for line in lines)


NAMES = st.text(alphabet=st.characters(whitelist_categories=("Ll", "Lu")), min_size=2, max_size=20)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=30))
def test_no_line_of_a_list_is_lost(people: list[tuple[str, str]]) -> None:
    text = "Nom;Prénom\n" + "\n".join(f"{family};{given_name}" for family, given_name in people)
    assert [(line.family_name, line.given_name) for line in read_list(text)] == people


@given(NAMES, NAMES)
def test_a_whole_name_is_split_without_losing_a_letter(given_name: str, family_name: str) -> None:
    first, second = split_name(f"{given_name} {family_name}")
    assert sorted(f"{first}{second}".replace(" ", "")) == sorted(given_name + family_name)


@pytest.mark.parametrize(
    "text",
    [
        "Mme DURAND Zoé; zoe@exemple.fr",
        "M. DURAND Zoé <zoe@exemple.fr>",
        "Madame;DURAND;Zoé;zoe@exemple.fr",
        "Nom;Prénom;Courriel\nMlle DURAND;Zoé;zoe@exemple.fr",
        "Nom et prénom;Courriel\nMonsieur DURAND Zoé;zoe@exemple.fr",
    ],
)
def test_a_civility_is_no_part_of_a_name(text: str) -> None:
    (line,) = read_list(text)
    assert (line.given_name, line.family_name, line.address) == ("Zoé", "DURAND", "zoe@exemple.fr")
