"""Each logged operation writes its entry in the same transaction, on both databases."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest
from sqlalchemy import text

from app.domain.activities import PartKind
from app.domain.activity_log import EntryKind, LogPayload
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.services.activity_log.log_check import LogCheck
from app.services.awards.awards import AwardRequest
from sceau_credentials.evidence.judging import content_digest
from sceau_credentials.transparency_log.notes import Note, TreeHead
from sceau_credentials.values import parse_json_object
from tests.support.app import App, listed

ZOE, LEO = "Martin Zoé;zoe@exemple.fr", "N’Diaye Léo;leo@exemple.fr"


def logged(app: App, campus: Campus | None = None) -> list[tuple[EntryKind, dict | None]]:
    """The log from the third entry on: the first two are the keys of the campus."""
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find((campus or app.campus).id)
        rows = list(services.activity_log.store.written(log.id, range(log.size)))
        assert [row.kind for row in rows[:2]] == [EntryKind.KEY, EntryKind.KEY]
        return [(row.kind, row.facts) for row in rows[2:]]


def kinds(app: App) -> list[EntryKind]:
    return [kind for kind, _ in logged(app)]


def test_each_participation_is_logged_once_with_what_is_known_of_it(app: App) -> None:
    app.record(ZOE, LEO)
    app.record(LEO, ZOE)
    (kind, facts), other = logged(app)
    assert kind is other[0] is EntryKind.PARTICIPATION
    assert facts["activity"] == "Atelier robotique"
    assert (facts["minutes"], facts["part"]) == (180, "apprenant")
    assert "Zoé" not in str(logged(app))


def test_a_correction_is_a_new_entry_that_names_the_one_it_replaces(app: App) -> None:
    app.record(ZOE)
    with app.unit_of_work() as services:
        activities, actor = services.activities, Actor(app.trainer.id)
        ((participation, _),) = activities.page(app.campus, app.activity.id).participants
        for hours, reason in ((2, "Partie avant la fin."), (2.5, "Erreur de saisie.")):
            activities.amend(
                app.campus,
                app.activity.id,
                participation.id,
                part=PartKind.RESOURCE,
                hours=hours,
                contribution="",
                by=actor,
                reason=reason,
            )
    _, (_, first), (kind, second) = logged(app)
    assert kind is EntryKind.CORRECTION
    assert (first["corrects"], first["minutes"], first["reason"]) == (2, 120, "Partie avant la fin.")
    assert (second["corrects"], second["minutes"]) == (3, 150)


def test_later_list_with_hours_is_logged_as_a_correction(app: App) -> None:
    app.record(ZOE)
    with app.unit_of_work() as services:
        lines = listed("Nom\tPrénom\tCourriel\tHeures", "Martin\tZoé\tzoe@exemple.fr\t2")
        services.activities.record(app.campus, app.activity.id, lines, by=Actor(app.trainer.id))
    assert kinds(app) == [EntryKind.PARTICIPATION, EntryKind.CORRECTION]


def test_activity_of_two_campuses_is_in_both_logs(app: App) -> None:
    with app.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO activity_campus (activity_id, campus_id, position, accepted_at) VALUES (:a, :c, 1, :at)"
            ),
            {
                "a": _stored(app, app.activity.id),
                "c": _stored(app, app.other_campus.id),
                "at": "2026-11-24 12:00:00",
            },
        )
    app.record(ZOE)
    assert kinds(app) == [EntryKind.PARTICIPATION]
    assert [kind for kind, _ in logged(app, app.other_campus)] == [EntryKind.PARTICIPATION]


def _stored(app: App, value: uuid.UUID) -> object:
    return value.hex if app.process.engine.dialect.name == "sqlite" else value


def test_award_entry_has_a_signed_checkpoint_and_the_facts_of_its_credential(app: App) -> None:
    result = app.award(ZOE, LEO)
    assert kinds(app) == [
        EntryKind.PARTICIPATION,
        EntryKind.PARTICIPATION,
        EntryKind.DEFINITION,
        EntryKind.AWARD,
        EntryKind.AWARD,
    ]
    with app.unit_of_work(reading=True) as services:
        for line, (_, facts) in zip(result.lines, logged(app)[3:], strict=True):
            assert line.award_id is not None
            credential = parse_json_object(services.stores.awards.document_of(line.award_id).embedded)
            assert facts["award"] == credential["id"]
            assert facts["credential"] == content_digest(credential)
        log = services.activity_log.store.find(app.campus.id)
        checkpoint = services.activity_log.store.newest_checkpoint(log.id)
        assert TreeHead.from_text(Note.from_text(checkpoint.note).text).size == log.size


def test_award_entry_refers_to_participation_and_assessment(
    app: App,
) -> None:
    app.award(ZOE, LEO, badge=app.role, evidence="Elle a animé la table des capteurs.")
    entries = logged(app)
    assert [kind for kind, _ in entries[3:5]] == [EntryKind.ASSESSMENT] * 2
    decisions = [facts for kind, facts in entries if kind is EntryKind.AWARD]
    for decision, first, said in zip(decisions, (2, 3), (5, 6), strict=True):
        assert decision["entries"] == [first, said]
        assert entries[first - 2][1]["person"] == entries[said - 2][1]["person"]


def test_a_withdrawal_and_its_reason_are_logged(app: App) -> None:
    result = app.award(ZOE)
    with app.unit_of_work() as services:
        services.awards.revoke(
            app.campus, result.lines[0].award_id, "Donné à la mauvaise personne.", by=Actor(app.admin.id)
        )
    kind, facts = logged(app)[-1]
    assert (kind, facts["reason"]) == (EntryKind.REVOCATION, "Donné à la mauvaise personne.")


def test_line_with_an_address_in_its_text_is_refused_before_any_log_entry(app: App) -> None:
    with app.unit_of_work() as services:
        lines = listed(
            "Nom\tPrénom\tCourriel\tContribution",
            "Martin\tZoé\tzoe@exemple.fr\tVue par jean@exemple.fr.",
            "N’Diaye\tLéo\tleo@exemple.fr\tA réglé les capteurs.",
        )
        request = AwardRequest(app.presence.badge.id, app.activity.id, lines=lines, tells=False)
        services.awards.award(app.campus, request, by=Actor(app.trainer.id))
    assert kinds(app).count(EntryKind.AWARD) == 1
    assert EntryKind.REVOCATION not in kinds(app)


def test_unlogged_participation_is_logged_when_an_award_uses_it(app: App) -> None:
    app.record(ZOE)
    with app.owner.begin() as connection:
        connection.execute(text("DELETE FROM log_payload WHERE noun = 'participation'"))
    app.award(ZOE)
    assert kinds(app) == [
        EntryKind.PARTICIPATION,
        EntryKind.DEFINITION,
        EntryKind.PARTICIPATION,
        EntryKind.AWARD,
    ]


def test_forgetting_a_person_removes_their_payloads_and_leaves_other_proofs_valid(app: App) -> None:
    app.award(ZOE, LEO)
    with app.unit_of_work() as services:
        ((_, zoe), (_, leo)) = services.activities.page(app.campus, app.activity.id).participants
        log = services.activity_log.store.find(app.campus.id)
        head = TreeHead.from_text(
            Note.from_text(services.activity_log.store.newest_checkpoint(log.id).note).text
        )
        services.logged_events.forget(zoe.id, app.campus, uuid.uuid4())
        assert services.activity_log.store.payloads_about(zoe.id) == []
        assert all(
            proof.is_in(head) for proof in services.activity_log.proofs(log, range(head.size), head.size)
        )
        about_leo: list[LogPayload] = services.activity_log.store.payloads_about(leo.id)
        assert [each.noun for each in about_leo] == ["participation", "award"]
        check = LogCheck(
            services.activity_log.store,
            log,
            services.log_keys.keys(app.campus, log),
            app.process.anchors,
        )
        assert list(check.run()) == []
    kind, facts = logged(app)[-1]
    assert (kind, facts["entries"]) == (EntryKind.ERASURE, 2)
    assert set(facts) == {"entries", "reference"}


@pytest.mark.parametrize("pieces", [3])
def test_checkpoints_of_one_log_grow(app: App, pieces: int) -> None:
    for number in range(pieces):
        app.award(f"Nom{number} Prénom;p{number}@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        sizes = [each.size for each in services.activity_log.store.checkpoints(log.id)]
    assert all(before < after for before, after in pairwise(sizes))
