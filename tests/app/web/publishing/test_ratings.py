"""Ratings from the holder's form to the public rankings: one vote each, after thirty days, without a name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.campus import CampusSettings
from app.domain.learners.ratings import sentence_digest
from app.domain.people import AgeGroup
from app.services.awards.awards import BatchResult
from tests.support.app import COMMAND, App, build_app, send

NAMES = [f"Zoé N’Diaye{chr(97 + n)}; zoe{n}@exemple.fr" for n in range(12)]


@pytest.fixture
def given(app: App) -> BatchResult:
    return app.award(*NAMES)


def refresh(app: App) -> None:
    with app.unit_of_work() as services:
        for campus in services.campuses.list_all():
            services.catalogue.refresh(campus.id)


def holder(app: App, result: BatchResult, position: int = 0) -> tuple[TestClient, str]:
    award_id = result.lines[position].award_id
    assert award_id
    with app.unit_of_work(reading=True) as services:
        person = services.awards.record(award_id).person
    return app.client(person), f"/mes-badges/{award_id}/avis"


def rate_all(app: App, result: BatchResult, scores: str) -> None:
    with app.unit_of_work() as services:
        for line, score in zip(result.lines, scores, strict=False):
            assert line.award_id
            services.ratings.rate(services.awards.record(line.award_id), score=score)


def test_a_badge_is_rated_thirty_days_after_its_award(app: App, given: BatchResult):
    client, form = holder(app, given)
    assert "24 décembre" in client.get(form).text.replace("\xa0", " ")
    answer = send(client, form, {"note": "4"}, seen_on=form.removesuffix("/avis"))
    assert answer.status_code == 409
    app.clock.move(days=30)
    client, form = holder(app, given)
    assert send(client, form, {"note": "4"}).status_code == 303
    assert re.search(r'value="4" checked', client.get(form).text)


def test_a_private_link_which_the_campus_has_too_rates_nothing(app: App, given: BatchResult):
    app.clock.move(days=31)
    client, here = app.client(), f"/mes-badges/{given.lines[0].award_id}"
    client.get(app.private_link(given))
    shown = client.get(f"{here}/avis").text
    assert "un lien privé ne suffit pas" in shown
    assert 'name="note"' not in shown
    for typed in ({"note": "1"}, {"geste": "retirer"}):
        answer = send(client, f"{here}/avis", typed, seen_on=f"{here}/mes-donnees")
        assert answer.status_code == 401
    with app.unit_of_work(reading=True) as services:
        assert services.ratings.of_holder(services.awards.record(given.lines[0].award_id)) is None


def test_a_rating_is_changed_and_withdrawn(app: App, given: BatchResult):
    app.clock.move(days=31)
    refresh(app)
    client, form = holder(app, given)
    for score in ("2", "5"):
        send(client, form, {"note": score})
    with app.unit_of_work(reading=True) as services:
        assert services.ratings.about(app.presence.badge.id).distribution.scores == [0, 0, 0, 0, 1]
    send(client, form, {"geste": "retirer"})
    with app.unit_of_work(reading=True) as services:
        assert services.ratings.about(app.presence.badge.id).distribution.votes == 0


def test_a_wrong_rating_comes_back_with_its_text(app: App, given: BatchResult):
    app.clock.move(days=31)
    client, form = holder(app, given)
    answer = send(client, form, {"note": "9", "phrase": "Très bien mené"})
    assert answer.status_code == 422
    assert "Très bien mené" in answer.text
    assert send(client, form, {"note": "4", "phrase": "voir https://exemple.fr"}).status_code == 422


def test_a_sentence_is_public_once_the_campus_read_it_and_has_no_name(app: App, given: BatchResult):
    app.clock.move(days=31)
    refresh(app)
    client, form = holder(app, given)
    send(client, form, {"note": "5", "phrase": "J’ai osé parler devant un jury."})
    public = f"/badges/{app.presence.badge.id}"
    assert "osé parler" not in app.client().get(public).text
    trainer = app.client(app.trainer)
    queue = trainer.get("/gestion/itip/avis").text
    assert "osé parler" in queue
    assert "Diaye" not in queue
    assert "Avis à relire" in trainer.get("/gestion/itip").text
    path = re.search(r'action="(/gestion/itip/avis/[^"]+)"', queue)
    assert path
    seen = re.search(r'name="lue" value="([^"]+)"', queue)
    assert seen
    send(client, form, {"note": "5", "phrase": "Zoé N’Diaye est nulle."})
    late = send(trainer, path[1], {"geste": "publier", "lue": seen[1]}, seen_on="/gestion/itip/avis")
    assert late.status_code == 409
    assert "vient de changer" in late.text
    assert "est nulle" not in app.client().get(public).text
    send(client, form, {"note": "5", "phrase": "J’ai osé parler devant un jury."})
    send(trainer, path[1], {"geste": "publier", "lue": seen[1]}, seen_on="/gestion/itip/avis")
    shown = app.client().get(public).text
    assert "osé parler" in shown
    assert "Diaye" not in shown
    assert "osé parler" not in trainer.get("/gestion/itip/avis").text


def test_a_changed_sentence_is_read_again(app: App, given: BatchResult):
    app.clock.move(days=31)
    with app.unit_of_work() as services:
        record = services.awards.record(given.lines[0].award_id)
        services.ratings.rate(record, score="5", sentence="Bien.")
        rating = services.ratings.of_holder(record)
        seen = sentence_digest(rating.sentence)
        services.ratings.decide(app.campus, rating.id, publish=True, seen=seen, by=COMMAND)
        services.ratings.rate(record, score="1", sentence="Bien.")
        assert services.ratings.about(record.badge.id).sentences == ["Bien."]
        services.ratings.rate(record, score="1", sentence="Moins bien.")
        assert services.ratings.about(record.badge.id).sentences == []


def test_another_campus_decides_nothing(app: App, given: BatchResult):
    app.clock.move(days=31)
    with app.unit_of_work() as services:
        record = services.awards.record(given.lines[0].award_id)
        services.ratings.rate(record, score="5", sentence="Bien.")
        rating = services.ratings.of_holder(record)
    stranger = app.client(app.stranger)
    answer = send(
        stranger, f"/gestion/agt/avis/{rating.id}", {"geste": "publier"}, seen_on="/gestion/agt/activites"
    )
    assert answer.status_code == 404


def test_a_minor_rates_without_a_sentence(app: App, given: BatchResult):
    app.clock.move(days=31)
    with app.unit_of_work() as services:
        record = services.awards.record(given.lines[0].award_id)
        services.age_bands.set_group(record.person, AgeGroup.FROM_15, by=COMMAND, campus_id=app.campus.id)
    client, form = holder(app, given)
    assert 'name="phrase"' not in client.get(form).text
    assert send(client, form, {"note": "5", "phrase": "Écrite quand même."}).status_code == 303
    assert "Écrite quand même" not in app.client(app.trainer).get("/gestion/itip/avis").text
    with app.unit_of_work(reading=True) as services:
        assert services.ratings.of_holder(services.awards.record(given.lines[0].award_id)).sentence == ""


def test_rankings_count_holders_and_bound_ratings(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    try:
        given = app.award(*NAMES)
        app.award(NAMES[0], badge=app.role, evidence="Elle a animé l’atelier.")
        app.clock.move(days=31)
        rate_all(app, given, "555444332")
        refresh(app)
        visitor = app.client()
        page = visitor.get("/classements").text
        assert re.findall(r"<h3><a [^>]*>([^<]*)", page) == [
            "Robotique pour tous",
            "Acteur du dispositif Explor’#ICI",
        ]
        assert "Un badge a moins de dix avis" in page
        assert "Diaye" not in page
        rate_all(app, given, "5554443321")
        refresh(app)
        page = visitor.get("/classements?de=campus-itip&annee=2026").text
        assert "Utile pour" in page
        assert "3 fois 5" in page
        assert "3,6 sur 5, 10 avis" in page.replace("\u202f", " ").replace("\xa0", " ")
        assert "Aucun badge reçu sur cette période" in visitor.get("/classements?annee=2024").text
        assert "Robotique" not in visitor.get("/classements?de=campus-agt").text
        assert "3 fois 5" in visitor.get(f"/badges/{app.presence.badge.id}").text
        assert visitor.get("/classements?de=nulle-part&annee=abc").status_code == 200
    finally:
        app.close()


def test_order_of_badges_with_few_holders_does_not_tell_their_counts(app: App):
    app.award("Zoé Martin", badge=app.role, evidence="Elle a animé l’atelier.")
    app.award("Noé Dubois", "Léa Petit", "Ana Costa", badge=app.presence)
    refresh(app)
    shown = re.findall(r"<h3><a [^>]*>([^<]*)", app.client().get("/classements").text)
    assert shown == sorted(shown)
    assert len(shown) == 2


def test_a_region_holds_the_campuses_of_its_departments(app: App, given: BatchResult):
    with app.unit_of_work() as services:
        for slug, department in (("itip", "71"), ("agt", "44")):
            campus = services.campuses.get(slug)
            settings = CampusSettings.of(campus)
            services.campuses.change_settings(
                slug, CampusSettings(**{**vars(settings), "department": department}), by=COMMAND
            )
    refresh(app)
    page = app.client().get("/classements?de=region-27").text
    assert "Bourgogne-Franche-Comté" in page
    assert "Robotique pour tous" in page
    assert "Robotique" not in app.client().get("/classements?de=region-52").text


def test_a_revoked_badge_counts_no_rating(app: App, given: BatchResult):
    app.clock.move(days=31)
    rate_all(app, given, "5" * 12)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, given.lines[0].award_id, reason="Erreur de liste", by=COMMAND)
    refresh(app)
    with app.unit_of_work(reading=True) as services:
        assert services.ratings.about(app.presence.badge.id).distribution.votes == 11


def test_who_rated_a_badge_that_was_revoked_can_still_withdraw_the_rating(app: App, given: BatchResult):
    app.clock.move(days=31)
    rate_all(app, given, "5")
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, given.lines[0].award_id, reason="Erreur de liste", by=COMMAND)
    client, form = holder(app, given)
    assert "Retirer mon avis" in client.get(form).text
    assert send(client, form, {"geste": "retirer"}).status_code == 303
    assert "Retirer mon avis" not in client.get(form).text
