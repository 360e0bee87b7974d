"""Bulk awards and bulk revocations, and their lines."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Function,
    Uuid,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    update,
)
from sqlalchemy import select as sa_select
from sqlmodel import SQLModel, col, delete, select

from app.db.activities.campus_activities import activities_page, are_of
from app.db.engine.queries import RowStore, Start, Store, are_in_force
from app.db.engine.session import writes_alone
from app.db.engine.writes import IN_ONE_QUERY, among, insert_rows, read_bare, update_rows
from app.db.messages import refused_for_good
from app.db.people import THE_ADDRESS_FIRST
from app.domain.activities import Activity, Attendance, CampusActivity, Participation
from app.domain.activities.check_in import CheckInEntry
from app.domain.awards import Award, AwardState, ClaimCode, LineOutcome
from app.domain.awards.batches import (
    A_PIECE_BESIDE_OTHERS,
    A_PIECE_OF_ONE_WRITER,
    CHUNK_SIZE,
    AwardBatch,
    BatchLine,
    BatchState,
    Withdrawal,
    WithdrawalLine,
    WithdrawalOutcome,
    WithdrawalState,
)
from app.domain.awards.signing_clock import ONLY_ROW, SigningClock
from app.domain.campus.integration import ExternalId, Webhook, WebhookDelivery
from app.domain.imports.calendars import CalendarSubscription
from app.domain.messages import LetterState, QueuedMessage
from app.domain.people import Membership, Person, PersonAddress
from app.domain.people.consents import ListAnswer
from app.errors import NotFound


class BatchStore(RowStore[SQLModel]):
    @property
    def lines_at_once(self) -> int:
        """How many lines one transaction processes."""
        engine = self.session.get_bind().engine
        if engine.dialect.name != "sqlite":
            return CHUNK_SIZE
        return A_PIECE_OF_ONE_WRITER if writes_alone(engine) else A_PIECE_BESIDE_OTHERS

    # --- bulk awards

    def add_lines(self, lines: Sequence[BatchLine]) -> None:
        insert_rows(self.session, lines)

    def add_everybody(
        self, batch_id: uuid.UUID, activity_id: uuid.UUID, readable: ColumnElement[bool]
    ) -> None:
        """A line for each participant who was present, by name: one statement, run by the database alone.

        `readable`: of an address, whether the campus may read it.
        """
        address = (
            select(PersonAddress.address)
            .where(PersonAddress.person_id == Person.id)
            .order_by(*THE_ADDRESS_FIRST)
            .limit(1)
            .scalar_subquery()
        )
        by_name = (col(Person.listed_as), col(Person.id))
        line = {
            "batch_id": literal(batch_id, Uuid()),
            "position": func.row_number().over(order_by=by_name) - 1,
            "outcome": literal(LineOutcome.READY.value),
            "reason": literal(""),
            "reason_values": literal({}, JSON()),
            "given_name": col(Person.given_name),
            "family_name": col(Person.family_name),
            "address": func.coalesce(address, ""),
            "told": self._facts_of_participation(),
            "person_id": col(Person.id),
            "participation_id": col(Participation.id),
        }
        there = (
            sa_select(*line.values())
            .join_from(Participation, Person, col(Person.id) == col(Participation.person_id))
            .where(col(Participation.activity_id) == activity_id, col(Participation.is_present))
        )
        self.session.flush()
        self.session.execute(insert(BatchLine).from_select(list(line), there, include_defaults=False))
        self._hide_addresses(batch_id, readable)

    def _hide_addresses(self, batch_id: uuid.UUID, is_readable: ColumnElement[bool]) -> None:
        """Addresses that people added to their accounts: a line has one that its campus may read, if any."""
        those = select(BatchLine.person_id).where(BatchLine.batch_id == batch_id)
        of_lines = col(PersonAddress.person_id).in_(those)
        query = select(PersonAddress.person_id, PersonAddress.address)
        hidden = self.session.exec(query.where(of_lines, not_(is_readable))).all()
        if not hidden:
            return
        people = {person_id for person_id, _ in hidden}
        readable = query.where(among(self.session, col(PersonAddress.person_id), people), is_readable)
        known: dict[uuid.UUID, str] = {}
        for person_id, address in self.session.exec(readable.order_by(*THE_ADDRESS_FIRST)):
            known.setdefault(person_id, address)
        for person_id, address in hidden:
            self.session.execute(
                update(BatchLine)
                .where(
                    col(BatchLine.batch_id) == batch_id,
                    col(BatchLine.person_id) == person_id,
                    col(BatchLine.address) == address,
                )
                .values(address=known.get(person_id, ""))
            )

    def _facts_of_participation(self) -> Function[Any]:
        """The result of `told_of` for a line without data beyond its participation."""
        columns: list[Any] = [Participation.hours, Participation.part, Participation.contribution]
        said: list[Any] = []
        for column in columns:
            said += [literal_column(f"'{column.key}'"), column]
        is_sqlite = self.session.connection().dialect.name == "sqlite"
        return func.json_object(*said) if is_sqlite else func.json_build_object(*said)

    def find_by_key(self, campus_id: uuid.UUID, key: str) -> AwardBatch | None:
        query = select(AwardBatch).where(AwardBatch.campus_id == campus_id, AwardBatch.idempotency_key == key)
        return self.session.exec(query).first()

    def get(self, batch_id: uuid.UUID, campus_id: uuid.UUID) -> AwardBatch:
        batch = self.session.get(AwardBatch, batch_id)
        if batch is None or batch.campus_id != campus_id:
            raise NotFound("Cette attribution groupée n’existe pas ici.")
        return batch

    def find(self, batch_id: uuid.UUID) -> AwardBatch | None:
        return self.session.get(AwardBatch, batch_id)

    def lock(self, batch_id: uuid.UUID) -> AwardBatch | None:
        """Locked until the transaction ends: a concurrent worker waits, then finds this chunk done."""
        return self.find_locked(AwardBatch, batch_id)

    def list_unfinished(self, campus_id: uuid.UUID) -> Sequence[AwardBatch]:
        """Planned, in progress or being undone; the oldest first."""
        query = select(AwardBatch).where(
            AwardBatch.campus_id == campus_id,
            col(AwardBatch.state).in_((BatchState.PLANNED, BatchState.RUNNING, BatchState.UNDOING)),
        )
        return self.session.exec(query.order_by(col(AwardBatch.requested_at), col(AwardBatch.id))).all()

    def list_for_activity(
        self, activity_id: uuid.UUID, campus_id: uuid.UUID, limit: int
    ) -> Sequence[AwardBatch]:
        query = select(AwardBatch).where(
            AwardBatch.activity_id == activity_id, AwardBatch.campus_id == campus_id
        )
        return self.session.exec(
            query.order_by(col(AwardBatch.requested_at).desc(), col(AwardBatch.id)).limit(limit)
        ).all()

    def due(self, *, at: datetime, limit: int) -> Sequence[uuid.UUID]:
        """Batches with lines to award."""
        is_open = col(AwardBatch.state).in_((BatchState.RUNNING, BatchState.PLANNED))
        has_come = col(AwardBatch.not_before).is_(None) | (col(AwardBatch.not_before) <= at)
        return self._ids(AwardBatch, is_open & has_come, col(AwardBatch.requested_at), limit)

    def due_to_undo(self, *, limit: int) -> Sequence[uuid.UUID]:
        undoing = col(AwardBatch.state) == BatchState.UNDOING
        return self._ids(AwardBatch, undoing, col(AwardBatch.requested_at), limit)

    def _ids(self, kind: Any, condition: Any, order: Any, limit: int) -> Sequence[uuid.UUID]:
        return self.session.exec(select(kind.id).where(condition).order_by(order, kind.id).limit(limit)).all()

    def lines_of(self, batch_id: uuid.UUID) -> Sequence[BatchLine]:
        query = select(BatchLine).where(BatchLine.batch_id == batch_id)
        return self.session.exec(query.order_by(col(BatchLine.position))).all()

    def lines_with(
        self, batch_id: uuid.UUID, outcomes: Collection[LineOutcome], *, after: int = -1, limit: int
    ) -> Sequence[BatchLine]:
        """The first lines after the position `after` with one of these outcomes."""
        query = select(BatchLine).where(
            BatchLine.batch_id == batch_id,
            BatchLine.position > after,
            col(BatchLine.outcome).in_(outcomes),
        )
        return self.session.exec(query.order_by(col(BatchLine.position)).limit(limit)).all()

    def next_lines(self, batch_id: uuid.UUID, limit: int) -> Sequence[BatchLine]:
        """The first unprocessed lines, detached from the session."""
        query = select(BatchLine).where(
            BatchLine.batch_id == batch_id, BatchLine.outcome == LineOutcome.READY
        )
        query = query.order_by(col(BatchLine.position)).limit(limit)
        return [line for some in read_bare(self.session, query, BatchLine) for line in some]

    def latest_lines(self, batch_id: uuid.UUID, limit: int) -> Sequence[BatchLine]:
        """The last lines that were awarded."""
        query = select(BatchLine).where(
            BatchLine.batch_id == batch_id, BatchLine.outcome == LineOutcome.AWARDED
        )
        return self.session.exec(query.order_by(col(BatchLine.position).desc()).limit(limit)).all()

    def answer(self, batch_id: uuid.UUID, answers: Sequence[Mapping[str, Any]]) -> None:
        """Write line outcomes: `position` and the columns that change."""
        alike: dict[frozenset[str], list[dict[str, Any]]] = {}
        for each in answers:
            alike.setdefault(frozenset(each), []).append({"batch_id": batch_id, **each})
        for changes in alike.values():
            update_rows(self.session, BatchLine, ("batch_id", "position"), changes)

    def counts(self, batch_id: uuid.UUID) -> dict[LineOutcome, int]:
        rows = self.session.exec(
            select(BatchLine.outcome, func.count())
            .where(BatchLine.batch_id == batch_id)
            .group_by(col(BatchLine.outcome))
        )
        return {LineOutcome(outcome): count for outcome, count in rows}

    def given_in_batch(self, batch_id: uuid.UUID, person_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Which of these people already received the badge in this batch."""
        these = among(self.session, col(Award.person_id), person_ids)
        return set(self.session.exec(select(Award.person_id).where(Award.batch_id == batch_id, these)))

    def withheld(self, award_ids: Sequence[uuid.UUID], *, at: datetime) -> set[uuid.UUID]:
        """Awards of batches that are not done, or that may still be undone."""
        kept_back = (col(AwardBatch.state) != BatchState.DONE) | (col(AwardBatch.undo_until) > at)
        found: set[uuid.UUID] = set()
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            query = (
                select(Award.id)
                .join(AwardBatch, col(AwardBatch.id) == col(Award.batch_id))
                .where(col(Award.id).in_(award_ids[start : start + IN_ONE_QUERY]), kept_back)
            )
            found.update(self.session.exec(query))
        return found

    def standing_awards(self, batch_id: uuid.UUID, limit: int) -> Sequence[Award]:
        """Awards of the batch that are not undone yet."""
        query = select(Award).where(Award.batch_id == batch_id, col(Award.undone_at).is_(None))
        return self.session.exec(query.order_by(col(Award.person_id)).limit(limit)).all()

    def count_standing(self, batch_id: uuid.UUID) -> int:
        query = select(func.count()).where(Award.batch_id == batch_id, col(Award.undone_at).is_(None))
        return self.session.exec(query).one()

    def standing_ids(self, batch_id: uuid.UUID, limit: int) -> list[uuid.UUID]:
        return [award.id for award in self.standing_awards(batch_id, limit)]

    # --- what its list brought

    def additions(self, batch: AwardBatch, *, limit: int) -> list[Participation]:
        """Participations that its list recorded and that nothing else rests on."""
        query = select(Participation).where(*self._added(batch)).order_by(col(Participation.id))
        return list(self.session.exec(query.limit(limit)))

    def count_added(self, batch: AwardBatch) -> tuple[int, int]:
        """People without another trace, and participations."""
        condition = self._added(batch)
        total = self.session.exec(select(func.count()).select_from(Participation).where(*condition)).one()
        if not total:
            return 0, 0
        alone = (
            select(func.count())
            .select_from(Person)
            .where(col(Person.id).in_(select(Participation.person_id).where(*condition)), *_alone(batch))
        )
        return self.session.exec(alone).one(), total

    def added_alone(self, batch: AwardBatch, person_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these people without another trace."""
        query = select(Person.id).where(among(self.session, col(Person.id), person_ids), *_alone(batch))
        return set(self.session.exec(query))

    def _added(self, batch: AwardBatch) -> tuple[Any, ...]:
        other_award = select(Award.id).where(
            Award.activity_id == batch.activity_id,
            Award.person_id == Participation.person_id,
            or_(col(Award.batch_id).is_(None), col(Award.batch_id) != batch.id),
        )
        attended = select(Attendance.session_id).where(Attendance.participation_id == Participation.id)
        signed = select(CheckInEntry.id).where(CheckInEntry.participation_id == Participation.id)
        answered = select(ListAnswer.participation_id).where(ListAnswer.participation_id == Participation.id)
        return (
            col(Participation.activity_id) == batch.activity_id,
            col(Participation.batch_id) == batch.id,
            *(~each.exists() for each in (other_award, attended, signed, answered)),
        )

    def unname_lines(self, batch_id: uuid.UUID, person_id: uuid.UUID) -> None:
        """Their lines stay, as counts without a name."""
        self.session.exec(
            update(BatchLine)
            .where(col(BatchLine.batch_id) == batch_id, col(BatchLine.person_id) == person_id)
            .values(given_name="", family_name="", address="", told={}, person_id=None, award_id=None)
        )
        self.session.expire_all()

    # --- bulk revocations

    def add_withdrawal(self, withdrawal: Withdrawal, lines: Sequence[WithdrawalLine]) -> None:
        self.session.add(withdrawal)
        self.session.flush()
        insert_rows(self.session, lines)

    def find_withdrawal_by_key(self, campus_id: uuid.UUID, key: str) -> Withdrawal | None:
        query = select(Withdrawal).where(Withdrawal.campus_id == campus_id, Withdrawal.idempotency_key == key)
        return self.session.exec(query).first()

    def find_withdrawal(self, withdrawal_id: uuid.UUID) -> Withdrawal | None:
        return self.session.get(Withdrawal, withdrawal_id)

    def get_withdrawal(self, withdrawal_id: uuid.UUID, campus_id: uuid.UUID) -> Withdrawal:
        withdrawal = self.session.get(Withdrawal, withdrawal_id)
        if withdrawal is None or withdrawal.campus_id != campus_id:
            raise NotFound("Ce retrait groupé n’existe pas ici.")
        return withdrawal

    def lock_withdrawal(self, withdrawal_id: uuid.UUID) -> Withdrawal | None:
        return self.find_locked(Withdrawal, withdrawal_id)

    def withdrawals_due(self, *, limit: int) -> Sequence[uuid.UUID]:
        running = col(Withdrawal.state) == WithdrawalState.RUNNING
        return self._ids(Withdrawal, running, col(Withdrawal.requested_at), limit)

    def next_withdrawals(self, withdrawal_id: uuid.UUID, limit: int) -> Sequence[WithdrawalLine]:
        query = select(WithdrawalLine).where(
            WithdrawalLine.withdrawal_id == withdrawal_id, WithdrawalLine.outcome == WithdrawalOutcome.WAITING
        )
        return self.session.exec(query.order_by(col(WithdrawalLine.position)).limit(limit)).all()

    def withdrawal_lines(self, withdrawal_id: uuid.UUID) -> Sequence[WithdrawalLine]:
        query = select(WithdrawalLine).where(WithdrawalLine.withdrawal_id == withdrawal_id)
        return self.session.exec(query.order_by(col(WithdrawalLine.position))).all()

    def withdrawal_counts(self, withdrawal_id: uuid.UUID) -> dict[WithdrawalOutcome, int]:
        rows = self.session.exec(
            select(WithdrawalLine.outcome, func.count())
            .where(WithdrawalLine.withdrawal_id == withdrawal_id)
            .group_by(col(WithdrawalLine.outcome))
        )
        return {WithdrawalOutcome(outcome): count for outcome, count in rows}

    def answer_withdrawals(self, withdrawal_id: uuid.UUID, answers: Sequence[Mapping[str, Any]]) -> None:
        changes = [{"withdrawal_id": withdrawal_id, **each} for each in answers]
        update_rows(self.session, WithdrawalLine, ("withdrawal_id", "position"), changes)


def _alone(batch: AwardBatch) -> tuple[Any, ...]:
    """Conditions on a person: nothing is known of them besides this batch."""
    person = col(Person.id)
    traces = (
        select(Participation.id).where(
            Participation.person_id == person,
            or_(col(Participation.batch_id).is_(None), col(Participation.batch_id) != batch.id),
        ),
        select(Award.id).where(
            Award.person_id == person, or_(col(Award.batch_id).is_(None), col(Award.batch_id) != batch.id)
        ),
        select(Membership.id).where(Membership.person_id == person),
        select(ExternalId.value).where(ExternalId.person_id == person),
        select(PersonAddress.id).where(
            PersonAddress.person_id == person, col(PersonAddress.verified_at).is_not(None)
        ),
    )
    return (col(Person.created_at) >= batch.requested_at, *(~each.exists() for each in traces))


class ClaimCodeStore(Store):
    def owners(self, digests: Sequence[str]) -> dict[str, uuid.UUID]:
        """The awards of these codes, among those issued."""
        found: dict[str, uuid.UUID] = {}
        for start in range(0, len(digests), IN_ONE_QUERY):
            query = select(ClaimCode).where(col(ClaimCode.digest).in_(digests[start : start + IN_ONE_QUERY]))
            found.update({code.digest: code.award_id for code in self.session.exec(query)})
        return found

    def find(self, digest: str) -> ClaimCode | None:
        return self.session.exec(select(ClaimCode).where(ClaimCode.digest == digest)).first()

    def keep(self, codes: Sequence[ClaimCode]) -> None:
        self.forget([code.award_id for code in codes])
        insert_rows(self.session, codes)

    def forget(self, award_ids: Sequence[uuid.UUID]) -> None:
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            ids = award_ids[start : start + IN_ONE_QUERY]
            self.session.exec(delete(ClaimCode).where(col(ClaimCode.award_id).in_(ids)))

    def sweep(self, at: datetime) -> None:
        """Delete expired rows."""
        expired = delete(ClaimCode).where(col(ClaimCode.expires_at) <= at)
        self.session.exec(expired.execution_options(swept=True))


class SigningClockStore(RowStore[SigningClock]):
    def find(self) -> SigningClock:
        found = self.session.exec(select(SigningClock).where(SigningClock.id == ONLY_ROW)).first()
        return found or SigningClock()

    def lock(self) -> SigningClock:
        found = self.find_locked(SigningClock, ONLY_ROW)
        return found or SigningClock()

    def note_secret(self, fingerprint: str) -> None:
        """Where none is stored: of several processes at their first start, the first one counts."""
        statement = update(SigningClock).where(col(SigningClock.secret_fingerprint).is_(None))
        self.session.execute(statement.values(secret_fingerprint=fingerprint))

    def bring_back(self, at: datetime) -> None:
        """What a clock running ahead put off: next attempts later than any pause are due now."""
        for kind, due, conditions in _PUT_OFF:
            late = col(due) > at + _LONGEST_PAUSE
            self.session.execute(update(kind).where(late, *conditions).values({due.key: at}))


_PUT_OFF: Final[Sequence[tuple[Any, Any, Sequence[ColumnElement[bool]]]]] = (
    (Webhook, Webhook.next_at, ()),
    (WebhookDelivery, WebhookDelivery.next_at, ()),
    (CalendarSubscription, CalendarSubscription.next_at, ()),
    (
        QueuedMessage,
        QueuedMessage.not_before,
        (col(QueuedMessage.state) == LetterState.WAITING, col(QueuedMessage.attempts) > 0),
    ),
)
_LONGEST_PAUSE: Final = timedelta(days=1)


@dataclass(frozen=True)
class Lately:
    """Activity counts since a datetime."""

    awards: int
    claimed: int
    people: int
    activities: int


class WaitingStore(Store):
    def lately(self, campus_id: uuid.UUID, *, since: datetime, days: tuple[date, date]) -> Lately:
        """Awards and their claims since a datetime; activities of those days, and their participants."""
        awards, claimed = self.session.execute(
            sa_select(func.count(), func.count(col(Award.claimed_at))).where(
                col(Award.campus_id) == campus_id,
                col(Award.awarded_at) >= since,
                col(Award.undone_at).is_(None),
            )
        ).one()
        in_week = sa_select(col(CampusActivity.activity_id)).where(
            are_of(campus_id),
            col(CampusActivity.starts_on) <= days[1],
            col(CampusActivity.ends_on) >= days[0],
        )
        # Read first: the planner takes the activities of a week for a part of all, and reads every participation.
        activities = self.session.scalars(in_week).all()
        people = self.session.scalar(
            sa_select(func.count(func.distinct(col(Participation.person_id)))).where(
                among(self.session, col(Participation.activity_id), activities), col(Participation.is_present)
            )
        )
        return Lately(awards, claimed, people or 0, len(activities))

    def activities_without_awards(
        self, campus_id: uuid.UUID, *, ended: tuple[date, date], limit: int
    ) -> list[Activity]:
        """Those that ended in that period, with participants and no awards, unless the campus closed them."""
        conditions = (
            are_of(campus_id),
            ~col(CampusActivity.is_sample),
            ~col(CampusActivity.is_closed),
            col(CampusActivity.ends_on) >= ended[0],
            col(CampusActivity.ends_on) <= ended[1],
            col(CampusActivity.people) > 0,
            col(CampusActivity.given) == 0,
        )
        order = [(col(CampusActivity.ends_on), True), (col(CampusActivity.activity_id), False)]
        return activities_page(self.session, conditions, order, Start(limit=limit))[:limit]

    def refused_letters(self, campus_id: uuid.UUID, *, since: datetime, limit: int) -> int:
        """At most `limit`: a thousand refusals need one action."""
        few = refused_for_good(campus_id, since=since).limit(limit)
        return self.session.scalar(sa_select(func.count()).select_from(few.subquery())) or 0

    def unclaimed_awards(
        self, campus_id: uuid.UUID, *, given: tuple[datetime, datetime], at: datetime, limit: int
    ) -> int:
        """Given in that period, valid and unclaimed; at most `limit`."""
        few = (
            sa_select(col(Award.id))
            .where(
                col(Award.campus_id) == campus_id,
                col(Award.awarded_at) >= given[0],
                col(Award.awarded_at) < given[1],
                col(Award.claimed_at).is_(None),
                *are_in_force(at),
            )
            .limit(limit)
        )
        return self.session.scalar(sa_select(func.count()).select_from(few.subquery())) or 0


# --- The people who hold awards of a campus, and which


class HolderStore(Store):
    def names_in_campus(
        self, campus_id: uuid.UUID, person_ids: Iterable[uuid.UUID], *, standing: bool = False
    ) -> dict[uuid.UUID, list[str]]:
        """Names that the campus wrote or accepted for these people, per person, of the latest award first."""
        query = select(Award.person_id, Award.accepted_name, Award.holder_name).where(
            Award.campus_id == campus_id, among(self.session, col(Award.person_id), person_ids)
        )
        if standing:
            query = query.where(Award.state == AwardState.ISSUED)
        found: dict[uuid.UUID, list[str]] = {}
        for person_id, accepted, written in self.session.exec(
            query.order_by(col(Award.awarded_at).desc(), col(Award.id).desc())
        ):
            if name := accepted or written:
                found.setdefault(person_id, []).append(name)
        return found

    def names_of(self, person_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
        """Campus and name of each standing award of a person with a name that the campus wrote or accepted."""
        query = select(Award.campus_id, Award.accepted_name, Award.holder_name).where(
            Award.person_id == person_id, Award.state == AwardState.ISSUED
        )
        found = self.session.exec(query.order_by(col(Award.awarded_at).desc(), col(Award.id).desc()))
        return [(campus_id, name) for campus_id, accepted, written in found if (name := accepted or written)]

    def awards_by_holder(self, campus_id: uuid.UUID) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
        """Award and holder, in the order they were given to each; without awards undone before delivery."""
        query = select(Award.id, Award.person_id).where(
            Award.campus_id == campus_id, col(Award.undone_at).is_(None)
        )
        ordered = query.order_by(col(Award.person_id), col(Award.awarded_at), col(Award.id))
        return self.session.exec(ordered).all()
