"""Workers process bulk awards and withdrawals: one result per line, undone as a whole; on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import func, select

from app.domain.activity_log import EntryKind, LogEntry
from app.domain.awards import Award, AwardState, LineOutcome, SignedDocument
from app.domain.awards.batches import INLINE_LIMIT, AwardBatch, BatchState, WithdrawalOutcome
from app.domain.awards.batches import listed as listed_line
from app.domain.awards.open_badges import AwardEvidence
from app.domain.badges import BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState, QueuedMessage
from app.domain.publishing import StatusSlot
from app.errors import InvalidInput
from app.services.awards import award_issuer as award_keeping
from app.services.awards.award_issuer import prepared_documents
from app.services.awards.awards import AwardRequest
from app.services.awards.batches import BatchResult
from app.services.awards.bulk_revocation import WithdrawalRequest, WithdrawalScope
from app.services.badges import wording_of
from sceau_credentials.issuing import Batch, Prepared
from sceau_credentials.values import JsonObject
from tests.support.app import COMMAND, App, build_app, listed

pytestmark = pytest.mark.both_engines

PEOPLE = [f"Nom{number} Prénom;p{number}@exemple.fr" for number in range(12)]
WRONG = "Nom99 Prénom;p99@exemple,fr"


def enqueued(app: App, *people: str, key: str | None = None, **more: object) -> AwardBatch:
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(*people), idempotency_key=key)
    with app.unit_of_work() as services:
        return services.bulk_awards.enqueue(
            app.campus, request, by=Actor(app.trainer.id), undo_for=timedelta(minutes=5), **more
        )  # type: ignore[arg-type]


def carried_out(app: App, batch_id: uuid.UUID) -> BatchResult:
    more = True
    while more:
        with app.unit_of_work() as services:
            more = services.bulk_awards.process_chunk(batch_id).more
    with app.unit_of_work(reading=True) as services:
        return services.award_batches.result(app.campus, batch_id)


def letters(app: App, result: BatchResult) -> list[LetterState]:
    with app.unit_of_work(reading=True) as services:
        ids = [line.award_id for line in result.lines if line.award_id]
        return [letter.state for letter in services.stores.letters.of_awards(ids)]


def test_repeated_processing_gives_each_line_one_result(app: App):
    batch = enqueued(app, *PEOPLE, WRONG)
    first = carried_out(app, batch.id)
    again = carried_out(app, batch.id)
    assert [line.outcome for line in first.lines] == [LineOutcome.AWARDED] * 12 + [
        LineOutcome.INVALID_ADDRESS
    ]
    assert [line.award_id for line in again.lines] == [line.award_id for line in first.lines]
    assert letters(app, first) == [LetterState.WAITING] * 12


def test_line_that_cannot_be_signed_leaves_no_row_and_the_others_are_awarded(app: App):
    lines = listed(*PEOPLE)
    lines = (*lines[:5], replace(lines[5], contribution="Écrivez à paul@exemple.fr."), *lines[6:])
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=lines)
    with app.unit_of_work() as services:
        batch = services.bulk_awards.enqueue(app.campus, request, by=Actor(app.trainer.id))
    result = carried_out(app, batch.id)
    outcomes = [line.outcome for line in result.lines]
    assert outcomes == [LineOutcome.AWARDED] * 5 + [LineOutcome.UNREADABLE] + [LineOutcome.AWARDED] * 6
    assert "adresse e-mail" in result.lines[5].reason
    assert result.lines[5].award_id is None
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        for kind in (Award, SignedDocument, StatusSlot, AwardEvidence, QueuedMessage):
            assert session.exec(select(func.count()).select_from(kind)).one() == 11, kind
        entries = session.exec(select(LogEntry.kind)).all()
    # Refused before the log decides: the log has no line of it.
    assert (entries.count(EntryKind.AWARD), entries.count(EntryKind.REVOCATION)) == (11, 0)


def test_a_document_refused_after_the_log_decided_is_withdrawn_in_the_log(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    def with_one_refused(documents: Sequence[JsonObject], batch: Batch) -> list[Prepared | InvalidInput]:
        prepared = prepared_documents(documents, batch)
        return [*prepared[:5], InvalidInput("Refused."), *prepared[6:]]

    monkeypatch.setattr(award_keeping, "prepared_documents", with_one_refused)
    result = carried_out(app, enqueued(app, *PEOPLE).id)
    outcomes = [line.outcome for line in result.lines]
    assert outcomes == [LineOutcome.AWARDED] * 5 + [LineOutcome.UNREADABLE] + [LineOutcome.AWARDED] * 6
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        for kind in (Award, SignedDocument, StatusSlot, AwardEvidence, QueuedMessage):
            assert session.exec(select(func.count()).select_from(kind)).one() == 11, kind
        entries = session.exec(select(LogEntry.kind)).all()
    assert (entries.count(EntryKind.AWARD), entries.count(EntryKind.REVOCATION)) == (12, 1)


def test_result_is_read_in_parts_and_counted_as_a_whole(app: App):
    batch = enqueued(app, *PEOPLE[:2], WRONG, *PEOPLE[2:5])
    every = carried_out(app, batch.id).lines
    with app.unit_of_work(reading=True) as services:
        overview = services.award_batches.overview(app.campus, batch.id)
        first = services.award_batches.first_lines(batch, [LineOutcome.AWARDED], 3)
        parts = list(services.award_batches.lines_in_turn(batch, list(LineOutcome), at_a_time=4))
    assert (overview.count(LineOutcome.AWARDED), overview.count(LineOutcome.INVALID_ADDRESS)) == (5, 1)
    assert [line.position for line in first] == [0, 1, 3]
    assert [[line.position for line in part] for part in parts] == [[0, 1, 2, 3], [4, 5]]
    assert len(every) == 6


def test_same_idempotency_key_makes_one_batch(app: App):
    batches = {enqueued(app, *PEOPLE, key="one press").id for _ in range(2)}
    assert len(batches) == 1


def test_batch_for_everybody_contains_all_participants_in_turn(app: App):
    app.record(*PEOPLE)
    with app.unit_of_work() as services:
        parts = services.stores.activities.participants_in_turn(app.activity.id, at_a_time=5)
        assert [len(part) for part in parts] == [5, 5, 2]
        request = AwardRequest(app.presence.badge.id, app.activity.id, everybody=True)
        batch = services.bulk_awards.enqueue(app.campus, request, by=Actor(app.trainer.id))
    result = carried_out(app, batch.id)
    assert [line.position for line in result.lines] == list(range(12))
    assert {line.outcome for line in result.lines} == {LineOutcome.AWARDED}


def test_batch_for_everybody_has_the_lines_of_chosen_people(app: App):
    """For everybody the database writes the lines; they equal those of people who are chosen."""
    app.record("Ostrava Tom;tom@exemple.fr", "Ábel Zoé", "Ostrava Anna;partage@exemple.fr", "Nomade Rê")
    with app.unit_of_work() as services:
        there = services.stores.activities.participants(app.activity.id)
        for part, person in there:
            if person.family_name == "Anna":
                part.contribution, part.hours = 'A « tenu » l’atelier\\ "seule".', 2.5
            if person.family_name == "Rê":
                part.is_present = False
        services.stores.people.add_address(there[0][1], "second@exemple.fr")
        everybody = AwardRequest(app.presence.badge.id, app.activity.id, everybody=True)
        named = AwardRequest(
            app.presence.badge.id,
            app.activity.id,
            participation_ids=tuple(part.id for part, _ in there if part.is_present),
        )
        by, lines = Actor(app.trainer.id), services.stores.batches.lines_of
        one, other = (
            [
                (listed_line(line), line.outcome, line.person_id, line.participation_id, line.reason_values)
                for line in lines(services.bulk_awards.enqueue(app.campus, request, by=by).id)
            ]
            for request in (everybody, named)
        )
    assert len(one) == 3
    assert one == other


def test_undo_withdraws_every_award_and_every_letter(app: App):
    result = carried_out(app, enqueued(app, *PEOPLE).id)
    with app.unit_of_work() as services:
        services.award_batches.take_back(app.campus, result.batch.id, by=Actor(app.trainer.id))
    with app.unit_of_work(reading=True) as services:
        records = services.awards.list_in(app.campus)
        assert services.award_batches.progress(app.campus, result.batch.id).batch.state is BatchState.UNDONE
    assert {record.award.state for record in records} == {AwardState.REVOKED}
    assert letters(app, result) == [LetterState.CANCELLED] * 12


def test_withdrawal_has_a_result_per_line_and_updates_the_status_list(app: App):
    result = carried_out(app, enqueued(app, *PEOPLE).id)
    one, *_ = [line.award_id for line in result.lines]
    by, stranger = Actor(app.trainer.id), uuid.uuid4()
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, one, "Erreur de personne.", by=by)
    asked = WithdrawalRequest("Erreur de liste.", (*(line.award_id for line in result.lines), stranger))
    with app.unit_of_work() as services:
        withdrawal = services.withdrawals.enqueue(app.campus, asked, by=by)
        while services.withdrawals.process_chunk(withdrawal.id):
            pass
    with app.unit_of_work(reading=True) as services:
        answered = services.withdrawals.result(app.campus, withdrawal.id)
        verdicts = {
            services.verification.verify_award(services.awards.record(line.award_id)).report.verdict.value
            for line in result.lines
        }
        left = services.withdrawals.standing_ids(app.campus, WithdrawalScope(batch_id=result.batch.id))
    assert [line.outcome for line in answered.lines] == [
        WithdrawalOutcome.ALREADY,
        *[WithdrawalOutcome.WITHDRAWN] * 11,
        WithdrawalOutcome.ABSENT,
    ]
    assert verdicts == {"invalid"}
    assert left == []


def test_worker_takes_an_awaited_batch_only_after_a_minute_without_progress(app: App):
    app.record(*(f"Nom{number} Prénom;p{number}@exemple.fr" for number in range(INLINE_LIMIT + 2)))
    request = AwardRequest(app.presence.badge.id, app.activity.id, everybody=True)
    by = Actor(app.trainer.id)

    def is_due() -> bool:
        with app.unit_of_work(reading=True) as services:
            return batch.id in services.bulk_awards.due(limit=9)

    with app.unit_of_work() as services:
        batch = services.awards.give(app.campus, request, by=by, is_awaited=True)
    assert batch.state is BatchState.RUNNING
    app.clock.now += timedelta(seconds=50)
    with app.unit_of_work() as services:
        assert services.bulk_awards.process_chunk(batch.id, most=20, is_awaited=True).more
    app.clock.now += timedelta(seconds=50)
    assert not is_due()
    app.clock.now += timedelta(seconds=20)
    assert is_due()
    result = carried_out(app, batch.id)
    assert result.batch.state is BatchState.DONE
    assert len(result.with_outcome(LineOutcome.AWARDED)) == INLINE_LIMIT + 2


def ours_no_longer(app: App) -> None:
    """The other campus now leads the activity, and ours left it."""
    with app.unit_of_work() as services:
        place = services.stores.activity_plans.place_of(app.activity.id, app.campus.id)
        place.campus_id = app.other_campus.id
        services.stores.activity_plans.save(place)


def test_campus_that_left_an_activity_awards_nothing_for_it(app: App):
    """A list planned earlier would add people to an activity of another campus."""
    known = enqueued(app, PEOPLE[0])
    with app.unit_of_work() as services:
        services.bulk_awards.process_chunk(known.id)
    later = enqueued(app, *PEOPLE, not_before=app.clock() + timedelta(days=1))
    ours_no_longer(app)
    app.clock.move(days=2)
    result = carried_out(app, later.id)
    assert {line.outcome for line in result.lines} == {LineOutcome.NOT_ALLOWED}
    assert {line.reason for line in result.lines} == {"Votre campus n’organise plus cette activité."}
    with app.unit_of_work(reading=True) as services:
        assert len(services.stores.activities.participants(app.activity.id)) == 1


def rewritten(app: App) -> BadgeVersion:
    """Amend the badge; return its version before that."""
    with app.unit_of_work() as services:
        page = services.badges.page(app.campus, app.presence.badge.id)
        said = replace(wording_of(page.version, []), description="Tout autre chose.")
        services.badges.rewrite(
            app.campus, page.badge.id, said,
            repeat=page.badge.repeat, accepts_requests=page.badge.accepts_requests, by=COMMAND,
        )  # fmt: skip
        services.badges.open(app.campus, page.badge.id, by=COMMAND)
        return page.version


def test_planned_award_gives_the_version_that_was_planned(app: App):
    """Otherwise an amendment overwrites a version without awards, and people sign a text they never saw."""
    later = enqueued(app, PEOPLE[0], not_before=app.clock() + timedelta(days=1))
    planned = rewritten(app)
    assert app.client().get(f"/badges/{app.presence.badge.id}").status_code == 404, "badge has no award yet"
    app.clock.move(days=2)
    (line,) = carried_out(app, later.id).lines
    with app.unit_of_work(reading=True) as services:
        version = services.awards.record(line.award_id).version
    assert version.id == planned.id
    assert b"Tout autre chose." not in version.definition


@pytest.mark.postgres
def test_plan_is_cancelled_while_its_badge_is_awarded_for_the_first_time(
    postgres_url: str, tmp_path: Path
) -> None:
    app = build_app(postgres_url, tmp_path)
    later = enqueued(app, PEOPLE[0], not_before=app.clock() + timedelta(days=1))

    def cancel() -> None:
        with app.unit_of_work() as services:
            services.award_batches.take_back(app.campus, later.id, by=COMMAND)

    with ThreadPoolExecutor(1) as other:
        with app.unit_of_work() as services:
            request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(PEOPLE[1]))
            services.awards.give(app.campus, request, by=Actor(app.trainer.id))
            cancelling = other.submit(cancel)
            wait([cancelling], timeout=1)
        cancelling.result(30)
    with app.unit_of_work(reading=True) as services:
        version = services.badges.current_version(app.campus, app.presence.badge.id)
        batch = services.award_batches.result(app.campus, later.id).batch
    assert batch.state is BatchState.CANCELLED
    assert version.frozen_at is not None
    assert version.definition
    app.close()


def test_cancelled_plan_lets_its_badge_version_be_overwritten(app: App):
    later = enqueued(app, PEOPLE[0], not_before=app.clock() + timedelta(days=1))
    with app.unit_of_work() as services:
        services.award_batches.cancel(app.campus, later.id, by=COMMAND)
    rewritten(app)
    with app.unit_of_work(reading=True) as services:
        version = services.badges.current_version(app.campus, app.presence.badge.id)
    assert (version.number, version.description) == (1, "Tout autre chose.")
