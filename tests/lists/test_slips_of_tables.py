"""Slips that people make in tables with headings: halves of a name the wrong way round, cells and addresses of another row."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from app.domain.imports.lists.model import State
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_text
from tests.support.running.examples import examples

pytestmark = pytest.mark.usefixtures("reading_in_this_process")

GIVEN = [
    "Chloé",
    "Lina",
    "Awa",
    "Inès",
    "Léa",
    "Marie-Ange",
    "Hugo",
    "Fatoumata",
    "Noémie",
    "Yanis",
    "Maëlys",
    "Kenza",
    "Manon",
    "Camille",
    "Nolwenn",
]
FAMILY = [
    "Martin",
    "Benali",
    "Faye",
    "Garcia",
    "Lefebvre",
    "Moreau",
    "Simon",
    "Lambert",
    "Diallo",
    "Petit",
    "Roux",
    "Girard",
    "Mercier",
    "Aubry",
    "Vincent",
]

Row = dict[str, str]
Slip = Callable[[list[Row], Random], None]

SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "given.family": lambda given, family: f"{given}.{family}",
    "givenfamily": lambda given, family: given + family,
    "family.given": lambda given, family: f"{family}.{given}",
    "gfamily": lambda given, family: given[0] + family,
    "none": lambda _given, _family: "",
    "number": lambda given, family: f"k{len(given)}{len(family)}{ord(family[0])}",
}


def _swap_one(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    row["given"], row["family"] = row["family"], row["given"]


def _swap_all(rows: list[Row], _random: Random) -> None:
    for row in rows:
        row["given"], row["family"] = row["family"], row["given"]


def _whole_name_as_family(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    row["family"], row["given"] = f"{row['family']} {row['given']}", ""


def _another_name_behind_the_family(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    row["family"] += f" {random.choice(GIVEN)} {random.choice(FAMILY)}"


def _addresses_of_the_next(rows: list[Row], _random: Random) -> None:
    addresses = [row["address"] for row in rows]
    for row, address in zip(rows, [*addresses[1:], addresses[0]], strict=True):
        row["address"] = address


def _addresses_of_two_exchanged(rows: list[Row], random: Random) -> None:
    one, other = random.sample(rows, 2)
    one["address"], other["address"] = other["address"], one["address"]


def _one_class_too_early(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    row["given"], row["class"] = row["class"], row["given"]


SLIPS: list[tuple[Slip, list[str]]] = [
    (_swap_one, [*SPELLINGS]),
    (_swap_all, [*SPELLINGS]),
    (_whole_name_as_family, [*SPELLINGS]),
    (_another_name_behind_the_family, [*SPELLINGS]),
    (_one_class_too_early, [*SPELLINGS]),
    (_addresses_of_the_next, ["given.family", "givenfamily", "family.given", "gfamily"]),
    (_addresses_of_two_exchanged, ["given.family", "givenfamily", "family.given"]),
]


def table_of(random: Random, spelling: str) -> list[Row]:
    """People with other given and family names each, so that no address may be another's by chance."""
    count, in_capitals = random.choice([2, 3, 4, 7]), random.random() < 0.3
    pairs = zip(random.sample(GIVEN, count), random.sample(FAMILY, count), strict=True)
    return [
        {
            "given": given,
            "family": family.upper() if in_capitals else family,
            "address": f"{local}@ecole.example"
            if (local := SPELLINGS[spelling](fold(given).replace(" ", ""), fold(family)))
            else "",
            "class": random.choice(["3A", "3B", "2MRC"]),
        }
        for given, family in pairs
    ]


def text_of(rows: list[Row], random: Random) -> str:
    columns = {"given": "Prénom", "family": "Nom", "address": "E-mail", "class": "Classe"}
    order = [*random.choice([["given", "family"], ["family", "given"]]), "address", "class"]
    if not any(row["address"] for row in rows):
        order.remove("address")
    lines = [[columns[each] for each in order], *([row[each] for each in order] for row in rows)]
    return "\n".join(map(";".join, lines))


def ready_in(text: str) -> set[tuple[str, str, str]]:
    return {
        (fold(line.given_name), fold(line.family_name), line.address)
        for line in read_list_text(text).in_state(State.READY)
    }


def _people(rows: list[Row]) -> set[tuple[str, str, str]]:
    return {(fold(row["given"]), fold(row["family"]), row["address"]) for row in rows}


@pytest.mark.parametrize(("slip", "spellings"), SLIPS, ids=lambda each: getattr(each, "__name__", ""))
def test_who_is_wrong_by_a_slip_is_asked_about(slip: Slip, spellings: list[str]) -> None:
    for seed in range(examples(60)):
        random = Random(seed)
        rows = table_of(random, random.choice(spellings))
        people = _people(rows)
        slip(rows, random)
        text = text_of(rows, random)
        assert ready_in(text) <= people, text


def test_tables_without_a_slip_need_no_question() -> None:
    for seed in range(examples(60)):
        random = Random(seed)
        rows = table_of(random, random.choice([name for name in SPELLINGS if name != "number"]))
        text = text_of(rows, random)
        assert ready_in(text) == _people(rows), text


def test_given_names_that_were_sorted_alone_leave_nobody_ready_by_an_initial() -> None:
    text = """Nom;Prénom;E-mail
Petit;Aurélie;apetit@ecole.example
Bertrand;Éric;nbertrand@ecole.example
Cherel;Evan;echerel@ecole.example
Leclerc;Nathalie;eleclerc@ecole.example"""
    assert ready_in(text) == set()
