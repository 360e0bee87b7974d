"""A restored backup never makes a withdrawn badge good, and loses nothing that the anchor folder holds."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select, update

from app.credentials import verify
from app.credentials.json_text import parse_json_object
from app.credentials.status_list import read_list, sequence_of
from app.domain.award_evidence import Shown
from app.domain.awards import Award, AwardState, Visibility
from app.domain.badges import Kind
from app.domain.consents import About, Consent
from app.domain.endorsements import Endorsed, Endorsement
from app.domain.guardians import ParentAgreement
from app.domain.letters import Occasion, PromisedLetter
from app.domain.organisations import Organisation
from app.domain.recovery import NO_CAMPUS
from app.errors import AppError, Unavailable
from app.services.anchor_check import Older, OlderCopy
from app.services.badges import Wording
from app.services.log_check import LogCheck
from app.services.withdrawals import WithdrawalRequest
from tests.support.copies import Backup, drop_copies
from tests.support.house import COMMAND, House

ROOF, ADA = "Rémi Roux; remi@exemple.fr", "Ada Martin; ada@exemple.fr"
REASON = "Disque perdu, sauvegarde de la veille."


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def given(house: House, person: str, badge=None) -> uuid.UUID:
    award_id = house.award(person, badge=badge, evidence="A mené l’atelier.").lines[0].award_id
    assert award_id is not None
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    return award_id


def withdraw(house: House, award_id: uuid.UUID, reason: str = "Donné par erreur.") -> None:
    with house.unit_of_work() as services:
        promise = services.withdrawals.promise(
            house.campus, WithdrawalRequest(reason, (award_id,)), by=COMMAND
        )
    with house.unit_of_work() as services:
        services.withdrawals.carry_out(promise.id)


def place_of(house: House, award_id: uuid.UUID) -> tuple[uuid.UUID, int]:
    with house.unit_of_work(reading=True) as services:
        (slot,) = services.stores.statuses.slots_of([award_id])
    return slot.list_id, slot.position


def bit(client: TestClient, list_id: uuid.UUID, position: int, accept: str = "application/vc") -> bool:
    answer = client.get(f"/statuts/{list_id}", headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return read_list(parse_json_object(answer.content)).status_list.get(position)


PUBLIC = ("/attributions/{}", "/attributions/{}.json", "/attributions/{}.jwt", "/attributions/{}.png",
          "/attributions/{}.zip", "/ob2/attributions/{}", "/attributions/{}/integrer")  # fmt: skip


def test_restore_drill(house: House) -> None:
    """Backup, withdraw R, award A, restore: R is valid nowhere, at any time; A can be withdrawn afterwards."""
    r = given(house, ROOF)
    list_id, position = place_of(house, r)
    backup = Backup(house)
    withdraw(house, r)
    a = given(house, ADA)
    _, position_of_a = place_of(house, a)
    signed_a = house.client().get(f"/attributions/{a}.json").content

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
        assert (done.awards, done.withdrawals, done.reconciled) == (1, 1, False)
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


def faults(house: House) -> list[object]:
    with house.unit_of_work(reading=True) as services:
        store = services.activity_log.store
        log = store.find(house.campus.id)
        assert log is not None
        keys = services.log_keys.keys(house.campus, log)
        return list(LogCheck(store, log, keys, house.process.anchors).run())


def test_new_badge_new_key_and_new_person_come_back_with_their_award(house: House) -> None:
    given(house, ROOF)
    backup = Backup(house)
    with house.unit_of_work() as services:
        key = services.campuses.keys_of(house.campus)
        (old,) = [each for each in key if each.purpose.value == "credential"]
        services.campus_keys.retire(house.campus, old.id, reason="Le relais de chaque année.", by=COMMAND)
        wording = Wording(Kind.PARTICIPATION, "Nouveau badge", "Ce que dit ce badge.", "La personne a pris sa part de l’activité, devant qui l’animait.")  # fmt: skip
        badge = services.badges.create(house.campus, wording, slug="nouveau", by=COMMAND)
    a = given(house, ADA, badge)
    signed = house.client().get(f"/attributions/{a}.json").content
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.keys, done.unregistered) == (1, 2, set())
        with copy.unit_of_work(reading=True) as services:
            assert services.awards.record(a).person.name == "Ada Martin"
            assert services.verification.verify(signed).report.verdict.value == "valid"
        assert given(copy, "Zoé N’Diaye; zoe@exemple.fr")


def test_restore_without_the_journal_closes_the_log_and_withdraws_all_the_same(house: House) -> None:
    r = given(house, ROOF)
    list_id, position = place_of(house, r)
    backup = Backup(house)
    withdraw(house, r)
    a = given(house, ADA)
    _, position_of_a = place_of(house, a)
    for path in (house.process.journal.folder / house.campus.id.hex).iterdir():
        path.unlink()
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.withdrawals, done.reconciled) == (0, 1, True)
        client = copy.client()
        assert client.get("/health/ready").status_code == 200
        assert bit(client, list_id, position)
        # The place of the award that nobody knows any more is given to no other.
        z = given(copy, "Zoé N’Diaye; zoe@exemple.fr")
        assert place_of(copy, z) != (list_id, position_of_a)
        assert place_of(copy, z)[0] != list_id


def test_award_that_nothing_else_holds_is_registered_from_its_signed_file(house: House) -> None:
    given(house, ROOF)
    backup = Backup(house)
    a = given(house, ADA)
    list_id, position = place_of(house, a)
    signed = house.client().get(f"/attributions/{a}.json").content
    picture = house.client().get(f"/attributions/{a}.png").content
    for path in (house.process.journal.folder / house.campus.id.hex).iterdir():
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


def test_restoring_twice_changes_nothing_the_second_time(house: House) -> None:
    r = given(house, ROOF)
    backup = Backup(house)
    withdraw(house, r)
    given(house, ADA)
    with backup.restored() as copy:
        first = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        again = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (first.awards, again.awards, again.withdrawals, again.lines) == (1, 0, 0, 0)
        assert copy.process.compare_with_anchors(thorough=True) == []


def test_erased_person_is_found_in_the_copy_and_erased_again(house: House) -> None:
    r = given(house, ROOF)
    with house.unit_of_work(reading=True) as services:
        person_id = services.awards.record(r).person.id
    backup = Backup(house)
    with house.unit_of_work() as services:
        services.erasures.carry_out(house.campus, person_id, "Demande reçue par courrier.", by=COMMAND)
    with backup.restored() as copy:
        with copy.process.repair(reading=True) as services:
            assert services.restoring.missing(copy.campus).erasures == 1
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.client().get(f"/attributions/{r}.json").status_code == 410


def test_person_awarded_and_erased_since_does_not_come_back(house: House) -> None:
    given(house, ROOF)
    backup = Backup(house)
    a = given(house, ADA)
    with house.unit_of_work() as services:
        person_id = services.awards.record(a).person.id
        services.erasures.carry_out(house.campus, person_id, "Demande reçue par courrier.", by=COMMAND)
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.reconciled) == (0, False)
        with copy.unit_of_work(reading=True) as services:
            assert services.stores.awards.find(a) is None
            assert services.activity_log.store.payloads_about(person_id) == []
        assert faults(copy) == []


def test_frames_that_a_crash_left_out_are_written_from_the_database(house: House) -> None:
    given(house, ROOF)
    backup = Backup(house)
    journal = house.process.journal
    append, journal.append = journal.append, lambda _frame: None
    a = given(house, ADA)
    journal.append = append
    house.process.check()
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert (done.awards, done.reconciled) == (1, False)
        withdraw(copy, a)


def test_sequence_rises_with_each_signature_and_stands_in_what_is_signed(house: House) -> None:
    r = given(house, ROOF)
    list_id, _ = place_of(house, r)

    def edition() -> int | None:
        with house.unit_of_work(reading=True) as services:
            return sequence_of(parse_json_object(services.status.published(list_id).embedded))

    before = edition()
    withdraw(house, r)
    assert (before, edition()) == (1, 2)
    anchored = house.process.anchors.list_of(list_id)
    assert anchored is not None
    assert anchored.signed.sequence == 2


def test_transaction_that_is_rolled_back_moves_no_anchor(house: House) -> None:
    r = given(house, ROOF)
    list_id, _ = place_of(house, r)

    def withdraw_and_fail() -> None:
        with house.unit_of_work() as services:
            services.status.raise_for(house.campus, [r], at=house.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        withdraw_and_fail()
    assert house.process.anchors.list_of(list_id).signed.sequence == 1
    house.process.check()
    assert house.process.behind == {}


def test_anchor_that_a_crash_left_behind_catches_up_at_the_next_start(house: House) -> None:
    r = given(house, ROOF)
    list_id, _ = place_of(house, r)
    house.process.check()
    with house.unit_of_work() as services:
        services.status.settle = lambda: None  # the process is killed between commit and anchor
        services.activity_log.settle = lambda: None
        services.status.raise_for(house.campus, [r], at=house.clock())
    assert house.process.anchors.list_of(list_id).signed.sequence == 1
    house.process.check()
    assert (house.process.behind, house.process.anchors.list_of(list_id).signed.sequence) == ({}, 2)


def test_withdrawal_is_done_while_the_anchor_folder_takes_no_file_and_readiness_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = given(house, ROOF)
    list_id, position = place_of(house, r)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("app.adapters.log_anchors.write_whole", full)
        withdraw(house, r)
        client = house.client()
        ready = client.get("/health/ready")
        assert (ready.status_code, "No space left" in ready.text) == (503, True)
        assert bit(client, list_id, position)
    assert client.get("/health/ready").status_code == 200
    assert house.process.anchors.list_of(list_id).signed.sequence == 2


def test_damaged_anchor_is_named_and_nothing_is_signed_until_it_is_replaced(house: House) -> None:
    r = given(house, ROOF)
    list_id, _ = place_of(house, r)
    path = house.process.anchors.folder / "lists" / list_id.hex
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"sequence":1', b'"sequence":0'))
    house.process.check()
    assert [each.older for each in house.process.behind.values()] == [Older.ANCHOR_DAMAGED]
    ready = house.client().get("/health/ready")
    assert (ready.status_code, list_id.hex in ready.text) == (503, True)
    with pytest.raises(Unavailable):
        withdraw(house, r)
    path.write_bytes(whole)
    house.process.check()
    assert house.process.behind == {}


def test_old_anchor_folder_moves_forward_and_blocks_nothing(house: House) -> None:
    r = given(house, ROOF)
    list_id, _ = place_of(house, r)
    path = house.process.anchors.folder / "lists" / list_id.hex
    old = path.read_bytes()
    withdraw(house, r)
    path.write_bytes(old)
    house.process.check()
    assert (house.process.behind, house.process.anchors.list_of(list_id).signed.sequence) == ({}, 2)


def test_another_campus_goes_on_while_one_is_behind(house: House) -> None:
    r = given(house, ROOF)
    backup = Backup(house)
    withdraw(house, r)
    with backup.restored() as copy:
        assert set(copy.process.behind) == {copy.campus.id}
        assert copy.client(copy.stranger).get("/gestion/agt").status_code == 200
        refused = copy.client(copy.trainer).get("/gestion/itip")
        assert (refused.status_code, "sauvegarde" in refused.text) == (503, True)


def test_report_of_the_verifier_on_the_uploaded_file_is_never_valid(house: House) -> None:
    """What a foreign verifier does: it asks us for the issuer's keys and for our list."""
    r = given(house, ROOF)
    signed = house.client().get(f"/attributions/{r}.json").content
    backup = Backup(house)
    withdraw(house, r)
    with backup.restored() as copy:
        client = copy.client()
        with copy.unit_of_work(reading=True) as services:
            report = verify(signed, documents=services.verification.documents, at=copy.clock())
        assert report.verdict.value == "invalid"
        assert client.get("/health/ready").status_code == 503


# --- what people chose


def choose(house: House, do: Callable[[Any], object]) -> None:
    with house.unit_of_work() as services:
        do(services)


def award_row(house: House, award_id: uuid.UUID) -> Award:
    with house.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).award


def test_page_that_its_holder_closed_since_the_backup_is_open_nowhere(house: House) -> None:
    r = given(house, ROOF)
    backup = Backup(house)
    choose(house, lambda services: services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND))
    closed = [house.client().get(path.format(r)).status_code for path in PUBLIC]
    with backup.restored() as copy:
        assert {each.older for each in copy.process.behind.values()} == {Older.CHOICES}
        client = copy.client()
        assert client.get("/health/ready").status_code == 503
        for path in PUBLIC:
            assert client.get(path.format(r)).status_code in (404, 503), path
        done = copy.process.put_back_choices(REASON, by=COMMAND)
        assert (done.is_whole, done.people_shut) == (True, 0)
        assert copy.process.compare_with_anchors(thorough=True) == []
        assert [client.get(path.format(r)).status_code for path in PUBLIC] == closed
        choose(copy, lambda services: services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND))
        assert award_row(copy, r).visibility is Visibility.OPEN


def test_what_people_chose_since_the_backup_holds_after_the_restore_on_every_form(house: House) -> None:
    r, a, child = (
        given(house, ROOF),
        given(house, ADA),
        given(house, "Zoé N’Diaye; zoe@exemple.fr"),
    )
    at = house.clock()
    organisation = Organisation(
        domain="atelier.exemple.fr", did="did:web:atelier.exemple.fr", name="Atelier", created_at=at
    )
    with house.unit_of_work() as services:
        session, person = services.stores.session, services.awards.record(r).person
        portfolio = services.portfolios.start(person, [r])
        portfolio.is_open = portfolio.is_findable = True
        for each in (r, a):
            award = services.awards.record(each).award
            award.is_findable = award.answers_checks = True
        session.add(organisation)
        session.flush()
        endorsement = Endorsement(
            organisation_id=organisation.id, campus_id=house.campus.id, about=Endorsed.AWARD, award_id=a,
            subject="urn:uuid:1", organisation_name="Atelier", address="a@atelier.exemple.fr", written="{}", signed_at=at,
        )  # fmt: skip
        agreement = ParentAgreement(
            award_id=child,
            person_id=services.awards.record(child).person.id,
            address="p@exemple.fr",
            asked_at=at,
            answered_at=at,
            agreed=True,
        )
        session.add_all([portfolio, endorsement, agreement])
        services.stores.award_evidence.choose(a, 0, Shown.ALL, at=at)
    with house.unit_of_work(reading=True) as services:
        (piece,) = services.stores.portfolios.pieces_of(portfolio.id)
    backup = Backup(house)

    with house.unit_of_work() as services:
        session = services.stores.session
        services.awards.set_visibility(child, Visibility.CLOSED, by=COMMAND)
        services.guardians.answer(services.guardians.token_of(agreement.id), agreed=False)
        changed = services.awards.record(a).award
        changed.is_findable = changed.answers_checks = False
        person = services.awards.record(r).person
        person.accepts_links = person.allows_name = False
        session.add_all([changed, person])
        session.add(
            Consent(person_id=person.id, award_id=r, about=About.PUBLICATION, given=False, wording=1, at=at)
        )
        services.stores.award_evidence.choose(a, 0, Shown.EXISTENCE, at=at)
        shut = services.portfolios.get(portfolio.id)
        services.portfolios.take_out(shut, piece.id)
        services.portfolios.set_open(shut, False)
        session.get(Endorsement, endorsement.id).withdrawn_at = at

    def held(of: House) -> tuple[object, ...]:
        with of.unit_of_work(reading=True) as services:
            session, award = services.stores.session, services.awards.record(a).award
            person = services.awards.record(r).person
            folder = services.stores.portfolios.get(portfolio.id)
            return (
                award.visibility,
                (award.is_findable, award.answers_checks),
                services.awards.record(child).award.visibility,
                (person.accepts_links, person.allows_name),
                [consent.given for consent in services.stores.consents.of_person(person.id)],
                services.stores.award_evidence.shown_of(a),
                (folder.is_open, len(services.stores.portfolios.pieces_of(folder.id))),
                session.get(Endorsement, endorsement.id).withdrawn_at,
                session.get(ParentAgreement, agreement.id).agreed,
            )

    def forms(client: TestClient) -> list[object]:
        pages = [client.get(path.format(each)) for path in PUBLIC for each in (r, a, child)]
        pages.append(client.get(f"/portfolio/{portfolio.id}"))
        return [
            (page.status_code, page.headers.get("x-robots-tag"), "noindex" in page.text) for page in pages
        ]

    chosen, shown = held(house), forms(house.client())
    assert chosen[1:4] == ((False, False), Visibility.CLOSED, (False, False))
    with backup.restored() as copy:
        assert copy.client().get(f"/portfolio/{portfolio.id}").status_code in (404, 503)
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert held(copy) == chosen
        assert forms(copy.client()) == shown


def test_where_the_journal_of_choices_has_a_gap_everything_is_shut_and_its_holder_is_asked(
    house: House,
) -> None:
    r, a = given(house, ROOF), given(house, ADA)
    backup = Backup(house)
    journal = house.process.journal
    for is_lost, award_id in ((True, r), (False, a)):
        choose(
            house,
            lambda services, each=award_id: services.awards.set_visibility(
                each, Visibility.CLOSED, by=COMMAND
            ),
        )
        if is_lost:
            for path in (journal.folder / NO_CAMPUS.hex).iterdir():
                path.unlink()
    choose(house, lambda services: services.awards.set_visibility(a, Visibility.OPEN, by=COMMAND))
    with backup.restored() as copy:
        done = copy.process.put_back_choices(REASON, by=COMMAND)
        assert (done.is_whole, done.people_shut) == (False, 2)
        assert {award_row(copy, each).visibility for each in (r, a)} == {Visibility.CLOSED}
        with copy.unit_of_work(reading=True) as services:
            promised = services.stores.session.exec(
                select(PromisedLetter).where(PromisedLetter.occasion == Occasion.ADDRESS_CHANGED)
            ).all()
        assert {each.address for each in promised} == {"remi@exemple.fr", "ada@exemple.fr"}
        assert copy.process.compare_with_anchors(thorough=True) == []


def test_choice_by_any_statement_is_journaled_and_one_that_is_rolled_back_is_not(house: House) -> None:
    r = given(house, ROOF)

    def newest() -> int:
        with house.unit_of_work(reading=True) as services:
            assert services.choice_journal.head() == services.stores.choices.newest()
            return services.stores.choices.newest()

    before = newest()
    choose(
        house, lambda services: services.stores.session.exec(
            update(Award).where(Award.id == r).values(visibility=Visibility.CLOSED)
        )
    )  # fmt: skip
    assert newest() == before + 1

    def open_and_fail(services: Any) -> None:
        services.awards.set_visibility(r, Visibility.OPEN, by=COMMAND)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        choose(house, open_and_fail)
    assert newest() == before + 1
    choose(house, lambda services: services.stores.session.exec(
        update(Award).where(Award.id == r).values(grounds="3 h")
    ))  # fmt: skip
    assert newest() == before + 1
    with house.process.repair(reading=True) as services:
        assert services.choice_journal.missing().changes == []


def test_choice_whose_frame_a_crash_left_out_is_appended_at_the_next_start(house: House) -> None:
    r = given(house, ROOF)
    backup = Backup(house)
    house.process._journal_choices = lambda: None
    choose(house, lambda services: services.awards.set_visibility(r, Visibility.CLOSED, by=COMMAND))
    house.process.check()
    with backup.restored() as copy:
        assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
        assert award_row(copy, r).visibility is Visibility.CLOSED


# --- an anchor folder without write permission, and a process that is killed


def read_only(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """As on a file system that is mounted read-only, which stops root as well."""
    opened, made = os.open, os.mkdir

    def refuse(path: object) -> None:
        if isinstance(path, str | Path) and Path(path).is_relative_to(folder):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def open_(path: Any, flags: int, *args: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refuse(path)
        return opened(path, flags, *args, **named)

    def mkdir(path: Any, *args: Any, **named: Any) -> None:
        refuse(path)
        made(path, *args, **named)

    patch.setattr(os, "open", open_)
    patch.setattr(os, "mkdir", mkdir)


def test_read_only_anchor_folder_stops_no_withdrawal_and_no_choice_and_is_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    r, a = given(house, ROOF), given(house, ADA)
    list_id, position = place_of(house, r)
    client, backup = house.client(), Backup(house)
    with monkeypatch.context() as disk:
        read_only(house.process.anchors.folder, disk)
        withdraw(house, r)
        choose(house, lambda services: services.awards.set_visibility(a, Visibility.CLOSED, by=COMMAND))
        ready = client.get("/health/ready")
        assert (ready.status_code, os.strerror(errno.EROFS) in ready.text) == (503, True)
        assert bit(client, list_id, position)
    assert client.get("/health/ready").status_code == 200
    house.process.check()
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert award_row(copy, r).state is AwardState.REVOKED
        assert award_row(copy, a).visibility is Visibility.CLOSED


KILLED = """
import json, os, signal, sys, uuid
from datetime import datetime
from app.domain.awards import Visibility
from app.domain.history import Actor
from app.settings import Settings
from app.wiring import Process
given = json.load(sys.stdin)
at, award_id = datetime.fromisoformat(given["at"]), uuid.UUID(given["award"])
process = Process(Settings(**given["settings"]), clock=lambda: at)
process.check()
with process.unit_of_work() as services:
    services.settle = lambda: os.kill(os.getpid(), signal.SIGKILL)  # the transaction stands, its anchor does not
    campus = services.stores.campuses.get_by_id(uuid.UUID(given["campus"]))
    services.status.raise_for(campus, [award_id], at=at)
    services.awards.set_visibility(award_id, Visibility.CLOSED, by=Actor.command("test"))
"""


def test_process_that_is_killed_between_commit_and_anchor_loses_no_withdrawal_and_no_choice(
    house: House,
) -> None:
    r = given(house, ROOF)
    list_id, position = place_of(house, r)
    backup = Backup(house)
    given_to = {
        "settings": house.process.settings.model_dump(mode="json"),
        "at": house.clock(),
        "award": r,
        "campus": house.campus.id,
    }
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], input=json.dumps(given_to, default=str), text=True, capture_output=True, check=False
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert house.process.anchors.list_of(list_id).signed.sequence == 1
    house.process.check()
    assert (house.process.behind, house.process.anchors.list_of(list_id).signed.sequence) == ({}, 2)
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert bit(copy.client(), list_id, position)
        assert award_row(copy, r).visibility is Visibility.CLOSED
