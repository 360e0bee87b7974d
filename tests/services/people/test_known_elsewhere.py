"""What a campus may change of a person whom another campus knows: it protects more, never less."""

from __future__ import annotations

import uuid

import pytest

from app.domain.people import AgeGroup
from app.errors import NotAllowed
from app.services.people.upserts import PersonLine
from tests.support.house import COMMAND, House

ZOE = "MARTIN Zoé;zoe@exemple.fr"


@pytest.fixture
def zoe(house: House) -> uuid.UUID:
    """With a badge of the house's campus."""
    found = house.award(ZOE).lines[0].person_id
    assert found
    return found


def note(house: House, person_id: uuid.UUID, group: AgeGroup) -> None:
    with house.unit_of_work() as services:
        services.guardians.set_age_group(house.campus, person_id, group, by=COMMAND)


def upsert(house: House, under_15: bool | None, *, given: str = "Zoé") -> None:
    """By the program of the other campus."""
    line = PersonLine("e-1", given, "Martin", "zoe@exemple.fr", under_15)
    with house.unit_of_work() as services:
        services.people_upserts.upsert(house.other_campus, line, by=COMMAND)


def group_of(house: House, person_id: uuid.UUID) -> AgeGroup | None:
    with house.unit_of_work(reading=True) as services:
        return services.stores.people.get(person_id).age_group


def test_another_campus_raises_the_protection_and_never_lowers_it(house: House, zoe: uuid.UUID):
    note(house, zoe, AgeGroup.UNDER_15)
    upsert(house, under_15=False)
    assert group_of(house, zoe) is AgeGroup.UNDER_15
    note(house, zoe, AgeGroup.FROM_15)
    upsert(house, under_15=True)
    assert group_of(house, zoe) is AgeGroup.UNDER_15
    upsert(house, under_15=False)
    assert group_of(house, zoe) is AgeGroup.UNDER_15, "raising it gives no right to lower it"


def test_campus_that_alone_noted_an_age_corrects_it(house: House, zoe: uuid.UUID):
    note(house, zoe, AgeGroup.UNDER_15)
    upsert(house, under_15=None)
    note(house, zoe, AgeGroup.FROM_15)
    assert group_of(house, zoe) is AgeGroup.FROM_15


def test_staff_reads_why_the_age_stays(house: House, zoe: uuid.UUID):
    upsert(house, under_15=True)
    with pytest.raises(NotAllowed):
        note(house, zoe, AgeGroup.ADULT)
    assert group_of(house, zoe) is AgeGroup.UNDER_15


def test_number_of_another_campus_does_not_keep_a_name_from_being_corrected(house: House, zoe: uuid.UUID):
    upsert(house, under_15=None)
    with pytest.raises(NotAllowed):
        upsert(house, under_15=None, given="Autre")
    with house.unit_of_work() as services:
        services.corrections.correct(house.campus, zoe, "Zoë", "Martin", "zoe@exemple.fr", by=COMMAND)
    with house.unit_of_work(reading=True) as services:
        assert services.stores.people.get(zoe).given_name == "Zoë"
