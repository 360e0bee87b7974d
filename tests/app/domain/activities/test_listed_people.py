"""People of a list: one spelling for capitals, one person for repeated lines."""

from __future__ import annotations

from app.domain.activities import Participation, homonym_of
from app.domain.activities.listed_people import ListedPerson, has_usable_address, without_repeats


def test_homonyms_with_two_addresses_are_two_people_and_a_repeated_line_is_one() -> None:
    lines = [
        ListedPerson(1, "Zoé", "Martin", "z1@exemple.fr"),
        ListedPerson(2, "Zoe", "MARTIN", "z2@exemple.fr"),
        ListedPerson(3, "Martin", "Zoé", "z1@exemple.fr"),
    ]
    kept, repeated = without_repeats(lines)
    assert [line.address for line in kept] == ["z1@exemple.fr", "z2@exemple.fr"]
    assert [line.line for line in repeated] == [3]


def test_capitals_of_a_list_are_not_the_spelling_of_a_name() -> None:
    tidied = ListedPerson(1, given_name="JEAN-NOËL", family_name="D’HÉROUVILLE-LE GOFF").tidied()
    assert tidied.name == "Jean-Noël D’Hérouville-Le Goff"
    assert ListedPerson(1, given_name="Ana", family_name="Da Silva").tidied().name == "Ana Da Silva"


def test_a_wrong_address_is_not_usable_and_none_is() -> None:
    assert not has_usable_address(ListedPerson(1, "Nolwenn", "Jaouen", "nolwenn@exemple,fr"))
    assert has_usable_address(ListedPerson(1, "Nolwenn", "Jaouen"))


def test_number_of_a_homonym_is_short() -> None:
    assert homonym_of(Participation(line_key="|jean petit#2")) == 2
    assert homonym_of(Participation(line_key=f"|jean#{'9' * 5_000}")) == 1
