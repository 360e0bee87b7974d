"""What a campus may change of a person whom another campus knows: it protects more, never less."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import event

from app.container import Services
from app.domain.campus.integration import NamedKind
from app.domain.people import AgeGroup, Person
from app.errors import AppError, NotAllowed
from app.services.people.upserts import PersonLine
from tests.support.app import COMMAND, App, build_app, listed

ZOE = "MARTIN Zoé;zoe@exemple.fr"


@pytest.fixture
def zoe(app: App) -> uuid.UUID:
    """A holder of a badge of the app's campus."""
    found = app.award(ZOE).lines[0].person_id
    assert found
    return found


def note(app: App, person_id: uuid.UUID, group: AgeGroup) -> None:
    with app.unit_of_work() as services:
        services.guardians.set_age_group(app.campus, person_id, group, by=COMMAND)


def upsert(app: App, under_15: bool | None, *, given: str = "Zoé") -> None:
    """Send the person through the API of the other campus."""
    line = PersonLine("e-1", given, "Martin", "zoe@exemple.fr", under_15)
    with app.unit_of_work() as services:
        services.people_upserts.upsert(app.other_campus, line, by=COMMAND)


def group_of(app: App, person_id: uuid.UUID) -> AgeGroup | None:
    with app.unit_of_work(reading=True) as services:
        return services.stores.people.get(person_id).age_group


def test_another_campus_raises_the_protection_and_never_lowers_it(app: App, zoe: uuid.UUID):
    note(app, zoe, AgeGroup.UNDER_15)
    upsert(app, under_15=False)
    assert group_of(app, zoe) is AgeGroup.UNDER_15
    note(app, zoe, AgeGroup.FROM_15)
    upsert(app, under_15=True)
    assert group_of(app, zoe) is AgeGroup.UNDER_15
    upsert(app, under_15=False)
    assert group_of(app, zoe) is AgeGroup.UNDER_15, "raising it gives no right to lower it"


def test_campus_that_alone_noted_an_age_corrects_it(app: App, zoe: uuid.UUID):
    note(app, zoe, AgeGroup.UNDER_15)
    upsert(app, under_15=None)
    note(app, zoe, AgeGroup.FROM_15)
    assert group_of(app, zoe) is AgeGroup.FROM_15


def test_staff_reads_why_the_age_stays(app: App, zoe: uuid.UUID):
    upsert(app, under_15=True)
    with pytest.raises(NotAllowed):
        note(app, zoe, AgeGroup.ADULT)
    assert group_of(app, zoe) is AgeGroup.UNDER_15


def test_number_of_another_campus_does_not_keep_a_name_from_being_corrected(app: App, zoe: uuid.UUID):
    upsert(app, under_15=None)
    with pytest.raises(NotAllowed):
        upsert(app, under_15=None, given="Autre")
    with app.unit_of_work() as services:
        services.corrections.correct(app.campus, zoe, "Zoë", "Martin", "zoe@exemple.fr", by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        assert services.stores.people.get(zoe).given_name == "Zoë"


# --- two campuses at once


@pytest.fixture
def on_postgresql(postgres_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(postgres_url, tmp_path)
    yield built
    built.close()


NAMES = ("Ada Faure;ada@exemple.fr", "Bob Petit;bob@exemple.fr", "Zoé Martin;zoe@exemple.fr")


def ways(app: App, people: Sequence[Person]) -> dict[str, Callable[[Services], object]]:
    """Ways to note the ages of several people, each in reverse order of identifiers."""
    lines = [
        PersonLine(f"e-{each.id}", each.given_name, each.family_name, under_15=True)
        for each in sorted(people, key=lambda one: one.id, reverse=True)
    ]
    typed = {each.split()[0]: each for each in NAMES}
    names = [typed[each.given_name] for each in sorted(people, key=lambda one: one.id, reverse=True)]
    listed_lines = [replace(line, under_15=True) for line in listed(*names)]
    activity_id = app.activity.id
    return {
        "a program": lambda services: services.people_upserts.upsert_all(app.campus, lines, by=COMMAND),
        "a list": lambda services: services.activities.record(
            app.campus, activity_id, listed_lines, by=COMMAND
        ),
        "the page of an activity": lambda services: services.activities.set_age_group(
            app.campus, activity_id, AgeGroup.UNDER_15, by=COMMAND
        ),
    }


@pytest.mark.parametrize("way", ["a program", "a list", "the page of an activity"])
def test_people_are_locked_in_one_order_before_any_age_is_noted(on_postgresql: App, way: str):
    app = on_postgresql
    app.record(*NAMES)
    with app.unit_of_work() as services:
        people = [person for _, person in services.activities.page(app.campus, app.activity.id).participants]
        for person in people:
            services.external_ids.give(app.campus, NamedKind.PERSON, f"e-{person.id}", person.id)
    sent: list[str] = []

    def note_statement(_connection, _cursor, statement: str, *_rest: object) -> None:
        sent.append(" ".join(statement.split()))

    event.listen(app.process.engine, "before_cursor_execute", note_statement)
    with app.unit_of_work() as services:
        ways(app, people)[way](services)
    first = next(number for number, each in enumerate(sent) if each.startswith("UPDATE person SET"))
    locks = [each for each in sent[:first] if "FROM person " in each and "FOR NO KEY UPDATE" in each]
    assert locks, sent
    assert "ANY" in locks[0], "all of them"
    assert "ORDER BY person.id" in locks[0]
    assert {group_of(app, person.id) for person in people} == {AgeGroup.UNDER_15}


def test_age_that_another_campus_noted_meanwhile_is_not_overwritten(on_postgresql: App):
    app = on_postgresql
    found = app.award(ZOE).lines[0].person_id
    assert found
    with app.unit_of_work() as services:
        person = services.stores.people.get(found)
        assert person.age_group is None
        upsert(app, under_15=True)
        assert not services.guardians.age_bands.set_group(
            person, AgeGroup.ADULT, by=COMMAND, campus_id=app.campus.id
        )
    assert group_of(app, found) is AgeGroup.UNDER_15


def test_of_two_merges_in_opposite_directions_one_is_made(on_postgresql: App):
    app = on_postgresql
    first, second = (
        line.person_id for line in app.award("MARTIN Zoé;zoe@exemple.fr", "MARTIN Zoë;z@exemple.fr").lines
    )
    assert first
    assert second
    together = Barrier(2)

    def merge(kept: uuid.UUID, gone: uuid.UUID) -> bool:
        with app.unit_of_work() as services:
            together.wait()
            try:
                services.merging.merge_in_campus(app.campus, kept, gone, "La même personne.", by=COMMAND)
            except AppError:
                return False
            return True

    with ThreadPoolExecutor(2) as threads:
        done = [*threads.map(merge, (first, second), (second, first))]
    assert sorted(done) == [False, True]
    kept = first if done[0] else second
    with app.unit_of_work(reading=True) as services:
        assert len(services.stores.awards.list_of_person(kept)) == 2
        assert services.stores.people.get(kept).family_name == "Martin"
