"""Slips that people make in tables with headings: halves of a name the wrong way round, cells and addresses of another row."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import permutations
from random import Random

import pytest
from xlsxwriter import Workbook

from app.domain.imports.lists.model import State
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_file, read_list_text
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


def _sorted_alone(half: str) -> Slip:
    def sort(rows: list[Row], _random: Random) -> None:
        for row, name in zip(rows, sorted(row[half] for row in rows), strict=True):
            row[half] = name

    return sort


def _one_class_too_early(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    row["given"], row["class"] = row["class"], row["given"]


def _two_people_in_one(rows: list[Row], random: Random) -> None:
    row, other = random.sample(rows, 2)
    row["given"], row["family"] = f"{row['given']} {other['given']}", f"{row['family']} {other['family']}"
    rows.remove(other)


def _family_drawn_down(rows: list[Row], random: Random) -> None:
    at = random.randrange(len(rows) - 1)
    rows[at + 1]["family"] = rows[at]["family"]


def _given_name_cut(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    name = random.choice(["Mathilde", "Stéphanie", "Philippe", "Frédéric", "Marie-Caroline"])
    row["given"] = name[: -random.randint(1, 2)]
    row["address"] = row["address"] and row["address"].replace("k", "x")


def _first_letters_lost(rows: list[Row], random: Random) -> None:
    row = random.choice(rows)
    row["family"] = row["family"][random.randint(1, 2) :].capitalize()


SLIPS: list[tuple[Slip, list[str]]] = [
    (_two_people_in_one, [*SPELLINGS]),
    (_given_name_cut, ["none", "gfamily", "number"]),
    (_first_letters_lost, ["given.family", "givenfamily", "family.given", "gfamily"]),
    (_family_drawn_down, ["given.family", "givenfamily", "family.given"]),
    (_swap_one, [*SPELLINGS]),
    (_swap_all, [*SPELLINGS]),
    (_whole_name_as_family, [*SPELLINGS]),
    (_another_name_behind_the_family, [*SPELLINGS]),
    (_one_class_too_early, [*SPELLINGS]),
    (_addresses_of_the_next, ["given.family", "givenfamily", "family.given", "gfamily"]),
    (_addresses_of_two_exchanged, ["given.family", "givenfamily", "family.given"]),
    (_sorted_alone("family"), ["given.family", "givenfamily", "family.given", "gfamily"]),
    (_sorted_alone("given"), ["given.family", "givenfamily", "family.given"]),
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


def test_an_address_of_one_of_several_names_is_their_own() -> None:
    text = """Prénom;Nom;E-mail
Jean-Luc;Faye;jean.faye@ecole.example
Paul;Martin Roux;paul.martin@ecole.example
Jean;Petit;jean.petit@ecole.example
Léa;Martin;lea.martin@ecole.example"""
    assert len(ready_in(text)) == 4


def test_several_given_names_before_a_family_name_that_is_also_one_need_no_question() -> None:
    text = "Prénom;Nom;Classe\nNour El Houda;Belkacem;3A\nMarie Ange;Paul;3A\nJean Ricot;Célestin;3A"
    assert len(ready_in(text)) == 3


def test_a_family_name_is_no_given_name() -> None:
    assert ready_in("Prénom;Nom;Classe\nVasseur;Ferret;3A\nLéa;Petit;3A\nHugo;Roux;3A") == {
        ("lea", "petit", ""),
        ("hugo", "roux", ""),
    }


def test_an_initial_of_another_person_is_asked_about() -> None:
    text = """Prénom;Nom;E-mail
Magali;Zorvath;lzorvath@ecole.example
Awa;Kelvrig;akelvrig@ecole.example
Zoé;Drombek;cdrombek@ecole.example"""
    assert ready_in(text) == set()


@pytest.mark.parametrize(
    "order", [*permutations(["Nom", "Nom de naissance", "Prénom", "Prénom usuel"])], ids=" ".join
)
def test_two_forms_of_a_name_are_asked_about_in_any_order_of_columns(order: tuple[str, ...]) -> None:
    rows = [
        {"Nom": "Martin", "Nom de naissance": "Durand", "Prénom": "Léa", "Prénom usuel": "Julie"},
        {"Nom": "Petit", "Nom de naissance": "Wei", "Prénom": "Paul", "Prénom usuel": "Milo"},
        {"Nom": "Roux", "Nom de naissance": "Simon", "Prénom": "Inès", "Prénom usuel": "Anna"},
    ]
    assert (
        ready_in("\n".join(";".join(one) for one in [order, *([row[k] for k in order] for row in rows)]))
        == set()
    )


@pytest.mark.parametrize("heading", [{}, {"bold": True}, {"bold": True, "bg_color": "#cccccc"}], ids=str)
@pytest.mark.parametrize("look", [{"font_color": "red"}, {"italic": True}, {"bg_color": "red"}], ids=str)
@pytest.mark.parametrize("at", [1, 2])
def test_of_two_rows_one_in_another_colour_is_asked_about(
    heading: dict[str, object], look: dict[str, object], at: int
) -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate([["Nom", "Prénom"], ["Martin", "Chloé"], ["Petit", "Hugo"]]):
            sheet.write_row(number, 0, cells, book.add_format({0: heading, at: look}.get(number, {})))
    name = "Chloé Martin" if at == 1 else "Hugo Petit"
    assert name not in {line.name for line in read_list_file(made.getvalue()).in_state(State.READY)}


def test_given_names_that_were_sorted_alone_leave_nobody_ready_by_an_initial() -> None:
    text = """Nom;Prénom;E-mail
Petit;Aurélie;apetit@ecole.example
Bertrand;Éric;nbertrand@ecole.example
Cherel;Evan;echerel@ecole.example
Leclerc;Nathalie;eleclerc@ecole.example"""
    assert ready_in(text) == set()


@pytest.mark.parametrize(
    "given",
    ["Alexandr", "Mathi", "Juli", "Mahtieu", "Carnille", "Poscale", "Eiodie", "Aurlie", "Frdric", "Franoise", "Camillle", "Stéphani", "Jean-Philipp"],
)  # fmt: skip
@pytest.mark.parametrize(
    "text", ["Nom;Prénom;Classe\nMartin;{};3A\nPetit;Hugo;3A\nRoux;Inès;3B", "MARTIN {}\nPETIT Hugo\nROUX Inès"]
)  # fmt: skip
def test_a_usual_given_name_with_a_slip_is_asked_about(given: str, text: str) -> None:
    ready = {name for name, *_ in ready_in(text.format(given))}
    assert ready == {"hugo", "ines"}


def test_a_rare_given_name_that_its_address_spells_needs_no_question() -> None:
    text = "Prénom;Nom;E-mail\nAlexandr;Petit;alexandr.petit@ecole.example\nHugo;Roux;hugo.roux@ecole.example"
    assert len(ready_in(text)) == 2


@pytest.mark.parametrize("given", ["Luc", "Lara", "Yann", "Sarah", "Loïs", "Anaé", "Lan", "Kavin"])
def test_a_given_name_that_differs_little_from_a_usual_one_needs_no_question(given: str) -> None:
    assert len(ready_in(f"Nom;Prénom;Classe\nMartin;{given};3A\nPetit;Hugo;3A\nRoux;Inès;3B")) == 3


def test_all_given_names_as_long_as_those_that_were_cut_are_asked_about() -> None:
    text = "Nom;Prénom\nMartin;Jocely\nPetit;Nathal\nRoux;Michel\nGirard;Hugo\nFaye;Léa"
    assert {name for name, *_ in ready_in(text)} == {"hugo", "lea"}


@pytest.mark.parametrize(
    "rows",
    [
        "Pages;Bernard\nBernard;Odile\nPetit;Hugo",
        "Hugo;Léa\nThomas;Hugo\nFaye;Inès",
        "Rodriguez;Jules Patrick Bernard\nPetit;Hugo\nRoux;Inès",
        "Martin;Raphaël Aurélie\nPetit;Hugo\nRoux;Inès",
    ],
)
def test_a_half_that_belongs_to_another_person_is_asked_about(rows: str) -> None:
    first = tuple(fold(half) for half in rows.partition("\n")[0].split(";")[::-1])
    assert first not in {(given, family) for given, family, _ in ready_in(f"Nom;Prénom\n{rows}")}


@pytest.mark.parametrize("row", ["{} {} {}@ecole.example", "{};{};{}@ecole.example"])
def test_capitals_do_not_hide_that_halves_are_the_wrong_way_round(row: str) -> None:
    halves = [("LEFRANC", "Cassandra", "clefranc"), ("BONNARD", "Éric", "ebonnard"), ("MONIQUE", "Leroy", "mleroy"), ("BERTRAND", "Enora", "ebertrand")]  # fmt: skip
    heading = "NOM;Prénom;E-mail\n" if ";" in row else ""
    text = heading + "\n".join(row.format(*half) for half in halves)
    assert {name for name, *_ in ready_in(text)} == {"cassandra", "eric", "enora"}


@pytest.mark.parametrize("spelling", ["given.family", "givenfamily", "family.given", "gfamily"])
def test_siblings_one_below_the_other_need_no_question(spelling: str) -> None:
    rows = [
        {"given": given, "family": family, "address": f"{SPELLINGS[spelling](fold(given), fold(family))}@ecole.example", "class": "3A"}
        for given, family in [("Léa", "Martin"), ("Hugo", "Martin"), ("Awa", "Faye"), ("Inès", "Faye")]
    ]  # fmt: skip
    assert ready_in(text_of(rows, Random(1))) == _people(rows)


@pytest.mark.parametrize(
    ("given", "local"), [("Alex", "alexandre"), ("Max", "maxime"), ("Jean", "jeanluc"), ("Lou", "louise")]
)
def test_a_short_form_of_the_given_name_needs_no_question(given: str, local: str) -> None:
    text = f"Prénom;Nom;E-mail\n{given};Petit;{local}.petit@ecole.fr\nHugo;Roux;hugo.roux@ecole.fr"
    assert len(ready_in(text)) == 2


@pytest.mark.parametrize("family", ["Durand-Ma", "Lefebvre-Boul", "DE CARVAL", "Lefebvr"])
def test_a_family_name_that_ends_in_the_beginning_of_a_usual_one_is_asked_about(family: str) -> None:
    text = f"Nom;Prénom;Classe\n{family};Hugo;3A\nRoux;Inès;3A\nLe Bris;Yuna;3A"
    assert {name for name, *_ in ready_in(text)} == {"ines", "yuna"}


@pytest.mark.parametrize("given", ["Louis-So", "Pierre-Bapti"])
def test_the_end_of_a_double_given_name_that_was_cut_is_asked_about(given: str) -> None:
    text = f"Nom;Prénom;Classe\nMartin;{given};3A\nRoux;Inès;3A\nPetit;Thi Lan;3A\nFaye;Jean-Luc;3A"
    assert {name for name, *_ in ready_in(text)} == {"ines", "thi lan", "jean luc"}


@pytest.mark.parametrize(
    "family", ["Le Bris", "Van den Berg", "de La Tour", "Le Floc’h", "Phan Van", "Guivarc'h", "Dos Santos"]
)
def test_a_family_name_with_a_short_last_term_needs_no_question(family: str) -> None:
    text = f"Nom;Prénom;Classe\n{family};Hugo;3A\nRoux;Inès;3A\nVan Oosterhout-Delacroix;Lina;3A"
    assert "hugo" in {name for name, *_ in ready_in(text)}


def test_a_short_end_that_the_address_spells_needs_no_question() -> None:
    text = "Nom;Prénom;E-mail\nDurand-Ma;Hugo;hugo.durandma@ecole.fr\nRoux;Inès;ines.roux@ecole.fr"
    assert len(ready_in(text)) == 2


def test_whole_names_as_long_as_one_that_was_cut_are_asked_about() -> None:
    text = "NOM Prénom\nBACHELIER Christ\nJONQUET Christel\nLOF Pierre-Bapti\nROUX Inès\nFAYE Awa"
    assert {name for name, *_ in ready_in(text)} == {"ines", "awa"}


@pytest.mark.parametrize("row", ["Naïg;Kermabon;kermabon.naig", "Tsiry;Rakotomanga;rakotomanga.tsiry"])
def test_an_address_made_of_the_columns_is_no_proof_of_their_order(row: str) -> None:
    right = "Durand;Agathe;agathe.durand@exemple.fr\nBlot;Gaspard;gaspard.blot@exemple.fr"
    reading = read_list_text(f"Nom;Prénom;Mail\n{right}\n{row}@exemple.fr")
    assert [line.name for line in reading.in_state(State.READY)] == ["Agathe Durand", "Gaspard Blot"]


@pytest.mark.parametrize(
    "row", ["O'Sullivan;Niamh;niamh.osullivan", "Le Kermabon;Naïg;naig.le-kermabon", "RAKOTOMANGA;Tsiry;t.rakotomanga"]
)  # fmt: skip
def test_an_unknown_half_beside_one_that_shows_the_order_needs_no_question(row: str) -> None:
    right = "DURAND;Agathe;agathe.durand@exemple.fr\nBLOT;Gaspard;gaspard.blot@exemple.fr"
    reading = read_list_text(f"Nom;Prénom;Mail\n{right}\n{row}@exemple.fr")
    assert len(reading.in_state(State.READY)) == 3
