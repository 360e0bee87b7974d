"""A restore erases again the people who were erased since, even if the copy has them under other records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlmodel import select

from app.domain.activity_log.recovery import Frame
from app.domain.awards import Award
from app.domain.people import Person
from tests.app.services.activity_log.test_restored_erasures import behind, erase, is_there, person_of, restore
from tests.app.services.activity_log.test_restoring import faults
from tests.support.app import COMMAND, NOON, App
from tests.support.content.restores import given
from tests.support.databases.copies import Backup, drop_copies

LÉA, LEA, OTHER = (
    "Léa Morvan; lea@exemple.fr",
    "Lea Morvan; l.morvan@exemple.fr",
    "Léo Morvan; leo@exemple.fr",
)
SAME = "C’est la même personne."


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def merge(app: App, kept: uuid.UUID, gone: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.merging.merge_in_campus(app.campus, kept, gone, SAME, by=COMMAND).id


def separate(app: App, merge_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merge_id, by=COMMAND)


def named(copy: App) -> set[str]:
    with copy.process.repair(reading=True) as services:
        return {each.given_name for each in services.stores.people.session.exec(select(Person))}


def statuses(copy: App, *awards: uuid.UUID) -> list[int]:
    return [copy.client().get(f"/attributions/{each}.json").status_code for each in awards]


def test_person_merged_and_erased_since_does_not_come_back_under_the_record_that_was_merged(app: App) -> None:
    first, second = given(app, LÉA), given(app, LEA)
    kept, gone = person_of(app, first), person_of(app, second)
    backup = Backup(app)
    since = given(app, LEA)
    merge(app, kept, gone)
    erase(app, kept)
    assert statuses(app, first, second, since) == [410, 410, 410]
    with backup.restored() as copy:
        restore(copy)
        assert statuses(copy, first, second, since) == [410, 410, 410]
        assert {"Léa", "Lea"} & named(copy) == set()
        assert (behind(copy), faults(copy)) == ([], [])


def test_records_merged_one_after_the_other_and_erased_since_do_not_come_back(app: App) -> None:
    awards = given(app, LÉA), given(app, LEA), given(app, OTHER)
    one, two, three = (person_of(app, each) for each in awards)
    backup = Backup(app)
    merge(app, two, one)
    merge(app, three, two)
    erase(app, three)
    with backup.restored() as copy:
        restore(copy)
        assert statuses(copy, *awards) == [410, 410, 410]
        assert {"Léa", "Lea", "Léo"} & named(copy) == set()
        assert (behind(copy), faults(copy)) == ([], [])


@pytest.mark.parametrize("erased", ["gone", "kept"])
def test_record_separated_and_erased_since_takes_no_badge_of_the_other(app: App, erased: str) -> None:
    awards = {"kept": given(app, LÉA), "gone": given(app, OTHER)}
    people = {name: person_of(app, each) for name, each in awards.items()}
    done = merge(app, people["kept"], people["gone"])
    backup = Backup(app)
    separate(app, done)
    erase(app, people[erased])
    (left,) = awards.keys() - {erased}
    assert statuses(app, awards[erased], awards[left]) == [410, 200]
    with backup.restored() as copy:
        restore(copy)
        assert statuses(copy, awards[erased], awards[left]) == [410, 200]
        with copy.unit_of_work(reading=True) as services:
            award = services.stores.awards.session.get_one(Award, awards[left])
            assert (award.person_id, award.revoked_at) == (people[left], None)
        assert is_there(copy, people[left])
        assert (behind(copy), faults(copy)) == ([], [])


def test_frames_from_before_merged_records_were_journaled_are_still_read() -> None:
    person, erasure = str(uuid.uuid4()), str(uuid.uuid4())
    (read,) = Frame(uuid.uuid4(), "log", 4, 5, NOON, {"erased": [[person, erasure]]}).erasures
    assert (str(read.person_id), str(read.erasure_id), read.merged) == (person, erasure, None)
    assert read.records == [read.person_id]
