"""A backup from before a change of keys: a stolen key stays stolen, signatures of its successor stay valid."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.campus.campus import KeyPurpose, KeyState, SealedKey
from app.errors import AppError
from sceau_credentials.keys import Signer
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import parse_json_object
from tests.support.app import COMMAND, NOON, App
from tests.support.content.restores import ADA, REASON, ROOF, bit, given, place_of, withdraw
from tests.support.databases.copies import Backup, drop_copies

WHY = "La copie de sauvegarde a été perdue."


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def keys_of(app: App, purpose: KeyPurpose) -> list[SealedKey]:
    with app.unit_of_work(reading=True) as services:
        return [key for key in services.campuses.keys_of(app.campus) if key.purpose is purpose]


def change_key(app: App, purpose: KeyPurpose = KeyPurpose.CREDENTIAL, *, stolen: bool = False) -> None:
    (key,) = [each for each in keys_of(app, purpose) if each.state is KeyState.ACTIVE]
    since = app.clock() if stolen else None
    with app.unit_of_work() as services:
        services.campus_keys.retire(app.campus, key.id, reason=WHY, stolen_since=since, by=COMMAND)


def forged(app: App, award_id: uuid.UUID) -> str:
    """A badge forged with the first key of the campus."""
    (row,) = keys_of(app, KeyPurpose.CREDENTIAL)
    with app.unit_of_work(reading=True) as services:
        signed = parse_json_object(services.stores.awards.document_of(award_id).embedded)
        key = services.signing._open(row, app.campus)
    changed: dict[str, Any] = {name: value for name, value in signed.items() if name != "proof"}
    changed |= {"id": f"{signed['id'][:-12]}{'0' * 12}", "name": "Chirurgie du cœur"}
    return json.dumps(add_proof(changed, signer=Signer(row.method_id, key), created=NOON))


def verdict(app: App, presented: str | bytes) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.verification.verify(presented).verdict.value


def signed_file(app: App, award_id: uuid.UUID) -> bytes:
    return app.client().get(f"/attributions/{award_id}.json").content


def active(app: App, purpose: KeyPurpose) -> str:
    (key,) = [each for each in keys_of(app, purpose) if each.state is KeyState.ACTIVE]
    return key.method_id


@pytest.mark.parametrize("since", ["nothing else", "a withdrawal", "an award"])
def test_stolen_key_stays_stolen_after_a_restore(app: App, since: str) -> None:
    r = given(app, ROOF)
    list_id, position = place_of(app, r)
    stolen_file = forged(app, r)
    assert verdict(app, stolen_file) == "valid"
    backup = Backup(app)
    app.clock.move(minutes=10)
    change_key(app, stolen=True)
    newest = active(app, KeyPurpose.CREDENTIAL)
    if since == "a withdrawal":
        withdraw(app, r)
    a = given(app, ADA) if since == "an award" else None
    of_new_key = signed_file(app, a) if a else b""
    genuine = signed_file(app, r)
    expected = verdict(app, genuine)
    assert verdict(app, stolen_file) == "invalid"
    with backup.restored() as copy:
        assert verdict(copy, stolen_file) != "valid"
        with pytest.raises(AppError):
            given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        assert copy.client().get("/health/ready").status_code == 503
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.client().get("/health/ready").status_code == 200
        assert verdict(copy, stolen_file) == "invalid"
        assert verdict(copy, genuine) == expected
        assert not a or verdict(copy, of_new_key) == "valid"
        assert bit(copy.client(), list_id, position) is (since == "a withdrawal")
        assert active(copy, KeyPurpose.CREDENTIAL) == newest
        z = given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        assert newest in signed_file(copy, z).decode()


@pytest.mark.parametrize("purpose", [KeyPurpose.CREDENTIAL, KeyPurpose.ACTIVITY_LOG])
@pytest.mark.parametrize("is_awarded", [False, True])
def test_key_of_a_yearly_change_is_restored(app: App, purpose: KeyPurpose, is_awarded: bool) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    app.clock.move(minutes=10)
    change_key(app, purpose)
    newest = active(app, purpose)
    a = given(app, ADA) if is_awarded else None
    files = [signed_file(app, each) for each in (r, a) if each]
    list_id, position = place_of(app, r)
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.client().get("/health/ready").status_code == 200
        assert copy.process.compare_with_anchors(thorough=True) == []
        assert [verdict(copy, each) for each in files] == ["valid"] * len(files)
        assert not bit(copy.client(), list_id, position)
        assert active(copy, purpose) == newest
        assert given(copy, "Zoé N’Diaye; zoe@exemple.fr")


@pytest.mark.parametrize("stolen", [True, False])
def test_key_that_ended_stays_so_without_the_journal(app: App, stolen: bool) -> None:
    """The anchor folder holds the ends of keys: a journal may be off, deleted with age, or damaged."""
    r = given(app, ROOF)
    of_thief, genuine = forged(app, r), signed_file(app, r)
    first = active(app, KeyPurpose.CREDENTIAL)
    backup = Backup(app)
    app.clock.move(minutes=10)
    change_key(app, stolen=stolen)
    app.process.compare_with_anchors()
    for path in (app.process.journal.folder / app.campus.id.hex).iterdir():
        path.unlink()
    with backup.restored() as copy:
        assert verdict(copy, of_thief) != "valid"
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.client().get("/health/ready").status_code == 200
        assert verdict(copy, of_thief) == ("invalid" if stolen else "valid")
        assert verdict(copy, genuine) == "valid"
        states = {key.method_id: key.state for key in keys_of(copy, KeyPurpose.CREDENTIAL)}
        assert states[first] is (KeyState.REVOKED if stolen else KeyState.VERIFY_ONLY)
        z = given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        assert active(copy, KeyPurpose.CREDENTIAL) in signed_file(copy, z).decode()
        assert first not in signed_file(copy, z).decode()
        copy.process.compare_with_anchors(thorough=True)
        assert copy.client().get("/health/ready").status_code == 200


def test_stolen_key_of_the_log_stays_stolen_without_the_journal(app: App) -> None:
    r = given(app, ROOF)
    genuine, first = signed_file(app, r), active(app, KeyPurpose.ACTIVITY_LOG)
    backup = Backup(app)
    app.clock.move(minutes=10)
    change_key(app, KeyPurpose.ACTIVITY_LOG, stolen=True)
    app.process.compare_with_anchors()
    for path in (app.process.journal.folder / app.campus.id.hex).iterdir():
        path.unlink()
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        states = {key.method_id: key.state for key in keys_of(copy, KeyPurpose.ACTIVITY_LOG)}
        assert states[first] is KeyState.REVOKED
        assert active(copy, KeyPurpose.ACTIVITY_LOG) != first
        assert copy.client().get("/health/ready").status_code == 200
        assert verdict(copy, genuine) == "valid"
        z = given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        assert verdict(copy, signed_file(copy, z)) == "valid"
        assert copy.process.compare_with_anchors(thorough=True) == []
