"""Two people press the button for the same list at the same moment: everybody gets the badge once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fastapi.testclient import TestClient

from tests.support.app import App, send
from tests.support.forms import form_with

pytestmark = pytest.mark.both_engines

LIST = "\n".join(f"BA{letter}O Zoé; zoe.ba{letter.lower()}o@exemple.fr" for letter in "BCDFGHKLMNPR")
SAME_LIST_OTHERWISE = "\n".join(reversed(LIST.splitlines()))


def test_the_same_list_given_by_two_at_once_awards_everybody_once(app: App):
    clients = [app.client(app.trainer), app.client(app.admin)]
    address = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    chosen = {"badge": str(app.presence.badge.id), "qui": "liste"}
    previews = [
        send(client, address, {**chosen, "liste": text})
        for client, text in zip(clients, (LIST, SAME_LIST_OTHERWISE), strict=True)
    ]
    together = Barrier(2)

    def press(client: TestClient, page) -> int:
        form = form_with(page, "cle")
        together.wait(timeout=30)
        return form.press(client, page, ("geste", "attribuer")).status_code

    with ThreadPoolExecutor(2) as hands:
        answers = list(hands.map(press, clients, previews))

    assert answers == [303, 303]
    with app.unit_of_work(reading=True) as services:
        holders = [record.person.name for record in services.awards.list_in(app.campus, limit=100)]
        recorded = services.activities.page(app.campus, app.activity.id).participants
    assert len(holders) == len(set(holders)) == 12
    assert len(recorded) == 12
