"""A restored backup never makes a withdrawn badge valid, and loses nothing that the anchor folder has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.container import problems_of
from app.domain.awards import AwardState
from app.domain.badges import BadgeKind
from app.errors import AppError, Unavailable
from app.language import speaking
from app.services.activity_log.log_check import LogCheck, Older, OlderCopy
from app.services.badges import Wording
from sceau_credentials import verify
from sceau_credentials.status_list import sequence_of
from sceau_credentials.values import parse_json_object
from tests.support.app import COMMAND, App
from tests.support.content.restores import (
    ADA,
    PUBLIC,
    REASON,
    ROOF,
    bit,
    given,
    place_of,
    withdraw,
)
from tests.support.databases.copies import Backup, drop_copies


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def test_list_that_the_anchor_folder_lacks_is_not_served_from_an_older_copy(app: App) -> None:
    """The older copy would show R as valid to verifiers; the list is not signed until it has R's bit again."""
    r = given(app, ROOF)
    list_id, position = place_of(app, r)
    backup = Backup(app)
    withdraw(app, r)
    (app.process.anchors.folder / "lists" / list_id.hex).unlink()
    with backup.restored() as copy:
        client = copy.client()
        for days in (0, 30):
            copy.clock.move(hours=24 * days)
            for accept in ("application/vc", "application/vc+jwt"):
                answer = client.get(f"/statuts/{list_id}", headers={"accept": accept})
                assert answer.status_code == 503
        with pytest.raises(OlderCopy), copy.unit_of_work() as services:
            services.status.refresh(list_id)
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        copy.process.compare_with_anchors(thorough=True)
        assert bit(client, list_id, position)


def test_withdrawal_that_the_recovery_journal_alone_knows_is_not_lost(app: App) -> None:
    """A copy of the anchor folder that was made while it changed may have newer lines than heads and lists."""
    r = given(app, ROOF)
    list_id, position = place_of(app, r)
    anchors = app.process.anchors.folder
    kept = {
        path: path.read_bytes()
        for path in [*anchors.iterdir(), *(anchors / "lists").iterdir()]
        if path.is_file()
    }
    backup = Backup(app)
    withdraw(app, r)
    for path, content in kept.items():
        path.write_bytes(content)
    with backup.restored() as copy:
        client = copy.client()
        assert client.get("/health/ready").status_code == 503
        assert [client.get(path.format(r)).status_code for path in PUBLIC] == [503] * len(PUBLIC)
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.process.compare_with_anchors(thorough=True) == []
        assert bit(client, list_id, position)
        with copy.unit_of_work(reading=True) as services:
            assert services.awards.record(r).award.state is AwardState.REVOKED


def test_restore_drill(app: App) -> None:
    """Backup, withdraw R, award A, restore: R is valid nowhere, at any time; A can be withdrawn afterwards."""
    r = given(app, ROOF)
    list_id, position = place_of(app, r)
    backup = Backup(app)
    withdraw(app, r)
    a = given(app, ADA)
    _, position_of_a = place_of(app, a)
    signed_a = app.client().get(f"/attributions/{a}.json").content

    with backup.restored() as copy:
        client = copy.client()
        ready = client.get("/health/ready")
        assert (ready.status_code, "sceau restore" in ready.text) == (503, True)
        assert bit(client, list_id, position)
        assert not bit(client, list_id, position_of_a)
        for path in PUBLIC:
            assert client.get(path.format(r)).status_code in (404, 503), path
        with pytest.raises(OlderCopy):
            given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        with pytest.raises(OlderCopy):
            withdraw(copy, r)

        with copy.process.repair(reading=True) as services:
            missing = services.restoring.missing(copy.campus)
        assert (missing.withdrawals, missing.awards, missing.unjournaled) == (1, 1, 0)
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.withdrawals, done.reconciled) == (1, 1, None)
        assert copy.process.compare_with_anchors(thorough=True) == []

        assert client.get("/health/ready").status_code == 200
        assert bit(client, list_id, position)
        with copy.unit_of_work(reading=True) as services:
            record = services.awards.record(r)
            assert (record.award.state, record.award.revoked_reason) == (
                AwardState.REVOKED,
                "Donné par erreur.",
            )
            assert services.verification.verify_award(record).report.verdict.value == "invalid"
            assert services.awards.record(a).award.state is AwardState.ISSUED
            assert services.verification.verify(signed_a).report.verdict.value == "valid"
        assert faults(copy) == []

        withdraw(copy, a, "Donné deux fois.")
        assert bit(client, list_id, position_of_a)
        with copy.unit_of_work(reading=True) as services:
            assert services.verification.verify(signed_a).report.verdict.value == "invalid"


def faults(app: App) -> list[object]:
    with app.unit_of_work(reading=True) as services:
        store = services.activity_log.store
        log = store.find(app.campus.id)
        assert log is not None
        keys = services.log_keys.keys(app.campus, log)
        return list(LogCheck(store, log, keys, app.process.anchors).run())


def test_restored_award_and_suspension_are_shown_with_what_the_log_proves(app: App) -> None:
    """Each edition refers to a log size; the backup has no checkpoint of that size."""
    r = given(app, ROOF)
    before = app.client().get(f"/attributions/{r}.json").content
    backup = Backup(app)
    a = given(app, ADA)
    with app.unit_of_work() as services:
        until = services.clock() + timedelta(days=3)
        services.suspensions.suspend(app.campus, r, "À vérifier.", until=until, by=COMMAND)
    given(app, "Zoé N’Diaye; zoe@exemple.fr")
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        client = copy.client()
        for award_id in (a, r):
            for path in (*PUBLIC, "/preuves/{}", "/attributions/{}.svg"):
                answer = client.get(path.format(award_id), headers={"accept": "text/html, */*"})
                suspended_in_2 = award_id == r and path.startswith("/ob2")
                assert answer.status_code == (404 if suspended_in_2 else 200), (path, answer.text[:300])
            package = client.get(f"/attributions/{award_id}.zip").content
            report = client.post("/api/v1/verify", content=package).json()
            assert (report["verdict"], report["evidence"]["outcome"]) == (
                ("valid" if award_id == a else "invalid"),
                "proved",
            )
        answer = client.post("/api/v1/verify", content=before)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "invalid")
        assert copy.process.compare_with_anchors(thorough=True) == []


def test_restored_award_from_before_a_new_log_key_is_not_reported_as_altered(app: App) -> None:
    backup = Backup(app)
    a = given(app, ADA)
    app.clock.now += timedelta(minutes=3)
    with app.unit_of_work() as services:
        services.campus_keys.retire_active_of_the_log(app.campus, reason=REASON, by=COMMAND)
    given(app, ROOF)
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        client = copy.client()
        assert client.get(f"/attributions/{a}", headers={"accept": "text/html"}).status_code == 200
        report = client.post("/api/v1/verify", content=client.get(f"/attributions/{a}.json").content).json()
        assert (report["verdict"], report["evidence"]["outcome"]) == ("valid", "unread")


def test_new_badge_new_key_and_new_person_come_back_with_their_award(app: App) -> None:
    given(app, ROOF)
    backup = Backup(app)
    with app.unit_of_work() as services:
        key = services.campuses.keys_of(app.campus)
        (old,) = [each for each in key if each.purpose.value == "credential"]
        services.campus_keys.retire(app.campus, old.id, reason="Le relais de chaque année.", by=COMMAND)
        wording = Wording(BadgeKind.PARTICIPATION, "Nouveau badge", "Ce que dit ce badge.", "La personne a pris sa part de l’activité, devant qui l’animait.")  # fmt: skip
        badge = services.badges.create(app.campus, wording, slug="nouveau", by=COMMAND)
    a = given(app, ADA, badge)
    signed = app.client().get(f"/attributions/{a}.json").content
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.keys, done.unregistered) == (1, 2, set())
        with copy.unit_of_work(reading=True) as services:
            assert services.awards.record(a).person.name == "Ada Martin"
            assert services.verification.verify(signed).report.verdict.value == "valid"
        assert given(copy, "Zoé N’Diaye; zoe@exemple.fr")


def test_restore_without_the_journal_closes_the_log_and_withdraws_all_the_same(app: App) -> None:
    r = given(app, ROOF)
    list_id, position = place_of(app, r)
    backup = Backup(app)
    withdraw(app, r)
    a = given(app, ADA)
    _, position_of_a = place_of(app, a)
    for path in (app.process.journal.folder / app.campus.id.hex).iterdir():
        path.unlink()
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.withdrawals, done.reconciled is None) == (0, 1, False)
        client = copy.client()
        assert client.get("/health/ready").status_code == 200
        assert bit(client, list_id, position)
        # No other award gets the status position of the lost award.
        z = given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        assert place_of(copy, z) != (list_id, position_of_a)
        assert place_of(copy, z)[0] != list_id


def test_award_that_nothing_else_holds_is_registered_from_its_signed_file(app: App) -> None:
    given(app, ROOF)
    backup = Backup(app)
    a = given(app, ADA)
    list_id, position = place_of(app, a)
    signed = app.client().get(f"/attributions/{a}.json").content
    picture = app.client().get(f"/attributions/{a}.png").content
    for path in (app.process.journal.folder / app.campus.id.hex).iterdir():
        path.unlink()
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        for content, refusal in (
            (signed.replace(b"Ada Martin", b"Eve Martin"), "signature"),
            (b"{}", "campus de ce service"),
            (b"nothing", "JSON"),
        ):
            with pytest.raises(AppError, match=refusal), copy.unit_of_work() as services:
                services.registration.register(content, by=COMMAND)
        with copy.unit_of_work() as services:
            services.registration.register(picture, by=COMMAND)
        with pytest.raises(AppError, match="déjà"), copy.unit_of_work() as services:
            services.registration.register(signed, by=COMMAND)
        withdraw(copy, a)
        assert bit(copy.client(), list_id, position)
        with copy.unit_of_work(reading=True) as services:
            assert services.verification.verify(signed).report.verdict.value == "invalid"
            assert services.awards.record(a).person.name == "Ada Martin"


def test_restoring_twice_changes_nothing_the_second_time(app: App) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    withdraw(app, r)
    given(app, ADA)
    with backup.restored() as copy:
        first = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        again = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (first.awards, again.awards, again.withdrawals, again.lines) == (1, 0, 0, 0)
        assert copy.process.compare_with_anchors(thorough=True) == []


def test_erased_person_is_found_in_the_copy_and_erased_again(app: App) -> None:
    r = given(app, ROOF)
    with app.unit_of_work(reading=True) as services:
        person_id = services.awards.record(r).person.id
    backup = Backup(app)
    with app.unit_of_work() as services:
        services.erasures.process_chunk(app.campus, person_id, "Demande reçue par courrier.", by=COMMAND)
    with backup.restored() as copy:
        with copy.process.repair(reading=True) as services:
            assert services.restoring.missing(copy.campus).erasures == 1
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.client().get(f"/attributions/{r}.json").status_code == 410


def test_person_awarded_and_erased_since_does_not_come_back(app: App) -> None:
    given(app, ROOF)
    backup = Backup(app)
    a = given(app, ADA)
    with app.unit_of_work() as services:
        person_id = services.awards.record(a).person.id
        services.erasures.process_chunk(app.campus, person_id, "Demande reçue par courrier.", by=COMMAND)
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.reconciled) == (0, None)
        with copy.unit_of_work(reading=True) as services:
            assert services.stores.awards.find(a) is None
            assert services.activity_log.store.payloads_about(person_id) == []
        assert faults(copy) == []


def test_frames_missing_after_a_crash_are_written_from_the_database(app: App) -> None:
    given(app, ROOF)
    backup = Backup(app)
    journal = app.process.journal
    append, journal.append = journal.append, lambda _frame: None
    a = given(app, ADA)
    journal.append = append
    app.process.check()
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.reconciled) == (1, None)
        withdraw(copy, a)


def test_sequence_grows_with_each_signature_and_is_in_the_signed_list(app: App) -> None:
    r = given(app, ROOF)
    list_id, _ = place_of(app, r)

    def edition() -> int | None:
        with app.unit_of_work(reading=True) as services:
            return sequence_of(parse_json_object(services.status.published(list_id).embedded))

    before = edition()
    withdraw(app, r)
    assert (before, edition()) == (1, 2)
    anchored = app.process.anchors.list_of(list_id)
    assert anchored is not None
    assert anchored.signed.sequence == 2


def test_transaction_that_is_rolled_back_moves_no_anchor(app: App) -> None:
    r = given(app, ROOF)
    list_id, _ = place_of(app, r)

    def withdraw_and_fail() -> None:
        with app.unit_of_work() as services:
            services.status.raise_for(app.campus, [r], at=app.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        withdraw_and_fail()
    assert app.process.anchors.list_of(list_id).signed.sequence == 1
    app.process.check()
    assert app.process.behind == {}


def test_anchor_missing_after_a_crash_is_written_at_the_next_start(app: App) -> None:
    r = given(app, ROOF)
    list_id, _ = place_of(app, r)
    app.process.check()
    with app.unit_of_work() as services:
        services.status.settle = lambda: None  # the process is killed between commit and anchor
        services.activity_log.settle = lambda: None
        services.status.raise_for(app.campus, [r], at=app.clock())
    assert app.process.anchors.list_of(list_id).signed.sequence == 1
    app.process.check()
    assert (app.process.behind, app.process.anchors.list_of(list_id).signed.sequence) == ({}, 2)


def test_withdrawal_succeeds_with_a_full_anchor_folder_and_readiness_reports_it(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = given(app, ROOF)
    list_id, position = place_of(app, r)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("app.adapters.folders.log_files.write_whole", full)
        with speaking("en"):
            withdraw(app, r)
        assert any("le disque est plein" in each for each in problems_of(app.process, writing=False))
        client = app.client()
        ready = client.get("/health/ready")
        assert (ready.status_code, "le disque est plein" in ready.text) == (503, True)
        assert bit(client, list_id, position)
    assert client.get("/health/ready").status_code == 200
    assert app.process.anchors.list_of(list_id).signed.sequence == 2


def test_damaged_anchor_is_named_and_nothing_is_signed_until_it_is_replaced(app: App) -> None:
    r = given(app, ROOF)
    list_id, _ = place_of(app, r)
    path = app.process.anchors.folder / "lists" / list_id.hex
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"sequence":1', b'"sequence":0'))
    app.process.check()
    assert [each.older for each in app.process.behind.values()] == [Older.ANCHOR_DAMAGED]
    ready = app.client().get("/health/ready")
    assert (ready.status_code, list_id.hex in ready.text) == (503, True)
    with pytest.raises(Unavailable):
        withdraw(app, r)
    path.write_bytes(whole)
    app.process.check()
    assert app.process.behind == {}


def test_old_anchor_folder_moves_forward_and_blocks_nothing(app: App) -> None:
    r = given(app, ROOF)
    list_id, _ = place_of(app, r)
    path = app.process.anchors.folder / "lists" / list_id.hex
    old = path.read_bytes()
    withdraw(app, r)
    path.write_bytes(old)
    app.process.check()
    assert (app.process.behind, app.process.anchors.list_of(list_id).signed.sequence) == ({}, 2)


def test_another_campus_goes_on_while_one_is_behind(app: App) -> None:
    r = given(app, ROOF)
    backup = Backup(app)
    withdraw(app, r)
    with backup.restored() as copy:
        assert set(copy.process.behind) == {copy.campus.id}
        assert copy.client(copy.stranger).get("/gestion/agt").status_code == 200
        refused = copy.client(copy.trainer).get("/gestion/itip")
        assert (refused.status_code, "sauvegarde" in refused.text) == (503, True)


def test_report_of_the_verifier_on_the_uploaded_file_is_never_valid(app: App) -> None:
    """As a foreign verifier: it fetches the issuer's keys and our list."""
    r = given(app, ROOF)
    signed = app.client().get(f"/attributions/{r}.json").content
    backup = Backup(app)
    withdraw(app, r)
    with backup.restored() as copy:
        client = copy.client()
        with copy.unit_of_work(reading=True) as services:
            report = verify(signed, documents=services.verification.documents, at=copy.clock())
        assert report.verdict.value == "invalid"
        assert client.get("/health/ready").status_code == 503
