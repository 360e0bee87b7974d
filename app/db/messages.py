"""Queued messages."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, true
from sqlalchemy import select as select_rows
from sqlalchemy.orm import aliased
from sqlmodel import col, delete, func, select, update
from sqlmodel.sql.expression import SelectOfScalar

from app.db.engine.queries import RowStore, Store, are_in_force, locked
from app.db.engine.writes import IN_ONE_QUERY, among, insert_rows, insert_unless_there
from app.domain.activities import Activity
from app.domain.awards import Award, AwardState
from app.domain.badges import BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.messages import (
    BETWEEN_REMINDERS,
    ENDINGS,
    TURNS,
    LetterState,
    Occasion,
    QueuedMessage,
    Reason,
    Turn,
    Waiting,
)
from app.domain.people import Person

_HELD_FOR = timedelta(days=3650)
_IS_HELD = (
    col(QueuedMessage.state) == LetterState.WAITING,
    col(QueuedMessage.reason) == Reason.HELD.value,
)


class LetterStore(RowStore[QueuedMessage]):
    def enqueue_many(self, letters: Sequence[QueuedMessage]) -> None:
        """Stores the messages in few statements. Idempotent by `once_key`."""
        insert_unless_there(self.session, letters, "once_key")

    def enqueue_new(self, letters: Sequence[QueuedMessage]) -> None:
        """For messages that cannot exist yet, even if row-level security lets the writer read none."""
        insert_rows(self.session, letters)

    def of_awards(self, award_ids: Iterable[uuid.UUID]) -> list[QueuedMessage]:
        """All messages about these awards, in the order they were queued, as they are now."""
        ids, found = list(award_ids), list[QueuedMessage]()
        for start in range(0, len(ids), IN_ONE_QUERY):
            query = select(QueuedMessage).where(
                col(QueuedMessage.award_id).in_(ids[start : start + IN_ONE_QUERY])
            )
            ordered = query.order_by(col(QueuedMessage.promised_at), col(QueuedMessage.id))
            found += self.session.exec(ordered.execution_options(populate_existing=True))
        return found

    def newest_about(self, about_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, QueuedMessage]:
        """The last queued message about each of these."""
        query = select(QueuedMessage).where(col(QueuedMessage.about_id).in_(list(about_ids)))
        letters = self.session.exec(query.order_by(col(QueuedMessage.promised_at), col(QueuedMessage.id)))
        return {letter.about_id: letter for letter in letters if letter.about_id is not None}

    def refused_awards(self, campus_id: uuid.UUID, *, since: datetime, limit: int) -> list[uuid.UUID]:
        """Awards with a refused last message that have not been opened since, latest first."""
        query = refused_for_good(campus_id, since=since)
        latest_first = query.order_by(col(QueuedMessage.promised_at).desc(), col(QueuedMessage.id))
        return list(self.session.exec(latest_first.limit(limit)))

    def due(
        self, at: datetime, *, limit: int, occasions: Collection[Occasion] = tuple(Occasion)
    ) -> list[uuid.UUID]:
        """Envelopes due for sending, the longest waiting first; never of an occasion that only a newer
        version knows."""
        other = aliased(QueuedMessage)
        # One message represents its envelope: the one with its id, or another if that is no longer waiting.
        stands_behind = exists().where(
            col(other.envelope) == col(QueuedMessage.envelope),
            col(other.state) == LetterState.WAITING,
            (col(other.id) == col(other.envelope)) | (col(other.id) < col(QueuedMessage.id)),
        )
        query = (
            select(QueuedMessage.envelope)
            .where(
                QueuedMessage.state == LetterState.WAITING,
                col(QueuedMessage.not_before) <= at,
                col(QueuedMessage.occasion).in_([each.value for each in occasions]),
                (col(QueuedMessage.id) == col(QueuedMessage.envelope)) | ~stands_behind,
            )
            .order_by(col(QueuedMessage.not_before), col(QueuedMessage.id))
            .limit(limit)
        )
        return list(self.session.exec(query))

    def release(self, batch_id: uuid.UUID, *, not_before: datetime) -> None:
        """Messages about the awards of one bulk award become due then."""
        of_batch = select(Award.id).where(Award.batch_id == batch_id)
        self.session.exec(
            update(QueuedMessage)
            .where(
                col(QueuedMessage.award_id).in_(of_batch),
                col(QueuedMessage.occasion) == Occasion.AWARDED.value,
                col(QueuedMessage.state) == LetterState.WAITING,
            )
            .values(not_before=not_before)
            .execution_options(synchronize_session=False)
        )

    def put_off(self, batch_id: uuid.UUID, *, not_before: datetime) -> None:
        """Postpones messages of one bulk award that are due earlier; not those held by another worker."""
        of_batch = select(Award.id).where(Award.batch_id == batch_id)
        occasion = col(QueuedMessage.occasion) == Occasion.AWARDED.value
        self._put_off(not_before, occasion & col(QueuedMessage.award_id).in_(of_batch))

    def put_off_campus(
        self, campus_id: uuid.UUID | None, occasions: Collection[Occasion], *, not_before: datetime
    ) -> None:
        named = col(QueuedMessage.occasion).in_([each.value for each in occasions])
        self._put_off(not_before, named & (col(QueuedMessage.campus_id) == campus_id))

    def _put_off(self, not_before: datetime, which: ColumnElement[bool]) -> None:
        free = select(QueuedMessage.id).where(
            which,
            col(QueuedMessage.state) == LetterState.WAITING,
            col(QueuedMessage.not_before) < not_before,
        )
        self.session.exec(
            update(QueuedMessage)
            .where(col(QueuedMessage.id).in_(locked(free, skip_locked=True)))
            .values(not_before=not_before)
            .execution_options(synchronize_session=False)
        )

    def hold_waiting(self) -> int:
        """What waits leaves only once it is released, and no earlier than before."""
        waits = col(QueuedMessage.state) == LetterState.WAITING
        return self._postpone(
            _HELD_FOR, Reason.HELD.value, waits, col(QueuedMessage.reason) != Reason.HELD.value
        )

    def count_held(self) -> int:
        return self.session.exec(select(func.count()).where(*_IS_HELD)).one()

    def release_held(self) -> int:
        return self._postpone(-_HELD_FOR, "", *_IS_HELD)

    def _postpone(self, by: timedelta, reason: str, *which: ColumnElement[bool]) -> int:
        found = self.session.exec(select(QueuedMessage).where(*which)).all()
        for letter in found:
            letter.not_before, letter.reason = letter.not_before + by, reason
        return len(found)

    def cancel_held(self) -> int:
        cancelled = {"state": LetterState.CANCELLED}
        return self.session.exec(update(QueuedMessage).where(*_IS_HELD).values(**cancelled)).rowcount

    def cancel_waiting(self, award_ids: Sequence[uuid.UUID]) -> None:
        """Cancels unsent messages about these awards, except notices of their revocation."""
        for start in range(0, len(award_ids), IN_ONE_QUERY):
            self.session.exec(
                update(QueuedMessage)
                .where(
                    col(QueuedMessage.award_id).in_(award_ids[start : start + IN_ONE_QUERY]),
                    col(QueuedMessage.state) == LetterState.WAITING,
                    col(QueuedMessage.occasion) != Occasion.WITHDRAWN.value,
                )
                .values(state=LetterState.CANCELLED)
            )

    def forget_about(self, about_ids: Collection[uuid.UUID], *, address: str | None = None) -> None:
        """Deletes the messages about these, unsent ones too, with their addresses; only those to `address`, if given."""
        of_address = true() if address is None else col(QueuedMessage.address) == address
        about = col(QueuedMessage.about_id).in_(list(about_ids))
        self.session.exec(delete(QueuedMessage).where(about, of_address))

    def readdress_waiting(self, person_id: uuid.UUID, formers: Collection[str], address: str) -> None:
        """Unsent messages to a person at one of `formers` go to `address`; they are cancelled without one, and where a
        worker has begun to send them: what leaves now cannot be redirected.

        Never a sign-in link: it proves the address that it was asked for.
        """
        of_person = select(Award.id).where(Award.person_id == person_id)
        is_attempted = col(QueuedMessage.attempted_at).is_not(None)
        changed = {"address": address} if address else {"state": LetterState.CANCELLED}
        # In this order: what is taken to be sent meanwhile is waited for by the first, and cancelled by the second.
        for which, values in ((~is_attempted, changed), (is_attempted, {"state": LetterState.CANCELLED})):
            self.session.exec(
                update(QueuedMessage)
                .where(
                    (col(QueuedMessage.person_id) == person_id) | col(QueuedMessage.award_id).in_(of_person),
                    col(QueuedMessage.address).in_(list(formers)),
                    col(QueuedMessage.state) == LetterState.WAITING,
                    col(QueuedMessage.occasion) != Occasion.SIGN_IN.value,
                    which,
                )
                .values(**values)
            )
        self.session.expire_all()

    def has_left_for(self, person_id: uuid.UUID, addresses: Collection[str], *, bounced: bool = True) -> bool:
        """Whether sending a message about the person to one of these addresses was ever attempted; with
        `bounced`, also if no mailbox took it."""
        of_person = select(Award.id).where(Award.person_id == person_id)
        query = select(QueuedMessage.id).where(
            (col(QueuedMessage.person_id) == person_id) | col(QueuedMessage.award_id).in_(of_person),
            col(QueuedMessage.address).in_(list(addresses)),
            col(QueuedMessage.attempted_at).is_not(None),
        )
        if not bounced:
            query = query.where(QueuedMessage.state != LetterState.REFUSED)
        return self.session.exec(query.limit(1)).first() is not None

    def awards_announced_at(self, person_id: uuid.UUID, address: str) -> Sequence[Award]:
        """The person’s awards that an e-mail to that mailbox may have linked to, locked."""
        sent = select(QueuedMessage.award_id).where(
            QueuedMessage.address == address, col(QueuedMessage.attempted_at).is_not(None)
        )
        query = select(Award).where(Award.person_id == person_id, col(Award.id).in_(sent))
        return self.session.exec(locked(query.order_by(col(Award.id)))).all()

    def address_of(self, about_id: uuid.UUID, occasion: Occasion, enqueued_at: datetime) -> str | None:
        """Where that message went."""
        query = select(QueuedMessage.address).where(
            QueuedMessage.about_id == about_id,
            QueuedMessage.occasion == occasion.value,
            QueuedMessage.promised_at == enqueued_at,
        )
        return self.session.exec(query).first()

    def lock_due(self, envelope: uuid.UUID, *, at: datetime) -> list[QueuedMessage]:
        return [letter for letter in self.lock_waiting(envelope) if letter.not_before <= at]

    def lock_waiting(self, envelope: uuid.UUID) -> list[QueuedMessage]:
        """The unsent messages of an envelope, locked for one worker."""
        query = (
            select(QueuedMessage)
            .where(QueuedMessage.envelope == envelope, QueuedMessage.state == LetterState.WAITING)
            .order_by(col(QueuedMessage.promised_at), col(QueuedMessage.id))
        )
        return list(self.session.exec(locked(query)))

    def lock_with(self, letter_id: uuid.UUID | None) -> list[QueuedMessage]:
        """The messages that left in one e-mail with this one, locked."""
        letter = self.session.get(QueuedMessage, letter_id) if letter_id else None
        if letter is None:
            return []
        query = select(QueuedMessage).where(QueuedMessage.envelope == letter.envelope)
        return list(self.session.exec(locked(query)))

    def attempted_since(self, moment: datetime) -> int:
        """How many messages were sent or attempted."""
        query = select(func.count(func.distinct(QueuedMessage.envelope))).where(
            col(QueuedMessage.attempted_at) > moment
        )
        return self.session.exec(query).one()


def refused_for_good(campus_id: uuid.UUID, *, since: datetime) -> SelectOfScalar[uuid.UUID]:
    """Awards with a refused last message: no later message about them, and never opened."""
    later = aliased(QueuedMessage)
    return (
        select(Award.id)
        .join(QueuedMessage, col(QueuedMessage.award_id) == col(Award.id))
        .where(
            QueuedMessage.campus_id == campus_id,
            QueuedMessage.state == LetterState.REFUSED,
            QueuedMessage.occasion == Occasion.AWARDED.value,
            col(QueuedMessage.promised_at) >= since,
            Award.state == AwardState.ISSUED,
            col(Award.link_opened_at).is_(None),
            col(Award.claimed_at).is_(None),
            ~exists().where(
                col(later.award_id) == col(Award.id),
                col(later.occasion) == Occasion.AWARDED.value,
                (col(later.promised_at) > col(QueuedMessage.promised_at))
                | (
                    (col(later.promised_at) == col(QueuedMessage.promised_at))
                    & (col(later.once_key) > col(QueuedMessage.once_key))
                ),
            ),
        )
    )


_REMINDERS = [turn.occasion.value for turn in TURNS]


class ReminderStore(Store):
    def campuses_due(self, at: datetime) -> list[uuid.UUID]:
        found: set[uuid.UUID] = set()
        for turn in TURNS:
            query = self._waiting(turn, at).with_only_columns(col(Award.campus_id)).distinct()
            found.update(self.session.execute(query).scalars())
        for occasion in ENDINGS:
            query = self._ending(occasion, at).with_only_columns(col(Award.campus_id)).distinct()
            found.update(self.session.execute(query).scalars())
        return sorted(found)

    def waiting(self, campus_id: uuid.UUID, at: datetime, *, limit: int) -> list[Waiting]:
        """For one campus, sorted by person, so that a limit rarely splits one person's messages."""
        found: list[Waiting] = []
        for turn in TURNS:
            query = (
                self._waiting(turn, at)
                .where(col(Award.campus_id) == campus_id)
                .order_by(col(Award.person_id), col(QueuedMessage.sent_at).desc())
                .limit(limit)
            )
            found += [
                Waiting(award, address, turn.occasion) for award, address in self.session.execute(query)
            ]
        return found

    def ending(self, campus_id: uuid.UUID, at: datetime, *, limit: int) -> list[Waiting]:
        """Badges about to end, sorted by person; each once for each occasion."""
        found: list[Waiting] = []
        for occasion in ENDINGS:
            query = self._ending(occasion, at).where(col(Award.campus_id) == campus_id)
            rows = self.session.execute(query.order_by(col(Award.person_id), col(Award.id)).limit(limit))
            found += [Waiting(award, address, Occasion(occasion)) for award, address in rows]
        return found

    def reminded_since(
        self, campus_id: uuid.UUID, person_ids: Iterable[uuid.UUID], since: datetime
    ) -> set[uuid.UUID]:
        """Which of these people the campus reminded since then."""
        query = select_rows(col(QueuedMessage.person_id)).where(
            among(self.session, col(QueuedMessage.person_id), person_ids),
            col(QueuedMessage.campus_id) == campus_id,
            col(QueuedMessage.occasion).in_(_REMINDERS),
            col(QueuedMessage.promised_at) > since,
        )
        return {person_id for person_id in self.session.scalars(query) if person_id}

    @staticmethod
    def _ending(occasion: str, at: datetime) -> Select[Award, str]:
        latest, earliest = ENDINGS[occasion]
        later, earlier = aliased(QueuedMessage), aliased(QueuedMessage)
        return (
            select_rows(Award, col(QueuedMessage.address))
            .join(QueuedMessage, col(QueuedMessage.award_id) == col(Award.id))
            .join(BadgeVersion, col(BadgeVersion.id) == col(Award.version_id))
            .join(Person, col(Person.id) == col(Award.person_id))
            .join(Campus, col(Campus.id) == col(Award.campus_id))
            .where(
                col(Award.valid_until) > at + latest,
                col(Award.valid_until) <= at + earliest,
                *are_in_force(at),
                # A badge for a few days would be reminded of as soon as it is awarded.
                col(BadgeVersion.validity_days) >= 2 * (earliest.days - 1),
                col(QueuedMessage.occasion) == Occasion.AWARDED.value,
                col(QueuedMessage.state) == LetterState.SENT,
                ~exists().where(
                    col(later.award_id) == col(Award.id),
                    col(later.occasion) == Occasion.AWARDED.value,
                    col(later.state) == LetterState.SENT,
                    col(later.id) > col(QueuedMessage.id),
                ),
                col(Person.wants_reminders).is_(True),
                col(Campus.sends_reminders).is_(True),
                # An earlier one was about an earlier end: the badge has been renewed since.
                ~exists().where(
                    col(earlier.award_id) == col(Award.id),
                    col(earlier.occasion) == occasion,
                    col(earlier.promised_at) > at - earliest,
                ),
            )
        )

    @staticmethod
    def _waiting(turn: Turn, at: datetime) -> Select[Award, str]:
        other, lately = aliased(QueuedMessage), aliased(QueuedMessage)
        reminded = exists().where(
            col(other.award_id) == col(Award.id), col(other.occasion) == turn.occasion.value
        )
        reminded_lately = exists().where(
            col(lately.person_id) == col(Award.person_id),
            col(lately.campus_id) == col(Award.campus_id),
            col(lately.occasion).in_(_REMINDERS),
            col(lately.promised_at) > at - BETWEEN_REMINDERS,
        )
        return (
            select_rows(Award, col(QueuedMessage.address))
            .join(QueuedMessage, col(QueuedMessage.award_id) == col(Award.id))
            .join(Person, col(Person.id) == col(Award.person_id))
            .join(Campus, col(Campus.id) == col(Award.campus_id))
            .outerjoin(Activity, col(Activity.id) == col(Award.activity_id))
            .where(
                col(QueuedMessage.occasion) == Occasion.AWARDED.value,
                col(QueuedMessage.state) == LetterState.SENT,
                col(QueuedMessage.sent_at) <= at - turn.after,
                col(QueuedMessage.sent_at) > at - turn.until,
                *are_in_force(at),
                col(Award.claimed_at).is_(None),
                col(Person.wants_reminders).is_(True),
                col(Campus.sends_reminders).is_(True),
                col(Activity.sends_reminders).is_not(False),
                ~reminded,
                ~reminded_lately,
            )
        )
