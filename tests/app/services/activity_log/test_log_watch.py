"""Log monitoring: cosignatures of witnesses, reviews, timely checkpoints, and a new log after a restore."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, text

from app.adapters.folders.log_files import WitnessFolder
from app.domain.activity_log import EntryKind, leaf_of
from app.errors import Conflict, InvalidInput
from app.jobs.kinds import CHECKPOINTS, REVIEWS
from app.services.activity_log import LogOutOfStep
from app.services.activity_log.log_check import Fault, Span, derive_span
from app.services.activity_log.log_monitoring import cosign_log
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.transparency_log.notes import Frontier, Note, NoteKey, TreeHead, cosign
from tests.app.services.activity_log.test_activity_log import checkpoint, facts, record, tamper
from tests.support.app import COMMAND, App, asked_of

JOURNAL = "/campus/itip/journal"
HAND_IN = "/api/v1/campuses/itip/log/cosignatures"


@dataclass(frozen=True)
class Served:
    """A log read through its public addresses."""

    client: TestClient

    def read(self, path: str) -> bytes:
        answer = self.client.get(f"{JOURNAL}/{path}")
        if answer.status_code != 200:
            raise DocumentUnavailable(path, str(answer.status_code))
        return answer.content


@pytest.fixture
def client(app: App) -> TestClient:
    return app.client()


def named(app: App, witness: WitnessFolder, label: str = "Campus AGT") -> None:
    with app.unit_of_work() as services:
        services.log_watch.name_witness(app.campus, witness.key().public.to_vkey(), label, by=COMMAND)


def cosigned(app: App, client: TestClient, witness: WitnessFolder) -> Note:
    key = NoteKey.from_vkey(client.get(f"{JOURNAL}/key").text)
    return cosign_log(Served(client), key, witness, witness.key(), at=app.clock()).note


def test_cosignature_of_a_witness_is_accepted_shown_and_in_every_proof(
    app: App, client: TestClient, witness: WitnessFolder
) -> None:
    record(app, 3)
    checkpoint(app)
    named(app, witness)
    note = cosigned(app, client, witness)
    for _ in range(2):  # the second submission changes nothing
        result = client.post(HAND_IN, json={"checkpoint": note.to_text()})
        assert result.status_code == 200, result.text
        assert (result.json()["witness"], result.json()["size"]) == ("temoin.exemple.fr", 5)
    assert client.get(f"{JOURNAL}/checkpoint").text == note.to_text()
    assert "temoin.exemple.fr" in client.get(f"{JOURNAL}/0.tlog-proof").text
    shown = client.get(JOURNAL).text
    assert "Campus AGT" in shown
    assert "Personne d’extérieur" not in shown


def test_cosignature_by_another_or_of_a_foreign_checkpoint_is_refused(
    app: App, client: TestClient, witness: WitnessFolder
) -> None:
    record(app, 3)
    checkpoint(app)
    note = cosigned(app, client, witness)
    assert client.post(HAND_IN, json={"checkpoint": note.to_text()}).status_code == 403
    named(app, witness)
    head = TreeHead.from_text(note.text)
    for text_ in (
        TreeHead(head.origin, 9, head.root).to_text(),
        TreeHead(head.origin, head.size, b"\x01" * 32).to_text(),
        TreeHead("ailleurs.exemple.fr/campus/itip/journal", head.size, head.root).to_text(),
        note.text + "a line more\n",
    ):
        key = witness.key()
        forged = Note(text_, (cosign(text_, key.name, key.key, at=app.clock()),))
        assert client.post(HAND_IN, json={"checkpoint": forged.to_text()}).status_code == 409, text_
    key = witness.key()
    ahead = cosign(note.text, key.name, key.key, at=app.clock() + timedelta(hours=1))
    for wrong in (Note(note.text, (ahead,)).to_text(), note.to_text()[:-8], "x", note.text):
        assert client.post(HAND_IN, json={"checkpoint": wrong}).status_code == 422, wrong
    with app.unit_of_work() as services:
        services.log_watch.retire_witness(app.campus, "temoin.exemple.fr", by=COMMAND)
    assert client.post(HAND_IN, json={"checkpoint": note.to_text()}).status_code == 403


def test_a_log_key_is_no_witness_and_a_name_has_one_key(
    app: App, witness: WitnessFolder, tmp_path: Path
) -> None:
    record(app, 1)
    checkpoint(app)
    with app.unit_of_work(reading=True) as services:
        own = app.log_key(services).to_vkey()
    other = WitnessFolder(tmp_path / "other")
    other.make_key("temoin.exemple.fr")
    named(app, witness)
    named(app, witness, "Campus AGT, Dijon")
    with app.unit_of_work() as services:
        for vkey in (own, "x", ""):
            with pytest.raises(InvalidInput):
                services.log_watch.name_witness(app.campus, vkey, "Nous", by=COMMAND)
        with pytest.raises(Conflict):
            services.log_watch.name_witness(app.campus, other.key().public.to_vkey(), "X", by=COMMAND)
        assert [each.witness.label for each in services.log_publication.state("itip").witnesses] == [
            "Campus AGT, Dijon"
        ]


def due(app: App) -> list[str]:
    """The campuses with a log that a worker would sign now."""
    return [str(each) for each in CHECKPOINTS.due(app.process)]


def test_a_log_that_grew_is_signed_within_five_minutes_and_not_at_every_line(app: App) -> None:
    for campus_id in CHECKPOINTS.due(app.process):  # the logs of both campuses contain their keys
        CHECKPOINTS.perform(app.process, campus_id)
    record(app, 1, start=1)
    for _ in range(3):
        app.clock.move(minutes=1)
        assert due(app) == []
    app.clock.move(minutes=1)
    assert due(app) == [str(app.campus.id)]
    CHECKPOINTS.perform(app.process, app.campus.id)
    app.clock.move(minutes=10)
    assert due(app) == []


def test_a_log_is_read_again_every_day_and_whenever_an_auditor_asks(app: App) -> None:
    record(app, 300)
    checkpoint(app)

    def review() -> int:
        logs = REVIEWS.due(app.process)
        for log_id in logs:
            REVIEWS.perform(app.process, log_id)
        return len(logs)

    assert [review(), review()] == [2, 0]
    app.clock.move(hours=25)
    assert [review(), review()] == [2, 0]
    app.clock.move(minutes=1)
    with app.unit_of_work() as services:
        services.log_watch.ask_review(app.campus, by=COMMAND)
        services.log_watch.ask_review(app.campus, by=COMMAND)
    tamper(app, "UPDATE log_entry SET kind = 'award' WHERE number = 7")
    assert [review(), review()] == [1, 0]
    with app.unit_of_work(reading=True) as services:
        reviews = services.log_watch.audit(app.campus).reviews
    assert len(reviews) == 3
    assert [Fault.CHANGED_ENTRY.value, "7"] in reviews[0].faults
    assert [each.size for each in reviews] == [302, 302, 302]


def test_the_daily_review_reads_what_was_appended_and_the_whole_log_once_a_week(app: App) -> None:
    record(app, 300)
    read = []
    for day in range(8):
        if day:
            record(app, 20, start=300 + 20 * day)
            app.clock.move(hours=25)
        for log_id in REVIEWS.due(app.process):
            REVIEWS.perform(app.process, log_id)
        with app.unit_of_work(reading=True) as services:
            newest = services.log_watch.audit(app.campus).reviews[0]
        assert newest.faults == []
        read.append((newest.since, newest.size))
    assert read == [(0, 302), *((302 + 20 * n, 322 + 20 * n) for n in range(6)), (0, 442)]
    shown = app.client(app.admin).get("/gestion/itip/audit/journal").text
    assert "Toutes les lignes ont été relues" in shown
    assert "402 à 422" in shown.replace("\xa0", " ").replace("&nbsp;", " ")


def test_audit_page_counts_only_the_lines_after_the_last_review(app: App) -> None:
    correction = dataclasses.replace(facts(1)[0], kind=EntryKind.CORRECTION)
    with app.unit_of_work() as services:
        services.activity_log.record(app.campus, [correction])
    record(app, 300)
    for extra in range(3):
        record(app, 20, start=1000 + 20 * extra)
        for log_id in REVIEWS.due(app.process):
            REVIEWS.perform(app.process, log_id)
        app.clock.move(hours=25)
    record(app, 7, start=2000)
    with asked_of(app) as asked, app.unit_of_work(reading=True) as services:
        found = services.log_watch.audit(app.campus)
        assert found.log is not None
        assert found.kinds == {"key": 2, "correction": 1, "participation": 367}
        assert sum(found.kinds.values()) == found.log.size
        assert [each.entry.kind for each in found.corrections] == [EntryKind.CORRECTION]
        [(_, values)] = [each for each in asked if "count(" in each[0].lower()]
        assert found.log.size - 7 in (values.values() if isinstance(values, dict) else values)
        [page, *_] = [each for each in asked if "log_payload" in each[0]]
        connection = services.stores.session.connection()
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = str([*connection.exec_driver_sql(f"{explain} {page[0]}", page[1])])
    assert "log_corrections_and_erasures" in plan, plan


def test_review_dated_by_a_clock_running_ahead_does_not_put_off_the_next(app: App) -> None:
    record(app, 30)

    def review() -> list[uuid.UUID]:
        due = list(REVIEWS.due(app.process))
        for log_id in due:
            REVIEWS.perform(app.process, log_id)
        return due

    assert review()
    app.clock.move(days=400)
    assert review()
    app.clock.move(days=-398)
    with app.unit_of_work(reading=True) as services:
        assert services.log_watch.reviews_due()


def test_a_fault_is_found_again_until_it_is_gone(app: App) -> None:
    record(app, 300)
    found = []
    for day in range(3):
        if day == 1:
            tamper(app, "UPDATE log_entry SET kind = 'award' WHERE number = 7")
            with app.unit_of_work() as services:
                services.log_watch.ask_review(app.campus, by=COMMAND)
        for log_id in REVIEWS.due(app.process):
            REVIEWS.perform(app.process, log_id)
        app.clock.move(hours=25)
        with app.unit_of_work(reading=True) as services:
            newest = services.log_watch.audit(app.campus).reviews[0]
        found.append((newest.since, newest.faults))
    fault = [Fault.CHANGED_ENTRY.value, "7"]
    assert [since for since, _ in found] == [0, 0, 0]
    assert [fault in faults for _, faults in found] == [False, True, True]


def check_new(app: App) -> tuple[list[range], list[tuple[Fault, str]]]:
    """The entries that a check since the last review reads, and its faults; a full review if there was none."""
    read: list[range] = []
    with app.unit_of_work() as services:
        log = services.log_watch.logs(app.campus)[-1]
        since = services.log_watch.last_intact(log.id)

        def spans(log_id: uuid.UUID, ranges: Sequence[range]) -> Iterator[Span]:
            read.extend(ranges)
            return (derive_span(services.activity_log.store, log_id, each) for each in ranges)

        faults = services.log_watch.check(log, spans, since=since)
        if not faults:
            services.log_watch.note_review(log, faults, since=since, by=COMMAND)
    return read, [(each.fault, each.where) for each in faults]


def test_a_check_since_the_last_review_reads_the_new_lines_alone(app: App) -> None:
    size = 0
    for count in (252, 1, 1, 1, 1, 256, 3):
        record(app, count, start=size)
        before, size = size, checkpoint(app).size
        assert check_new(app) == ([range(before, size)], [])
    assert check_new(app) == ([], [])


@pytest.mark.parametrize("since", [1, 255, 256, 257, 600])
def test_a_check_since_the_last_review_reads_the_tiles_and_checkpoints_after_it_alone(
    app: App, since: int
) -> None:
    record(app, 200)
    checkpoint(app)
    record(app, 500, start=200)
    checkpoint(app)
    with app.unit_of_work(reading=True) as services:
        store, log = services.activity_log.store, services.log_watch.logs(app.campus)[-1]
        tiles = [(level, at) for level, at in store.tile_places(log.id) if at >= since >> 8 * (level + 1)]
        assert sorted(store.tile_places(log.id, since=since)) == sorted(tiles)
        sizes = [each.size for each in store.checkpoints(log.id)]
        later = [each.size for each in store.checkpoints(log.id, since=since)]
    assert later == [size for size in sizes if size >= since]


@pytest.mark.parametrize(
    ("statement", "read", "fault"),
    [
        (
            "UPDATE log_entry SET kind = 'award' WHERE number = 310",
            [range(302, 312)],
            (Fault.CHANGED_ENTRY, "310"),
        ),
        # At the right edge of what was read, the whole log is read to name it.
        (
            "UPDATE log_entry SET leaf_hash = commitment WHERE number = 290",
            [range(312)],
            (Fault.CHANGED_ENTRY, "290"),
        ),
        ("UPDATE log_tile SET root = hashes WHERE place = 0", [range(312)], (Fault.CHANGED_TILE, "tile/0/0")),
        ("UPDATE log_review SET size = 301", [range(312)], (Fault.CHANGED_BEFORE, "301")),
    ],
)
def test_check_names_changes_since_the_last_review(
    app: App, statement: str, read: list[range], fault: tuple[Fault, str]
) -> None:
    record(app, 300)
    checkpoint(app)
    assert check_new(app) == ([range(302)], [])
    record(app, 10, start=300)
    tamper(app, statement)
    found = check_new(app)
    assert found[0] == read
    assert fault in found[1]


def test_auditor_reads_the_log_and_the_faults_of_the_last_review(app: App) -> None:
    client = app.client(app.admin)
    record(app, 300)
    checkpoint(app)
    assert "Pas encore relu" in client.get("/gestion/itip/audit/journal").text
    tamper(app, "UPDATE log_entry SET kind = 'award' WHERE number = 7")
    for log_id in REVIEWS.due(app.process):
        REVIEWS.perform(app.process, log_id)
    shown = client.get("/gestion/itip/audit/journal").text
    assert "La ligne 7 a changé." in shown


def test_restored_log_is_not_signed_until_a_new_log_records_the_loss(app: App) -> None:
    """A restore leaves fewer lines than were signed; here the database owner deletes them."""
    record(app, 5)
    signed = checkpoint(app)
    tamper(app, "DELETE FROM log_entry WHERE number = 6")
    tamper(app, "DELETE FROM log_payload WHERE number = 6")
    tamper(app, "DELETE FROM log_checkpoint WHERE size = 7")
    edge = app_edge(app)
    with app.owner.begin() as connection:
        shortened = connection.execute(
            text("UPDATE campus_log SET size = 6, edge = :edge WHERE size = 7"), {"edge": edge}
        )
        assert shortened.rowcount == 1
    record(app, 1, start=6)
    record(app, 1, start=7)
    with pytest.raises(LogOutOfStep):
        checkpoint(app)
    with app.unit_of_work() as services:
        done = services.log_reconciliation.reconcile(app.campus, "Sauvegarde de la veille.", by=COMMAND)
        assert (done.kept, done.signed) == (8, signed)
        [(entry, payload)] = services.log_watch.watch.recent_of_kind(
            done.opened.log_id, EntryKind.CORRECTION, limit=5
        )
        assert payload is not None
        assert (entry.number, payload.facts["reason"]) == (1, "Sauvegarde de la veille.")
    head = checkpoint(app)
    assert (head.origin, head.size) == ("localhost:8000/campus/itip/journal/2", 2)
    client = app.client()
    assert TreeHead.from_text(Note.from_text(client.get(f"{JOURNAL}/2/checkpoint").text).text) == head
    assert "Journaux clos" in client.get(JOURNAL).text
    with app.unit_of_work() as services, pytest.raises(Conflict, match="rien n’est à réconcilier"):
        services.log_reconciliation.reconcile(app.campus, "Encore.", by=COMMAND)


def app_edge(app: App) -> bytes:
    """The frontier of the six remaining lines."""
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        frontier = Frontier()
        for entry in services.activity_log.store.entries(log.id, 0, 6):
            frontier.append(leaf_of(entry).hash())
    return frontier.to_bytes()


def test_a_log_is_not_searched_for_kinds_that_it_does_not_hold(app: App) -> None:
    app.award("Zoé Martin;zoe@exemple.fr")
    asked = list[str]()
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: asked.append(result[2]))
    with app.unit_of_work(reading=True) as services:
        found = services.log_watch.audit(app.campus)
    assert found.kinds[EntryKind.AWARD] == 1
    assert (list(found.corrections), list(found.erasures)) == ([], [])
    assert not [each for each in asked if "log_entry.kind = " in each]
