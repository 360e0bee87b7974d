"""A series of sessions: attendance sheet by sheet, hours that add up, and a room for each day."""

from __future__ import annotations

import re
from datetime import date

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from tests.support.forms import form_with
from tests.support.house import House, send
from tests.web.test_room_pages import FILLED, form_of, scan, words

NEW = "/gestion/itip/activites/nouvelle"


@pytest.fixture
def trainer(house: House) -> TestClient:
    return house.client(house.trainer)


@pytest.fixture
def series(trainer: TestClient) -> str:
    """Three Tuesdays of two hours, today's the first."""
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(
        titre="Éloquence", debut="2026-11-24", heures="2", rythme="7", seances="3"
    )
    done = form.press(trainer, page)
    assert done.status_code == 303, done.text
    return done.headers["location"]


def record(trainer: TestClient, series: str, text: str) -> None:
    sent = send(trainer, f"{series}/participants", {"liste": text, "geste": "inscrire"}, seen_on=series)
    assert sent.status_code == 303


def sheets(trainer: TestClient, series: str) -> list[str]:
    return list(dict.fromkeys(re.findall(rf'href="({series}/seances/[^"]+)"', trainer.get(series).text)))


def hours(house: House, series: str) -> dict[str, float | None]:
    with house.unit_of_work(reading=True) as services:
        activity = next(one for one, _ in services.activities.list_in(house.campus) if str(one.id) in series)
        return {
            p.given_name: part.hours
            for part, p in services.activities.page(house.campus, activity.id).participants
        }


def note(trainer: TestClient, sheet: str, *names: str) -> Response:
    page = trainer.get(sheet)
    known = {
        name: value
        for value, name in re.findall(r'name="present" value="([^"]+)"[^>]*><span>(\w+)', page.text)
    }
    return form_with(page, "montrees").fill(present=[known[name] for name in names]).press(trainer, page)


def test_hours_of_the_sessions_that_one_came_to_add_up(house: House, trainer: TestClient, series: str):
    record(trainer, series, "Zoé MARTIN\nMoussa KEÏTA")
    first, second, third = sheets(trainer, series)
    assert note(trainer, first, "Zoé").status_code == 303
    assert note(trainer, second, "Zoé", "Moussa").status_code == 303
    assert hours(house, series) == {"Zoé": 4, "Moussa": 2}
    page = trainer.get(third)
    form_with(page, "montrees").press(trainer, page, ("geste", "tous"))
    note(trainer, first)
    assert hours(house, series) == {"Zoé": 4, "Moussa": 4}
    record(trainer, series, "Yasmine HADDAD")
    assert hours(house, series)["Yasmine"] == 0


def test_a_series_done_once_more_begins_after_it_has_ended(house: House, trainer: TestClient, series: str):
    copy = send(trainer, f"{series}/dupliquer", seen_on=series).headers["location"].partition("?")[0]
    assert len(sheets(trainer, copy)) == 3
    with house.unit_of_work(reading=True) as services:
        made = next(one for one, _ in services.activities.list_in(house.campus) if str(one.id) in copy)
    assert (made.starts_on, made.ends_on) == (date(2026, 12, 15), date(2026, 12, 29))


def test_each_session_has_its_own_room(house: House, series: str):
    for week in range(2):
        trainer, phone = house.client(house.trainer), house.client()
        assert send(trainer, f"{series}/salle", {"geste": "ouvrir"}).status_code == 303
        found = re.search(r'class="plate xl">([0-9A-Z-]+)<', trainer.get(f"{series}/salle/ecran").text)
        assert found
        page = scan(house, phone, found[1])
        done = form_of(page).fill(**FILLED).press(phone, page)
        assert done.status_code == 200
        assert ("déjà sur la liste" in words(done)) == (week == 1)
        assert hours(house, series) == {"Zoé": 2 * (week + 1)}
        house.clock.move(days=7)


@pytest.mark.parametrize("times", ["0", "61", "beaucoup", ""])
def test_a_series_says_how_many_sessions_it_has(trainer: TestClient, times: str):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", rythme="7", seances=times)
    back = form.press(trainer, page)
    assert back.status_code == 422
    assert "Une série a de 1 à 60 séances." in back.text.replace("\u00a0", " ")
