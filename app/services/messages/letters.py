"""Promised letters: put into words when they leave, and marked with what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.adapters.badge_pictures import BadgeArtist
from app.db.accounts.own_addresses import OwnAddressStore
from app.db.awards.awards import AwardRecord, AwardStore
from app.db.awards.batches import BatchStore
from app.db.messages.letters import LetterStore
from app.domain.accounts.access import learner_link_proof, reminders_proof
from app.domain.awards.awards import Award
from app.domain.awards.batches import is_handed_over
from app.domain.campus.campus import Campus
from app.domain.core.clock import Clock
from app.domain.messages.letters import (
    Letter,
    LetterNotSent,
    LetterPicture,
    LetterState,
    Occasion,
    PromisedLetter,
    Reason,
    editions_of,
    is_too_old,
    letter_about,
    mark_not_sent,
    mark_sent,
    pause_for_batch,
    still_to_say,
    take,
)
from app.domain.people.names import name_said_of
from app.domain.people.people import Person, is_address
from app.domain.publishing.addresses import Addresses
from app.language import speaking
from app.services.messages.notice import html_of, text_of
from app.services.messages.personal import PersonalLetters
from app.services.messages.words import notice_of, picture_name
from sceau_credentials.values.json_text import parse_json_object

PICTURE_WIDTH = 192
AT_ONCE = 200
_WITH_FIRST_LINK = (Occasion.AWARDED, Occasion.NAME_CORRECTED)
"""What may be the first that somebody reads of a badge, with the link to it."""


@dataclass(frozen=True)
class Outgoing:
    envelope: uuid.UUID
    letter: Letter


class LetterService:
    def __init__(
        self,
        letters: LetterStore,
        awards: AwardStore,
        batches: BatchStore,
        own_addresses: OwnAddressStore,
        addresses: Addresses,
        personal: PersonalLetters,
        artist: BadgeArtist,
        secret: bytes,
        per_minute: int,
        clock: Clock,
    ) -> None:
        self.letters = letters
        self.awards = awards
        self.batches = batches
        self.own_addresses = own_addresses
        self.addresses = addresses
        self.personal = personal
        self.artist = artist
        self.secret = secret
        self.per_minute = per_minute
        self.clock = clock

    # --- leaving

    def due(self) -> list[uuid.UUID]:
        """The envelopes that may leave now, no more than the minute still allows."""
        at = self.clock()
        return self.letters.due(at, limit=min(self._allowance(), AT_ONCE))

    def take(self, envelope: uuid.UUID) -> Outgoing | None:
        """The letter to send now; None when another worker has it, or there is nothing left to say."""
        at = self.clock()
        waiting = self.letters.lock_due(envelope, at=at)
        if not waiting or self._allowance() <= 0:
            return None
        if waiting[0].about_id is not None:
            return self._take_personal(waiting[0])
        told = [
            (letter, record)
            for letter in waiting
            if (record := self._still(letter)) and self._may_leave(letter, record.award)
        ]
        if not told:
            return None
        # What becomes of an envelope is noted of every letter that waits in it: one that stays here is in another.
        named = {letter.id for letter, _ in told}
        envelope = envelope if envelope in named else told[0][0].id
        for letter, _ in told:
            letter.envelope = envelope
            take(letter, at=at)
            self.letters.save(letter)
        return Outgoing(envelope, self._written(told))

    def _take_personal(self, letter: PromisedLetter) -> Outgoing | None:
        written = None if is_too_old(letter, at=self.clock()) else self.personal.written(letter)
        if written is None:
            letter.state = LetterState.CANCELLED
            self.letters.save(letter)
            return None
        take(letter, at=self.clock())
        self.letters.save(letter)
        return Outgoing(letter.envelope, written)

    def sent(self, envelope: uuid.UUID) -> None:
        at = self.clock()
        for letter in self.letters.lock_waiting(envelope):
            mark_sent(letter, at=at)
            self.letters.save(letter)

    def not_sent(self, envelope: uuid.UUID, trouble: LetterNotSent) -> None:
        at = self.clock()
        for letter in self.letters.lock_waiting(envelope):
            mark_not_sent(letter, trouble, at=at)
            self.letters.save(letter)

    def _allowance(self) -> int:
        return self.per_minute - self.letters.attempted_since(self.clock() - timedelta(minutes=1))

    def _still(self, letter: PromisedLetter) -> AwardRecord | None:
        """The award the letter is about, unless there is nothing to tell any more: then it stays here for good."""
        record = self.awards.find_record(letter.award_id) if letter.award_id else None
        too_old = is_too_old(letter, at=self.clock())
        if (
            record is not None
            and not too_old
            and still_to_say(letter, record.award, record.person, record.campus, record.activity)
            and self._former_name(letter, record) != record.award.holder_name
        ):
            return record
        letter.state = LetterState.CANCELLED
        letter.reason = Reason.TOO_OLD.value if too_old else ""
        self.letters.save(letter)
        return None

    def _may_leave(self, letter: PromisedLetter, award: Award) -> bool:
        """A bulk award that was stopped half-way can still be undone when the hour of its first letters comes."""
        if letter.occasion not in _WITH_FIRST_LINK or award.batch_id is None:
            return True
        at, batch = self.clock(), self.batches.find(award.batch_id)
        if is_handed_over(batch, at=at):
            return True
        assert batch is not None, "promises are for ever"
        over = batch.undo_until
        letter.not_before = over if over and over > at else at + pause_for_batch(letter, at=at)
        letter.envelope = letter.id
        self.letters.save(letter)
        # All of them have the same to wait for: each asking for itself would keep other letters from leaving.
        self.letters.put_off(batch.id, not_before=letter.not_before)
        return False

    def _written(self, told: Sequence[tuple[PromisedLetter, AwardRecord]]) -> Letter:
        letter, record = told[0]
        records = [each for _, each in told]
        is_reminder = letter.occasion in (Occasion.FIRST_REMINDER, Occasion.SECOND_REMINDER)
        unsubscribe = self._stop_link(record.person) if is_reminder else ""
        language = record.person.language or record.campus.language
        by_account = self._opens_by_account(record.person, letter.address)
        with speaking(language):
            notice = notice_of(
                letter.occasion,
                records,
                self._account_link_of if by_account else self.private_link_of,
                by_account=by_account,
                unsubscribe_url=unsubscribe,
                former_names=[self._former_name(*each) for each in told],
            )
            return Letter(
                to=letter.address,
                to_name=record.person.name,
                subject=notice.subject,
                text=text_of(notice),
                html=html_of(notice),
                sender_name=notice.campus,
                reply_to=_reply_to(record.campus),
                key=_key_of(letter),
                unsubscribe_url=unsubscribe,
                language=language,
                pictures=self._pictures(records) if notice.badges else (),
            )

    def _former_name(self, letter: PromisedLetter, record: AwardRecord) -> str:
        """What the badge said before the correction that the letter tells of; nothing for other letters."""
        if letter.occasion != Occasion.NAME_CORRECTED:
            return ""
        embedded = dict(self.awards.earlier_editions(record.award))[editions_of(letter)[0]]
        subject = parse_json_object(embedded)["credentialSubject"]
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
        """People with an account or a role get a private link at an address that they proved, and nowhere else."""
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

    # --- deeds that letters follow

    def tell_of_withdrawal(self, awards: Sequence[Award]) -> None:
        """What waits stays here; whoever was told of the badge is told that it is gone."""
        ids, at = [award.id for award in awards], self.clock()
        self.letters.cancel_waiting(ids)
        told = {letter.award_id: letter.address for letter in self.letters.of_awards(ids) if letter.sent_at}
        self.letters.promise_many(
            [
                letter_about(award, told[award.id], Occasion.WITHDRAWN, at=at)
                for award in awards
                if award.id in told
            ]
        )


def _key_of(letter: PromisedLetter) -> str:
    return letter.once_key.replace("/", ".")


def _reply_to(campus: Campus) -> str:
    return campus.contact_email if is_address(campus.contact_email) else ""
