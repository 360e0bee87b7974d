"""Queued e-mails: rendered when sent, then updated with their delivery state."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.mail.bounces import NotAReport, read_bounces
from app.db.accounts import OwnAddressStore
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.awards.batches import BatchStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore, ReminderStore
from app.db.people import PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.accounts.sessions import learner_link_proof, reminders_proof
from app.domain.awards import Award
from app.domain.awards.batches import is_handed_over
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import name_said_of
from app.domain.core import Clock, ServiceOptions
from app.domain.messages import (
    AWAITED,
    ENDINGS,
    Letter,
    LetterDelayed,
    LetterNotSent,
    LetterPicture,
    LetterState,
    Mailer,
    Occasion,
    QueuedMessage,
    Reason,
    editions_of,
    grouped,
    is_too_old,
    letter_about,
    letter_named,
    mark_bounced,
    mark_not_sent,
    mark_sent,
    message_key,
    pause_for_batch,
    still_to_say,
    take,
)
from app.domain.people import Person, is_address, normal_address
from app.domain.people.consents import About, consent
from app.domain.publishing import Addresses
from app.errors import Gone, InvalidInput, NotFound
from app.language import addressing, speaking
from app.services.messages.account import PersonalLetters
from app.services.messages.award_notices import notice_of, picture_name
from app.services.messages.requests import html_of, text_of
from sceau_credentials.values import format_timestamp, parse_json_object

PICTURE_WIDTH = 192
MESSAGES_PER_RUN = 200
SILENT_PAUSE: Final = timedelta(minutes=2)
_WITH_FIRST_LINK = (Occasion.AWARDED, Occasion.NAME_CORRECTED)
"""Occasions that may be a person's first e-mail about a badge, with its link."""


@dataclass(frozen=True)
class BouncesNoted:
    """Messages that are now known not to have arrived; and reports about none of ours."""

    letters: int
    unknown: int


@dataclass(frozen=True)
class Outgoing:
    envelope: uuid.UUID
    letter: Letter


@dataclass(frozen=True, eq=False)
class LetterService:
    letters: LetterStore
    awards: AwardStore
    batches: BatchStore
    campuses: CampusStore
    own_addresses: OwnAddressStore
    people: PeopleStore
    addresses: Addresses
    personal: PersonalLetters
    artist: BadgeArtist
    secret: bytes
    options: ServiceOptions
    clock: Clock

    # --- sending

    def due(self) -> list[uuid.UUID]:
        """The envelopes that may be sent now, within the rate limit per minute; awaited ones apart."""
        limit = min(self._allowance(), MESSAGES_PER_RUN)
        return self.letters.due(self.clock(), limit=limit, occasions=set(Occasion) - AWAITED)

    def awaited(self) -> list[uuid.UUID]:
        """Those that someone waits for: pages limit how many are asked for, so they overtake the others."""
        return self.letters.due(self.clock(), limit=MESSAGES_PER_RUN, occasions=AWAITED)

    def take(self, envelope: uuid.UUID) -> Outgoing | None:
        """The e-mail to send now; None if another worker has it or it has become irrelevant."""
        at = self.clock()
        waiting = self.letters.lock_due(envelope, at=at)
        if not waiting or (waiting[0].occasion not in AWAITED and self._allowance() <= 0):
            return None
        if waiting[0].about_id is not None:
            return self._take_personal(waiting[0])
        notices = [
            (letter, record)
            for letter in waiting
            if (record := self._still(letter)) and self._may_leave(letter, record.award)
        ]
        if not notices:
            return None
        # An envelope's delivery state applies to all its e-mails: one not sent now needs another envelope.
        named = {letter.id for letter, _ in notices}
        envelope = envelope if envelope in named else notices[0][0].id
        for letter, _ in notices:
            letter.envelope = envelope
            take(letter, at=at)
            self.letters.save(letter)
        return Outgoing(envelope, self._named(self._written(notices), notices[0][0]))

    def _take_personal(self, letter: QueuedMessage) -> Outgoing | None:
        written = None if is_too_old(letter, at=self.clock()) else self.personal.written(letter)
        if written is None:
            letter.state = LetterState.CANCELLED
            self.letters.save(letter)
            return None
        take(letter, at=self.clock())
        self.letters.save(letter)
        return Outgoing(letter.envelope, self._named(written, letter))

    def _named(self, written: Letter, letter: QueuedMessage) -> Letter:
        return replace(
            written,
            key=message_key(self.secret, letter.id),
            sender=self.campuses.sender_address(letter.campus_id),
        )

    def sent(self, envelope: uuid.UUID) -> None:
        at = self.clock()
        for letter in self.letters.lock_waiting(envelope):
            mark_sent(letter, at=at)
            self.letters.save(letter)

    def not_sent(self, envelope: uuid.UUID, trouble: LetterNotSent) -> None:
        at = self.clock()
        letters = self.letters.lock_waiting(envelope)
        for letter in letters:
            mark_not_sent(letter, trouble, at=at)
            self.letters.save(letter)
        campus_id = letters[0].campus_id if letters else None
        if trouble.reason is Reason.NO_ANSWER and self.campuses.sender_address(campus_id):
            # A server that is silent to one campus's address takes a worker's time, which is that of all.
            others = set(Occasion) - AWAITED
            self.letters.put_off_campus(campus_id, others, not_before=at + SILENT_PAUSE)

    def note_bounces(self, report: bytes) -> BouncesNoted:
        """From a message of the mail server. Idempotent; raises InvalidInput where it reports nothing."""
        try:
            bounces = read_bounces(report)
        except NotAReport as error:
            raise InvalidInput("Ce message n’est pas un avis de non-distribution (RFC 3464).") from error
        at, noted, unknown = self.clock(), 0, 0
        for bounce in bounces:
            named = (letter_named(self.secret, key) for key in bounce.keys)
            letters = self.letters.lock_with(next(filter(None, named), None))
            unknown += not letters
            for letter in letters:
                noted += mark_bounced(letter, bounce.reason, bounce.server_said, at=at)
                self.letters.save(letter)
        return BouncesNoted(noted, unknown)

    def _allowance(self) -> int:
        return self.options.letters_per_minute - self.letters.attempted_since(
            self.clock() - timedelta(minutes=1)
        )

    def _still(self, letter: QueuedMessage) -> AwardRecord | None:
        """The award of the e-mail, or None if it has become irrelevant: then it is never sent."""
        record = self.awards.find_record(letter.award_id) if letter.award_id else None
        too_old = is_too_old(letter, at=self.clock())
        if (
            record is not None
            and not too_old
            and still_to_say(letter, record.award, record.person, record.campus, record.activity)
            and self._former_name(letter, record) != record.award.holder_name
            and self._is_still_theirs(letter, record.person)
        ):
            return record
        letter.state = LetterState.CANCELLED
        letter.reason = Reason.TOO_OLD.value if too_old else ""
        self.letters.save(letter)
        return None

    def _is_still_theirs(self, letter: QueuedMessage, person: Person) -> bool:
        """A later e-mail contains a new private link: never for an address that was corrected since."""
        if letter.occasion in _WITH_FIRST_LINK:
            return True
        return normal_address(letter.address) in map(normal_address, self.people.all_addresses(person.id))

    def _may_leave(self, letter: QueuedMessage, award: Award) -> bool:
        """A bulk award stopped half-way can still be undone when its first e-mails become due."""
        if letter.occasion not in _WITH_FIRST_LINK or award.batch_id is None:
            return True
        at, batch = self.clock(), self.batches.find(award.batch_id)
        if is_handed_over(batch, at=at):
            return True
        assert batch is not None, "batch rows are never deleted"
        over = batch.undo_until
        letter.not_before = over if over and over > at else at + pause_for_batch(letter, at=at)
        letter.envelope = letter.id
        self.letters.save(letter)
        # All e-mails of the batch wait for the same event: postponing them one by one would delay others.
        self.letters.put_off(batch.id, not_before=letter.not_before)
        return False

    def _written(self, notices: Sequence[tuple[QueuedMessage, AwardRecord]]) -> Letter:
        letter, record = notices[0]
        records = [each for _, each in notices]
        is_reminder = letter.occasion in (Occasion.FIRST_REMINDER, Occasion.SECOND_REMINDER, *ENDINGS)
        unsubscribe = self._stop_link(record.person) if is_reminder else ""
        language = record.person.language or record.campus.language
        by_account = self._opens_by_account(record.person, letter.address)
        with speaking(addressing(language, is_child=record.person.needs_guardian)):
            notice = notice_of(
                letter.occasion,
                records,
                self._account_link_of if by_account else self.private_link_of,
                by_account=by_account,
                unsubscribe_url=unsubscribe,
                former_names=[self._former_name(*each) for each in notices],
            )
            return Letter(
                to=letter.address,
                to_name=record.person.name,
                subject=notice.subject,
                text=text_of(notice),
                html=html_of(notice),
                sender_name=notice.campus,
                reply_to=_reply_to(record.campus),
                unsubscribe_url=unsubscribe,
                language=language,
                pictures=self._pictures(records) if notice.badges else (),
            )

    def _former_name(self, letter: QueuedMessage, record: AwardRecord) -> str:
        """The name in the badge before the correction that the e-mail announces; empty for other e-mails."""
        if letter.occasion != Occasion.NAME_CORRECTED:
            return ""
        before = dict(self.awards.earlier_editions(record.award))[editions_of(letter)[0]]
        subject = parse_json_object(before.embedded)["credentialSubject"]
        assert isinstance(subject, dict), "we signed one subject"
        return name_said_of(subject) or ""

    def _pictures(self, records: Sequence[AwardRecord]) -> tuple[LetterPicture, ...]:
        drawn = {
            picture_name(record): self.artist.rasterise(record.version.picture_svg, width=PICTURE_WIDTH)
            for record in records
        }
        return tuple(LetterPicture(name, png) for name, png in drawn.items())

    def _stop_link(self, person: Person) -> str:
        return self.addresses.reminders(f"{person.id}.{reminders_proof(self.secret, person.id)}")

    def _opens_by_account(self, person: Person, address: str) -> bool:
        """People with an account or role only get a private link at an address they verified."""
        if not person.accepts_links:
            return True
        is_own = self.own_addresses.is_proved_by(person.id, address)
        return not is_own and bool(self.own_addresses.with_account_or_role([person.id]))

    def _account_link_of(self, record: AwardRecord) -> str:
        return self.addresses.my_badge(record.award.id)

    def private_link_of(self, record: AwardRecord) -> str:
        award = record.award
        proof = learner_link_proof(self.secret, award.id, award.link_generation)
        return self.addresses.private_link(f"{award.id}.{proof}")

    # --- events with e-mails

    def tell_of_withdrawal(self, awards: Sequence[Award]) -> None:
        """Cancels pending e-mails; notifies people who were already notified of the badge, or had an e-mail leaving."""
        ids, at = [award.id for award in awards], self.clock()
        pending = {each.id for each in self.letters.of_awards(ids) if each.state is LetterState.WAITING}
        self.letters.cancel_waiting(ids)
        notices = {
            letter.award_id: letter.address
            for letter in self.letters.of_awards(ids)
            if letter.state is LetterState.SENT or (letter.id in pending and letter.attempted_at is not None)
        }
        self.letters.enqueue_many(
            [
                letter_about(award, notices[award.id], Occasion.WITHDRAWN, at=at)
                for award in awards
                if award.id in notices
            ]
        )

    def tell_of_suspension(self, award: Award, occasion: Occasion) -> None:
        """Notifies a person who was already notified of the badge, or had an e-mail leaving, once for each suspension."""
        at = self.clock()
        notified = [
            each
            for each in self.letters.of_awards([award.id])
            if each.state is LetterState.SENT
            or (each.state is LetterState.WAITING and each.attempted_at is not None)
        ]
        if notified:
            once = format_timestamp(at)
            self.letters.enqueue_many([letter_about(award, notified[-1].address, occasion, once=once, at=at)])


def _reply_to(campus: Campus) -> str:
    return campus.contact_email if is_address(campus.contact_email) else ""


# --- Reminders of unclaimed badges: enqueued in groups, with an unsubscribe link

AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class ReminderService:
    reminders: ReminderStore
    letters: LetterStore
    people: PeopleStore
    campuses: CampusStore
    activities: ActivityStore
    consents: ConsentStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    def campuses_due(self) -> list[uuid.UUID]:
        return self.reminders.campuses_due(self.clock())

    def enqueue(self, campus_id: uuid.UUID) -> bool:
        """Enqueue due reminders of one campus, some hundreds at a time; returns whether there may be more."""
        at = self.clock()
        self.campuses.lock(campus_id)
        waiting = self.reminders.waiting(campus_id, at, limit=AT_ONCE)
        self.letters.enqueue_many(grouped(waiting, at=at))
        ending = self.reminders.ending(campus_id, at, limit=AT_ONCE)
        for occasion in ENDINGS:
            due = [each for each in ending if each.occasion == occasion]
            self.letters.enqueue_many(grouped(due, at=at, once=f"{at:%Y-%m-%d}"))
        return len(waiting) >= AT_ONCE or len(ending) >= AT_ONCE

    def set_for_campus(self, campus: Campus, wanted: bool, *, by: Actor) -> None:
        if campus.sends_reminders is wanted:
            return
        campus.sends_reminders = wanted
        self.campuses.add(campus)
        action = "start" if wanted else "stop"
        self.history.write(by, action, "reminders", campus.id, at=self.clock(), campus_id=campus.id)

    def set_for_activity(self, campus: Campus, activity_id: uuid.UUID, wanted: bool, *, by: Actor) -> None:
        """For the badges awarded in it, by any of its campuses."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        if activity.sends_reminders is wanted:
            return
        activity.sends_reminders = wanted
        self.activities.save(activity)
        action = "start" if wanted else "stop"
        self.history.write(by, action, "reminders", activity.id, at=self.clock(), campus_id=campus.id)

    def token_of(self, person_id: uuid.UUID) -> str:
        return f"{person_id}.{reminders_proof(self.secret, person_id)}"

    def person_of(self, token: str) -> Person:
        name, _, proof = token.partition(".")
        try:
            person_id = uuid.UUID(name)
        except ValueError:
            person_id = uuid.UUID(int=0)
        if not secrets.compare_digest(proof.encode(), reminders_proof(self.secret, person_id).encode()):
            raise NotFound("Ce lien n’arrête aucun rappel. Vérifiez qu’il est entier.")
        try:
            return self.people.get(person_id)
        except NotFound as error:
            raise Gone("Plus aucun e-mail ne vous est envoyé : vos données sont effacées.") from error

    def set_for_person(self, person: Person, wanted: bool) -> None:
        """The person's own choice, by the link in the e-mail; applies to every reminder."""
        self.people.lock_all([person.id])
        if person.wants_reminders is wanted:
            return
        person.wants_reminders = wanted
        self.people.save(person)
        self.consents.add(consent(About.REMINDERS, person.id, given=wanted, at=self.clock()))
        action = "start" if wanted else "stop"
        by = Actor(label="link in a letter")
        self.history.write(by, action, "reminders", person.id, at=self.clock())


log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Post:
    """If killed between the server's acceptance and our commit, sends the e-mail again, same Message-ID.

    `desk` opens one transaction, read-only or not.
    """

    desk: Callable[[bool], AbstractContextManager[LetterService]]
    mailer: Mailer | None

    def due(self) -> list[uuid.UUID]:
        """Awaited ones first; empty if no mailer is configured: e-mails stay queued."""
        return [*self.awaited(), *self.others()]

    def awaited(self) -> list[uuid.UUID]:
        if self.mailer is None:
            return []
        with self.desk(True) as letters:
            return letters.awaited()

    def others(self) -> list[uuid.UUID]:
        if self.mailer is None:
            return []
        with self.desk(True) as letters:
            return letters.due()

    def send(self, envelope: uuid.UUID) -> None:
        """Idempotent: a second call finds nothing to send."""
        if self.mailer is None:
            return
        with self.desk(False) as letters:
            outgoing = letters.take(envelope)
        if outgoing is None:
            return
        try:
            self.mailer.send(outgoing.letter)
        except OSError as error:
            # Another error than the port names may repeat the address: only its type is stored (I23).
            trouble = (
                error
                if isinstance(error, LetterNotSent)
                else LetterDelayed(Reason.NO_ANSWER, type(error).__name__)
            )
            log.warning("letter not sent", letter=str(envelope), reason=trouble.reason.value)
            with self.desk(False) as letters:
                letters.not_sent(outgoing.envelope, trouble)
            return
        with self.desk(False) as letters:
            letters.sent(outgoing.envelope)
