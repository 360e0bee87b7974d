"""Strangers cannot take the connections to the database away from everybody, nor fill the log with people."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from tests.support.house import House, build_house


class Counter:
    """How many connections were in use at once."""

    def __init__(self, house: House) -> None:
        self.now = self.most = 0
        event.listen(house.process.engine, "checkout", self._taken)
        event.listen(house.process.engine, "checkin", self._given_back)

    def _taken(self, *_) -> None:
        self.now += 1
        self.most = max(self.most, self.now)

    def _given_back(self, *_) -> None:
        self.now -= 1


@pytest.mark.parametrize(
    "path", ["/", "/verifier", "/campus/itip", "/couleurs/tous.css", "/rien", "/gestion"]
)
def test_a_made_up_session_costs_one_connection_like_any_visit(house: House, path: str):
    """With two for a request, a few requests at once each hold one and wait for the other for ever."""
    client = house.client()
    client.cookies.set("sid", "invented")
    used = Counter(house)
    client.get(path)
    assert used.most == 1


def test_a_trainer_s_page_costs_one_connection(house: House):
    client = house.client(house.trainer)
    used = Counter(house)
    assert client.get("/gestion/itip").status_code == 200
    assert used.most == 1


def test_forty_readers_leave_a_place_for_who_writes(house: House):
    """As many as there are threads, each with its page half read while its form is being kept."""
    with ExitStack() as readers:
        for _ in range(40):
            services = readers.enter_context(house.unit_of_work(reading=True))
            assert services.campuses.list_all()
        house.record("MARTIN Chloé; chloe@exemple.fr")


def test_an_error_of_the_database_names_nobody(database_url, tmp_path):
    """It is written to the log as it stands (I23)."""
    house = build_house(database_url, tmp_path)
    with (
        pytest.raises(DBAPIError) as caught,
        house.unit_of_work() as services,
    ):
        services.people.people.session.execute(
            text("INSERT INTO nowhere VALUES (:address)"), {"address": "chloe@exemple.fr"}
        )
    house.close()
    assert "chloe@exemple.fr" not in str(caught.value)


def test_more_readers_than_threads_and_connections_are_all_answered(postgres_url: str, tmp_path: Path):
    """Each page holds its connection while it waits for a thread: without a bound, they wait for each other."""
    house = build_house(postgres_url, tmp_path)
    app = house.client(house.trainer).app
    cookies = dict(house.client(house.trainer).cookies)

    async def everybody() -> set[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies, timeout=None
        ) as browser:
            answers = await asyncio.gather(*(browser.get("/gestion/itip") for _ in range(150)))
        return {answer.status_code for answer in answers}

    assert asyncio.run(everybody()) == {200}
    house.close()
