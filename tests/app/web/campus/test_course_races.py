"""Concurrent launches of one course, buttons clicked twice, and platform data that no database accepts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.support.app import App
from tests.support.databases.engines import on_postgres
from tests.support.running.every import for_each
from tests.support.servers.lti_platform import CLAIM, LEARNER, LtiTestPlatform, registered

pytestmark = on_postgres
"""SQLite has one writer at a time."""

COURSE = "/lti/itip/cours"


@pytest.fixture
def platform(app: App) -> Iterator[LtiTestPlatform]:
    running = LtiTestPlatform(app.clock)
    registered(app, running)
    yield running
    running.close()


def pressed(browser: TestClient, path: str, times: int = 6, **fields: str) -> Counter[int]:
    """The statuses of one form of the course's page, sent several times at once."""
    token = re.search(r'name="jeton" value="([^"]+)"', browser.get(COURSE).text)
    assert token
    form = {"jeton": token[1], **fields}
    with ThreadPoolExecutor(times) as presses:
        sent = presses.map(lambda _: browser.post(path, data=form).status_code, range(times))
        return Counter(sent)


def test_whole_class_opens_a_new_course_at_once(app: App, platform: LtiTestPlatform):
    ready = []
    for number in range(6):
        browser = app.client()
        asked = platform.log_in(browser)
        result = platform.id_token(asked["nonce"], subject=f"eleve-{number}", roles=(LEARNER,))
        ready.append((browser, {"state": asked["state"], "id_token": result}))
    with ThreadPoolExecutor(6) as pupils:
        answers = list(pupils.map(lambda one: one[0].post("/lti/itip/lancement", data=one[1]), ready))
    assert [answer.status_code for answer in answers] == [303] * 6


def test_course_buttons_clicked_twice_act_once(app: App, platform: LtiTestPlatform):
    browser = app.client(app.trainer)
    platform.launch(browser)
    assert pressed(browser, f"{COURSE}/relier") == {303: 6}
    assert pressed(browser, f"{COURSE}/activite", activite="nouvelle", avant="") == {303: 6}
    with app.unit_of_work(reading=True) as services:
        found = services.activities.list_in(app.campus, words="Fabrication additive")
        linked = services.lti.links_of(app.trainer.id)
    assert (len(list(found)), len(linked)) == (1, 1)
    assert pressed(browser, f"{COURSE}/liste", times=3) == {303: 3}


def test_course_gets_another_activity_where_its_page_showed_the_first(app: App, platform: LtiTestPlatform):
    browser = app.client(app.trainer)
    platform.launch(browser)
    pressed(browser, f"{COURSE}/relier", times=1)
    for _ in range(2):
        before = re.search(r'name="avant" value="([^"]*)"', browser.get(COURSE).text)
        assert before
        pressed(browser, f"{COURSE}/activite", times=1, activite="nouvelle", avant=before[1])
    with app.unit_of_work(reading=True) as services:
        assert len(list(services.activities.list_in(app.campus, words="Fabrication additive"))) == 2


@for_each("sign", ["\x00", "\ud800"])
def test_characters_that_no_database_stores_stop_neither_launches_nor_rosters(
    app: App, platform: LtiTestPlatform, sign: str
):
    odd = {f"{CLAIM}context": {"id": "c-42", "title": f"Usi{sign}nage"}}
    for claims in ({"subject": f"prof{sign}"}, odd, platform.deep_linking(data=f"x{sign}")):
        assert platform.launch(app.client(), **claims).status_code in (303, 401)
    browser = app.client(app.trainer)
    platform.launch(browser)
    pressed(browser, f"{COURSE}/relier", times=1)
    pressed(browser, f"{COURSE}/activite", times=1, activite="nouvelle", avant="")
    for name in ("user_id", "given_name", "family_name", "email"):
        platform.members[0] = platform.members[0] | {name: f"{platform.members[0][name]}{sign}"}
    assert pressed(browser, f"{COURSE}/liste", times=1).keys() <= {303, 422}
    with app.unit_of_work(reading=True) as services:
        (activity,) = [
            each for each, _ in services.activities.list_in(app.campus, words="Fabrication additive")
        ]
        assert len(services.activities.page(app.campus, activity.id).participants) >= 29
