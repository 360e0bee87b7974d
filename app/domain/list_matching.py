"""Who is meant by each line of a list, among those an activity has already and those known elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.domain.activities import Participation
from app.domain.participant_lists import ListedPerson
from app.domain.people import Person, name_key

There = tuple[Participation, Person]
Meant = tuple[Participation | None, Person]


def name_key_of(line: ListedPerson) -> str:
    return name_key(line.given_name, line.family_name)


def matched(
    lines: Sequence[ListedPerson],
    participants: Sequence[There],
    named: Mapping[tuple[str, str], Person],
    *,
    by_name: bool = True,
) -> dict[str, Meant]:
    """Each line's participation and person, where one of them is known.

    `named` are people known by an address and the name that goes with it. What is sure comes first; then a name
    alone is enough where the line or the participation has no address, and stands for one person only.
    """
    by_key = {participation.line_key: (participation, person) for participation, person in participants}
    of_person = {person.id: participation for participation, person in participants}
    found: dict[str, Meant] = {}
    for line in lines:
        person = named.get((line.address, name_key_of(line)))
        if line.line_key in by_key:
            found[line.line_key] = by_key[line.line_key]
        elif person is not None:
            found[line.line_key] = (of_person.get(person.id), person)
    if by_name:
        taken = {participation.id for participation, _ in found.values() if participation is not None}
        left = [pair for pair in participants if pair[0].id not in taken]
        others = [line for line in lines if line.line_key not in found]
        found.update(_by_name(others, left))
    return found


def _by_name(lines: Iterable[ListedPerson], participants: Iterable[There]) -> dict[str, Meant]:
    waiting: dict[str, list[There]] = {}
    for participation, person in participants:
        waiting.setdefault(name_key(person.given_name, person.family_name), []).append(
            (participation, person)
        )
    found: dict[str, Meant] = {}
    for line in lines:
        if line.homonym > 1:
            # Somebody said in so many words that this is another person.
            continue
        namesakes = waiting.get(name_key_of(line), [])
        fitting = [pair for pair in namesakes if not line.address or pair[0].line_key.startswith("|")]
        if fitting:
            namesakes.remove(fitting[0])
            found[line.line_key] = fitting[0]
    return found


def free_homonym(line: ListedPerson, participants: Iterable[There]) -> int:
    """The number of one more person of that name without an address."""
    taken = {participation.line_key for participation, _ in participants}
    key = f"|{name_key_of(line)}"
    number = 1
    while (key if number == 1 else f"{key}#{number}") in taken:
        number += 1
    return number
