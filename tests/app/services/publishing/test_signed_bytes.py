"""Old signed bytes in an object store: wherever a move ends, it loses, duplicates and leaves nothing; on both databases."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import select

from app.container import IntegrityRun
from app.db.awards.signed_bytes import MovedCounts
from app.domain.activity_log import Damage, FoundLeaf
from app.domain.awards import AwardState
from app.domain.awards.signed_bytes import ObjectRemoval, StoreSilent
from app.domain.campus.audit_log import Actor
from app.jobs.kinds import OLD_BYTES
from sceau_credentials.verification.report import Verdict
from tests.app.services.activity_log.test_activity_log import tamper
from tests.app.services.activity_log.test_integrity import checked
from tests.app.services.people.test_erasures import erase
from tests.support.app import COMMAND, App
from tests.support.content.restores import PUBLIC, given, withdraw
from tests.support.servers.object_store import (
    FakeStore,
    attach,
    back_all,
    check_nothing_is_lost,
    digests_of,
    documents,
    move_all,
    mover_of,
    removals,
    remove_all,
)

pytestmark = pytest.mark.both_engines
ZOE = "Zoé N’Diaye; zoe@exemple.fr"
SOON = "temporairement indisponible"


# --- moves


def test_old_documents_move_and_come_back_the_same(app: App, store: FakeStore) -> None:
    before = documents(app)
    assert len(before) == 4
    assert move_all(app) == 4
    assert all(each.embedded is None for each in documents(app))
    assert store.digests() == digests_of(before)
    assert len(store.objects) == 8
    assert mover_of(app).counts(app.clock()) == MovedCounts(0, 0, 4)
    assert move_all(app) == 0
    assert back_all(app) == 4
    assert documents(app) == before
    assert back_all(app) == 0
    # Earlier backups need the objects.
    assert remove_all(app) == 0
    app.clock.move(days=36)
    assert remove_all(app) == 4
    assert store.objects == {}
    assert removals(app) == 0


def test_young_documents_stay(app: App, store: FakeStore) -> None:
    given(app, "Luc Petit; luc@exemple.fr")
    assert move_all(app) == 4
    assert mover_of(app).counts(app.clock() - timedelta(days=365)) == MovedCounts(1, 0, 4)


def test_worker_moves_what_is_old_and_removes_what_is_due(app: App, store: FakeStore) -> None:
    assert list(OLD_BYTES.due(app.process)) == []
    app.process.settings = app.process.settings.model_copy(update={"object_store_after_days": 365})
    app.clock.move(minutes=2)
    (row,) = OLD_BYTES.due(app.process)
    assert OLD_BYTES.perform(app.process, row)
    assert not OLD_BYTES.perform(app.process, row)
    assert all(each.embedded is None for each in documents(app))
    app.clock.move(minutes=2)
    assert list(OLD_BYTES.due(app.process)) == []


def test_objects_that_were_returned_and_moved_again_stay(app: App, store: FakeStore) -> None:
    move_all(app)
    back_all(app)
    move_all(app)
    app.clock.move(days=36)
    assert remove_all(app) == 0
    check_nothing_is_lost(app, store)
    assert removals(app) == 0


def test_damaged_row_stays_and_is_named(app: App, awards: list[uuid.UUID], store: FakeStore) -> None:
    wanted = f"'{awards[0].hex}'" if app.owner.dialect.name == "sqlite" else f"'{awards[0]}'"
    tamper(app, f"UPDATE signed_credential SET token = token || 'A' WHERE award_id = {wanted}")
    batch = mover_of(app).move_some(app.clock() - timedelta(days=365))
    assert batch.refused == {(awards[0], 1): "differs"}
    assert batch.documents == 3
    again = mover_of(app).move_some(app.clock(), besides=batch.refused)
    assert again.is_empty


def test_silent_store_moves_nothing_and_the_next_try_does(app: App, store: FakeStore) -> None:
    before = documents(app)
    store.before = lambda method, _key: httpx.Response(503) if method == "PUT" else None
    with pytest.raises(StoreSilent):
        move_all(app)
    assert documents(app) == before
    store.before = lambda _method, _key: None
    assert move_all(app) == 4


def test_store_that_keeps_something_else_is_noticed_before_the_row_is_emptied(
    app: App, store: FakeStore
) -> None:
    before = documents(app)

    def spoil(method: str, key: str) -> None:
        if method == "PUT" and key in store.objects:
            store.objects[key] = store.objects[key][:-1]

    store.after = spoil
    with pytest.raises(Exception, match=SOON):
        move_all(app)
    assert documents(app) == before
    store.after = lambda _method, _key: None
    app.clock.move(days=1)
    remove_all(app)
    assert store.objects == {}


# --- readers


def answers(app: App, award_id: uuid.UUID) -> dict[str, tuple[int, bytes]]:
    client = app.client()
    found = {}
    for path in PUBLIC:
        answer = client.get(path.format(award_id))
        found[path] = answer.status_code, answer.content
    return found


def test_public_answers_are_the_same_from_the_store(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    same = ("/attributions/{}.json", "/attributions/{}.jwt", "/attributions/{}.png")
    before = {award_id: answers(app, award_id) for award_id in awards}
    move_all(app)
    store.asked.clear()
    for award_id in awards:
        after = answers(app, award_id)
        assert {path: status for path, (status, _) in after.items()} == {
            path: status for path, (status, _) in before[award_id].items()
        }
        for path in same:
            assert after[path] == before[award_id][path]
    assert store.asked


def test_newest_edition_is_served_whichever_has_moved(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    """An emptied row does not restore the previous name."""
    newest, edition = answers(app, awards[1])["/attributions/{}.json"], documents(app)[-1]
    assert edition.award_id == awards[1]
    assert newest[1] == edition.embedded
    for besides in ({(each, 1) for each in awards}, set()):
        mover_of(app).move_some(app.clock(), besides=besides)
        app.clock.move(minutes=5)
        assert answers(app, awards[1])["/attributions/{}.json"] == newest
        assert answers(app, awards[1])["/attributions/{}.jwt"][1] == str(edition.token).encode()
    assert all(each.embedded is None for each in documents(app))


def test_lost_object_or_silent_store_is_never_shown_as_invalid(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    move_all(app)
    kept, store.objects = store.objects, {}
    for spoil in (
        lambda: None,
        lambda: store.objects.update({key: body + b" " for key, body in kept.items()}),
        lambda: setattr(store, "before", lambda _method, _key: httpx.Response(500)),
    ):
        spoil()
        attach(app, store)
        client = app.client()
        for form in ("json", "jwt", "png", "svg"):
            answer = client.get(f"/attributions/{awards[0]}.{form}")
            assert answer.status_code == 503, (form, answer.text)
            assert SOON in answer.text or "temporairement" in json.dumps(answer.json(), ensure_ascii=False)
    store.before, store.objects = (lambda _method, _key: None), kept
    attach(app, store)
    assert app.client().get(f"/attributions/{awards[0]}.json").status_code == 200


def test_silent_store_leaves_verdicts_open_and_refutes_nothing(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    client = app.client()
    picture, document = (client.get(f"/attributions/{awards[0]}.{form}").content for form in ("png", "json"))
    move_all(app)
    store.before = lambda _method, _key: httpx.Response(503)
    attach(app, store)
    for path in PUBLIC:
        answer = app.client().get(path.format(awards[0]))
        assert answer.status_code in (200, 503), path
    with app.unit_of_work(reading=True) as services:
        for presented in (document, picture):
            report = services.verification.verify_document(presented).report
            assert report.verdict is Verdict.VALID
        own = app.process.settings.base_url
        with pytest.raises(StoreSilent, match=SOON):
            services.verification.verify(f"{own}/attributions/{awards[0]}.json")
        older = services.verification.verify(f"{own}/ob2/attributions/{awards[0]}")
        assert older.report is None or older.report.verdict is not Verdict.INVALID
        assert older.unread == "unavailable"


def test_process_without_the_store_answers_that_it_is_unavailable(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    move_all(app)
    other = type(app.process)(app.process.settings, clock=app.clock, mailer=app.letters)
    with other.unit_of_work(reading=True) as services, pytest.raises(StoreSilent, match=SOON):
        services.awards.awards.document_of(awards[0]).embedded  # noqa: B018
    other.engine.dispose()


def test_withdrawn_badge_stays_withdrawn(app: App, awards: list[uuid.UUID], store: FakeStore) -> None:
    withdraw(app, awards[0])
    move_all(app)
    withdraw(app, awards[2])
    for award_id in (awards[0], awards[2]):
        with app.unit_of_work(reading=True) as services:
            record = services.awards.record(award_id)
            assert record.award.state is AwardState.REVOKED
            badge = services.awards.awards.document_of(award_id).embedded
            assert services.verification.verify(badge).report.verdict.value != "valid"
    back_all(app)
    assert checked(app) == []


def test_check_reads_the_store_and_names_what_is_lost_or_changed(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    whole = {each.award_id: each for each in documents(app)}
    move_all(app)
    assert checked(app) == []
    lost, changed = (
        store.key_of(app.campus.id, whole[awards[0]].digests[0]),
        store.key_of(app.campus.id, whole[awards[2]].digests[1]),
    )
    del store.objects[lost]
    store.objects[changed] += b"A"
    attach(app, store)
    assert set(checked(app)) == {
        FoundLeaf(Damage.NO_DOCUMENT, str(awards[0])),
        FoundLeaf(Damage.TOKEN_DIGEST, str(awards[2])),
    }
    store.before = lambda _method, _key: httpx.Response(503)
    attach(app, store)
    run = IntegrityRun(app.process)
    with pytest.raises(StoreSilent):
        list(run.run(run.begin(by=COMMAND, anew=True)))


def test_badges_are_reissued_and_archived_from_the_store(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    whole = {each.award_id: each for each in documents(app) if each.award_id != awards[1]}
    move_all(app)
    with app.unit_of_work() as services:
        person = services.awards.record(awards[0]).person
        archive = zipfile.ZipFile(io.BytesIO(services.archive.make(person.id).body))
        assert archive.read(f"badges/{awards[0]}.json") == whole[awards[0]].embedded
        services.names.correct_in_campus(app.campus, person.id, "Remy", "Roux", by=Actor(app.admin.id))
    with app.unit_of_work(reading=True) as services:
        archive = zipfile.ZipFile(io.BytesIO(services.archive.make(person.id).body))
        assert archive.read(f"badges/{awards[0]}-edition-1.json") == whole[awards[0]].embedded
        rows = b"".join(archive.read(name) for name in archive.namelist() if "credential" in name)
        assert str(whole[awards[0]].token).encode() in rows


# --- erasure


def test_erased_badge_leaves_the_store_too(app: App, awards: list[uuid.UUID], store: FakeStore) -> None:
    move_all(app)
    gone = digests_of([each for each in documents(app) if each.award_id == awards[1]])
    assert len(gone) == 4
    erase(app, awards[1])
    assert gone <= store.digests()
    assert mover_of(app).removals() == 2
    assert list(OLD_BYTES.due(app.process)) != []
    store.before = lambda method, _key: httpx.Response(503) if method == "DELETE" else None
    with pytest.raises(StoreSilent):
        remove_all(app)
    assert mover_of(app).removals() == 2
    store.before = lambda _method, _key: None
    app.clock.move(hours=2)
    assert remove_all(app) == 2
    assert not gone & store.digests()
    check_nothing_is_lost(app, store)
    assert removals(app) == 0


def test_erasure_during_a_move_leaves_no_object(app: App, awards: list[uuid.UUID], store: FakeStore) -> None:
    once = []

    def meanwhile(method: str, _key: str) -> None:
        if method == "GET" and not once:
            once.append(1)
            erase(app, awards[0])

    store.before = meanwhile
    assert move_all(app) == 3
    store.before = lambda _method, _key: None
    app.clock.move(minutes=16)
    remove_all(app)
    assert store.digests() == digests_of(documents(app))
    assert removals(app) == 0


def test_erasure_in_the_scope_of_a_campus_notes_the_objects_of_its_badges(
    app: App, awards: list[uuid.UUID], store: FakeStore
) -> None:
    move_all(app)
    erase(app, awards[0], everywhere=False)
    with app.unit_of_work(reading=True) as services:
        rows = services.stores.session.exec(select(ObjectRemoval)).all()
    assert [(each.award_id, each.campus_id) for each in rows] == [(awards[0], app.campus.id)]


# --- guards of the database itself

FORGED = [
    "UPDATE signed_credential SET embedded = NULL WHERE embedded IS NOT NULL",
    "UPDATE signed_credential SET token = NULL WHERE token IS NOT NULL",
    "UPDATE signed_credential SET embedded = NULL, token = NULL, embedded_digest = token_digest",
    "UPDATE newer_credential SET embedded = NULL, token = NULL, edition = edition + 1",
    "UPDATE newer_credential SET token = 'x'",
    "UPDATE signed_credential SET token_digest = embedded_digest",
]


@pytest.mark.parametrize("statement", FORGED)
def test_database_lets_both_forms_leave_together_and_changes_nothing_else(
    app: App, store: FakeStore, statement: str
) -> None:
    with pytest.raises(DatabaseError, match="never changes"), app.owner.begin() as connection:
        connection.execute(text(statement))


def test_database_lets_nothing_else_come_back(app: App, store: FakeStore) -> None:
    """SQLite, which has no SHA-256, sees one form alone; PostgreSQL compares both with their digests."""
    move_all(app)
    also = "" if app.owner.dialect.name == "sqlite" else ", token = 'x'"
    with pytest.raises(DatabaseError, match="never changes"), app.owner.begin() as connection:
        connection.execute(text(f"UPDATE signed_credential SET embedded = 'x'{also}"))
