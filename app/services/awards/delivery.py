"""Delivery of badges: private links, short codes, address corrections, delivery state."""

from __future__ import annotations

import hmac
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.accounts import OwnAddressStore
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.awards.batches import BatchStore, ClaimCodeStore
from app.db.campus import HistoryStore
from app.db.campus.people import addresses_hidden_from, is_known_at
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activities import disambiguated
from app.domain.awards import CODE_LIFE, Award, AwardState, ClaimCode, code_digest, code_of, read_code
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.campus.campus import Campus
from app.domain.campus.team import LOOKED_BACK
from app.domain.core import Clock
from app.domain.messages import (
    Handed,
    HandedOver,
    Letter,
    LetterFile,
    LetterState,
    Occasion,
    QueuedMessage,
    handed_over,
    letter_about,
)
from app.domain.people import are_digits, digits_of, is_address, is_living_ticket, new_ticket, normal_address
from app.domain.people.consents import needs_guardian_for
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.language import addressing, current_locale, speaking
from app.language import gettext as _
from app.services.accounts.sessions import NewSession
from app.services.people.names import GivenAddresses
from app.services.people.people import LinksTurnedOff, PeopleService, PrivateLinks
from app.services.publishing import PublicationService


@dataclass(frozen=True)
class AwardDelivery:
    """One award being delivered to its person."""

    record: AwardRecord
    handed: HandedOver
    address: str
    name: str
    """Disambiguated with a number if the activity has another person of that name, both without address."""
    by_hand: bool = True
    """Whether a slip, code or link may be handed over: not to people with an account or a role."""
    is_hidden: bool = False
    """The e-mail goes to an address that the person added to their account: the campus reads `address`, if any."""


@dataclass(frozen=True)
class HandedCode:
    code: str
    expires_at: datetime


@dataclass(frozen=True, eq=False)
class DeliveryService:
    awards: AwardStore
    letters: LetterStore
    batches: BatchStore
    codes: ClaimCodeStore
    links: PrivateLinks
    people: PeopleStore
    people_service: PeopleService
    given_addresses: GivenAddresses
    activities: ActivityStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    # --- delivery state

    def of(self, records: Sequence[AwardRecord]) -> list[AwardDelivery]:
        letters: dict[uuid.UUID, list[QueuedMessage]] = defaultdict(list)
        for letter in self.letters.of_awards([record.award.id for record in records]):
            if letter.award_id is not None:
                letters[letter.award_id].append(letter)
        people = {record.person.id for record in records}
        addresses, hidden = self._addresses_of(records, people)
        names = self.names_of(records)
        own = self.people_service.own_addresses.with_account_or_role({each.person.id for each in records})
        found = []
        for record in records:
            handed = handed_over(record.award, letters[record.award.id])
            address = handed.letter.address if handed.letter else addresses.get(record.person.id, "")
            is_hidden = (record.person.id, address) in hidden
            found.append(
                AwardDelivery(
                    record,
                    handed,
                    addresses.get(record.person.id, "") if is_hidden else address,
                    names[record.award.id],
                    record.person.id not in own,
                    is_hidden,
                )
            )
        return found

    def _addresses_of(
        self, records: Sequence[AwardRecord], people: Collection[uuid.UUID]
    ) -> tuple[dict[uuid.UUID, str], set[tuple[uuid.UUID, str]]]:
        """What the campus reads, and what people added to their accounts."""
        if not records:
            return {}, set()
        campus_id = records[0].campus.id
        known = self.people.addresses_of(people, is_known_at(campus_id))
        return known, addresses_hidden_from(self.people.session, campus_id, people)

    def hidden_of(self, record: AwardRecord) -> set[str]:
        """Addresses of the person that the campus does not read."""
        _, hidden = self._addresses_of([record], [record.person.id])
        return {address for _, address in hidden}

    def names_of(self, records: Sequence[AwardRecord]) -> dict[uuid.UUID, str]:
        """By award, disambiguated: the deliverer must know which of two people with one name is meant."""
        activities = {record.activity.id for record in records if record.activity}
        numbered = self.activities.numbered(activities, {record.person.id for record in records})
        parts = {(part.activity_id, part.person_id): part for part in numbered}
        names = {}
        for record in records:
            part = parts.get((record.activity.id, record.person.id)) if record.activity else None
            names[record.award.id] = disambiguated(part, record.person.name) if part else record.person.name
        return names

    def of_awards(self, award_ids: Sequence[uuid.UUID], campus_id: uuid.UUID) -> list[AwardDelivery]:
        return self.of(self.awards.records_among(award_ids, campus_id))

    def letters_about(self, award_id: uuid.UUID) -> list[QueuedMessage]:
        """Latest first."""
        return self.letters.of_awards([award_id])[::-1]

    def refused(self, campus: Campus, *, limit: int) -> list[AwardDelivery]:
        """Badges with a bounced last e-mail that their person has not opened; latest first."""
        since = self.clock() - LOOKED_BACK
        ids = self.letters.refused_awards(campus.id, since=since, limit=limit)
        found = {each.record.award.id: each for each in self.of_awards(ids, campus.id)}
        return [
            found[award_id]
            for award_id in ids
            if award_id in found and found[award_id].handed.state is Handed.REFUSED
        ]

    def link_opened(self, award_id: uuid.UUID) -> None:
        """Record that the private link was followed, by its person or by an e-mail link scanner."""
        award = self.awards.lock(award_id)
        if award.link_opened_at is None:
            award.link_opened_at = self.clock()
            self.awards.save(award)

    def claim(self, award_id: uuid.UUID, *, by: Actor) -> None:
        """The person claims the badge. Idempotent; no effect on a revoked badge."""
        award = self.awards.lock(award_id)
        if not _is_claimable(award):
            return
        award.claimed_at = self.clock()
        self.awards.save(award)
        self.codes.forget([award.id])
        person = self.people.get(award.person_id)
        if person.language is None:
            # The language in which they read the page becomes the language of their e-mails.
            person.language = current_locale()
            self.people.save(person)
        self.history.write(by, "claim", "award", award.id, at=self.clock(), campus_id=award.campus_id)

    # --- actions of the deliverer

    def renew_link(self, campus: Campus, award_id: uuid.UUID, *, by: Actor) -> AwardRecord:
        """Invalidates the current private link and code, and browser sessions opened with them."""
        record = self.awards.get_record_in_campus(award_id, campus.id)
        self._check_has_left(award_id)
        award = self.awards.lock(award_id)
        award.link_opened_at = award.claimed_at = None
        self.links.replace(award)
        self.history.write(by, "renew_link", "award", award.id, at=self.clock(), campus_id=campus.id)
        return record

    def write_again(self, campus: Campus, award_id: uuid.UUID, address: str, *, by: Actor) -> QueuedMessage:
        """Notify the person again, at this address or another; the award is unchanged."""
        self.awards.get_record_in_campus(award_id, campus.id)
        self.awards.lock(award_id)
        record = self.awards.get_record_in_campus(award_id, campus.id)
        wanted, at = normal_address(address), self.clock()
        _check_may_write(record.award, wanted)
        self._check_has_left(award_id)
        self._check_may_add(campus, record, wanted)
        before = [
            letter for letter in self.letters.of_awards([award_id]) if letter.occasion == Occasion.AWARDED
        ]
        self.letters.cancel_waiting([award_id])
        letter = letter_about(record.award, wanted, at=at)
        if before:
            letter.once_key = f"{letter.once_key}/{len(before) + 1}"
            # The newest e-mail counts, even if both were enqueued within the same second.
            letter.promised_at = max(at, before[-1].promised_at + timedelta(seconds=1))
        self.letters.enqueue_many([letter])
        self._keep_address(record, wanted, before)
        changed = bool(before) and before[-1].address != wanted
        self.history.write(
            by, "write_again", "award", award_id, at=at, campus_id=campus.id, other_address=changed
        )
        return letter

    def _keep_address(self, record: AwardRecord, wanted: str, before: Sequence[QueuedMessage]) -> None:
        """Use the address for future e-mails; remove one that bounced and that no one verified."""
        refused = {letter.address for letter in before if letter.state is LetterState.REFUSED}
        self.given_addresses.give(record.person, wanted, campus_id=record.campus.id)
        self.people.forget_unverified(record.person, refused - {wanted})

    def _check_may_add(self, campus: Campus, record: AwardRecord, wanted: str) -> None:
        refusal = self.given_addresses.refusal(record.person, wanted, campus_id=campus.id)
        if refusal is not None:
            raise Conflict(refusal)

    def withheld(self, award_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these awards that may still be undone: they must not be delivered."""
        return self.batches.withheld(award_ids, at=self.clock())

    def _check_has_left(self, award_id: uuid.UUID) -> None:
        if self.withheld([award_id]):
            raise Conflict(
                "Cette attribution peut encore être annulée : remettez-la d’abord, depuis son résultat."
            )

    # --- short codes

    def codes_for(self, records: Sequence[AwardRecord]) -> dict[uuid.UUID, HandedCode]:
        """A code for each badge that can still be claimed; stable as long as its link is.

        None for people with an account or a role: a code grants the same access as a private link.
        """
        at = self.clock()
        self.codes.sweep(at)
        withheld = self.withheld([record.award.id for record in records])
        own = self.people_service.own_addresses.with_account_or_role({each.person.id for each in records})
        wanted = [
            record.award
            for record in records
            if _is_claimable(record.award) and record.award.id not in withheld and record.person.id not in own
        ]
        first = [code_digest(self.secret, self._code(award)) for award in wanted]
        owners = self.codes.owners(first)
        handed: dict[uuid.UUID, HandedCode] = {}
        rows = []
        for award in wanted:
            code = self._code(award)
            # Collision probability 1e-10: then try the next code.
            for turn in range(1, 5):
                digest = code_digest(self.secret, code)
                if owners.setdefault(digest, award.id) == award.id:
                    break
                code = self._code(award, turn)
            rows.append(ClaimCode(award_id=award.id, digest=digest, expires_at=at + CODE_LIFE))
            handed[award.id] = HandedCode(code, at + CODE_LIFE)
        self.codes.keep(rows)
        return handed

    def hand_out_codes(
        self, campus: Campus, award_ids: Sequence[uuid.UUID], *, by: Actor
    ) -> dict[uuid.UUID, HandedCode]:
        """As `codes_for`, for display to a person; recorded in the history."""
        codes = self.codes_for(self.awards.records_among(award_ids, campus.id))
        self.history.write_all(by, "show_code", "award", list(codes), at=self.clock(), campus_id=campus.id)
        return codes

    def _code(self, award: Award, turn: int = 0) -> str:
        return code_of(self.secret, award.id, award.link_generation, turn)

    def find_by_code(self, typed: str) -> AwardRecord:
        """The award of a code; raises InvalidInput or NotFound with advice."""
        digest = code_digest(self.secret, read_code(typed))
        if code := self.codes.find(digest):
            # Its holder and the badge first, as claims, renewals and erasures do: a code is used once.
            self.awards.lock(code.award_id)
            code = self.codes.find(digest)
        if code is None:
            raise NotFound(
                "Ce code n’ouvre aucun badge : il a déjà servi, il a été remplacé, ou il s’y est glissé une "
                "faute. Demandez un nouveau bulletin à la personne qui vous l’a remis."
            )
        if code.expires_at <= self.clock():
            raise NotFound(
                "Ce code n’est plus bon. Le badge est toujours à vous : demandez un nouveau bulletin."
            )
        return self.awards.get_record(code.award_id)

    def claim_by_code(self, typed: str, *, browser: str = "") -> NewSession:
        """Single use: claiming voids the code."""
        record = self.find_by_code(typed)
        if not record.person.accepts_links:
            raise LinksTurnedOff(record.award.id)
        self.link_opened(record.award.id)
        self.claim(record.award.id, by=Actor(person_id=record.person.id))
        award = record.award
        return self.people_service.open_private_link(
            self.people_service.private_link_token(award.id, award.link_generation), browser=browser
        )


def _is_claimable(award: Award) -> bool:
    return award.state is AwardState.ISSUED and award.claimed_at is None


def _check_may_write(award: Award, address: str) -> None:
    if award.state is AwardState.REVOKED:
        raise Conflict("Ce badge est retiré : il n’y a plus rien à annoncer.")
    if not is_address(address):
        raise InvalidInput("Cette adresse n’est pas une adresse e-mail. Vérifiez-la, signe par signe.")


LONGEST_QUESTION = 1_000
_VISITOR = Actor(label="visitor")
_CHECK = "check_address"


@dataclass(frozen=True)
class SentCode:
    """`ticket` stays on the requesting page; `letter` is None if the holder has no known address."""

    ticket: str
    letter: Letter | None


def answers_checks(record: AwardRecord) -> bool:
    """Whether visitors of its page may compare an address: never a child's, who is not named either."""
    return record.award.answers_checks and not needs_guardian_for(record.person, record.activity)


@dataclass(frozen=True, eq=False)
class HolderService:
    awards: AwardStore
    people: PeopleStore
    own: OwnAddressStore
    publication: PublicationService
    history: HistoryStore
    addresses: Addresses
    secret: bytes
    clock: Clock

    def is_known_at(self, award_id: uuid.UUID, address: str) -> bool:
        """Whether the address belongs to the holder of a public award; constant time per comparison.

        Addresses that the holder proved; those that campuses noted count only where there is none.
        Only if enabled by the holder, who can see every check and not only matches.
        """
        record = self.publication.open_award(award_id)
        if not answers_checks(record):
            raise NotAllowed(
                "La personne n’a pas permis de comparer une adresse pour ce badge. Faites-lui lire un code."
            )
        wanted = checked_address(address).encode()
        rows = self.own.list_of(record.person.id)
        proved = [row for row in rows if row.verified_at is not None]
        known = [row.address.encode() for row in proved or rows]
        is_known = sum(hmac.compare_digest(each, wanted) for each in known) > 0
        self.history.write(
            _VISITOR,
            _CHECK,
            "award",
            award_id,
            at=self.clock(),
            campus_id=record.campus.id,
            known=is_known,
        )
        return is_known

    def checks_of(self, award_id: uuid.UUID) -> list[HistoryEntry]:
        """Every address check for this badge, latest first."""
        found = [entry for entry, _ in self.history.list_of("award", award_id) if entry.action == _CHECK]
        return sorted(found, key=lambda entry: entry.at, reverse=True)

    def send_code(self, award_id: uuid.UUID) -> SentCode:
        """Send six digits to the holder's own address, to be read out within ten minutes."""
        record = self.publication.open_award(award_id)
        ticket = new_ticket(self.secret, award_id, at=self.clock())
        address = self.people.addresses_of([record.person.id]).get(record.person.id, "")
        if not address:
            return SentCode(ticket, None)
        language = record.person.language or record.campus.language
        with speaking(addressing(language, is_child=record.person.needs_guardian)):
            return SentCode(ticket, self._code_letter(record, address, digits_of(self.secret, ticket)))

    def is_read_out(self, award_id: uuid.UUID, ticket: str, typed: str) -> bool:
        self.publication.open_award(award_id)
        if not is_living_ticket(self.secret, ticket, award_id, at=self.clock()):
            raise InvalidInput("Ce code a expiré : il vaut dix minutes. Envoyez-en un autre.")
        return are_digits(self.secret, ticket, typed)

    def question(self, award_id: uuid.UUID, address: str, words: str) -> Letter:
        """An e-mail to the campus with the badge attached; replies go to `address`."""
        record = self.publication.open_award(award_id)
        asker, words = checked_address(address), checked_question(words)
        if not is_address(record.campus.contact_email):
            raise InvalidInput("Ce campus n’a pas publié d’adresse où lui écrire.")
        with speaking(record.campus.language):
            return Letter(
                to=record.campus.contact_email,
                subject=_("Question sur un badge : {title}").format(title=record.version.name),
                text=_(
                    "Bonjour,\n\n{asker} regarde un badge du campus et demande :\n\n{words}\n\nLe badge : {address}\n"
                    "Le fichier signé est joint. Répondez à cet e-mail : votre réponse ira à {asker}."
                ).format(asker=asker, words=words, address=self.addresses.award(award_id)),
                reply_to=asker,
                language=record.campus.language,
                files=(LetterFile("badge.json", self.awards.document_of(award_id).embedded),),
            )

    def _code_letter(self, record: AwardRecord, address: str, digits: str) -> Letter:
        return Letter(
            to=address,
            to_name=record.person.name,
            subject=_("{digits} : le code à lire à qui regarde votre badge").format(digits=digits),
            text=_(
                "Bonjour {name},\n\nQuelqu’un regarde votre badge « {title} » et veut s’assurer que c’est bien "
                "vous. Si vous êtes en face de cette personne, ou au téléphone avec elle, lisez-lui ce code :\n\n"
                "{digits}\n\nIl vaut dix minutes. Ne le donnez à personne d’autre. Si vous n’attendez rien, ne "
                "faites rien : personne n’apprend votre adresse."
            ).format(name=record.person.given_name, title=record.version.name, digits=digits),
        )


def checked_address(address: str) -> str:
    if not is_address(normal_address(address)):
        raise InvalidInput("Cette adresse n’est pas complète : il y manque quelque chose.")
    return normal_address(address)


def checked_question(words: str) -> str:
    words = words.strip()
    if not words:
        raise InvalidInput("Écrivez votre question.")
    if len(words) > LONGEST_QUESTION:
        raise InvalidInput("Votre question dépasse {most} signes.", most=LONGEST_QUESTION)
    return words
