"""The corpus given in other forms, and clean lists: no person lost, no false name ready, few questions without need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zlib import crc32

import pytest

from app.domain.imports.lists.model import State
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_text
from tests.lists.mutations import MUTATIONS, mutants
from tests.lists.scoring import corpus, key_of, score_of
from tests.support.running.examples import IS_LONG, in_turn

pytestmark = pytest.mark.usefixtures("reading_in_this_process")


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


_People = Sequence[tuple[str, str]]


def _people() -> list[tuple[str, str]]:
    """Everybody of the corpus who has both names, in an order that further lists do not change."""
    found = {
        (fold(one.given), fold(one.family)): (one.given, one.family)
        for entry in corpus()
        for one in entry.people
        if one.state != "ask" and one.given and one.family
    }
    return sorted(found.values(), key=lambda one: crc32(repr(one).encode()))


def _address(given: str, family: str) -> str:
    return f"{fold(given).replace(' ', '-')}.{fold(family).replace(' ', '')}@exemple.fr"


_CLEAN: dict[str, Callable[[_People], list[str]]] = {
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
    people, ready = _people()[: 15_000 if IS_LONG else 1_500], 0
    for start in range(0, len(people), 15):
        some = people[start : start + 15]
        named = {(fold(given), fold(family)) for given, family in some}
        lines = read_list_text("\n".join([heading, *_CLEAN[heading](some)])).in_state(State.READY)
        assert {key_of(line)[:2] for line in lines} <= named
        ready += len(lines)
    with capsys.disabled():
        print(f"\n{heading!r}: {ready / len(people):.1%} of {len(people)} ready")
    assert ready >= 0.95 * len(people)
