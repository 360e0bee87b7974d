"""« Données personnelles », sentence by sentence: each is held against what the running service keeps and sends."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from sqlalchemy import MetaData, select

from app.domain.awards import Visibility
from app.domain.people import AgeGroup
from app.jobs.kinds import EVERYTHING, delete_some
from app.main import sweep_presentations
from tests.app.web.verification.test_presentations import requested
from tests.support.app import COMMAND, App, send
from tests.support.badges.forgery import EMBEDDED

MARK = "Marqueur-QZXW-4711"
ADDRESS = "203.0.113.77"


def rows(app: App, *names: str) -> str:
    """Every row of these tables, or of all, as text."""
    metadata = MetaData()
    metadata.reflect(app.owner)
    found = []
    with app.owner.connect() as connection:
        for table in metadata.sorted_tables:
            if not names or table.name in names:
                found += [f"{table.name} {row}" for row in connection.execute(select(table))]
    return "\n".join(found)


def opened(app: App) -> str:
    award_id = app.award("MARTIN Zoé;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    return f"/attributions/{award_id}"


def test_nothing_is_kept_of_who_verifies_and_of_the_file(app: App) -> None:
    """« Des personnes qui vérifient un badge : rien. Le fichier déposé est lu, puis oublié. »"""
    client = app.client()
    client.headers["x-forwarded-for"] = ADDRESS
    client.headers["user-agent"] = f"Mozilla {MARK}"
    body = json.dumps(EMBEDDED | {"name": MARK}).encode()
    assert MARK in send(client, "/verifier", files={"fichier": (f"{MARK}.json", body)}).text
    assert client.post("/api/v1/verify", content=body).status_code == 200
    assert (
        client.post("/api/v1/verify/batch", json={"items": [f"https://x.example/{MARK}"]}).status_code == 200
    )
    kept = rows(app)
    assert (MARK in kept, ADDRESS in kept, "testclient" in kept) == (False, False, False)
    folder = app.process.settings.development_dir
    assert not [path for path in folder.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]


def test_readers_of_public_pages_get_no_cookie_and_nothing_from_elsewhere(app: App) -> None:
    """« Chacun n’est posé que pour ce que vous êtes en train de faire. Aucun n’est d’un service extérieur. »"""
    page = opened(app)
    for path in ("/", "/verifier", page, f"{page}/integrer", "/badges", "/campus", "/campus/itip", "/competences", "/activites",
                 "/aide", "/donnees-personnelles", "/mentions-legales", "/accessibilite"):  # fmt: skip
        answer = app.client().get(path)
        assert answer.status_code == 200, path
        assert "set-cookie" not in answer.headers, path
        loaded = re.findall(
            r'<(?:script|img|iframe|link|source)\b[^>]*?\b(?:src|href)="(https?://[^"]+)"', answer.text
        )
        assert not [each for each in loaded if not each.startswith("http://localhost:8000")], path


def test_every_cookie_is_on_the_page_with_the_time_it_lasts(app: App) -> None:
    named = app.client().get("/donnees-personnelles").text
    client = app.client()
    client.get("/langue/en?suite=/")
    learner = app.client()
    learner.get(app.private_link(app.award("MARTIN Zoé;zoe@exemple.fr"), 0))
    staff = app.client(app.admin)
    staff.get("/gestion/itip")
    names = {cookie.name for each in (client, learner, staff) for cookie in each.cookies.jar}
    assert len(names) >= 3
    assert [name for name in names if name not in named] == []


def test_views_are_counted_for_the_holder_who_may_stop_it_and_go_after_90_days(app: App) -> None:
    page = opened(app)
    reader = app.client()
    reader.headers["user-agent"] = f"Mozilla/5.0 (X11; Linux x86_64; {MARK}) Firefox/140.0"
    reader.get(page)
    reader.get(page)
    app.process.write_page_views()
    counted = rows(app, "page_view_count")
    assert counted.count("\n") == 0
    assert counted.endswith(", 1)"), counted
    assert MARK not in rows(app)
    app.clock.move(days=92)
    while delete_some(app.process, EVERYTHING):
        pass
    assert rows(app, "page_view_count") == ""


def test_request_to_show_a_badge_is_gone_after_twenty_minutes(app: App) -> None:
    """« ce qu’elles disent d’elles et pourquoi, vingt minutes »"""
    requested(app.client())
    assert rows(app, "presentation_request")
    app.clock.move(minutes=20)
    sweep_presentations(app.process)
    assert rows(app, "presentation_request") == ""


@pytest.mark.parametrize("written", ["12/03/2012", "2012-03-12"])
def test_a_birth_date_in_a_list_is_kept_nowhere(app: App, written: str) -> None:
    """« leur tranche d’âge, jamais une date de naissance »"""
    table = f"Nom;Prénom;Né(e) le;Adresse\nMARTIN;Zoé;{written};zoe@exemple.fr\nROY;Ana;{written};ana@exemple.fr\n"
    assert len(app.award(table).lines) == 2
    trainer, path = app.client(app.trainer), f"/gestion/itip/activites/{app.activity.id}/attribuer"
    send(trainer, path, {"liste": table.replace("zoe", "lea"), "geste": "apercu"})
    assert "zoe@exemple.fr" in rows(app), "the list was read"
    assert written not in rows(app)


def test_downloaded_file_says_what_it_said_and_verifies_after_the_page_is_closed(app: App) -> None:
    """« Fermer la page empêche de la lire ici. Un fichier déjà téléchargé garde ce que la page disait. Il se vérifie toujours. »"""
    page, client = opened(app), app.client()
    files = [client.get(f"{page}{ending}").content for ending in (".json", ".jwt", ".png", ".zip")]
    with app.unit_of_work() as services:
        services.awards.set_visibility(uuid.UUID(page.rpartition("/")[2]), Visibility.CLOSED, by=COMMAND)
    assert client.get(page).status_code == 403
    answers = [client.post("/api/v1/verify", content=body).json() for body in files]
    assert [each["verdict"] for each in answers] == ["valid"] * 4
    assert {each["document"]["name"] for each in answers} == {app.presence.version.name}


@pytest.mark.parametrize("group", [AgeGroup.FROM_15, AgeGroup.UNDER_15])
def test_new_badge_of_a_minor_states_no_name_and_always_its_title_campus_and_day(
    app: App, group: AgeGroup
) -> None:
    """« Avant 18 ans, un nouveau badge ne dit pas votre nom. » « Restent toujours écrits : le titre, le campus, la date. »"""
    earlier = uuid.UUID(opened(app).rpartition("/")[2])
    with app.unit_of_work() as services:
        person = services.awards.record(earlier).person
        services.people.allow_name(person.id, True, by=COMMAND)
        services.guardians.set_age_group(app.campus, person.id, group, by=COMMAND)
    award_id = (
        app.award("MARTIN Zoé;zoe@exemple.fr", badge=app.role, evidence="A mené l’atelier.").lines[0].award_id
    )
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        signed = services.stores.awards.document_of(award_id).embedded
    document = json.loads(signed)
    stated = json.dumps(document, ensure_ascii=False).casefold()
    # Two letters would be found in a signature now and then.
    assert "martin" not in stated
    assert "zoé" not in stated
    assert document["name"] == app.role.version.name
    assert document["issuer"]["name"] == app.campus.name
    assert document["awardedDate"].startswith("2026-11-24")
