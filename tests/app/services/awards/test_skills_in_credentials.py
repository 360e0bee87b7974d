"""Attested competencies are data of the credential: alignment, rubric, level reached, hours, practice."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from jsonschema import Draft201909Validator, FormatChecker

from app.domain.activities import ActivityCampus
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from app.services.frameworks import Details
from sceau_credentials.verification.report import Verdict
from tests.support.app import COMMAND, App, listed
from tests.support.content.skills import ASSESSMENT, LEVELS, RUBRIC, Levelled, awarded, document_of, levelled
from tests.support.shared_data import shared

SCHEMA = "open-badges/schemas/ob3-vcdm20-canonical-2024-07-30/ob_v3p0_achievementcredential_schema.json"
BASE = "http://localhost:8000"


def results(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    subject = document["credentialSubject"]
    return {each["resultDescription"].partition("#")[2]: each for each in subject.get("result", [])}


def test_credential_names_the_level_reached_in_its_rubric(app: App) -> None:
    given = levelled(app)
    document = document_of(app, awarded(app, given.badge))
    achievement = document["credentialSubject"]["achievement"]
    aligned = {each["targetCode"]: each for each in achievement["alignment"]}
    url = f"{BASE}/competences/{given.competency.id}/v1"
    assert aligned["CA-3"] == {
        "type": ["Alignment"],
        "targetName": "Mesurer et caractériser",
        "targetUrl": url,
        "targetCode": "CA-3",
        "targetDescription": "Autonome",
        "targetFramework": "Contrôle d’accès",
        "targetType": "CFItem",
    }
    assert aligned["H3203"]["targetUrl"].endswith("/H3203#version=460")
    assert aligned["H3203"]["targetType"] == "ext:Occupation"
    assert aligned["RNCP35229"]["targetType"] == "ceterms:Credential"

    described = {each["resultType"]: each for each in achievement["resultDescription"]}
    rubric = described["RubricCriterionLevel"]
    levels = rubric["rubricCriterionLevel"]
    assert [(each["name"], each["level"], each["description"]) for each in levels] == [
        (name, str(rank), RUBRIC[rank - 1]) for rank, name in enumerate(LEVELS, 1)
    ]
    assert rubric["requiredLevel"] == levels[1]["id"]
    assert rubric["alignment"][0]["targetUrl"] == url
    reached = results(document)["niveau-1"]
    assert reached["achievedLevel"] == levels[1]["id"]
    assert reached["resultDescription"] == rubric["id"]
    subject = document["credentialSubject"]
    assert ASSESSMENT in subject["narrative"]
    assert "Autonome, niveau 2 sur 3" in subject["narrative"].replace("\xa0", " ")
    assert subject["source"]["id"] == app.campus.did


def test_credential_of_an_activity_has_hours_practice_and_organiser(app: App) -> None:
    given = levelled(app)
    document = document_of(app, awarded(app, given.badge))
    activity = results(document)["activite"]
    assert activity["value"] == f"{app.activity.hours:g}"
    assert [each["targetCode"] for each in activity["alignment"]] == ["CA-4"]
    narrative = document["evidence"][0]["narrative"].replace("\xa0", " ").replace("\u202f", " ")
    assert f"Encadrement : {app.campus.name}." in narrative
    assert "Compétences pratiquées : Concevoir." in narrative


def test_undisclosed_activity_discloses_neither_hours_nor_practice(app: App) -> None:
    given = levelled(app)
    award_id = awarded(app, given.badge)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        row = services.evidence.find(award_id)
        assert row is not None
        chosen = dict.fromkeys(row.entries, DisclosedContent.EXISTENCE)
        disclosed = services.reissuing.disclosed_of(record, chosen)
        document = services.reissuing.document_as(record, disclosed)
    assert set(results(document)) == {"niveau-1"}
    assert "Compétences" not in json.dumps(document["evidence"], ensure_ascii=False)


def test_definition_frozen_earlier_gains_nothing(app: App) -> None:
    """Awards of a version that described no result stay as they were, in every later edition."""
    given = levelled(app)
    award_id = awarded(app, given.badge)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        before = document_of(app, award_id)
        del before["credentialSubject"]["achievement"]["resultDescription"]
        for member in ("result", "narrative", "source"):
            del before["credentialSubject"][member]
        version = record.version
        services.awards.awards.session.expunge(version)
        version.definition = version.definition.replace(b'"ext:Hours"', b'""')
        disclosed = services.reissuing.disclosed_of(record)
        document = services.reissuing.document_as(record, disclosed, before=before)
        assert document["credentialSubject"] == before["credentialSubject"]
        assert "Compétences" not in json.dumps(document["evidence"], ensure_ascii=False)


def test_schema_and_own_verifier_accept_the_credential(app: App) -> None:
    award_id = awarded(app, levelled(app).badge)
    document = document_of(app, award_id)
    schema = json.loads(shared(SCHEMA).read_bytes())
    as_published = {**document, "proof": [document["proof"]]}
    faults = list(Draft201909Validator(schema, format_checker=FormatChecker()).iter_errors(as_published))
    assert not faults, faults[:3]
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify(json.dumps(document))
    assert answer.report.verdict is Verdict.VALID


def test_version_in_the_address_keeps_its_wording(app: App) -> None:
    given = levelled(app)
    path = f"/competences/{given.competency.id}/v1"
    with app.unit_of_work() as services:
        services.competencies.amend(
            app.campus,
            given.competency.id,
            statement="Mesurer",
            levels=LEVELS,
            details=Details(rubric=RUBRIC),
            by=COMMAND,
        )
    people = app.client()
    assert "Mesurer et caractériser</h1>" in people.get(path).text
    assert "Le texte a changé depuis" in people.get(path).text
    assert RUBRIC[1] in people.get(path).text
    item = people.get(path, headers={"accept": "application/json"}).json()
    assert item["fullStatement"] == "Mesurer et caractériser"
    assert item["uri"] == BASE + path
    assert people.get(path.replace("/v1", "/v9")).status_code == 404
    assert people.get(f"/competences/{uuid.uuid4()}/v1").status_code == 404


def test_planned_award_gives_the_competency_as_it_was_planned(app: App) -> None:
    """Without this, a version without awards followed the competency, and people signed a text they never saw."""
    given = levelled(app)
    request = AwardRequest(
        given.badge.badge.id, app.activity.id, lines=listed("Zoé N’Diaye;zoe@exemple.fr"), evidence="Deux mesures.",
        tells=False,
    )  # fmt: skip
    with app.unit_of_work() as services:
        by, hour = Actor(app.trainer.id), app.clock() + timedelta(days=1)
        batch = services.bulk_awards.enqueue(app.campus, request, by=by, not_before=hour)
    amended(app, given)
    app.clock.move(days=2)
    with app.unit_of_work() as services:
        services.bulk_awards.process_chunk(batch.id)
    with app.unit_of_work(reading=True) as services:
        (line,) = services.award_batches.result(app.campus, batch.id).lines
    assert line.award_id is not None
    achievement = document_of(app, line.award_id)["credentialSubject"]["achievement"]
    aligned = {each["targetCode"]: each for each in achievement["alignment"]}
    assert aligned["CA-3"]["targetName"] == "Mesurer et caractériser"
    assert aligned["CA-3"]["targetUrl"].endswith("/v1")


def test_cancelled_plan_lets_the_badge_follow_its_competency(app: App) -> None:
    given = levelled(app)
    request = AwardRequest(
        given.badge.badge.id,
        app.activity.id,
        lines=listed("Zoé N’Diaye;zoe@exemple.fr"),
        evidence="Deux mesures.",
    )
    with app.unit_of_work() as services:
        by, hour = Actor(app.trainer.id), app.clock() + timedelta(days=1)
        batch = services.bulk_awards.enqueue(app.campus, request, by=by, not_before=hour)
        services.award_batches.cancel(app.campus, batch.id, by=by)
    amended(app, given)
    achievement = document_of(app, awarded(app, given.badge))["credentialSubject"]["achievement"]
    assert "Peser" in {each["targetName"] for each in achievement["alignment"]}


def test_plan_that_gave_nothing_lets_the_badge_follow_its_competency(app: App) -> None:
    given = levelled(app)
    wrong = listed("Zoé N’Diaye;zoe@exemple,fr")
    request = AwardRequest(given.badge.badge.id, app.activity.id, lines=wrong, evidence="Deux mesures.")
    with app.unit_of_work() as services:
        by, hour = Actor(app.trainer.id), app.clock() + timedelta(days=1)
        batch = services.bulk_awards.enqueue(app.campus, request, by=by, not_before=hour)
    app.clock.move(days=2)
    with app.unit_of_work() as services:
        assert services.bulk_awards.process_chunk(batch.id).awarded == 0
    amended(app, given)
    achievement = document_of(app, awarded(app, given.badge))["credentialSubject"]["achievement"]
    assert "Peser" in {each["targetName"] for each in achievement["alignment"]}


def test_plan_undone_before_its_first_award_lets_the_badge_follow_its_competency(app: App) -> None:
    given = levelled(app)
    lines = listed("Zoé N’Diaye;zoe@exemple,fr\nLéo Durand;leo@exemple.fr")
    request = AwardRequest(given.badge.badge.id, app.activity.id, lines=lines, evidence="Deux mesures.")
    with app.unit_of_work() as services:
        by, hour = Actor(app.trainer.id), app.clock() + timedelta(days=1)
        undo_for = timedelta(minutes=10)
        batch = services.bulk_awards.enqueue(app.campus, request, by=by, not_before=hour, undo_for=undo_for)
    app.clock.move(days=1)
    with app.unit_of_work() as services:
        done = services.bulk_awards.process_chunk(batch.id, most=1)
        assert (done.awarded, done.more) == (0, True)
    with app.unit_of_work() as services:
        services.award_batches.take_back(app.campus, batch.id, by=by)
    amended(app, given)
    achievement = document_of(app, awarded(app, given.badge))["credentialSubject"]["achievement"]
    assert "Peser" in {each["targetName"] for each in achievement["alignment"]}


def amended(app: App, given: Levelled) -> None:
    with app.unit_of_work() as services:
        services.competencies.amend(
            app.campus, given.competency.id, statement="Peser", levels=LEVELS, by=COMMAND
        )


def test_newer_edition_names_organisers_and_practice_as_the_first_did(app: App) -> None:
    """Campuses and competencies are renamed, and campuses join, after an award was signed."""
    given = levelled(app)
    beside = ActivityCampus(activity_id=app.activity.id, campus_id=app.other_campus.id, position=1)
    beside.accepted_at = app.clock()
    with app.unit_of_work() as services:
        services.stores.activity_plans.save(beside)
    award_id = awarded(app, given.badge)
    signed = document_of(app, award_id)["evidence"][0]["narrative"]
    assert app.other_campus.name in signed
    with app.unit_of_work() as services:
        other = services.campuses.get(app.other_campus.slug)
        other.name = "Rebaptisé"
        services.campuses.campuses.add(other)
        services.competencies.amend(
            app.campus, given.practised.id, statement="Rêver", levels=LEVELS, by=COMMAND
        )
    for shown in (DisclosedContent.EXISTENCE, DisclosedContent.SUMMARY):
        with app.unit_of_work() as services:
            row = services.evidence.find(award_id)
            assert row is not None
            services.log_disputes.show(app.campus, award_id, dict.fromkeys(row.entries, shown), by=COMMAND)
        app.clock.move(minutes=1)
    assert document_of(app, award_id)["evidence"][0]["narrative"] == signed
