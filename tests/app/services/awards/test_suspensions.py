"""A suspended badge is neither valid nor withdrawn, until its date or until it is lifted; on both engines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from app.adapters.mail import SmtpMailer
from app.db.frameworks import facts_of
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
from tests.support.app import COMMAND, App, listed
from tests.support.app import send as post
from tests.support.content.restores import REASON, award_row, given, place_of
from tests.support.databases.copies import Backup, drop_copies
from tests.support.letters import text_in
from tests.support.servers.post_office import PostOffice

ZOE = "Zoé Martin;zoe@exemple.fr"
WHY = "Une attestation est à relire."
DAYS = 90


@pytest.fixture
def award_id(app: App) -> UUID:
    return given(app, ZOE)


@pytest.fixture
def office(app: App) -> Iterator[PostOffice]:
    office = PostOffice()
    office.start()
    app.process.mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="sceau@exemple.fr")
    yield office
    app.process.mailer.close()
    office.stop()


def suspend(app: App, award_id: UUID, *, days: float = 10, why: str = WHY) -> datetime:
    until = app.clock.now + timedelta(days=days)
    with app.unit_of_work() as services:
        services.suspensions.suspend(app.campus, award_id, why, until=until, by=COMMAND)
    return until


def lift(app: App, award_id: UUID) -> None:
    with app.unit_of_work() as services:
        services.suspensions.lift(app.campus, award_id, by=COMMAND)


def revoke(app: App, award_id: UUID) -> None:
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Donné par erreur.", by=COMMAND)


def work(app: App) -> None:
    """What the worker does within a minute."""
    with app.unit_of_work(reading=True) as services:
        due = services.suspensions.due(limit=10)
    for each in due:
        with app.unit_of_work() as services:
            services.suspensions.end(each)


def file_of(app: App, award_id: UUID) -> bytes:
    with app.unit_of_work(reading=True) as services:
        return bytes(services.awards.awards.document_of(award_id).embedded)


def entry_of(file: bytes) -> JsonObject:
    entry = parse_json_object(file)["credentialStatus"]
    assert isinstance(entry, dict)
    return entry


def bits_of(app: App, award_id: UUID) -> tuple[bool, bool, int]:
    """In the list of revocations, in that of suspensions, and the status for wallets."""
    list_id, position = place_of(app, award_id)
    with app.unit_of_work(reading=True) as services:
        signed, url = services.status.published(list_id), app.process.addresses.token_list(list_id)
    claims = parse_compact_jws(signed.status_token, max_length=1 << 20).payload
    token = next(
        (each for each in (INVALID, SUSPENDED) if read_token_list(claims, url=url, status=each).get(position)), 0
    )  # fmt: skip
    revoked, suspended = (
        read_list(parse_json_object(body)).status_list.get(position)
        for body in (signed.embedded, signed.suspensions)
    )
    return revoked, suspended, token


def verdict(app: App, file: bytes) -> tuple[HeadlineKind, Verdict, str]:
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify_document(file)
        now = headline(answer)
        return now.kind, answer.verdict, now.title()


def test_every_edition_and_list_shows_the_suspension(app: App, award_id: UUID) -> None:
    before = file_of(app, award_id)
    app.clock.move(hours=1)
    suspend(app, award_id)
    during = file_of(app, award_id)
    assert [entry_of(each)["statusPurpose"] for each in (before, during)] == ["revocation", "suspension"]
    assert bits_of(app, award_id) == (False, True, SUSPENDED)
    app.clock.move(minutes=1)
    for file in (before, during):
        with app.unit_of_work(reading=True) as services:
            assert services.vc_api.verify(file.decode()).check(CheckId.STATUS).reason == "suspended"
        kind, found, title = verdict(app, file)
        assert (kind, found) == (HeadlineKind.SUSPENDED, Verdict.INVALID)
        assert title.startswith("Suspendu jusqu’au ")
    assert checked(app) == []


def test_lists_that_an_older_program_signed_during_an_upgrade_are_signed_again(
    app: App, award_id: UUID
) -> None:
    suspend(app, award_id)
    list_id, _ = place_of(app, award_id)
    with app.unit_of_work() as services:
        # It knows the list of revocations alone, and leaves the column of the other.
        row = services.stores.statuses.get(list_id)
        row.sequence += 1
        row.status_token = "of the older program"
        services.stores.statuses.add(row)
    with app.unit_of_work() as services:
        services.status.refresh(list_id)
    assert bits_of(app, award_id) == (False, True, SUSPENDED)


def test_final_edition_waits_for_the_end_of_a_suspension(app: App, award_id: UUID) -> None:
    suspend(app, award_id)
    list_id, _ = place_of(app, award_id)
    with app.unit_of_work() as services, pytest.raises(Conflict, match="suspendu"):
        services.status.final_edition(list_id)
    lift(app, award_id)
    with app.unit_of_work() as services:
        assert services.status.final_edition(list_id).suspensions


def test_a_suspension_ends_by_itself_before_anything_is_written(app: App, award_id: UUID) -> None:
    app.clock.move(hours=1)
    suspend(app, award_id, days=1)
    during = file_of(app, award_id)
    app.clock.move(days=1)
    assert verdict(app, during)[0] is HeadlineKind.VALID
    assert bits_of(app, award_id)[2] == SUSPENDED
    work(app)
    work(app)
    assert bits_of(app, award_id) == (False, False, 0)
    after = file_of(app, award_id)
    assert entry_of(after)["statusPurpose"] == "revocation"
    app.clock.move(minutes=1)
    assert verdict(app, after)[1] is Verdict.VALID
    assert award_row(app, award_id).suspended_until is None
    assert checked(app) == []


def test_a_suspension_may_follow_one_that_is_over_before_the_worker_ran(app: App, award_id: UUID) -> None:
    app.clock.move(hours=1)
    suspend(app, award_id, days=1)
    app.clock.move(days=1)
    until = suspend(app, award_id, days=2, why="Une autre attestation est à relire.")
    work(app)
    assert award_row(app, award_id).suspended_until == until
    assert bits_of(app, award_id) == (False, True, SUSPENDED)
    app.clock.move(minutes=1)
    assert verdict(app, file_of(app, award_id))[0] is HeadlineKind.SUSPENDED
    assert checked(app) == []


def test_a_withdrawal_during_a_suspension_is_final(app: App, award_id: UUID) -> None:
    app.clock.move(hours=1)
    suspend(app, award_id)
    during = file_of(app, award_id)
    revoke(app, award_id)
    assert bits_of(app, award_id) == (True, True, INVALID)
    app.clock.move(days=30)
    work(app)
    assert bits_of(app, award_id) == (True, True, INVALID)
    assert verdict(app, during)[0] is HeadlineKind.REVOKED
    with pytest.raises(Conflict):
        suspend(app, award_id)
    with pytest.raises(Conflict):
        lift(app, award_id)
    assert checked(app) == []


def test_refused_suspension_gives_its_reason(app: App, award_id: UUID) -> None:
    for days, why, error in (
        (-1, WHY, "dans le futur"),
        (400, WHY, "un an au plus"),
        (10, "non", "en une phrase"),
    ):
        with pytest.raises(InvalidInput, match=error):
            suspend(app, award_id, days=days, why=why)
    suspend(app, award_id)
    with pytest.raises(Conflict, match="déjà suspendu"):
        suspend(app, award_id)
    until = end_of_last_day(date(2026, 7, 14), "Europe/Paris")
    assert until.isoformat() == "2026-07-14T22:00:00+00:00"


def test_holder_is_informed_of_a_suspension_and_of_its_end(app: App, office: PostOffice) -> None:
    award_id = award_that_ends(app)
    app.clock.move(minutes=10)
    send(app)
    suspend(app, award_id)
    send(app)
    lift(app, award_id)
    send(app)
    suspended, lifted = office.received[-2:]
    assert "est suspendu" in str(suspended["Subject"])
    assert WHY in text_in(suspended)
    assert "de nouveau valable" in str(lifted["Subject"])


def send(app: App) -> None:
    for envelope in app.process.post.due():
        app.process.post.send(envelope)


class Model:
    """The expected state of one award after any interleaving of operations."""

    def __init__(self, app: App, award_id: UUID) -> None:
        self.app, self.award_id = app, award_id
        self.until: datetime | None = None
        self.is_revoked = False
        self.files = [file_of(app, award_id)]

    def act(self, step: str, chosen: random.Random) -> None:
        app, award_id = self.app, self.award_id
        try:
            match step:
                case "suspend":
                    self.until = suspend(app, award_id, days=chosen.choice((1, 3, 9)))
                case "lift":
                    lift(app, award_id)
                    self.until = None
                case "revoke":
                    revoke(app, award_id)
                    self.is_revoked = True
                case "renew":
                    with app.unit_of_work() as services:
                        award = services.awards.record(award_id).award
                        services.awards.renew(app.campus, award, "Encore tenu.", by=COMMAND)
                case "work":
                    work(app)
                case "days":
                    app.clock.move(days=chosen.choice((1, 2, 40)))
        except AppError:
            pass  # not possible now: it changed nothing
        app.clock.move(minutes=1)
        newest = file_of(app, award_id)
        if newest != self.files[-1]:
            self.files.append(newest)

    def check(self, step: str) -> None:
        now, award = self.app.clock.now, award_row(self.app, self.award_id)
        is_paused = not self.is_revoked and self.until is not None and now < self.until
        assert (award.state is AwardState.REVOKED, is_suspended(award, at=now)) == (
            self.is_revoked,
            is_paused,
        )
        revoked, suspended, token = bits_of(self.app, self.award_id)
        assert revoked == self.is_revoked, step
        assert suspended >= (self.is_revoked or is_paused), step
        assert (token == INVALID) == self.is_revoked, step
        if is_paused:
            assert token == SUSPENDED
            assert not may_renew(award, days=DAYS, at=now)
        for file in (self.files[0], self.files[-1]):
            kind = verdict(self.app, file)[0]
            assert (kind is HeadlineKind.REVOKED) == self.is_revoked, (step, kind)
            assert (kind is HeadlineKind.SUSPENDED) == is_paused, (step, kind)


@pytest.mark.parametrize("seed", range(2))
def test_any_interleaving_leaves_lists_files_and_verdicts_true(app: App, seed: int) -> None:
    model, chosen = Model(app, award_that_ends(app)), random.Random(seed)
    app.clock.move(hours=1)
    steps = [chosen.choice(("suspend", "lift", "renew", "work", "days", "suspend")) for _ in range(12)]
    for step in (*steps, "revoke", "suspend", "lift", "work"):
        model.act(step, chosen)
        model.check(step)
    work(app)
    assert checked(app) == []


def award_that_ends(app: App) -> UUID:
    with app.unit_of_work() as services:
        wording = Wording(
            BadgeKind.ENGAGEMENT, "Secours", "Tient le poste.", "La personne a tenu le poste de secours.",
            validity_days=DAYS,
        )  # fmt: skip
        badge = services.badges.create(app.campus, wording, slug="secours", by=COMMAND)
        request = AwardRequest(
            badge.badge.id, app.activity.id, lines=listed(ZOE), evidence="A tenu le poste de secours."
        )
        (line,) = services.awards.award(app.campus, request, by=COMMAND).lines
    assert line.outcome is LineOutcome.AWARDED
    assert line.award_id
    return line.award_id


def restored_row(
    app: App, backup: Backup, award_id: UUID, *, purpose: str = ""
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
def test_restore_loses_no_suspension_and_its_end(app: App, award_id: UUID) -> None:
    backup = Backup(app)
    until = suspend(app, award_id)
    row, bits, count = restored_row(app, backup, award_id)
    assert (row.suspended_until, row.suspended_reason, bits, count) == (
        until,
        WHY,
        (False, True, SUSPENDED),
        1,
    )


@pytest.mark.usefixtures("copies")
def test_restore_without_journal_suspends_what_the_published_list_has(app: App, award_id: UUID) -> None:
    backup = Backup(app)
    app.process.journal.append = lambda _frame: None
    suspend(app, award_id)
    row, bits, count = restored_row(app, backup, award_id, purpose="suspension")
    assert row.suspended_until == app.clock.now + timedelta(days=30)
    assert (bits, count) == ((False, True, SUSPENDED), 1)


@pytest.mark.usefixtures("copies")
def test_restore_keeps_the_lifting_that_the_journal_has(app: App, award_id: UUID) -> None:
    suspend(app, award_id)
    backup = Backup(app)
    lift(app, award_id)
    row, bits, _ = restored_row(app, backup, award_id)
    assert (row.suspended_until, bits) == (None, (False, False, 0))


def test_pages_suspend_lift_and_show_it_everywhere(app: App, award_id: UUID) -> None:
    page, public = f"/gestion/itip/attributions/{award_id}", f"/attributions/{award_id}"
    trainer = app.client(app.trainer)
    refused = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": ""}, seen_on=page)
    assert (refused.status_code, WHY in refused.text) == (422, True)
    assert "Choisissez le dernier jour" in refused.text
    past = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": "2020-01-01"}, seen_on=page)
    assert (past.status_code, "dans le futur" in past.text) == (422, True)
    assert 'id="jusquau-erreur"' in past.text
    assert 'id="motif-suspension-erreur"' not in past.text
    both = post(trainer, f"{page}/suspendre", {"motif": "?", "jusquau": "2020-01-01"}, seen_on=page)
    assert all(f'id="{field}-erreur"' in both.text for field in ("jusquau", "motif-suspension"))

    last = app.clock.now.date() + timedelta(days=10)
    done = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": last.isoformat()}, seen_on=page)
    assert done.status_code == 303
    twice = post(trainer, f"{page}/suspendre", {"motif": WHY, "jusquau": last.isoformat()}, seen_on="/compte")
    assert (twice.status_code, "déjà suspendu" in twice.text) == (409, True)
    shown = day(last).replace("\xa0", " ")
    app.clock.move(minutes=1)
    for reader, path in ((trainer, page), (app.client(), public), (app.client(), f"{public}/integrer")):
        text = reader.get(path).text.replace("\xa0", " ").replace("\u202f", " ")
        assert f"uspendu jusqu’au {shown}" in text.replace("'", "’").replace("&#39;", "’"), path
        assert path == page or WHY not in text
    assert app.client().get(f"/ob2{public}").status_code == 404

    assert post(trainer, f"{page}/lever", {}, seen_on=page).status_code == 303
    assert "Suspendre ce badge" in trainer.get(page).text


def test_staff_cannot_lift_the_suspension_of_their_own_badge(app: App) -> None:
    with app.unit_of_work() as services:
        address = services.stores.people.addresses_of([app.trainer.id])[app.trainer.id]
        request = AwardRequest(
            app.role.badge.id, app.activity.id, lines=listed(f"Anaïs Le Goff;{address}"), evidence=WHY
        )
        own = services.awards.award(app.campus, request, by=COMMAND).lines[0].award_id
        assert own is not None
        assert services.awards.record(own).person.id == app.trainer.id
    suspend(app, own)
    app.clock.move(minutes=2)
    page = f"/gestion/itip/attributions/{own}"
    refused = post(app.client(app.trainer), f"{page}/lever", {}, seen_on=page)
    assert refused.status_code == 403
    assert "son propre badge" in refused.text
    assert award_row(app, own).suspended_until is not None
    done = post(app.client(app.admin), f"{page}/lever", {}, seen_on=page)
    assert done.status_code == 303
    assert award_row(app, own).suspended_until is None


def test_who_may_not_award_a_badge_does_not_lift_its_suspension(app: App, award_id: UUID) -> None:
    suspend(app, award_id)
    with app.unit_of_work() as services, pytest.raises(NotAllowed):
        services.suspensions.lift(app.campus, award_id, by=Actor(app.stranger.id))
    path = f"{V1}/awards/{award_id}/suspension"
    assert program(app, "award:revoke").delete(path).status_code == 403
    assert program(app, "award:create").delete(path).status_code == 200


def test_a_suspended_badge_counts_for_nothing_built_on_it_and_is_still_held(app: App, award_id: UUID) -> None:
    def counted() -> list[int]:
        at = app.clock.now
        with app.unit_of_work(reading=True) as services:
            record, stores = services.awards.record(award_id), services.stores
            person, badge = record.person.id, record.badge
            followed = PathwayEnrolment(pathway_id=badge.id, campus_id=badge.campus_id, person_id=person)
            [facts] = facts_of(stores.session, [(followed, PathwayContent("Parcours"))]).values()
            day = (at - timedelta(days=1), at + timedelta(days=1))
            assert person in stores.awards.held(badge, [person], app.activity.id)
            return [
                len(stores.modules.held([badge.id], at)),
                len(stores.modules.hours_of([badge.id], person, at)),
                sum(each.counts(at) for each in facts.badges),
                int(stores.awards.find_open(at=at) is not None),
                stores.waiting.unclaimed_awards(badge.campus_id, given=day, at=at, limit=9),
                is_in_force(record.award, at=at),
            ]

    assert counted() == [1] * 6
    suspend(app, award_id, days=1)
    assert counted() == [0] * 6
    app.clock.move(days=1)
    assert counted() == [1] * 6
