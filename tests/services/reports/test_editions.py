"""A signed version of the yearly report on both engines: frozen, counted again, and never changed."""

from __future__ import annotations

import pytest

from app.domain.reports.editions import document_of
from app.domain.reports.facts import Declared
from app.domain.reports.ledger import Period
from app.domain.reports.plan import TEXTS
from app.errors import Conflict
from tests.support.house import COMMAND, House

YEAR = Period.civil(2026)


def save(house: House, *, reviewed: bool = True) -> None:
    with house.unit_of_work() as services:
        typed = {number: (f"Texte {number}", reviewed) for number in TEXTS}
        services.report_editions.save(house.campus, YEAR, typed, [], by=COMMAND)


def publish(house: House) -> str:
    with house.unit_of_work() as services:
        return services.report_editions.publish(house.campus, YEAR, by=COMMAND).token


def test_a_version_is_counted_again_and_the_next_one_gets_a_number_of_its_own(house: House):
    house.award("Zoé Martin;zoe@exemple.fr", "Ada Faure;ada@exemple.fr")
    with house.unit_of_work() as services:
        cells = {"effectif": "40", "publics": "33 lycéens, 7 enseignants", "departement": "71"}
        services.report_facts.correct(house.campus, house.activity.id, cells, by=COMMAND)
    save(house, reviewed=False)
    with pytest.raises(Conflict):
        publish(house)
    save(house)
    first = publish(house)
    with house.unit_of_work(reading=True) as services:
        assert services.report_editions.check(house.campus, first) == []
    with house.unit_of_work() as services:
        services.report_editions.declare(
            house.campus, house.activity.id, Declared.SIZE, "45", "Bilan", by=COMMAND
        )
    with pytest.raises(Conflict):
        publish(house)
    with house.unit_of_work() as services:
        services.report_editions.settle(house.campus, house.activity.id, Declared.SIZE, "45", "", by=COMMAND)
    second = publish(house)
    assert [document_of(each)["edition"] for each in (first, second)] == [1, 2]
    with house.unit_of_work(reading=True) as services:
        assert [each.number for each in services.report_editions.page(house.campus, YEAR).editions] == [2, 1]
        assert services.report_editions.check(house.campus, second) == []
        names = [name for name, _, _ in services.report_editions.check(house.campus, first)]
        assert "participations Participations" in names
        assert services.report_editions.page(house.other_campus, YEAR).editions == []
