"""An award's page is reused within its second, and never for another award, language or reader, or after a change."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest
from fastapi import Response
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.http.response_cache import GOOD_FOR, RecentPages
from tests.support.app import COMMAND, App, SettableClock

EMPLOYER_SEES = "Authentique, en cours de validité"


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    award_id = app.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    show(app, award_id, Visibility.OPEN)
    return award_id


def show(app: App, award_id: uuid.UUID, visibility: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=COMMAND)


def ask(client: TestClient, award_id: uuid.UUID, **headers: str) -> Response:
    return client.get(f"/attributions/{award_id}", headers=headers)


def test_a_page_is_shared_within_one_second_and_verified_again_in_the_next(
    app: App, award_id: uuid.UUID
) -> None:
    client = app.client()
    first = ask(client, award_id)
    assert ask(client, award_id).text == first.text
    app.clock.now += timedelta(seconds=1)
    later = ask(client, award_id).text
    assert "2026-11-24 12:00:00" in first.text
    assert "2026-11-24 12:00:01" in later


def test_a_page_closed_by_its_holder_is_closed_at_once_and_opened_again_at_once(
    app: App, award_id: uuid.UUID
) -> None:
    client = app.client()
    assert ask(client, award_id).status_code == 200
    show(app, award_id, Visibility.CLOSED)
    shut = ask(client, award_id)
    assert shut.status_code == 403
    assert "N’Diaye" not in shut.text
    show(app, award_id, Visibility.OPEN)
    assert ask(client, award_id).status_code == 200


def test_a_withdrawal_is_seen_by_the_next_reader(app: App, award_id: uuid.UUID) -> None:
    client = app.client()
    assert EMPLOYER_SEES in ask(client, award_id).text
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Attribué par erreur.", by=COMMAND)
    assert "Retiré" in ask(client, award_id).text


def test_each_language_has_its_page(app: App, award_id: uuid.UUID) -> None:
    client = app.client()
    french = ask(client, award_id, **{"accept-language": "fr"})
    english = ask(client, award_id, **{"accept-language": "en"})
    assert (french.headers["content-language"], english.headers["content-language"]) == ("fr", "en")
    assert french.text != english.text
    assert ask(client, award_id, **{"accept-language": "fr"}).text == french.text


def test_a_trainers_own_frame_is_theirs_alone(app: App, award_id: uuid.UUID) -> None:
    trainer, stranger = app.client(app.trainer), app.client()
    assert "Anaïs" in ask(trainer, award_id).text
    assert "Anaïs" not in ask(stranger, award_id).text
    assert "Anaïs" in ask(trainer, award_id).text


def test_programs_still_find_the_document_at_the_same_address(app: App, award_id: uuid.UUID) -> None:
    client = app.client()
    ask(client, award_id)
    assert ask(client, award_id, accept="application/vc").json()["type"]


def test_the_page_of_an_unknown_award_is_not_cached(app: App) -> None:
    assert ask(app.client(), uuid.UUID(int=1)).status_code == 404


class Made:
    """A function that makes a page, and the number of its calls."""

    def __init__(self, *, cookie: bool = False) -> None:
        self.times, self.cookie = 0, cookie

    async def __call__(self) -> Response:
        self.times += 1
        await asyncio.sleep(0)
        answer = Response(f"page {self.times}")
        if self.cookie:
            answer.set_cookie("a", "b")
        return answer


def test_concurrent_readers_wait_for_one_rendering_of_the_page() -> None:
    made, pages = Made(), RecentPages(SettableClock())

    async def crowd() -> list[Response]:
        return await asyncio.gather(*(pages.get("key", made) for _ in range(20)))

    assert {answer.body for answer in asyncio.run(crowd())} == {b"page 1"}
    assert made.times == 1


def test_a_page_with_a_cookie_is_rendered_for_each_later_reader() -> None:
    made, pages = Made(cookie=True), RecentPages(SettableClock())
    for _ in range(2):
        asyncio.run(pages.get("key", made))
    assert made.times == 2


def test_a_page_that_could_not_be_rendered_is_tried_again() -> None:
    pages = RecentPages(SettableClock())

    async def fails() -> Response:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        asyncio.run(pages.get("key", fails))
    assert asyncio.run(pages.get("key", Made())).body == b"page 1"


def test_the_number_of_cached_pages_is_limited() -> None:
    made, pages = Made(), RecentPages(SettableClock(), most=3)
    for key in (*range(4), 0):
        asyncio.run(pages.get(key, made))
    assert made.times == 5


def test_a_page_is_valid_for_seconds() -> None:
    clock, made = SettableClock(), Made()
    pages = RecentPages(clock)
    asyncio.run(pages.get("key", made))
    clock.now += GOOD_FOR
    assert asyncio.run(pages.get("key", made)).body == b"page 2"
