"""Awarding in three steps on one page: recipients, badge, check; a future activity asks for a confirmation."""

from __future__ import annotations

from datetime import date, time

from tests.support.app import App, send


def plan_for(app: App, on: date) -> str:
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        activity.starts_on = activity.ends_on = on
        activity.start_time, activity.end_time = time(13, 30), time(16, 30)
        services.activities.activities.save(activity)
    app.record("Zoé Martin;zoe@exemple.fr")
    return f"/gestion/itip/activites/{app.activity.id}/attribuer"


def test_enrolled_people_and_a_list_are_two_addresses(app: App) -> None:
    path, client = plan_for(app, date(2026, 11, 20)), app.client(app.trainer)
    enrolled, listed = client.get(path).text, client.get(f"{path}?source=liste").text
    assert 'name="personne"' in enrolled
    assert 'name="liste"' not in enrolled
    assert 'name="personne"' not in listed
    assert 'name="liste"' in listed
    assert '<input type="hidden" name="qui" value="liste">' in listed


def test_future_activity_asks_before_anything_is_awarded(app: App) -> None:
    path, client = plan_for(app, date(2026, 12, 20)), app.client(app.trainer)
    wanted = {"badge": str(app.presence.badge.id), "qui": "tous", "cle": "une-fois", "geste": "attribuer"}
    asked = send(client, path, wanted)
    assert asked.status_code == 200
    assert "L’atelier n’a pas encore eu lieu" in asked.text
    assert "Attribuer quand même" in asked.text
    given = send(client, path, {**wanted, "avant-l-activite": "oui"})
    assert given.status_code == 303
    assert "/resultats/" in given.headers["location"]


def test_past_activity_asks_nothing(app: App) -> None:
    path, client = plan_for(app, date(2026, 11, 20)), app.client(app.trainer)
    wanted = {"badge": str(app.presence.badge.id), "qui": "tous", "cle": "une-fois"}
    assert "quand même" not in send(client, path, {**wanted, "geste": "apercu"}).text
    assert send(client, path, {**wanted, "geste": "attribuer"}).status_code == 303
