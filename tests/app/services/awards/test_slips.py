"""Slips for a list of badges: who gets one, in which language, and what the history says."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO

import pytest
from pypdf import PdfReader

from app.domain.campus.audit_log import Actor
from app.errors import Conflict
from app.http.pages.words import day
from tests.support.app import App, build_app
from tests.support.letters import awarded

ZOE, LUCAS = "Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr"


def slips(app: App, award_ids, *, language: str = "fr", campus=None) -> str:
    with app.unit_of_work() as services:
        sheet = services.slips.prepare(
            campus or app.campus, award_ids, language=language, day=day, by=Actor(app.trainer.id)
        )
    with app.unit_of_work(reading=True) as services:
        pdf = services.slips.printed(sheet)
    return " ".join(PdfReader(BytesIO(pdf)).pages[0].extract_text().split())


def code_in(said: str) -> str:
    found = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", said)
    assert found, said
    return found[0]


def test_a_slip_holds_the_very_code_that_opens_the_badge(database_url: str, tmp_path):
    app = build_app(database_url, tmp_path)
    zoe, lucas = awarded(app, ZOE, LUCAS)
    said = slips(app, [zoe, lucas])
    assert said.index("Lucas Bernard") < said.index("Zoé Martin"), "by last name, as they are called"
    code = code_in(said.partition("Zoé Martin")[2])
    with app.unit_of_work() as services:
        assert services.delivery.claim_by_code(code).session.award_id == zoe
        actions = [each.action for each in services.awards.history_of(app.campus, zoe)]
    assert {"print_slip", "claim"} <= set(actions)
    assert "Zoé" not in slips(app, [zoe, lucas]), "what is received needs no slip"
    app.close()


def test_a_slip_speaks_the_language_asked_for(app: App):
    ids = awarded(app, ZOE)
    assert "avant le 23 janvier 2027" in slips(app, ids)
    assert "before 23 January 2027" in slips(app, ids, language="en")


def test_nothing_to_hand_over_is_said(app: App):
    (award_id,) = awarded(app, ZOE)
    with pytest.raises(Conflict, match="Aucun bulletin"):
        slips(app, [award_id], campus=app.other_campus)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.trainer.id))
    with pytest.raises(Conflict, match="Aucun bulletin"):
        slips(app, [award_id])


def test_a_code_of_a_withdrawn_badge_shows_that_it_is_withdrawn_and_receives_nothing(app: App):
    (award_id,) = awarded(app, ZOE)
    code = code_in(slips(app, [award_id]))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.trainer.id))
        assert services.delivery.claim_by_code(code).session.award_id == award_id
        assert services.awards.record(award_id).award.claimed_at is None


def test_a_slip_of_an_activity_of_three_days_names_them_all(app: App):
    award_id = app.award("Zoé Martin; zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        activity.starts_on, activity.ends_on = date(2026, 11, 22), date(2026, 11, 24)
        services.stores.session.add(activity)
    assert award_id is not None
    assert "22–24 novembre 2026" in slips(app, [award_id]).replace("– ", "–")


def test_the_days_of_a_slip_are_those_of_its_campus(app: App):
    """Ten in the evening in Paris is the next morning in Nouméa."""
    with app.unit_of_work() as services:
        services.stores.campuses.get(app.campus.slug).time_zone = "Pacific/Noumea"
    app.clock.move(hours=9)
    assert "avant le 24 janvier 2027" in slips(app, awarded(app, ZOE))
