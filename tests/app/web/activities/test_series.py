"""A series of sessions: one attendance sheet each, hours that add up, and a check-in per day."""

from __future__ import annotations

import re
from datetime import date

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.activities import Activity
from tests.app.web.activities.test_room_pages import FILLED, form_of, scan, words
from tests.support.app import App, send
from tests.support.forms import form_with

NEW = "/gestion/itip/activites/nouvelle"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


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
    return list(
        dict.fromkeys(re.findall(rf'href="({series}/seances/[0-9a-f-]{{36}})"', trainer.get(series).text))
    )


def hours(app: App, series: str) -> dict[str, float | None]:
    with app.unit_of_work(reading=True) as services:
        activity = next(one for one, _ in services.activities.list_in(app.campus) if str(one.id) in series)
        return {
            p.given_name: part.hours
            for part, p in services.activities.page(app.campus, activity.id).participants
        }


def note(trainer: TestClient, sheet: str, *names: str) -> Response:
    page = trainer.get(sheet)
    known = {
        name: value
        for value, name in re.findall(r'name="present" value="([^"]+)"[^>]*><span>(\w+)', page.text)
    }
    return form_with(page, "montrees").fill(present=[known[name] for name in names]).press(trainer, page)


def test_hours_of_the_attended_sessions_add_up(app: App, trainer: TestClient, series: str):
    record(trainer, series, "Zoé MARTIN\nMoussa KEÏTA")
    first, second, third = sheets(trainer, series)
    assert note(trainer, first, "Zoé").status_code == 303
    assert note(trainer, second, "Zoé", "Moussa").status_code == 303
    assert hours(app, series) == {"Zoé": 4, "Moussa": 2}
    page = trainer.get(third)
    form_with(page, "montrees").press(trainer, page, ("geste", "tous"))
    note(trainer, first)
    assert hours(app, series) == {"Zoé": 4, "Moussa": 4}
    record(trainer, series, "Yasmine HADDAD")
    assert hours(app, series)["Yasmine"] == 0


def test_a_series_duplicated_begins_after_the_original_has_ended(app: App, trainer: TestClient, series: str):
    copy = send(trainer, f"{series}/dupliquer", seen_on=series).headers["location"].partition("?")[0]
    assert len(sheets(trainer, copy)) == 3
    with app.unit_of_work(reading=True) as services:
        made = next(one for one, _ in services.activities.list_in(app.campus) if str(one.id) in copy)
    assert (made.starts_on, made.ends_on) == (date(2026, 12, 15), date(2026, 12, 29))


def test_each_session_has_its_own_check_in(app: App, series: str):
    for week in range(2):
        trainer, phone = app.client(app.trainer), app.client()
        assert send(trainer, f"{series}/salle", {"geste": "ouvrir"}).status_code == 303
        found = re.search(r'class="turning">([0-9A-Z-]+)<', trainer.get(f"{series}/salle/ecran").text)
        assert found
        page = scan(app, phone, found[1])
        done = form_of(page).fill(**FILLED).press(phone, page)
        assert done.status_code == 200
        assert ("déjà sur la liste" in words(done)) == (week == 1)
        assert hours(app, series) == {"Zoé": 2 * (week + 1)}
        app.clock.move(days=7)


@pytest.mark.parametrize("times", ["0", "61", "beaucoup", ""])
def test_a_series_needs_a_valid_number_of_sessions(trainer: TestClient, times: str):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", rythme="7", seances=times)
    back = form.press(trainer, page)
    assert back.status_code == 422
    result = "Une série a de 1 à 60 séances." if times else "Dites combien de séances, ou jusqu’à quel jour."
    assert result in words(back)


def days_held(app: App, series: str) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        sessions, _ = services.activity_sessions.list_of(app.campus, activity_of(app, series).id)
        return [each.held_on.isoformat() for each in sessions]


def test_a_series_is_planned_until_a_day_and_on_other_days(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(
        titre="Éloquence", debut="2026-11-24", rythme="7", jusquau="2026-12-08", jours="10 décembre"
    )
    held = days_held(app, form.press(trainer, page).headers["location"])
    assert held == ["2026-11-24", "2026-12-01", "2026-12-08", "2026-12-10"]


def test_the_last_day_of_a_series_ends_its_rhythm(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", fin="2026-12-01", rythme="7")
    assert len(days_held(app, form.press(trainer, page).headers["location"])) == 2


def test_sessions_are_added_together_and_a_day_that_has_one_keeps_it(trainer: TestClient, series: str):
    page = trainer.get(f"{series}/seances/nouvelle")
    form = form_with(page, "jour").fill(
        jour="2026-12-08", rythme="7", jusquau="2026-12-22", jours="5 janvier"
    )
    done = form.press(trainer, page)
    assert done.status_code == 303, words(done)
    result = words(trainer.get(done.headers["location"]))
    assert "3 séances ajoutées." in result
    assert "1 jour avait déjà la sienne" in result
    assert len(sheets(trainer, series)) == 6


def test_the_text_typed_for_several_sessions_is_shown_again_beside_its_fault(
    trainer: TestClient, series: str
):
    page = trainer.get(f"{series}/seances/nouvelle")
    form = form_with(page, "jour").fill(jour="2026-12-15", lieu="Salle B", jours="5 janvier\n31 février")
    back = form.press(trainer, page)
    assert back.status_code == 422
    assert "« 31 février » n’est pas une date" in words(back)
    typed = form_with(back, "jour").fields
    assert typed["lieu"] == ["Salle B"]
    assert typed["jours"][0].split("\n")[-1].strip() == "31 février"
    assert len(sheets(trainer, series)) == 3


def changed(trainer: TestClient, sheet: str, **typed: str) -> Response:
    page = trainer.get(f"{sheet}/changer")
    return form_with(page, "jour").fill(**typed).press(trainer, page)


def activity_of(app: App, series: str) -> Activity:
    with app.unit_of_work(reading=True) as services:
        return next(one for one, _ in services.activities.list_in(app.campus) if str(one.id) in series)


def lines_of(app: App, series: str) -> list[dict[str, object]]:
    """What the log currently contains about the participants."""
    with app.unit_of_work(reading=True) as services:
        journal = services.activity_journal.of(app.campus, activity_of(app, series).id)
        return [dict(line.facts) for line in journal.lines if not line.replaced]


def test_an_added_session_makes_the_series_longer_in_the_log_too(app: App, trainer: TestClient, series: str):
    record(trainer, series, "Zoé MARTIN")
    page = trainer.get(f"{series}/seances/nouvelle")
    assert 'value="2026-12-15"' in page.text, "a week after the last one"
    done = form_with(page, "jour").fill(jour="2026-12-16", lieu="Salle B").press(trainer, page)
    assert "4 séances" in words(trainer.get(done.headers["location"]))
    shown = activity_of(app, series)
    assert (shown.starts_on, shown.ends_on, shown.hours) == (date(2026, 11, 24), date(2026, 12, 16), 8)
    assert [line["endsOn"] for line in lines_of(app, series)] == ["2026-12-16"]


def test_attendance_stays_recorded_when_its_session_moves(app: App, trainer: TestClient, series: str):
    record(trainer, series, "Zoé MARTIN\nMoussa KEÏTA")
    first = sheets(trainer, series)[0]
    note(trainer, first, "Zoé")
    done = changed(trainer, first, jour="2026-11-26", heures="3,5", lieu="Salle B")
    said = words(trainer.get(done.headers["location"]))
    assert "Prévue le 24 novembre 2026, cette séance a lieu le 26 novembre 2026." in said
    assert "1 personne y est notée présente et le reste." in said
    assert hours(app, series) == {"Zoé": 3.5, "Moussa": 0}
    assert {(line["startsOn"], line["minutes"]) for line in lines_of(app, series)} == {
        ("2026-11-26", 210),
        ("2026-11-26", 0),
    }
    assert "(au lieu du 24 novembre 2026)" in words(trainer.get(series))


def test_a_cancelled_session_counts_no_hours_until_it_is_restored(app: App, trainer: TestClient, series: str):
    record(trainer, series, "Zoé MARTIN")
    first, _, third = sheets(trainer, series)
    note(trainer, first, "Zoé")
    note(trainer, third, "Zoé")
    done = send(trainer, f"{third}/annuler", seen_on=f"{third}/changer")
    said = words(trainer.get(done.headers["location"]))
    assert "Cette séance n'a pas lieu" in said.replace("’", "'")
    assert hours(app, series) == {"Zoé": 2}
    assert activity_of(app, series).ends_on == date(2026, 12, 1)
    assert send(trainer, third, {"present": ""}, seen_on=first).status_code == 409
    send(trainer, f"{third}/retablir", seen_on=third)
    assert hours(app, series) == {"Zoé": 4}
    assert activity_of(app, series).hours == 6


def test_the_projected_code_ends_with_its_cancelled_session(app: App, series: str):
    trainer, phone = app.client(app.trainer), app.client()
    send(trainer, f"{series}/salle", {"geste": "ouvrir"})
    found = re.search(r'class="turning">([0-9A-Z-]+)<', trainer.get(f"{series}/salle/ecran").text)
    assert found
    page = scan(app, phone, found[1])
    first = sheets(trainer, series)[0]
    send(trainer, f"{first}/annuler", seen_on=f"{first}/changer")
    assert "La liste est fermée" in words(form_of(page).fill(**FILLED).press(phone, page))
    assert hours(app, series) == {}


def test_two_sessions_a_day_and_a_series_without_sessions_are_refused(trainer: TestClient, series: str):
    first, second, third = sheets(trainer, series)
    back = changed(trainer, second, jour="2026-11-24", lieu="Salle B")
    assert back.status_code == 422
    assert "déjà une séance ce jour-là" in words(back)
    assert 'value="Salle B"' in back.text, "what was typed is shown again"
    for sheet in (first, second):
        assert send(trainer, f"{sheet}/annuler", seen_on=f"{sheet}/changer").status_code == 303
    last = send(trainer, f"{third}/annuler", seen_on=f"{third}/changer")
    assert last.status_code == 409
    assert "la seule séance qui reste" in words(last)


def test_amending_a_series_leaves_its_dates_to_its_sessions(app: App, trainer: TestClient, series: str):
    page = trainer.get(f"{series}/modifier")
    form_with(page, "titre").fill(titre="Éloquence et débat").press(trainer, page)
    shown = activity_of(app, series)
    assert (shown.title, shown.ends_on, shown.hours) == ("Éloquence et débat", date(2026, 12, 8), 6)


def test_the_history_names_the_changed_session_and_its_new_day(app: App, trainer: TestClient, series: str):
    changed(trainer, sheets(trainer, series)[0], jour="2026-11-26")
    result = words(app.client(app.admin).get("/gestion/itip/historique"))
    assert "Séance changée" in result
    assert "du 24 novembre 2026 au 26 novembre 2026" in result


def test_an_activity_held_once_becomes_a_series_from_its_page(app: App, trainer: TestClient):
    once = f"/gestion/itip/activites/{app.activity.id}"
    record(trainer, once, "Zoé MARTIN\nMoussa KEÏTA")
    (link,) = set(re.findall(rf'href="({once}/seances/nouvelle)"', trainer.get(once).text))
    page = trainer.get(link)
    assert "elle devient une série" in words(page)
    assert 'value="2026-12-01"' in page.text, "a week after the only one so far"
    done = form_with(page, "jour").press(trainer, page)
    assert "2 séances" in words(trainer.get(done.headers["location"]))
    first, second = sheets(trainer, once)
    assert words(trainer.get(first)).count("Zoé") == 1
    note(trainer, second, "Moussa")
    assert hours(app, once) == {"Zoé": 3, "Moussa": 6}
    assert "Activité devenue une série" in words(app.client(app.admin).get("/gestion/itip/historique"))


def test_the_projected_code_stays_valid_when_an_activity_becomes_a_series(app: App, trainer: TestClient):
    once, phone = f"/gestion/itip/activites/{app.activity.id}", app.client()
    send(trainer, f"{once}/salle", {"geste": "ouvrir"})
    found = re.search(r'class="turning">([0-9A-Z-]+)<', trainer.get(f"{once}/salle/ecran").text)
    assert found
    page = scan(app, phone, found[1])
    new = trainer.get(f"{once}/seances/nouvelle")
    form_with(new, "jour").press(trainer, new)
    form_of(page).fill(**FILLED).press(phone, page)
    assert list(hours(app, once).values()) == [3], "the person who signed attended the first session"


def test_an_activity_of_several_days_cannot_become_a_series(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    made = (
        form_with(page, "titre")
        .fill(titre="Immersion", debut="2026-11-23", fin="2026-11-27")
        .press(trainer, page)
    )
    week = made.headers["location"]
    assert f"{week}/seances/nouvelle" not in trainer.get(week).text
    refused = send(
        trainer, f"{week}/seances/nouvelle", {"jour": "2026-12-01", "heures": "", "lieu": "Salle B"}
    )
    assert refused.status_code == 409
    assert "cette activité en dure plusieurs" in words(refused)
    assert 'value="Salle B"' in refused.text
