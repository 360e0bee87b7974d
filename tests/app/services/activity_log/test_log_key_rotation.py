"""The key of a campus's log gives way to the next, or is found stolen: what was signed before goes on to prove."""

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
from tests.support.house import COMMAND, House


def rotate(house: House, *, stolen_since: Any = None) -> SealedKey | None:
    with house.unit_of_work() as services:
        return services.campus_keys.retire_active_of_the_log(
            house.campus, reason=WHY, stolen_since=stolen_since, by=COMMAND
        )


def private_key(services: Services, house: House) -> SigningKey:
    return services.signing.log_signer(house.campus, at=house.clock.now)


def log_keys(house: House) -> list[SealedKey]:
    with house.unit_of_work(reading=True) as services:
        rows = services.campuses.keys_of(house.campus)
        return sorted(
            (each for each in rows if each.purpose is KeyPurpose.ACTIVITY_LOG),
            key=lambda each: each.state is KeyState.ACTIVE,
        )


def published(house: House) -> LogKeys:
    return LogKeys.from_bytes(house.client().get(f"{JOURNAL}/keys").content)


def evidence(house: House, award_id: uuid.UUID) -> EvidenceReport:
    with house.unit_of_work(reading=True) as services:
        answer = services.verification.verify_award(services.awards.record(award_id))
        report = services.verification.evidence_of(answer)
        assert report is not None
        return report


@pytest.fixture
def client(house: House) -> TestClient:
    return house.client()


def key_now(client: TestClient) -> NoteKey:
    return NoteKey.from_vkey(client.get(f"{JOURNAL}/key").text)


def looked(house: House, client: TestClient, witness: WitnessFolder, key: NoteKey) -> WitnessReport:
    return cosign_log(Served(client), key, witness, witness.key(), at=house.clock())


def test_the_name_stays_the_key_changes_and_the_last_tree_of_the_old_one_names_the_next(
    house: House, client: TestClient
) -> None:
    record(house, 3)
    before = checkpoint(house)
    old = key_now(client)
    following = rotate(house)
    assert following is not None
    new = key_now(client)
    assert (new.name, new.id != old.id) == (old.name, True)
    handed_over = Note.from_text(client.get(f"{JOURNAL}/checkpoint").text)
    assert [each.key for each in handed_over.signed_by([old, new])] == [old, new]
    assert TreeHead.from_text(handed_over.text).size == before.size + 2
    record(house, 1, start=3)
    checkpoint(house)
    after = Note.from_text(client.get(f"{JOURNAL}/checkpoint").text)
    assert [each.key for each in after.signed_by([old, new])] == [new]
    first, second = published(house).terms
    assert (first.key, first.state, second.key, second.state) == (old, "retired", new, "active")
    assert first.last == TreeHead.from_text(handed_over.text)
    assert second.announcement is not None
    assert second.announcement.names(new, signed_by=old)
    assert [each.key for each in published(house).announced_after(old)] == [new]
    assert faults(house) == []


def test_an_announcement_that_was_altered_names_nobody(house: House, client: TestClient) -> None:
    record(house, 3)
    checkpoint(house)
    old = key_now(client)
    rotate(house)
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


def test_evidence_of_before_proves_after_it_online_and_out_of_a_package(house: House) -> None:
    before = award_id_of(house, ZOE)
    with house.unit_of_work(reading=True) as services:
        early = services.verification.package_of(services.awards.record(before)).body
    house.clock.move(days=1)
    rotate(house)
    after = award_id_of(house, LEO)
    assert evidence(house, before).outcome is EvidenceOutcome.PROVED
    assert evidence(house, after).outcome is EvidenceOutcome.PROVED
    house.clock.move(days=1)
    rotate(house)
    assert evidence(house, before).outcome is evidence(house, after).outcome is EvidenceOutcome.PROVED
    with house.unit_of_work(reading=True) as services:
        late = services.verification.package_of(services.awards.record(before)).body
    for packed in (early, late):
        package = open_package(packed)
        report = judge_evidence(parse_json_object(package.badge), documents=package.documents)
        assert report is not None
        assert report.outcome is EvidenceOutcome.PROVED


def test_of_a_stolen_key_what_was_signed_before_proves_and_what_came_after_does_not(house: House) -> None:
    before = award_id_of(house, ZOE)
    house.clock.move(days=2)
    between = award_id_of(house, LEO)
    house.clock.move(days=1)
    rotate(house, stolen_since=house.clock.now - timedelta(days=2))
    after = award_id_of(house, "DURAND Max;max@exemple.fr")
    assert evidence(house, before).outcome is EvidenceOutcome.PROVED
    refused = evidence(house, between)
    assert (refused.outcome, refused.reason) == (EvidenceOutcome.FAILED, "checkpoint_of_a_stolen_key")
    assert evidence(house, after).outcome is EvidenceOutcome.PROVED
    assert faults(house) == []
    with house.unit_of_work(reading=True) as services:
        package = open_package(services.verification.package_of(services.awards.record(before)).body)
    report = judge_evidence(parse_json_object(package.badge), documents=package.documents)
    assert report is not None
    assert report.outcome is EvidenceOutcome.PROVED


def test_a_tree_that_a_thief_signs_is_not_on_the_way_the_log_went_however_small_it_is(house: House) -> None:
    award_id = award_id_of(house, ZOE)
    with house.unit_of_work(reading=True) as services:
        stolen = private_key(services, house)
        key = services.activity_log.key_of(house.campus, services.activity_log.store.find(house.campus.id))
        document = services.evidence.document(award_id).body.decode()
    head = TreeHead.from_text(Note.from_text(str(parse_json_object(document)["checkpoint"])).text)
    house.clock.move(days=1)
    rotate(house, stolen_since=house.clock.now - timedelta(hours=1))
    keys = published(house)
    other = TreeHead(head.origin, head.size, b"\x01" * 32)
    for claimed, expected in ((head, True), (other, False)):
        note = Note(claimed.to_text(), (sign(claimed.to_text(), key.name, stolen),))
        term = keys.signed(note)
        assert term is not None
        assert term.vouches_for(claimed, _tiles(house)) is expected
    larger = TreeHead(head.origin, head.size + 5, head.root)
    assert not keys.terms[0].vouches_for(larger, _tiles(house))


def _tiles(house: House) -> Any:
    client = house.client()
    return lambda tile: client.get(f"{JOURNAL}/{tile.path}").content


def test_a_key_that_gave_way_and_is_found_stolen_later_is_believed_no_further_than_before(
    house: House,
) -> None:
    before = award_id_of(house, ZOE)
    house.clock.move(days=2)
    between = award_id_of(house, LEO)
    house.clock.move(days=1)
    (old,) = log_keys(house)
    rotate(house)
    present = key_now(house.client())
    house.clock.move(days=1)
    with house.unit_of_work() as services:
        since = house.clock.now - timedelta(days=3)
        assert (
            services.campus_keys.retire(house.campus, old.id, reason=WHY, stolen_since=since, by=COMMAND)
            is None
        )
    assert key_now(house.client()) == present
    assert evidence(house, before).outcome is EvidenceOutcome.PROVED
    assert evidence(house, between).reason == "checkpoint_of_a_stolen_key"
    assert sorted(each.state for each in log_keys(house)) == [KeyState.ACTIVE, KeyState.REVOKED]
    assert faults(house) == []


def test_the_end_and_the_beginning_stand_in_the_log_and_in_the_history(house: House) -> None:
    record(house, 1)
    house.clock.move(days=1)
    (old,) = log_keys(house)
    rotate(house, stolen_since=house.clock.now - timedelta(hours=1))
    with house.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(house.campus.id)
        assert log is not None
        ended, begun = [row.facts for row in services.activity_log.store.written(log.id, range(log.size))][
            -2:
        ]
        result = [each.facts.get("reason") for each, _ in services.stores.history.list_of("key", old.id)]
    assert (ended["state"], ended["purpose"], ended["lastSizes"]) == ("revoked", "activity_log", {"1": 0})
    assert ended["stolenSince"] == "2026-11-25T11:00:00Z"
    assert (begun["state"], begun["purpose"]) == ("active", "activity_log")
    assert WHY in result


def test_a_witness_follows_a_key_that_was_announced_and_never_goes_back(
    house: House, client: TestClient, witness: WitnessFolder
) -> None:
    record(house, 3)
    checkpoint(house)
    old = key_now(client)
    looked(house, client, witness, old)
    (first,) = log_keys(house)
    for _ in range(2):
        rotate(house)
        record(house, 2, start=9)
        checkpoint(house)
    new = key_now(client)
    seen = looked(house, client, witness, old)
    assert len(seen.followed) == 2
    assert seen.followed[-1] == new
    assert looked(house, client, witness, old).followed == []
    with house.unit_of_work() as services:
        services.log_watch.name_witness(
            house.campus, witness.key().public.to_vkey(), "Campus AGT", by=COMMAND
        )
    assert client.post(HAND_IN, json={"checkpoint": seen.note.to_text()}).status_code == 200

    with house.unit_of_work(reading=True) as services:
        thief = services.signing._open(first, house.campus)
    text = TreeHead(old.name, seen.head.size + 1, b"\x01" * 32).to_text()

    class Stolen(Served):
        def read(self, path: str) -> bytes:
            forged = Note(text, (sign(text, old.name, thief),))
            return forged.to_text().encode() if path == "checkpoint" else super().read(path)

    with pytest.raises(KeyGaveWay):
        cosign_log(Stolen(client), old, witness, witness.key(), at=house.clock())


def test_a_witness_follows_an_unannounced_key_only_when_it_is_told_to(
    house: House, client: TestClient, witness: WitnessFolder
) -> None:
    record(house, 3)
    checkpoint(house)
    old = key_now(client)
    seen = looked(house, client, witness, old).head
    house.clock.move(days=1)
    rotate(house, stolen_since=house.clock.now - timedelta(hours=1))
    new = key_now(client)
    with pytest.raises(KeyNotAnnounced, match="n’a pas annoncée"):
        looked(house, client, witness, old)
    assert TreeHead.from_text(witness.last(old.name).text) == seen  # type: ignore[union-attr]
    change_key(witness, new)
    after = looked(house, client, witness, new)
    assert after.before == seen
    with pytest.raises(InvalidInput, match="suit déjà une autre clé"):
        looked(house, client, witness, old)


def test_a_witness_refuses_a_succession_that_leaves_out_what_it_saw(
    house: House, client: TestClient, witness: WitnessFolder
) -> None:
    """Whoever has the old key can announce a key of their own, but not in a tree that grew out of what was seen."""
    record(house, 3)
    checkpoint(house)
    old = key_now(client)
    rotate(house)
    record(house, 3, start=3)
    checkpoint(house)
    with house.unit_of_work(reading=True) as services:
        thief = services.signing._open(log_keys(house)[0], house.campus)
        log = services.activity_log.store.find(house.campus.id)
        assert log is not None
        text = Note.from_text(services.activity_log.store.newest_checkpoint(log.id).note).text

    class SignedOn(Served):
        """The old key went on signing after it had announced the next."""

        def read(self, path: str) -> bytes:
            note = Note(text, (sign(text, old.name, thief),))
            return note.to_text().encode() if path == "checkpoint" else super().read(path)

    cosign_log(SignedOn(client), old, witness, witness.key(), at=house.clock())
    with pytest.raises(KeyNotAnnounced):
        looked(house, client, witness, old)


def test_what_the_old_key_signs_alone_afterwards_is_found_by_the_check(house: House) -> None:
    record(house, 3)
    checkpoint(house)
    with house.unit_of_work(reading=True) as services:
        thief = private_key(services, house)
    rotate(house)
    record(house, 3, start=3)
    head = checkpoint(house)
    note = Note(head.to_text(), (sign(head.to_text(), head.origin, thief),)).to_text()
    tamper(house, f"UPDATE log_checkpoint SET note = '{note}' WHERE size = {head.size}")
    assert faults(house) == [(Fault.CHANGED_CHECKPOINT, str(head.size))]


def test_a_mirror_holds_the_keys_too(house: House) -> None:
    record(house, 1)
    checkpoint(house)
    rotate(house)
    with house.unit_of_work(reading=True) as services:
        public = services.log_publication.state("itip").current
        assert public is not None
        files = {path: body() for path, body, _ in services.log_publication.files(public)}
    assert len(LogKeys.from_bytes(files["keys"]).terms) == 2
