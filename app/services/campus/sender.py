"""A campus chooses the address its e-mails leave from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.sender import (
    CampusSender,
    DnsRecord,
    MailIdentity,
    MailRecords,
    RecordState,
    check_sender_code,
    dkim_record,
    dmarc_policy,
    read_sender,
)
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.errors import Conflict, NotFound


@dataclass(frozen=True)
class SenderAdvice:
    """`dmarc`: the policy of the domain; empty if it has none, None if unknown."""

    dkim: DnsRecord
    dmarc: str | None


@dataclass(frozen=True, eq=False)
class SenderService:
    campuses: CampusStore
    letters: LetterStore
    history: HistoryStore
    identity: MailIdentity
    records: MailRecords
    secret: bytes
    clock: Clock

    def find(self, campus: Campus) -> CampusSender | None:
        return self.campuses.sender(campus.id)

    def list_all(self) -> Sequence[tuple[CampusSender, Campus]]:
        return self.campuses.senders()

    def ask(self, campus: Campus, typed: str, *, by: Actor) -> None:
        """Sends a code to the address; until it is typed here, nothing leaves from there."""
        address, at = read_sender(typed), self.clock()
        self._check_signs()
        sender = CampusSender(campus_id=campus.id, address=address, asked_at=at)
        self.campuses.save_sender(sender)
        once = at.isoformat()
        letter = letter_to(address, Occasion.SENDER_CONFIRM, campus.id, once=once, campus_id=campus.id, at=at)
        self.letters.enqueue_many([letter])
        self._note(by, "ask_sender", campus)

    def confirm(self, campus: Campus, typed: str, *, by: Actor) -> None:
        sender = self.get(campus)
        check_sender_code(typed, self.secret, sender, at=self.clock())
        sender.verified_at = sender.verified_at or self.clock()
        self.campuses.save_sender(sender)
        self._note(by, "confirm_sender", campus)

    def advise(self, sender: CampusSender) -> SenderAdvice:
        """Asks the DNS: outside a writing transaction, so that no lock is held."""
        return SenderAdvice(self.look_up(sender), dmarc_policy(sender.domain, self.records))

    def look_up(self, sender: CampusSender) -> DnsRecord:
        """The same, for the DKIM record alone."""
        return dkim_record(self.identity, sender.domain, self.records)

    def use(self, campus: Campus, record: DnsRecord, *, by: Actor) -> None:
        """`record`: what the DNS answered just before."""
        sender = self.get(campus)
        if sender.verified_at is None:
            raise Conflict("Confirmez d’abord l’adresse avec le code reçu.")
        if record.state is not RecordState.FOUND or not record.name.endswith(f".{sender.domain}"):
            raise Conflict(
                "L’enregistrement DKIM ne se lit pas encore : sans lui, vos e-mails passeraient pour des faux. "
                "Une publication prend parfois quelques heures."
            )
        sender.in_use_since = sender.in_use_since or self.clock()
        self.campuses.save_sender(sender)
        self._note(by, "use_sender", campus)

    def assign(self, campus: Campus, typed: str, *, by: Actor) -> None:
        """By the operator, who answers for the mail server."""
        at = self.clock()
        self.campuses.save_sender(
            CampusSender(
                campus_id=campus.id, address=read_sender(typed), asked_at=at, verified_at=at, in_use_since=at
            )
        )
        self._note(by, "use_sender", campus)

    def remove(self, campus: Campus, *, by: Actor) -> None:
        """Back to the service's address. Idempotent."""
        if self.campuses.remove_sender(campus.id):
            self._note(by, "remove_sender", campus)

    def get(self, campus: Campus) -> CampusSender:
        sender = self.campuses.sender(campus.id)
        if sender is None:
            raise NotFound("Ce campus n’a pas demandé d’adresse d’envoi.")
        return sender

    def _check_signs(self) -> None:
        if not self.identity.signs:
            raise Conflict(
                "Ce service ne signe pas lui-même ses e-mails (DKIM). Demandez à la personne qui le gère "
                "d’attribuer une adresse à votre campus."
            )

    def _note(self, by: Actor, action: str, campus: Campus) -> None:
        self.history.write(by, action, "campus", campus.id, at=self.clock(), campus_id=campus.id)
