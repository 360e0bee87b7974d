"""A replaced or stolen signing key: earlier signatures stay valid, those of a thief are refused."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.container import Services
from app.domain.activity_log import EntryKind
from app.domain.campus.campus import KeyPurpose, KeyState, SealedKey
from app.errors import InvalidInput
from app.services.verification.verdicts import remarks
from sceau_credentials.keys import Signer
from sceau_credentials.package import open_package
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import JsonObject, dump_json, parse_json_object
from sceau_credentials.verification.report import CheckId, Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.app import COMMAND, NOON, App

ZOE, LEO = "MARTIN Zoé;zoe@exemple.fr", "N’DIAYE Léo;leo@exemple.fr"
WHY = "La copie de sauvegarde a été perdue."


def first_key(services: Services, app: App) -> SealedKey:
    return next(key for key in services.campuses.keys_of(app.campus) if key.purpose is KeyPurpose.CREDENTIAL)


def retire(app: App, *, stolen_since: datetime | None = None, reason: str = WHY) -> SealedKey | None:
    with app.unit_of_work() as services:
        key = first_key(services, app)
        return services.campus_keys.retire(
            app.campus, key.id, reason=reason, stolen_since=stolen_since, by=COMMAND
        )


def award_id_of(app: App, person: str) -> uuid.UUID:
    (line,) = app.award(person).lines
    assert line.award_id is not None
    return line.award_id


def asked(app: App, award_id: uuid.UUID) -> Report:
    with app.unit_of_work(reading=True) as services:
        report = services.verification.verify_award(services.awards.record(award_id)).report
        assert report is not None
        return report


def forged(app: App, award_id: uuid.UUID, **changes: Any) -> JsonObject:
    """A forgery of a badge by a thief with the first key of the campus."""
    with app.unit_of_work(reading=True) as services:
        row = first_key(services, app)
        key = services.signing._open(row, app.campus)
        signed = parse_json_object(services.stores.awards.document_of(award_id).embedded)
        said = {name: value for name, value in signed.items() if name != "proof"} | changes
        said = {name: value for name, value in said.items() if value is not ...}
        return add_proof(said, signer=Signer(row.method_id, key), created=NOON)


def judged(app: App, document: JsonObject) -> Report:
    with app.unit_of_work(reading=True) as services:
        report = services.verification.verify(json.dumps(document)).report
        assert report is not None
        return report


def key_answer(report: Report) -> tuple[Verdict, str]:
    return report.verdict, report.check(CheckId.KEY).reason


def test_replaced_key_still_proves_all_it_signed(app: App) -> None:
    before = award_id_of(app, ZOE)
    following = retire(app)
    assert following is not None
    after = award_id_of(app, LEO)
    assert key_answer(asked(app, before)) == key_answer(asked(app, after)) == (Verdict.VALID, "key_bound")
    assert asked(app, after).verification_method == following.method_id
    assert asked(app, before).verification_method != following.method_id


@pytest.mark.both_engines
def test_badge_logged_before_the_theft_stays_valid_with_a_warning(app: App) -> None:
    award_id = award_id_of(app, ZOE)
    app.clock.move(days=2)
    retire(app, stolen_since=app.clock.now - timedelta(days=1))
    report = asked(app, award_id)
    assert key_answer(report) == (Verdict.VALID, "key_revoked_since")
    (said,) = [each.text() for each in remarks(report)]
    assert said == (
        "L’émetteur a retiré depuis, le 25 novembre 2026, la clé qui l’a signé. L’attribution était inscrite à "
        "son journal avant, le 24 novembre 2026 : ce badge reste bon."
    )


def test_badge_logged_after_the_theft_is_invalid(app: App) -> None:
    app.clock.move(days=2)
    award_id = award_id_of(app, ZOE)
    retire(app, stolen_since=app.clock.now - timedelta(days=1))
    assert key_answer(asked(app, award_id)) == (Verdict.INVALID, "key_revoked_before")


def test_badge_logged_in_the_minute_of_the_theft_is_invalid(app: App) -> None:
    award_id = award_id_of(app, ZOE)
    app.clock.move(hours=1)
    retire(app, stolen_since=NOON + timedelta(seconds=30))
    assert key_answer(asked(app, award_id)) == (Verdict.INVALID, "key_revoked_before")


@pytest.mark.parametrize(
    "changes",
    [
        {"validFrom": "2026-01-10T10:00:00Z", "awardedDate": "2026-01-10T10:00:00Z"},
        {"name": "Directrice du VRAI"},
        {"evidence": []},
    ],
    ids=["dated back", "another name", "other grounds"],
)
def test_forgery_with_a_stolen_key_is_refused(app: App, changes: dict[str, Any]) -> None:
    award_id = award_id_of(app, ZOE)
    document = forged(app, award_id, **changes)
    assert judged(app, document).verdict is Verdict.VALID, "until the theft is known"
    app.clock.move(days=2)
    retire(app, stolen_since=app.clock.now - timedelta(days=1))
    assert key_answer(judged(app, document)) == (Verdict.INVALID, "key_revoked")


def test_badge_without_log_evidence_or_with_that_of_another_is_refused(app: App) -> None:
    award_id, other_id = award_id_of(app, ZOE), award_id_of(app, LEO)
    with app.unit_of_work(reading=True) as services:
        other = parse_json_object(services.stores.awards.document_of(other_id).embedded)["relatedResource"]
    unlogged = forged(app, award_id, relatedResource=...)
    borrowed = forged(app, award_id, relatedResource=other)
    app.clock.move(days=2)
    retire(app, stolen_since=app.clock.now - timedelta(days=1))
    for document in (unlogged, borrowed):
        assert key_answer(judged(app, document)) == (Verdict.INVALID, "key_revoked")


def test_a_package_gives_the_same_answer_without_a_network(app: App) -> None:
    award_id = award_id_of(app, ZOE)
    document = forged(app, award_id, name="Directrice du VRAI")
    app.clock.move(days=2)
    retire(app, stolen_since=app.clock.now - timedelta(days=1))
    with app.unit_of_work(reading=True) as services:
        good = services.verification.package_of(services.awards.record(award_id)).body
        bad = services.verification.package_of_text(dump_json(document).decode()).body
    for packed, expected in (
        (good, (Verdict.VALID, "key_revoked_since")),
        (bad, (Verdict.INVALID, "key_revoked")),
    ):
        package = open_package(packed)
        report = verify(package.badge, documents=package.documents, at=package.made_at)
        assert key_answer(report) == expected


def test_key_documents_have_the_end_of_the_key_in_standard_members(app: App) -> None:
    since = NOON + timedelta(hours=1)
    app.clock.move(days=1)
    following = retire(app, stolen_since=since)
    assert following is not None
    with app.unit_of_work(reading=True) as services:
        document = parse_json_object(services.publication.campus_did(app.campus.slug).body)
        methods = {each["id"]: each for each in document["verificationMethod"]}
        old = first_key(services, app).method_id
        assert methods[old]["revoked"] == "2026-11-24T13:00:00Z"
        assert "revoked" not in methods[following.method_id]
        listed = parse_json_object(services.publication.jwks().body)["keys"]
        own = [each["kid"] for each in listed if each["iss"] == app.campus.did]
        assert own == [f"{following.method_id}-jwk"]


def test_log_has_the_end_of_a_key_and_the_start_of_the_next(app: App) -> None:
    app.clock.move(days=1)
    following = retire(app, stolen_since=NOON + timedelta(hours=1))
    assert following is not None
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        rows = list(services.activity_log.store.written(log.id, range(log.size)))
        ended, begun = [row.facts for row in rows if row.kind is EntryKind.KEY][-2:]
        assert (ended["state"], ended["stolenSince"]) == ("revoked", "2026-11-24T13:00:00Z")
        assert (begun["state"], begun["method"]) == ("active", following.method_id)
        newest = services.activity_log.store.newest_checkpoint(log.id)
        assert newest is not None
        assert newest.size == log.size


@pytest.mark.parametrize(
    ("reason", "moved"), [("", None), ("Vol.", None), (WHY, timedelta(hours=1)), (WHY, -timedelta(days=400))]
)
def test_retirement_without_a_reason_or_at_an_invalid_time_is_refused(
    app: App, reason: str, moved: timedelta | None
) -> None:
    with pytest.raises(InvalidInput):
        retire(app, reason=reason, stolen_since=NOON + moved if moved else None)
    with app.unit_of_work(reading=True) as services:
        assert first_key(services, app).state is KeyState.ACTIVE
