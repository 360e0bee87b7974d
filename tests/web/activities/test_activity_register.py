"""All activities of a campus are found: sorted, page by page, and in a table, however many there are."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from app.domain.activities.activities import Activity, ActivityKind
from tests.api.doors import V1, program
from tests.support.house import COMMAND, House

HERE = "/gestion/itip/activites"
MANY = 230


@pytest.fixture
def house(house: House) -> House:
    """With more activities than one page, or a program’s answer, holds."""
    with house.unit_of_work() as services:
        for number in range(MANY):
            on = date(2026, 1, 1) + timedelta(days=number)
            services.activities.create(
                Activity(
                    kind=ActivityKind.EVENT,
                    title=f"=Rencontre {MANY - number:03}",
                    starts_on=on,
                    ends_on=on,
                    hours=1.5,
                ),
                [house.campus],
                by=COMMAND,
            )
    house.record("MARTIN Zoé")
    return house


def titles(text: str) -> list[str]:
    return re.findall(r"<b>((?:=Rencontre|Atelier)[^<]*)</b>", text)


def test_every_activity_is_on_some_page_once_in_each_order(house: House):
    trainer = house.client(house.trainer)
    for order in ("recent", "ancien", "titre"):
        seen, path = [], f"?tri={order}"
        while path:
            shown = trainer.get(HERE + path).text
            seen += titles(shown)
            following = re.search(r'href="(\?[^"]*apres=[^"]*)" rel="next"', shown)
            path = following[1].replace("&amp;", "&") if following else ""
        assert len(seen) == len(set(seen)) == MANY + 1, order
        if order == "titre":
            assert seen == sorted(seen)
        if order == "ancien":
            assert seen[0] == f"=Rencontre {MANY:03}"


def test_a_search_keeps_its_order_on_the_next_page(house: House):
    shown = house.client(house.trainer).get(f"{HERE}?q=rencontre&tri=titre").text
    assert 'value="rencontre"' in shown
    assert re.search(r'href="\?q=rencontre&amp;tri=titre&amp;apres=', shown)


def test_the_table_has_every_activity_and_how_many_came_without_a_formula_or_a_name(house: House):
    table = house.client(house.trainer).get(f"{HERE}/activites.csv")
    lines = table.content.decode("utf-8-sig").splitlines()
    assert len(lines) == MANY + 2
    assert not any(line.startswith(("=", '"=')) for line in lines)
    assert "Zoé" not in table.text
    (workshop,) = (line for line in lines if "Atelier robotique" in line)
    assert workshop.split(";")[2:8] == ["24/11/2026", "24/11/2026", "VRAI, Le Creusot", "3", "Étudiants", "1"]
    assert any(";1,5;" in line for line in lines)


def test_a_program_reads_them_all_by_following_the_link(house: House):
    reader = program(house, "read")
    seen, path = [], f"{V1}/activities"
    while path:
        answer = reader.get(path)
        seen += [each["id"] for each in answer.json()]
        following = re.match(r"<([^>]+)>", answer.headers.get("link", ""))
        path = following[1] if following else ""
    assert len(seen) == len(set(seen)) == MANY + 1
