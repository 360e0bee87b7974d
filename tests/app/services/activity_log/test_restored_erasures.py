"""A restore erases again people erased since the backup, but nothing awarded to them afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from app.domain.people import Role
from app.errors import Conflict
from app.services.activity_log.log_check import Older
from app.services.people.privacy import ErasureService
from app.services.people.restored_erasures import RestoredErasures
from tests.app.services.activity_log.test_restoring import faults
from tests.support.app import COMMAND, App
from tests.support.content.restores import ADA, REASON, ROOF, given, withdraw
from tests.support.databases.copies import Backup, drop_copies

ASKED = "Demande reçue par courrier."


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def person_of(app: App, award_id: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).person.id


def erase(app: App, person_id: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.erasures.process_chunk(app.campus, person_id, ASKED, by=COMMAND).id


def is_there(app: App, person_id: uuid.UUID) -> bool:
    with app.process.repair(reading=True) as services:
        return bool(services.stores.recovery.there("person", [person_id]))


def restore(copy: App):
    return copy.process.put_back(copy.campus, REASON, by=COMMAND)


def behind(copy: App) -> list[Older]:
    return [each.older for each in copy.process.compare_with_anchors(thorough=True)]


def test_restore_that_was_interrupted_erases_when_run_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    awards = given(app, ROOF), given(app, ADA)
    people = [person_of(app, each) for each in awards]
    backup = Backup(app)
    for person_id in people:
        erase(app, person_id)
    with backup.restored() as copy:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        for service, name in ((RestoredErasures, "repeat"), (ErasureService, "erase_in_copy")):
            with monkeypatch.context() as during:
                during.setattr(service, name, killed)
                try:
                    restore(copy)
                except KeyboardInterrupt:
                    assert behind(copy) != []
        restore(copy)
        assert behind(copy) == []
        assert [is_there(copy, each) for each in people] == [False, False]
        assert [copy.client().get(f"/attributions/{each}.json").status_code for each in awards] == [410, 410]
        assert faults(copy) == []


def test_former_team_member_who_was_erased_does_not_come_back(app: App) -> None:
    with app.unit_of_work() as services:
        person_id = services.people.add_staff(
            app.campus,
            given_name="Paul",
            family_name="Parti",
            address="paul@exemple.fr",
            role=Role.TRAINER,
            by=COMMAND,
        ).id
    backup = Backup(app)
    with app.unit_of_work() as services:
        person = services.stores.people.get(person_id)
        services.invitations.memberships.take_back(app.campus, person, Role.TRAINER, by=COMMAND)
    erase(app, person_id)
    with backup.restored() as copy:
        assert restore(copy).not_erased == set()
        assert (is_there(copy, person_id), behind(copy)) == (False, [])


def test_award_made_after_an_erasure_comes_back_and_can_be_withdrawn(app: App) -> None:
    with app.unit_of_work() as services:
        person_id = services.people.add_staff(
            app.other_campus,
            given_name="Rémi",
            family_name="Roux",
            address="remi@exemple.fr",
            role=Role.TRAINER,
            by=COMMAND,
        ).id
    before = given(app, ROOF)
    backup = Backup(app)
    since = given(app, ROOF)
    erase(app, person_id)
    after = given(app, ROOF)
    assert person_of(app, after) == person_id
    signed = app.client().get(f"/attributions/{after}.json").content
    with backup.restored() as copy:
        done = restore(copy)
        assert (done.awards, done.not_erased, behind(copy)) == (1, set(), [])
        with copy.unit_of_work(reading=True) as services:
            assert services.verification.verify(signed).record is not None
            assert services.stores.awards.find(since) is None
        assert copy.client().get(f"/attributions/{before}.json").status_code == 410
        assert faults(copy) == []
        withdraw(copy, after)
        with copy.unit_of_work(reading=True) as services:
            assert services.verification.verify(signed).report.verdict.value == "invalid"


def test_erasure_that_fails_is_reported_and_stops_no_other(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (person_of(app, given(app, each)) for each in (ROOF, ADA))
    backup = Backup(app)
    for person_id in (first, second):
        erase(app, person_id)
    with backup.restored() as copy:
        repeat = RestoredErasures.repeat

        def fails(self, campus, erased, erasure, *, by) -> None:
            repeat(self, campus, erased, erasure, by=by)
            if erased.person_id == first:
                raise Conflict("refused")

        with monkeypatch.context() as during:
            during.setattr(RestoredErasures, "repeat", fails)
            assert restore(copy).not_erased == {first}
        assert [is_there(copy, each) for each in (first, second)] == [True, False]
        assert behind(copy) == [Older.ERASED_THERE]
        assert copy.client(copy.trainer).get("/gestion/itip").status_code == 503
        assert restore(copy).not_erased == set()
        assert (is_there(copy, first), behind(copy), faults(copy)) == (False, [], [])


def test_proof_of_an_erasure_comes_back_under_its_reference(app: App) -> None:
    given(app, ADA)
    backup = Backup(app)
    erasure_id = erase(app, person_of(app, given(app, ROOF)))
    with backup.restored() as copy:
        restore(copy)
        with copy.unit_of_work(reading=True) as services:
            result = services.erasure_proofs.get(erasure_id)
            assert (result.erasure.reason, result.erasure.badges, result.is_signed) == (ASKED, 1, True)


def test_erasure_beyond_a_gap_of_the_journal_is_done_and_gets_a_line_of_the_next_log(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id = person_of(app, given(app, ROOF))
    backup = Backup(app)
    with monkeypatch.context() as lost:
        lost.setattr(type(app.process.journal), "append", lambda *_: None)
        given(app, ADA)
    erasure_id = erase(app, person_id)
    with backup.restored() as copy:
        done = restore(copy)
        assert (done.reconciled is None, is_there(copy, person_id), behind(copy)) == (False, False, [])
        with copy.unit_of_work(reading=True) as services:
            result = services.erasure_proofs.get(erasure_id)
            assert (result.is_signed, services.erasure_proofs.origin_of(result.erasure)[-2:]) == (True, "/2")
