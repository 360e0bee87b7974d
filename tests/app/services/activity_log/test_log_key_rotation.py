"""A replaced or stolen key of a campus's log: earlier signatures still prove."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.adapters.folders.log_files import WitnessFolder
from app.container import Services
from app.domain.campus.campus import KeyPurpose, KeyState, SealedKey
from app.errors import InvalidInput
from app.services.activity_log.log_check import Fault
from app.services.activity_log.log_monitoring import (
    KeyGaveWay,
    KeyNotAnnounced,
    WitnessReport,
    change_key,
    cosign_log,
)
from sceau_credentials.evidence.judging import EvidenceOutcome, EvidenceReport, LogKeys, judge_evidence
from sceau_credentials.keys import SigningKey
from sceau_credentials.package import open_package
from sceau_credentials.transparency_log.notes import Note, NoteKey, TreeHead, sign
from sceau_credentials.values import parse_json_object
from tests.app.services.activity_log.test_activity_log import checkpoint, faults, record, tamper
from tests.app.services.activity_log.test_log_watch import HAND_IN, JOURNAL, Served
from tests.app.services.campus.test_key_retiring import LEO, WHY, ZOE, award_id_of
from tests.support.app import COMMAND, App


def rotate(app: App, *, stolen_since: Any = None) -> SealedKey | None:
    with app.unit_of_work() as services:
        return services.campus_keys.retire_active_of_the_log(
            app.campus, reason=WHY, stolen_since=stolen_since, by=COMMAND
        )


def private_key(services: Services, app: App) -> SigningKey:
    return services.signing.log_signer(app.campus, at=app.clock.now)


def log_keys(app: App) -> list[SealedKey]:
    with app.unit_of_work(reading=True) as services:
        rows = services.campuses.keys_of(app.campus)
        return sorted(
            (each for each in rows if each.purpose is KeyPurpose.ACTIVITY_LOG),
            key=lambda each: each.state is KeyState.ACTIVE,
        )


def published(app: App) -> LogKeys:
    return LogKeys.from_bytes(app.client().get(f"{JOURNAL}/keys").content)


def evidence(app: App, award_id: uuid.UUID) -> EvidenceReport:
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify_award(services.awards.record(award_id))
        report = services.verification.with_evidence(answer).evidence
        assert report is not None
        return report


@pytest.fixture
def client(app: App) -> TestClient:
    return app.client()


def key_now(client: TestClient) -> NoteKey:
    return NoteKey.from_vkey(client.get(f"{JOURNAL}/key").text)


def looked(app: App, client: TestClient, witness: WitnessFolder, key: NoteKey) -> WitnessReport:
    return cosign_log(Served(client), key, witness, witness.key(), at=app.clock())


def test_rotation_changes_the_key_and_the_old_one_signs_the_next(app: App, client: TestClient) -> None:
    record(app, 3)
    before = checkpoint(app)
    old = key_now(client)
    following = rotate(app)
    assert following is not None
    new = key_now(client)
    assert (new.name, new.id != old.id) == (old.name, True)
    handed_over = Note.from_text(client.get(f"{JOURNAL}/checkpoint").text)
    assert [each.key for each in handed_over.signed_by([old, new])] == [old, new]
    assert TreeHead.from_text(handed_over.text).size == before.size + 2
    record(app, 1, start=3)
    checkpoint(app)
    after = Note.from_text(client.get(f"{JOURNAL}/checkpoint").text)
    assert [each.key for each in after.signed_by([old, new])] == [new]
    first, second = published(app).terms
    assert (first.key, first.state, second.key, second.state) == (old, "retired", new, "active")
    assert first.last == TreeHead.from_text(handed_over.text)
    assert second.announcement is not None
    assert second.announcement.names(new, signed_by=old)
    assert [each.key for each in published(app).announced_after(old)] == [new]
    assert faults(app) == []


def test_altered_announcement_of_a_key_is_refused(app: App, client: TestClient) -> None:
    record(app, 3)
    checkpoint(app)
    old = key_now(client)
    rotate(app)
    text = client.get(f"{JOURNAL}/keys").text
    thumbprint = key_now(client).public.thumbprint()
    document = parse_json_object(text)
    for spoilt in (
        text.replace(thumbprint, old.public.thumbprint()),
        text.replace('"value":"active"', '"value":"pending"'),
        text.replace('"index":5', '"index":6')
        if '"index":5' in text
        else text.replace('"index":6', '"index":5'),
    ):
        assert spoilt != text
        assert list(LogKeys.from_bytes(spoilt.encode()).announced_after(old)) == []
    assert document["type"] == "ActivityLogKeys"


def test_earlier_evidence_still_proves_online_and_in_a_package(app: App) -> None:
    before = award_id_of(app, ZOE)
    with app.unit_of_work(reading=True) as services:
        early = services.verification.package_of(services.awards.record(before)).body
    app.clock.move(days=1)
    rotate(app)
    after = award_id_of(app, LEO)
    assert evidence(app, before).outcome is EvidenceOutcome.PROVED
    assert evidence(app, after).outcome is EvidenceOutcome.PROVED
    app.clock.move(days=1)
    rotate(app)
    assert evidence(app, before).outcome is evidence(app, after).outcome is EvidenceOutcome.PROVED
    with app.unit_of_work(reading=True) as services:
        late = services.verification.package_of(services.awards.record(before)).body
    for packed in (early, late):
        package = open_package(packed)
        report = judge_evidence(parse_json_object(package.badge), documents=package.documents)
        assert report is not None
        assert report.outcome is EvidenceOutcome.PROVED


def test_stolen_log_key_proves_only_what_it_signed_before_the_theft(app: App) -> None:
    before = award_id_of(app, ZOE)
    app.clock.move(days=2)
    between = award_id_of(app, LEO)
    app.clock.move(days=1)
    rotate(app, stolen_since=app.clock.now - timedelta(days=2))
    after = award_id_of(app, "DURAND Max;max@exemple.fr")
    assert evidence(app, before).outcome is EvidenceOutcome.PROVED
    refused = evidence(app, between)
    assert (refused.outcome, refused.reason) == (EvidenceOutcome.FAILED, "checkpoint_of_a_stolen_key")
    assert evidence(app, after).outcome is EvidenceOutcome.PROVED
    assert faults(app) == []
    with app.unit_of_work(reading=True) as services:
        package = open_package(services.verification.package_of(services.awards.record(before)).body)
    report = judge_evidence(parse_json_object(package.badge), documents=package.documents)
    assert report is not None
    assert report.outcome is EvidenceOutcome.PROVED


def test_tree_signed_by_a_thief_is_inconsistent_with_the_log_at_any_size(app: App) -> None:
    award_id = award_id_of(app, ZOE)
    with app.unit_of_work(reading=True) as services:
        stolen = private_key(services, app)
        key = app.log_key(services)
        document = services.evidence.document(award_id).body.decode()
    head = TreeHead.from_text(Note.from_text(str(parse_json_object(document)["checkpoint"])).text)
    app.clock.move(days=1)
    rotate(app, stolen_since=app.clock.now - timedelta(hours=1))
    keys = published(app)
    other = TreeHead(head.origin, head.size, b"\x01" * 32)
    for claimed, expected in ((head, True), (other, False)):
        note = Note(claimed.to_text(), (sign(claimed.to_text(), key.name, stolen),))
        term = keys.signed(note)
        assert term is not None
        assert term.vouches_for(claimed, _tiles(app)) is expected
    larger = TreeHead(head.origin, head.size + 5, head.root)
    assert not keys.terms[0].vouches_for(larger, _tiles(app))


def _tiles(app: App) -> Any:
    client = app.client()
    return lambda tile: client.get(f"{JOURNAL}/{tile.path}").content


def test_replaced_key_found_stolen_later_is_trusted_no_further(
    app: App,
) -> None:
    before = award_id_of(app, ZOE)
    app.clock.move(days=2)
    between = award_id_of(app, LEO)
    app.clock.move(days=1)
    (old,) = log_keys(app)
    rotate(app)
    present = key_now(app.client())
    app.clock.move(days=1)
    with app.unit_of_work() as services:
        since = app.clock.now - timedelta(days=3)
        assert (
            services.campus_keys.retire(app.campus, old.id, reason=WHY, stolen_since=since, by=COMMAND)
            is None
        )
    assert key_now(app.client()) == present
    assert evidence(app, before).outcome is EvidenceOutcome.PROVED
    assert evidence(app, between).reason == "checkpoint_of_a_stolen_key"
    assert sorted(each.state for each in log_keys(app)) == [KeyState.ACTIVE, KeyState.REVOKED]
    assert faults(app) == []


def test_rotation_is_in_the_log_and_in_the_history(app: App) -> None:
    record(app, 1)
    app.clock.move(days=1)
    (old,) = log_keys(app)
    rotate(app, stolen_since=app.clock.now - timedelta(hours=1))
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        ended, begun = [row.facts for row in services.activity_log.store.written(log.id, range(log.size))][
            -2:
        ]
        result = [each.facts.get("reason") for each, _ in services.stores.history.list_of("key", old.id)]
    assert (ended["state"], ended["purpose"], ended["lastSizes"]) == ("revoked", "activity_log", {"1": 0})
    assert ended["stolenSince"] == "2026-11-25T11:00:00Z"
    assert (begun["state"], begun["purpose"]) == ("active", "activity_log")
    assert WHY in result


def test_witness_follows_an_announced_key_and_never_returns(
    app: App, client: TestClient, witness: WitnessFolder
) -> None:
    record(app, 3)
    checkpoint(app)
    old = key_now(client)
    looked(app, client, witness, old)
    (first,) = log_keys(app)
    for _ in range(2):
        rotate(app)
        record(app, 2, start=9)
        checkpoint(app)
    new = key_now(client)
    seen = looked(app, client, witness, old)
    assert len(seen.followed) == 2
    assert seen.followed[-1] == new
    assert looked(app, client, witness, old).followed == []
    with app.unit_of_work() as services:
        services.log_watch.name_witness(app.campus, witness.key().public.to_vkey(), "Campus AGT", by=COMMAND)
    assert client.post(HAND_IN, json={"checkpoint": seen.note.to_text()}).status_code == 200

    with app.unit_of_work(reading=True) as services:
        thief = services.signing._open(first, app.campus)
    text = TreeHead(old.name, seen.head.size + 1, b"\x01" * 32).to_text()

    class Stolen(Served):
        def read(self, path: str) -> bytes:
            forged = Note(text, (sign(text, old.name, thief),))
            return forged.to_text().encode() if path == "checkpoint" else super().read(path)

    with pytest.raises(KeyGaveWay):
        cosign_log(Stolen(client), old, witness, witness.key(), at=app.clock())


def test_a_witness_follows_an_unannounced_key_only_when_it_is_instructed_to(
    app: App, client: TestClient, witness: WitnessFolder
) -> None:
    record(app, 3)
    checkpoint(app)
    old = key_now(client)
    seen = looked(app, client, witness, old).head
    app.clock.move(days=1)
    rotate(app, stolen_since=app.clock.now - timedelta(hours=1))
    new = key_now(client)
    with pytest.raises(KeyNotAnnounced, match="n’a pas annoncée"):
        looked(app, client, witness, old)
    assert TreeHead.from_text(witness.last(old.name).text) == seen  # type: ignore[union-attr]
    change_key(witness, new)
    after = looked(app, client, witness, new)
    assert after.before == seen
    with pytest.raises(InvalidInput, match="suit déjà une autre clé"):
        looked(app, client, witness, old)


def test_a_witness_refuses_a_succession_that_leaves_out_what_it_saw(
    app: App, client: TestClient, witness: WitnessFolder
) -> None:
    """A thief of the old key can announce a key, but not in a tree that extends the one the witness saw."""
    record(app, 3)
    checkpoint(app)
    old = key_now(client)
    rotate(app)
    record(app, 3, start=3)
    checkpoint(app)
    with app.unit_of_work(reading=True) as services:
        thief = services.signing._open(log_keys(app)[0], app.campus)
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        text = Note.from_text(services.activity_log.store.newest_checkpoint(log.id).note).text

    class SignedOn(Served):
        """The old key signs on after it announced the next."""

        def read(self, path: str) -> bytes:
            note = Note(text, (sign(text, old.name, thief),))
            return note.to_text().encode() if path == "checkpoint" else super().read(path)

    cosign_log(SignedOn(client), old, witness, witness.key(), at=app.clock())
    with pytest.raises(KeyNotAnnounced):
        looked(app, client, witness, old)


def test_check_finds_what_the_old_key_signs_alone_after_rotation(app: App) -> None:
    record(app, 3)
    checkpoint(app)
    with app.unit_of_work(reading=True) as services:
        thief = private_key(services, app)
    rotate(app)
    record(app, 3, start=3)
    head = checkpoint(app)
    note = Note(head.to_text(), (sign(head.to_text(), head.origin, thief),)).to_text()
    tamper(app, f"UPDATE log_checkpoint SET note = '{note}' WHERE size = {head.size}")
    assert faults(app) == [(Fault.CHANGED_CHECKPOINT, str(head.size))]


def test_mirror_contains_the_keys(app: App) -> None:
    record(app, 1)
    checkpoint(app)
    rotate(app)
    with app.unit_of_work(reading=True) as services:
        public = services.log_publication.state("itip").current
        assert public is not None
        files = {path: body() for path, body, _ in services.log_publication.files(public)}
    assert len(LogKeys.from_bytes(files["keys"]).terms) == 2
