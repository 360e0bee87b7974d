"""A suspended badge is neither valid nor withdrawn, until its date or until it is lifted; on both engines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from app.adapters.mail import SmtpMailer
from app.db.frameworks.pathway_facts import facts_of
from app.domain.awards import (
    Award,
    AwardState,
    LineOutcome,
    end_of_last_day,
    is_in_force,
    is_suspended,
    may_renew,
)
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import PathwayContent, PathwayEnrolment
from app.errors import AppError, Conflict, InvalidInput, NotAllowed
from app.language import day
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.verification.verdicts import HeadlineKind, headline
from sceau_credentials.proofs.vc_jwt import parse_compact_jws
from sceau_credentials.status_list import INVALID, SUSPENDED, read_list, read_token_list
from sceau_credentials.values import JsonObject, parse_json_object
from sceau_credentials.verification.report import CheckId, Verdict
from tests.app.api.clients import V1, program
from tests.app.services.activity_log.test_integrity import checked
from tests.support.content.restores import REASON, award_row, given, place_of
from tests.support.databases.copies import Backup, drop_copies
from tests.support.house import COMMAND, House, listed
from tests.support.house import send as post
from tests.support.letters import text_in
from tests.support.servers.post_office import PostOffice

ZOE = "Zoé Martin;zoe@exemple.fr"
WHY = "Une attestation est à relire."
DAYS = 90


@pytest.fixture
def award_id(house: House) -> UUID:
    return given(house, ZOE)


@pytest.fixture
def office(house: House) -> Iterator[PostOffice]:
    office = PostOffice()
    office.start()
    house.process.mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="sceau@exemple.fr")
    yield office
    house.process.mailer.close()
    office.stop()


def suspend(house: House, award_id: UUID, *, days: float = 10, why: str = WHY) -> datetime:
    until = house.clock.now + timedelta(days=days)
    with house.unit_of_work() as services:
        services.suspensions.suspend(house.campus, award_id, why, until=until, by=COMMAND)
    return until


def lift(house: House, award_id: UUID) -> None:
    with house.unit_of_work() as services:
        services.suspensions.lift(house.campus, award_id, by=COMMAND)


def revoke(house: House, award_id: UUID) -> None:
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, award_id, "Donné par erreur.", by=COMMAND)


def work(house: House) -> None:
    """What the worker does within a minute."""
    with house.unit_of_work(reading=True) as services:
        due = services.suspensions.due(limit=10)
    for each in due:
        with house.unit_of_work() as services:
            services.suspensions.end(each)


def file_of(house: House, award_id: UUID) -> bytes:
    with house.unit_of_work(reading=True) as services:
        return bytes(services.awards.awards.document_of(award_id).embedded)


def entry_of(file: bytes) -> JsonObject:
    entry = parse_json_object(file)["credentialStatus"]
    assert isinstance(entry, dict)
    return entry


def bits_of(house: House, award_id: UUID) -> tuple[bool, bool, int]:
    """In the list of revocations, in that of suspensions, and the status for wallets."""
    list_id, position = place_of(house, award_id)
    with house.unit_of_work(reading=True) as services:
        signed, url = services.status.published(list_id), house.process.addresses.token_list(list_id)
    claims = parse_compact_jws(signed.status_token, max_length=1 << 20).payload
    token = next(
        (each for each in (INVALID, SUSPENDED) if read_token_list(claims, url=url, status=each).get(position)), 0
    )  # fmt: skip
    revoked, suspended = (
        read_list(parse_json_object(body)).status_list.get(position)
        for body in (signed.embedded, signed.suspensions)
    )
    return revoked, suspended, token


def verdict(house: House, file: bytes) -> tuple[HeadlineKind, Verdict, str]:
    with house.unit_of_work(reading=True) as services:
        answer = services.verification.verify_document(file)
        now = headline(answer)
        return now.kind, answer.verdict, now.title()


def test_every_edition_and_list_says_that_the_badge_is_suspended(house: House, award_id: UUID) -> None:
    before = file_of(house, award_id)
    house.clock.move(hours=1)
    suspend(house, award_id)
    during = file_of(house, award_id)
    assert [entry_of(each)["statusPurpose"] for each in (before, during)] == ["revocation", "suspension"]
    assert bits_of(house, award_id) == (False, True, SUSPENDED)
    house.clock.move(minutes=1)
    for file in (before, during):
        with house.unit_of_work(reading=True) as services:
            assert services.vc_api.verify(file.decode()).check(CheckId.STATUS).reason == "suspended"
        kind, found, title = verdict(house, file)
        assert (kind, found) == (HeadlineKind.SUSPENDED, Verdict.INVALID)
        assert title.startswith("Suspendu jusqu’au ")
    assert checked(house) == []


def test_lists_that_an_older_program_signed_during_an_upgrade_are_signed_again(
    house: House, award_id: UUID
) -> None:
    suspend(house, award_id)
    list_id, _ = place_of(house, award_id)
    with house.unit_of_work() as services:
        # It knows the list of revocations alone, and leaves the column of the other.
        row = services.stores.statuses.get(list_id)
        row.sequence += 1
        row.status_token = "of the older program"
        services.stores.statuses.add(row)
    with house.unit_of_work() as services:
        services.status.refresh(list_id)
    assert bits_of(house, award_id) == (False, True, SUSPENDED)


def test_final_edition_waits_for_the_end_of_a_suspension(house: House, award_id: UUID) -> None:
    suspend(house, award_id)
    list_id, _ = place_of(house, award_id)
    with house.unit_of_work() as services, pytest.raises(Conflict, match="suspendu"):
        services.status.final_edition(list_id)
    lift(house, award_id)
    with house.unit_of_work() as services:
        assert services.status.final_edition(list_id).suspensions


def test_a_suspension_ends_by_itself_before_anything_is_written(house: House, award_id: UUID) -> None:
    house.clock.move(hours=1)
    suspend(house, award_id, days=1)
    during = file_of(house, award_id)
    house.clock.move(days=1)
    assert verdict(house, during)[0] is HeadlineKind.VALID
    assert bits_of(house, award_id)[2] == SUSPENDED
    work(house)
    work(house)
    assert bits_of(house, award_id) == (False, False, 0)
    after = file_of(house, award_id)
    assert entry_of(after)["statusPurpose"] == "revocation"
    house.clock.move(minutes=1)
    assert verdict(house, after)[1] is Verdict.VALID
    assert award_row(house, award_id).suspended_until is None
    assert checked(house) == []


def test_a_suspension_may_follow_one_that_is_over_before_the_worker_ran(house: House, award_id: UUID) -> None:
    house.clock.move(hours=1)
    suspend(house, award_id, days=1)
    house.clock.move(days=1)
    until = suspend(house, award_id, days=2, why="Une autre attestation est à relire.")
    work(house)
    assert award_row(house, award_id).suspended_until == until
    assert bits_of(house, award_id) == (False, True, SUSPENDED)
    house.clock.move(minutes=1)
    assert verdict(house, file_of(house, award_id))[0] is HeadlineKind.SUSPENDED
    assert checked(house) == []


def test_a_withdrawal_during_a_suspension_is_final(house: House, award_id: UUID) -> None:
    house.clock.move(hours=1)
    suspend(house, award_id)
    during = file_of(house, award_id)
    revoke(house, award_id)
    assert bits_of(house, award_id) == (True, True, INVALID)
    house.clock.move(days=30)
    work(house)
    assert bits_of(house, award_id) == (True, True, INVALID)
    assert verdict(house, during)[0] is HeadlineKind.REVOKED
    with pytest.raises(Conflict):
        suspend(house, award_id)
    with pytest.raises(Conflict):
        lift(house, award_id)
    assert checked(house) == []


def test_what_cannot_be_suspended_says_why(house: House, award_id: UUID) -> None:
    for days, why, error in (
        (-1, WHY, "dans le futur"),
        (400, WHY, "un an au plus"),
        (10, "non", "en une phrase"),
    ):
        with pytest.raises(InvalidInput, match=error):
            suspend(house, award_id, days=days, why=why)
    suspend(house, award_id)
    with pytest.raises(Conflict, match="déjà suspendu"):
        suspend(house, award_id)
    until = end_of_last_day(date(2026, 7, 14), "Europe/Paris")
    assert until.isoformat() == "2026-07-14T22:00:00+00:00"


def test_holder_is_told_of_a_suspension_and_of_its_end(house: House, office: PostOffice) -> None:
    award_id = award_that_ends(house)
    house.clock.move(minutes=10)
    send(house)
    suspend(house, award_id)
    send(house)
    lift(house, award_id)
    send(house)
    suspended, lifted = office.received[-2:]
    assert "est suspendu" in str(suspended["Subject"])
    assert WHY in text_in(suspended)
    assert "de nouveau valable" in str(lifted["Subject"])


def send(house: House) -> None:
    for envelope in house.process.post.due():
        house.process.post.send(envelope)


class Model:
    """What must be true of one award after any interleaving of what may happen to it."""

    def __init__(self, house: House, award_id: UUID) -> None:
        self.house, self.award_id = house, award_id
        self.until: datetime | None = None
        self.is_revoked = False
        self.files = [file_of(house, award_id)]

    def act(self, step: str, chosen: random.Random) -> None:
        house, award_id = self.house, self.award_id
        try:
            match step:
                case "suspend":
                    self.until = suspend(house, award_id, days=chosen.choice((1, 3, 9)))
                case "lift":
                    lift(house, award_id)
                    self.until = None
                case "revoke":
                    revoke(house, award_id)
                    self.is_revoked = True
                case "renew":
                    with house.unit_of_work() as services:
                        award = services.awards.record(award_id).award
                        services.awards.renew(house.campus, award, "Encore tenu.", by=COMMAND)
                case "work":
                    work(house)
                case "days":
                    house.clock.move(days=chosen.choice((1, 2, 40)))
        except AppError:
            pass  # not possible now: it changed nothing
        house.clock.move(minutes=1)
        newest = file_of(house, award_id)
        if newest != self.files[-1]:
            self.files.append(newest)

    def check(self, step: str) -> None:
        now, award = self.house.clock.now, award_row(self.house, self.award_id)
        is_paused = not self.is_revoked and self.until is not None and now < self.until
        assert (award.state is AwardState.REVOKED, is_suspended(award, at=now)) == (
            self.is_revoked,
            is_paused,
        )
        revoked, suspended, token = bits_of(self.house, self.award_id)
        assert revoked == self.is_revoked, step
        assert suspended >= (self.is_revoked or is_paused), step
        assert (token == INVALID) == self.is_revoked, step
        if is_paused:
            assert token == SUSPENDED
            assert not may_renew(award, days=DAYS, at=now)
        for file in (self.files[0], self.files[-1]):
            kind = verdict(self.house, file)[0]
            assert (kind is HeadlineKind.REVOKED) == self.is_revoked, (step, kind)
            assert (kind is HeadlineKind.SUSPENDED) == is_paused, (step, kind)


@pytest.mark.parametrize("seed", range(2))
def test_any_interleaving_leaves_lists_files_and_verdicts_true(house: House, seed: int) -> None:
    model, chosen = Model(house, award_that_ends(house)), random.Random(seed)
    house.clock.move(hours=1)
    steps = [chosen.choice(("suspend", "lift", "renew", "work", "days", "suspend")) for _ in range(12)]
    for step in (*steps, "revoke", "suspend", "lift", "work"):
        model.act(step, chosen)
        model.check(step)
    work(house)
    assert checked(house) == []


def award_that_ends(house: House) -> UUID:
    with house.unit_of_work() as services:
        wording = Wording(
            BadgeKind.ENGAGEMENT, "Secours", "Tient le poste.", "La personne a tenu le poste de secours.",
            validity_days=DAYS,
        )  # fmt: skip
        badge = services.badges.create(house.campus, wording, slug="secours", by=COMMAND)
        request = AwardRequest(
            badge.badge.id, house.activity.id, lines=listed(ZOE), evidence="A tenu le poste de secours."
        )
        (line,) = services.awards.award(house.campus, request, by=COMMAND).lines
    assert line.outcome is LineOutcome.AWARDED
    assert line.award_id
    return line.award_id


def restored_row(
    house: House, backup: Backup, award_id: UUID, *, purpose: str = ""
) -> tuple[Award, tuple[bool, bool, int], int]:
    """`purpose`: of the status entry at the badge's address."""
    with backup.restored() as copy:
        done = copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert copy.process.compare_with_anchors(thorough=True) == []
        assert checked(copy) == []
        assert purpose in ("", entry_of(file_of(copy, award_id))["statusPurpose"])
        return award_row(copy, award_id), bits_of(copy, award_id), done.suspensions


@pytest.fixture
def copies() -> Iterator[None]:
    yield
    drop_copies()


@pytest.mark.usefixtures("copies")
def test_restore_loses_no_suspension_and_its_end(house: House, award_id: UUID) -> None:
    backup = Backup(house)
    until = suspend(house, award_id)
    row, bits, count = restored_row(house, backup, award_id)
    assert (row.suspended_until, row.suspended_reason, bits, count) == (
        until,
        WHY,
        (False, True, SUSPENDED),
        1,
    )


@pytest.mark.usefixtures("copies")
def test_restore_without_journal_suspends_what_the_published_list_has(house: House, award_id: UUID) -> None:
    backup = Backup(house)
    house.process.journal.append = lambda _frame: None
    suspend(house, award_id)
    row, bits, count = restored_row(house, backup, award_id, purpose="suspension")
    assert row.suspended_until == house.clock.now + timedelta(days=30)
    assert (bits, count) == ((False, True, SUSPENDED), 1)


@pytest.mark.usefixtures("copies")
def test_restore_keeps_the_lifting_that_the_journal_has(house: House, award_id: UUID) -> None:
    suspend(house, award_id)
    backup = Backup(house)
    lift(house, award_id)
    row, bits, _ = restored_row(house, backup, award_id)
    assert (row.suspended_until, bits) == (None, (False, False, 0))


def test_pages_suspend_lift_and_show_it_everywhere(house: House, award_id: UUID) -> None:
    page, public = f"/gestion/itip/attributions/{award_id}", f"/attributions/{award_id}"
    trainer = house.client(house.trainer)
    refused = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": ""}, seen_on=page)
    assert (refused.status_code, WHY in refused.text) == (422, True)
    assert "Choisissez le dernier jour" in refused.text
    past = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": "2020-01-01"}, seen_on=page)
    assert (past.status_code, "dans le futur" in past.text) == (422, True)

    last = house.clock.now.date() + timedelta(days=10)
    done = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": last.isoformat()}, seen_on=page)
    assert done.status_code == 303
    shown = day(last).replace("\xa0", " ")
    house.clock.move(minutes=1)
    for reader, path in ((trainer, page), (house.client(), public), (house.client(), f"{public}/integrer")):
        text = reader.get(path).text.replace("\xa0", " ").replace("\u202f", " ")
        assert f"uspendu jusqu’au {shown}" in text.replace("'", "’").replace("&#39;", "’"), path
        assert path == page or WHY not in text
    assert house.client().get(f"/ob2{public}").status_code == 404

    assert post(trainer, f"{page}/lever", {}, seen_on=page).status_code == 303
    assert "Suspendre ce badge" in trainer.get(page).text


def test_nobody_lifts_the_suspension_of_their_own_badge(house: House) -> None:
    with house.unit_of_work() as services:
        address = services.stores.people.addresses_of([house.trainer.id])[house.trainer.id]
        request = AwardRequest(
            house.role.badge.id, house.activity.id, lines=listed(f"Anaïs Le Goff;{address}"), evidence=WHY
        )
        own = services.awards.award(house.campus, request, by=COMMAND).lines[0].award_id
        assert own is not None
        assert services.awards.record(own).person.id == house.trainer.id
    suspend(house, own)
    house.clock.move(minutes=2)
    page = f"/gestion/itip/attributions/{own}"
    refused = post(house.client(house.trainer), f"{page}/lever", {}, seen_on=page)
    assert refused.status_code == 403
    assert "son propre badge" in refused.text
    assert award_row(house, own).suspended_until is not None
    done = post(house.client(house.admin), f"{page}/lever", {}, seen_on=page)
    assert done.status_code == 303
    assert award_row(house, own).suspended_until is None


def test_who_may_not_award_a_badge_does_not_lift_its_suspension(house: House, award_id: UUID) -> None:
    suspend(house, award_id)
    with house.unit_of_work() as services, pytest.raises(NotAllowed):
        services.suspensions.lift(house.campus, award_id, by=Actor(house.stranger.id))
    path = f"{V1}/awards/{award_id}/suspension"
    assert program(house, "award:revoke").delete(path).status_code == 403
    assert program(house, "award:create").delete(path).status_code == 200


def test_a_suspended_badge_counts_for_nothing_built_on_it_and_is_still_held(
    house: House, award_id: UUID
) -> None:
    def counted() -> list[int]:
        at = house.clock.now
        with house.unit_of_work(reading=True) as services:
            record, stores = services.awards.record(award_id), services.stores
            person, badge = record.person.id, record.badge
            followed = PathwayEnrolment(pathway_id=badge.id, campus_id=badge.campus_id, person_id=person)
            [facts] = facts_of(stores.session, [(followed, PathwayContent("Parcours"))]).values()
            day = (at - timedelta(days=1), at + timedelta(days=1))
            assert person in stores.awards.held(badge, [person], house.activity.id)
            return [
                len(stores.modules.held([badge.id], at)),
                len(stores.modules.hours_of([badge.id], person, at)),
                sum(each.counts(at) for each in facts.badges),
                int(stores.awards.find_open(at=at) is not None),
                stores.waiting.unclaimed_awards(badge.campus_id, given=day, at=at, limit=9),
                is_in_force(record.award, at=at),
            ]

    assert counted() == [1] * 6
    suspend(house, award_id, days=1)
    assert counted() == [0] * 6
    house.clock.move(days=1)
    assert counted() == [1] * 6
