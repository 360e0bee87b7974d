"""What changes nothing about the people of a list changes nothing about who is ready: form, order, notes, and remarks that deny."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random
from zlib import crc32

import pytest

from app.domain.imports.lists.model import Reading, State
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.lists.vocabulary.wording import role_of_heading
from app.services.imports.lists import read_list_file, read_list_text
from tests.lists.mutations import MUTATIONS, lines_of, mutants, rows_of, with_rows
from tests.lists.scoring import Entry, corpus, key_of, score_of
from tests.support.running.examples import IS_LONG, in_turn

pytestmark = pytest.mark.usefixtures("reading_in_this_process")


def _ready(reading: Reading) -> list[tuple[str, str, str]]:
    return sorted(key_of(line) for line in reading.in_state(State.READY))


def _tables() -> Iterator[tuple[Entry, list[list[str]], str, Reading]]:
    """Tables in which each row below the heading is a person, and each heading is known and stands once."""
    for entry in corpus():
        if found := rows_of(entry):
            rows, mark = found
            reading = read_list_file(with_rows(entry, rows, mark, "").data)
            roles = [role_of_heading(cell) for cell in rows[0]]
            names = [role for role, _ in roles if role.value != "rien"]
            if (
                all(line.state is not State.REFUSED for line in reading.lines[1:])
                and all(is_known for _, is_known in roles)
                and len(names) == len(set(names))
            ):
                yield entry, rows, mark, reading


def test_order_of_rows_and_columns_changes_nobody() -> None:
    count = 0
    for entry, rows, mark, reading in _tables():
        # A list that is added changes no other.
        random = Random(entry.name)
        body = random.sample(rows[1:], len(rows) - 1)
        order = random.sample(range(len(rows[0])), len(rows[0]))
        shuffled = [[row[index] for index in order] for row in (rows[0], *body)]
        mutant = with_rows(entry, shuffled, mark, f"order {order}")
        # Of two lines with one name, the first is ready.
        assert [key[:2] for key in _ready(read_list_file(mutant.data))] == [
            key[:2] for key in _ready(reading)
        ], mutant.name
        count += 1
    assert count > 80


NOTES = """Contact : Anne Vidal|Formatrice : Mme Sophie Delmas|Édité par Luc Besnard le 12/10/2026|Vu, le directeur, Gérard Pommier|
Gérard Pommier, proviseur|Tél. 04 72 00 00 00 (Mme Vidal)|Secrétariat : secretariat@exemple.fr|Lycée Marie Curie|Salle Jean Moulin|
12 rue Paul Bert, 69003 Lyon|Présents : 5|5 inscrits|Merci de rendre la feuille à Paul Roux|Bonne journée, Anne|Repas : Chez Paul|
Atelier animé par Julie Roche|Julie Roche et Marc Petit accompagnent|À confirmer : Julie Roche|Directrice Julie Roche|Page 1 sur 2|
p/o Julie Roche|NB : apporter sa blouse|La coordinatrice, Julie Roche|Référent handicap : Jean Petit|Saint Étienne""".replace("\n", "").split("|")  # fmt: skip


def test_a_note_makes_no_false_person_and_loses_nobody() -> None:
    count, faults = 0, []
    for entry in corpus():
        # A list that is added changes no other.
        random = Random(entry.name)
        note = random.choice(NOTES)
        if found := rows_of(entry):
            rows, mark = found
            at = random.randint(0, len(rows))
            mutant = with_rows(
                entry, [*rows[:at], [note, *[""] * (len(rows[0]) - 1)], *rows[at:]], mark, note
            )
        elif lines := lines_of(entry):
            at = random.randint(0, len(lines))
            data = "\n".join([*lines[:at], note, *lines[at:]]).encode()
            mutant = replace(entry, name=f"{entry.name} + {note}", data=data)
        else:
            continue
        score = score_of(mutant)
        faults += [*score.false, *score.lost]
        count += 1
    assert count > 300
    assert faults == []


PEOPLE = [("Dupont", "Marie"), ("Lefebvre", "Thomas"), ("Garcia", "Léa"), ("Moreau", "Hugo"), ("Benali", "Sofia"), ("Roux", "Paul"), ("Petit", "Jeanne")]  # fmt: skip
REMARKS = """gelé|clôturé|sans suite|KO|décliné|en pause|transféré|réorienté|radiation|inapte|interruption|à voir|impayé|litige|oublié|
plus là|grève|convoqué ailleurs|rien fait|faux nom|ami de Léo|frère|c’est un prof|hors groupe|mail faux|triche|blessé|chez lui|??""".replace("\n", "").split("|")  # fmt: skip
USUAL = {
    "Dossier": "complet", "Avis": "favorable", "Décision": "admis", "Contrat": "apprentissage", "Régime": "externe", "Statut": "inscrit",
    "Groupe": "G1", "Classe": "2B", "Suivi": "", "Point": "", "Séance 1": "x", "Situation": "en emploi", "Promotion": "", "Note": "14",
}  # fmt: skip


@pytest.mark.parametrize("heading", USUAL)
def test_a_remark_that_sets_one_apart_is_asked_about(heading: str) -> None:
    for people in (PEOPLE[:3], PEOPLE):
        for remark in REMARKS:
            rows = [
                f"{family};{given};{remark if given == 'Thomas' else USUAL[heading]}"
                for family, given in people
            ]
            reading = read_list_file("\n".join([f"Nom;Prénom;{heading}", *rows]).encode())
            assert "Thomas" not in {line.given_name for line in reading.in_state(State.READY)}, (
                heading,
                remark,
            )


_BESIDE = ("{} ({})", "{} - {}", "{}, {}", "{} {}", "{} : {}", "{} / {}", "{}\t{}", "{} [{}]", "{} <t.lefebvre@exemple.fr> {}", "{};{}", "{} -> {}", "{}   {}")  # fmt: skip


@pytest.mark.parametrize("pattern", _BESIDE)
def test_a_remark_beside_one_name_is_asked_about(pattern: str) -> None:
    written = {f"{given} {family.upper()}" for family, given in PEOPLE}
    for remark in REMARKS:
        lines = [pattern.format(name, remark) if "LEFEBVRE" in name else name for name in sorted(written)]
        reading = read_list_file("\n".join(lines).encode())
        right = {fold(name) for name in written if "LEFEBVRE" not in name}
        assert {fold(line.name) for line in reading.in_state(State.READY)} <= right, (pattern, remark)
        asked = " ".join(line.name for line in reading.in_state(State.ASK))
        assert "Thomas" in asked, (pattern, remark)


_STYLES = ("{g} {f}", "{f} {g}", "{F} {g}", "{g} {F}", "{F} {G}", "{G} {F}", "{f}, {g}", "{F}, {g}", "M. {g} {f}", "Mme {F} {g}", "{l} {m}")  # fmt: skip
_ROWS = ("{n}", "- {n}", "{i}. {n}", "{n} - 2B", "{n} (16 ans)", "{n};{e}", "{n} <{e}>", "{n} {e}", "{e} {n}", "{n}\t{e}", "• {n} : présent")  # fmt: skip


def _people(random: Random, count: int) -> list[tuple[str, str]]:
    known = sorted(
        {
            (one.given, one.family)
            for entry in corpus()
            for one in entry.people
            if one.state != "ask" and len(one.given) > 2 and len(one.family) > 2
        }
    )
    return random.sample(known, count)


def _written(style: str, given: str, family: str) -> str:
    return style.format(g=given, f=family, G=given.upper(), F=family.upper(), l=given.lower(), m=family.lower())  # fmt: skip


def _address(given: str, family: str) -> str:
    return f"{fold(given).replace(' ', '-')}.{fold(family).replace(' ', '')}@exemple.fr"


@pytest.mark.parametrize("style", _STYLES)
def test_a_name_written_like_its_neighbours_is_never_split_wrongly(style: str) -> None:
    random = Random(style)
    pool, ready, total = _people(random, 400), 0, 0
    for form in _ROWS:
        for count in (1, 3, 8):
            people = random.sample(pool, count)
            rows = [
                form.format(n=_written(style, *one), i=number, e=_address(*one))
                for number, one in enumerate(people, 1)
            ]
            right = {(fold(given), fold(family)) for given, family in people}
            found = {key[:2] for key in _ready(read_list_file("\n".join(rows).encode()))}
            assert found <= right, (rows, found - right)
            ready, total = ready + len(found), total + count
    assert ready > 0.55 * total


_FAMILY = ("Nom", "NOM", "Nom de famille", "Nom élève", "Nom du stagiaire", "Nom usuel", "Last name", "Nom (en majuscules)")  # fmt: skip
_GIVEN = ("Prénom", "PRENOM", "Prénom(s)", "Prénom élève", "Prénom du stagiaire", "Prénom usuel", "First name", "Prénom (usuel)")  # fmt: skip
_WHOLE = ("Nom Prénom", "Nom et prénom", "Stagiaire", "Élève", "Participant", "Nom complet", "Apprenant(e)", "Candidat", "Identité")  # fmt: skip
_OWN = ("Mail", "E-mail", "Courriel", "Adresse électronique", "Mél", "Courriel élève", "E-mail stagiaire")
_THEIRS = ("Mail parent", "E-mail responsable 1", "Courriel tuteur", "Mail entreprise", "Email resp. légal", "Mail MA", "Mail référent")  # fmt: skip
_OTHERS = ("Nom responsable", "Tuteur", "Maître d’apprentissage", "Professeur principal", "Conseiller", "Nom MA", "Personne à prévenir", "Parrain", "Suivi par", "Interlocuteur", "Délégué", "Nom représentant")  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_other_people_of_a_table_are_never_taken(seed: int) -> None:
    """Parents, tutors and employers stand in columns of their own, in any order of the columns."""
    random = Random(seed)
    pool, ready, total = _people(random, 400), 0, 0
    for _ in range(40):
        people = random.sample(pool, random.choice([2, 3, 5, 8]))
        own = [_address(*one) if random.random() < 0.85 else "" for one in people]
        own = own if random.random() < 0.6 else [""] * len(people)
        others = random.sample(pool, len(people))
        style = random.choice(_STYLES[:4])
        named = random.choice(range(len(_FAMILY)))
        columns: list[tuple[str, list[str]]] = (
            [(random.choice(_WHOLE), [_written(style, *one) for one in people])]
            if random.random() < 0.4
            else [
                (_FAMILY[named], [family for _, family in people]),
                (_GIVEN[named], [given for given, _ in people]),
            ]
        )
        if any(own):
            columns.append((random.choice(_OWN), own))
        has_theirs = random.random() < 0.5
        if has_theirs:
            columns.append((random.choice(_THEIRS), [_address("Odile", family) for _, family in people]))
        if random.random() < 0.6:
            columns.append((random.choice(_OTHERS), [_written(style, *one) for one in others]))
        columns.append(("Classe", [random.choice(["2A", "2B"]) for _ in people]))
        random.shuffle(columns)
        rows = [
            ";".join(cells)
            for cells in (
                [heading for heading, _ in columns],
                *zip(*(cells for _, cells in columns), strict=True),
            )
        ]
        right = {
            (fold(given), fold(family), address) for (given, family), address in zip(people, own, strict=True)
        }
        reading = read_list_file("\n".join(rows).encode())
        assert set(_ready(reading)) <= right, (rows, set(_ready(reading)) - right)
        # Who has only a parent's address is asked about.
        ready, total = ready + len(_ready(reading)), total + sum(bool(one) or not has_theirs for one in own)
    assert ready > 0.7 * total, (ready, total)


def test_no_form_of_a_list_loses_a_person_or_makes_a_false_one() -> None:
    """Each day every second form of a list, of the next list the others."""
    count, faults = 0, []
    for number, entry in enumerate(corpus()):
        for mutant in mutants(entry, seed=0, kinds=in_turn(MUTATIONS, number, of=2)):
            score = score_of(mutant)
            count += 1
            faults += [*score.lost, *score.false]
    assert count > 100 * len(MUTATIONS)
    assert faults == []


_Everybody = Sequence[tuple[str, str]]


def _everybody() -> list[tuple[str, str]]:
    """Everybody of the corpus who has both names, in an order that further lists do not change."""
    found = {
        (fold(one.given), fold(one.family)): (one.given, one.family)
        for entry in corpus()
        for one in entry.people
        if one.state != "ask" and one.given and one.family
    }
    return sorted(found.values(), key=lambda one: crc32(repr(one).encode()))


_CLEAN: dict[str, Callable[[_Everybody], list[str]]] = {
    "Nom;Prénom;Courriel": lambda people: [f"{f.upper()};{g};{_address(g, f)}" for g, f in people],
    "Nom;Prénom;Classe": lambda people: [f"{f};{g};2A" for g, f in people],
    "Prénom,Nom,Mail": lambda people: [f"{g},{f},{_address(g, f) if n % 4 else ''}" for n, (g, f) in enumerate(people)],
    "Nom\tPrénom\tE-mail": lambda people: [f"{f}\t{g}\t{'pitchoune76@gmail.com' if n == 3 else _address(g, f)}" for n, (g, f) in enumerate(people)],
    "": lambda people: [f"{f.upper()} {g} {_address(g, f)}" for g, f in people],
    "\n": lambda people: [f"{g} {f} <{_address(g, f)}>" for g, f in people],
    "\n\n": lambda people: [f"{f.upper()} {g}" for g, f in people],
}  # fmt: skip


@pytest.mark.parametrize("heading", _CLEAN)
def test_ordinary_lists_are_ready_without_a_touch(heading: str, capsys: pytest.CaptureFixture[str]) -> None:
    people, ready = _everybody()[: 15_000 if IS_LONG else 1_500], 0
    for start in range(0, len(people), 15):
        some = people[start : start + 15]
        named = {(fold(given), fold(family)) for given, family in some}
        lines = read_list_text("\n".join([heading, *_CLEAN[heading](some)])).in_state(State.READY)
        assert {key_of(line)[:2] for line in lines} <= named
        ready += len(lines)
    with capsys.disabled():
        print(f"\n{heading!r}: {ready / len(people):.1%} of {len(people)} ready")
    assert ready >= 0.95 * len(people)
