"""People of a list, and their match among the participants of an activity and people known elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.activities import Participation, PartKind
from app.domain.people import AgeGroup, Person, is_address, is_gone, name_key
from app.language import respelt

KNOWN = "known"
"""The fault of a line with a name or address that the campus knows, as long as nothing tells which person is meant."""


@dataclass(frozen=True)
class ListedPerson:
    """One parsed line of a list; `line` counts from 1 in the input, heading included."""

    line: int
    given_name: str = ""
    family_name: str = ""
    address: str = ""
    hours: float | None = None
    part: PartKind = PartKind.LEARNER
    contribution: str = ""
    fault: str = ""
    hours_as_written: str = ""
    """Set only if the hours could not be parsed."""
    under_15: bool | None = None
    """The age band, where known; never an age."""
    age_group: AgeGroup | None = field(default=None, repr=False)
    """The person's own answer at check-in."""
    homonym: int = 1
    """2 for the second person of the same name, where neither has an address; 3 for the next.

    Lists contain « Zoé Martin (2) ».
    """
    numbered_first: bool = field(default=False, repr=False)
    """Written « Zoé Martin (1) »: explicitly the first of that name.

    Excluded from the repr because the digests of stored bulk requests cover the repr, and older ones lack
    this field.
    """

    person_id: uuid.UUID | None = field(default=None, repr=False)
    """The person meant, whatever the name: named by an identifier."""
    award_external_id: str = field(default="", repr=False)
    """How the campus's own system calls the award to make."""
    is_chosen: bool = field(default=False, repr=False)
    """A known person was chosen: the name is that of their record, not one that the campus wrote."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def number(self) -> str:
        return f" ({self.homonym})" if self.numbered_first or self.homonym > 1 else ""

    @property
    def disambiguated(self) -> str:
        """The name, with its number after the first."""
        return self.name + self.number

    @property
    def line_key(self) -> str:
        """Same key for the same person on two lists: the name, and the address if there is one."""
        key = f"{self.address}|{name_key(self.given_name, self.family_name)}"
        return key if self.homonym == 1 or self.address else f"{key}#{self.homonym}"

    def tidied(self) -> ListedPerson:
        """Lists in capitals are respelt: « LE GOFF » becomes « Le Goff »."""
        return replace(self, given_name=respelt(self.given_name), family_name=respelt(self.family_name))


def without_repeats(lines: Sequence[ListedPerson]) -> tuple[list[ListedPerson], list[ListedPerson]]:
    """The lines to retain, and those that repeat an earlier line."""
    seen: set[str] = set()
    kept: list[ListedPerson] = []
    repeated: list[ListedPerson] = []
    for line in lines:
        (repeated if line.line_key in seen else kept).append(line)
        seen.add(line.line_key)
    return kept, repeated


def has_usable_address(line: ListedPerson) -> bool:
    """True without an address (a printed slip will do); false for an invalid one."""
    return not line.address or is_address(line.address)


There = tuple[Participation, Person]
MatchCandidate = tuple[Participation | None, Person]


@dataclass(frozen=True)
class Matches:
    """By line key: the participation and person, where one of them is known.

    `unclear` lines contain only a name that several participants share, or several lines match one
    participant: the user must choose.
    """

    meant: Mapping[str, MatchCandidate]
    unclear: Mapping[str, Sequence[There]]


def name_key_of(line: ListedPerson) -> str:
    return name_key(line.given_name, line.family_name)


def is_bare(line: ListedPerson) -> bool:
    """A name without an address, not marked as one more person of that name."""
    return not line.address and line.homonym == 1 and not line.numbered_first


def is_by_name(pair: There) -> bool:
    """Recorded from a line without an address."""
    return pair[0].line_key.startswith("|")


def matched(
    lines: Sequence[ListedPerson],
    participants: Sequence[There],
    named: Mapping[tuple[str, str], Person],
    *,
    with_address: Collection[uuid.UUID] = (),
    open_to_name: Collection[Participation] | None = None,
) -> Matches:
    """`named` are people known by an address and its name; `with_address` are those of the participants who
    have an address from any list: another address then means another person.

    Certain matches come first; then a name alone suffices if the line or the participation has no address and
    only one person can be meant. `open_to_name`, if given, limits the name matches to these participations.
    """
    found = matched_by_key([line for line in lines if not is_bare(line)], participants, named)
    taken = {participation.id for participation, _ in found.values() if participation is not None}
    open_to = None if open_to_name is None else {participation.id for participation in open_to_name}
    of_name: dict[str, list[There]] = {}
    for participation, person in participants:
        if participation.id not in taken:
            of_name.setdefault(name_key(person.given_name, person.family_name), []).append(
                (participation, person)
            )
    unclear: dict[str, Sequence[There]] = {}
    for line in filter(is_bare, lines):
        namesakes = of_name.get(name_key_of(line), [])
        if len(namesakes) > 1:
            unclear[line.line_key] = tuple(namesakes)
        elif namesakes and (_is_open(namesakes[0], open_to) or namesakes[0][0].line_key == line.line_key):
            found[line.line_key] = namesakes.pop()
    addressed = [line for line in lines if line.address and line.line_key not in found]
    for key, several in _by_name_key(addressed).items():
        fitting = [
            pair
            for pair in of_name.get(key, [])
            if is_by_name(pair) and pair[1].id not in with_address and _is_open(pair, open_to)
        ]
        if len(fitting) == len(several) == 1 and f"|{key}" not in unclear:
            found[several[0].line_key] = fitting[0]
        elif fitting:
            unclear.update({line.line_key: tuple(fitting) for line in several})
    return Matches(found, unclear)


def matched_by_key(
    lines: Iterable[ListedPerson], participants: Sequence[There], named: Mapping[tuple[str, str], Person]
) -> dict[str, MatchCandidate]:
    """By exact keys only, as for lines already matched with their whole list."""
    by_key = {participation.line_key: (participation, person) for participation, person in participants}
    of_person = {person.id: participation for participation, person in participants}
    found: dict[str, MatchCandidate] = {}
    for line in lines:
        person = named.get((line.address, name_key_of(line)))
        if line.line_key in by_key and not (person and is_gone(by_key[line.line_key][1])):
            found[line.line_key] = by_key[line.line_key]
        elif person is not None:
            found[line.line_key] = (of_person.get(person.id), person)
    return found


def _is_open(pair: There, open_to: Collection[object] | None) -> bool:
    return open_to is None or pair[0].id in open_to


def _by_name_key(lines: Iterable[ListedPerson]) -> dict[str, list[ListedPerson]]:
    found: dict[str, list[ListedPerson]] = {}
    for line in lines:
        found.setdefault(name_key_of(line), []).append(line)
    return found


def free_homonym(line: ListedPerson, taken: Collection[str]) -> int:
    """The next free number for a person of that name without an address; `taken` are line keys."""
    key = f"|{name_key_of(line)}"
    number = 1
    while (key if number == 1 else f"{key}#{number}") in taken:
        number += 1
    return number
