"""Recommendations by people who worked with a learner: asked, proved by e-mail, written, moderated, revoked."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import HistoryStore
from app.db.messages import LetterStore
from app.db.people import GuardianStore, PeopleStore
from app.db.trust import EndorsementStore, PeerStore
from app.domain.awards import AwardState, Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.domain.people import is_address, is_own_address, normal_address
from app.domain.people.consents import check_shows_nothing_of, check_tells_nothing_of, may_be_public
from app.domain.trust import (
    LINK_FOR,
    MOST_SHOWN,
    PEER_LINK,
    PEER_WITHDRAW,
    PEER_WORDINGS,
    PEER_WRITE,
    PROOF_FOR,
    WRITTEN_WITHIN,
    PeerRecommendation,
    PeerWords,
    check_may_ask_peer,
    check_peer_open,
)
from app.domain.trust.organisations import (
    REQUEST_REMOVED,
    Endorsed,
    EndorsementRequest,
    Refusal,
    RequestKind,
    checked_address,
    checked_reason,
    checked_why,
    named_token,
    number_in,
)
from app.errors import AppError, Conflict, DeadLink, InvalidInput, NotAllowed, NotFound, faults_of_fields
from app.language import N_

A_PEER = Actor(label="a person who worked with the learner")
_NOT_HERE = N_("Il n’y a pas de recommandation à cette adresse.")
_DEAD = N_("Ce lien n’ouvre plus rien : sa durée est passée. Demandez-en un autre.")


@dataclass(frozen=True, eq=False)
class PeerRecommendations:
    """Nothing is public before the learner accepts it, and nothing is counted."""

    peers: PeerStore
    endorsements: EndorsementStore
    people: PeopleStore
    awards: AwardStore
    guardians: GuardianStore
    letters: LetterStore
    history: HistoryStore
    secret: bytes
    clock: Clock

    # --- for the learner

    def check_may_publish(self, record: AwardRecord) -> None:
        """The rule of publication: under 15, a parent agrees first."""
        if record.award.state is AwardState.REVOKED:
            raise Conflict("Ce badge est retiré : il ne peut plus être recommandé.")
        if not self._may_be_public(record):
            raise NotAllowed(
                "Avant 15 ans, un parent dit oui avant qu’un badge soit montré à quelqu’un d’autre."
            )

    def faults_of(self, record: AwardRecord, typed: str, why: str) -> dict[str, AppError]:
        """Of the address and the message, by name."""
        own = self.people.all_addresses(record.person.id)
        return faults_of_fields(
            {"adresse": lambda: checked_address(typed, own), "mot": lambda: checked_why(why)}
        )

    def checked(self, record: AwardRecord, typed: str, why: str, *, refused: bool) -> tuple[str, str]:
        """Address and reason as they would be sent; raises on any fault before rate limits count it."""
        self.check_may_publish(record)
        own = self.people.all_addresses(record.person.id)
        address, why = checked_address(typed, own), checked_why(why)
        check_may_ask_peer(self.requests_about(record), address, refused=refused, at=self.clock())
        return address, why

    def ask(
        self, record: AwardRecord, typed: str, why: str, *, refused: bool, by: Actor
    ) -> EndorsementRequest:
        self.people.lock_all([record.person.id])
        address, why = self.checked(record, typed, why, refused=refused)
        request = self._request(record, RequestKind.PEER, address, WRITTEN_WITHIN, why=why, by=by)
        self._send(request, Occasion.PEER_ASKED)
        self._note("ask_peer", request.id, request.campus_id, by)
        return request

    def open_link(self, record: AwardRecord, *, by: Actor) -> EndorsementRequest:
        """The link to share; one at a time."""
        self.check_may_publish(record)
        self.people.lock_all([record.person.id])
        live = self.live_link(record)
        if live is not None:
            return live
        request = self._request(record, RequestKind.PEER_LINK, "", LINK_FOR, by=by)
        self._note("open_peer_link", request.id, request.campus_id, by)
        return request

    def live_link(self, record: AwardRecord) -> EndorsementRequest | None:
        at = self.clock()
        return next(
            (
                each
                for each in self.requests_about(record)
                if each.kind is RequestKind.PEER_LINK and each.answered_at is None and at < each.expires_at
            ),
            None,
        )

    def close_link(self, record: AwardRecord, *, by: Actor) -> None:
        self.people.lock_all([record.person.id])
        live = self.live_link(record)
        if live is not None:
            live.answered_at = self.clock()
            self.endorsements.save(live)
            self._note("close_peer_link", live.id, live.campus_id, by)

    def requests_about(self, record: AwardRecord) -> Sequence[EndorsementRequest]:
        return self.endorsements.peer_requests_about(record.award.id)

    def mine(self, record: AwardRecord) -> list[PeerRecommendation]:
        """What there is to decide or to take back, newest first."""
        return [each for each in self.peers.of_award(record.award.id) if not each.is_over]

    def waiting_about(self, award_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """The awards with a recommendation that waits for their holder."""
        return set(self.peers.waiting_about(award_ids)) if award_ids else set()

    def accept(self, record: AwardRecord, recommendation_id: uuid.UUID, *, by: Actor) -> None:
        self.check_may_publish(record)
        row = self._of(record, recommendation_id)
        if is_own_address(row.address, self.people.all_addresses(record.person.id)):
            raise Conflict(
                "Ces lignes viennent d’une adresse de la personne titulaire : elles ne peuvent pas être montrées."
            )
        check_shows_nothing_of(f"{row.words}\n{row.signature}", record.person, record.activity)
        if self.peers.hold_row(row).accepted_at is None:
            self._of(record, row.id)
            row.accepted_at = self.clock()
            self._save(row, "accept_peer", by)

    def hide(self, record: AwardRecord, recommendation_id: uuid.UUID, *, by: Actor) -> None:
        row = self.peers.hold_row(self._of(record, recommendation_id))
        if row.accepted_at is not None:
            row.accepted_at = None
            self._save(row, "hide_peer", by)

    def decline(self, record: AwardRecord, recommendation_id: uuid.UUID, *, by: Actor) -> None:
        """Permanent: erases the text."""
        self.peers.hold_row(self._of(record, recommendation_id))
        row = self._of(record, recommendation_id)
        row.declined_at = self.clock()
        self._erase(row)
        self._save(row, "delete_peer", by)

    def _of(self, record: AwardRecord, recommendation_id: uuid.UUID) -> PeerRecommendation:
        row = self.peers.get(recommendation_id)
        if row.award_id != record.award.id or row.is_over:
            raise NotFound(_NOT_HERE)
        return row

    # --- for the person who writes

    def link_token(self, request_id: uuid.UUID) -> str:
        return named_token(self.secret, PEER_LINK, request_id)

    def shared(self, token: str) -> tuple[EndorsementRequest, AwardRecord]:
        """The request and award of a shared link; raises DeadLink if it was closed or has expired."""
        return self._opened(number_in(self.secret, PEER_LINK, token), (RequestKind.PEER_LINK,))

    def checked_proof(self, token: str, typed: str) -> tuple[EndorsementRequest, AwardRecord, str]:
        """A shared link, its award and the address in its normal form, before rate limits count it."""
        link, record = self.shared(token)
        address = normal_address(typed)
        if not is_address(address):
            raise InvalidInput("Cette adresse n’est pas complète : il y manque quelque chose.")
        return link, record, address

    def prove(self, token: str, address: str) -> EndorsementRequest | None:
        """E-mail the link to write. None for one of the learner's addresses or one that refuses requests; the
        reader gets the same page."""
        link, record = self.shared(token)
        own = self.people.all_addresses(record.person.id)
        if is_own_address(address, own) or self.endorsements.refuses_all(address):
            return None
        request = self._request(record, RequestKind.PEER_PROOF, address, PROOF_FOR, by=A_PEER)
        self._send(request, Occasion.PEER_PROOF)
        self._note("prove_peer", request.id, link.campus_id, A_PEER)
        return request

    def opened(self, token: str) -> tuple[EndorsementRequest, AwardRecord]:
        """The request and award of a link to write; raises DeadLink if it was used or has expired."""
        request, record = self._opened(
            number_in(self.secret, PEER_WRITE, token), (RequestKind.PEER, RequestKind.PEER_PROOF)
        )
        if is_own_address(request.address, self.people.all_addresses(record.person.id)):
            # Two records were found to be one person's meanwhile.
            raise DeadLink(_DEAD)
        return request, record

    def write(self, token: str, words: PeerWords, *, language: str) -> PeerRecommendation:
        """The link becomes used; the learner decides next."""
        self.endorsements.lock_request(number_in(self.secret, PEER_WRITE, token))
        request, record = self.opened(token)
        self.check_words(record, words)
        at = self.clock()
        row = PeerRecommendation(
            campus_id=record.campus.id,
            award_id=record.award.id,
            address=request.address,
            language=language,
            words=words.words,
            signature=words.signature,
            wording=len(PEER_WORDINGS),
            written_at=at,
        )
        self.endorsements.save(row)
        request.answered_at, request.endorsement_id = at, row.id
        if request.kind is RequestKind.PEER_PROOF:
            request.address = ""
            self.letters.forget_about([request.id])
        self.endorsements.save(request)
        self.letters.enqueue_many(
            [letter_to(row.address, Occasion.PEER_WRITTEN, row.id, campus_id=row.campus_id, at=at)]
        )
        self._note("write_peer", row.id, row.campus_id, A_PEER)
        return row

    def check_words(self, record: AwardRecord, words: PeerWords) -> None:
        text = f"{words.words}\n{words.signature}"
        check_tells_nothing_of(text, record.person, record.activity)

    def refuse(self, token: str, refusal: Refusal) -> None:
        self.endorsements.lock_request(number_in(self.secret, PEER_WRITE, token))
        request, _ = self.opened(token)
        request.refusal, request.answered_at = refusal.value, self.clock()
        if refusal is Refusal.THIS:
            request.address = ""
            self.letters.forget_about([request.id])
        self.endorsements.save(request)
        self._note("decline_peer", request.id, request.campus_id, A_PEER)

    def write_token(self, request_id: uuid.UUID) -> str:
        return named_token(self.secret, PEER_WRITE, request_id)

    def withdraw_token(self, recommendation_id: uuid.UUID) -> str:
        return named_token(self.secret, PEER_WITHDRAW, recommendation_id)

    def named_by(self, token: str) -> tuple[PeerRecommendation, AwardRecord]:
        """The recommendation that a link to withdraw names."""
        row = self.peers.get(number_in(self.secret, PEER_WITHDRAW, token))
        return row, self.awards.get_record(row.award_id)

    def withdraw(self, token: str) -> None:
        row = self.peers.hold_row(self.named_by(token)[0])
        if row.withdrawn_at is None:
            row.withdrawn_at = self.clock()
            self._erase(row)
            self._save(row, "withdraw_peer", A_PEER)

    # --- for everybody

    def shown_about(self, record: AwardRecord) -> list[PeerRecommendation]:
        """Accepted ones of a public award. Addresses that became the learner's own no longer count as others'."""
        if record.award.visibility is not Visibility.OPEN or record.award.state is AwardState.REVOKED:
            return []
        if not self.awards.is_recommended(record.award.id):
            return []
        found = self.peers.shown_about(record.award.id, limit=MOST_SHOWN)
        own = self.people.all_addresses(record.person.id) if found else ()
        return [each for each in found if not is_own_address(each.address, own)]

    # --- for the campus

    def of_campus(self, campus: Campus) -> list[tuple[PeerRecommendation, str]]:
        """What learners accepted, with the title of the badge."""
        rows = [each for each in self.peers.accepted_in(campus.id) if not each.is_over]
        return [(each, self.awards.get_record(each.award_id).version.name) for each in rows]

    def set_aside(
        self, campus: Campus, recommendation_id: uuid.UUID, *, reason: str | None, by: Actor
    ) -> None:
        """With a reason; None shows it again."""
        row = self.peers.get(recommendation_id)
        if row.campus_id != campus.id or row.is_over:
            raise NotFound(_NOT_HERE)
        if reason is None:
            record = self.awards.get_record(row.award_id)
            check_shows_nothing_of(f"{row.words}\n{row.signature}", record.person, record.activity)
            row.set_aside_at, row.set_aside_reason = None, ""
            self._save(row, "take_up_peer", by)
            return
        row.set_aside_reason = checked_reason(reason)
        row.set_aside_at = self.clock()
        self._save(row, "set_aside_peer", by, reason=row.set_aside_reason)

    # --- shared

    def _may_be_public(self, record: AwardRecord) -> bool:
        """The rule of the award's page."""
        return may_be_public(record.person, record.activity, self.guardians.decisive_about(record.award.id))

    def _opened(
        self, request_id: uuid.UUID, kinds: Collection[RequestKind]
    ) -> tuple[EndorsementRequest, AwardRecord]:
        request = self.endorsements.find_request(request_id)
        if request is None or request.award_id is None or request.kind not in kinds:
            raise DeadLink(REQUEST_REMOVED)
        check_peer_open(request, at=self.clock())
        record = self.awards.get_record(request.award_id)
        if record.award.state is AwardState.REVOKED or not self._may_be_public(record):
            # Why is not for a stranger to read.
            raise DeadLink(_DEAD)
        return request, record

    def _request(
        self,
        record: AwardRecord,
        kind: RequestKind,
        address: str,
        life: timedelta,
        *,
        why: str = "",
        by: Actor,
    ) -> EndorsementRequest:
        at: datetime = self.clock()
        request = EndorsementRequest(
            campus_id=record.campus.id,
            kind=kind,
            about=Endorsed.AWARD,
            award_id=record.award.id,
            asked_by=by.person_id,
            address=address,
            organisation_name="",
            why=why,
            asked_at=at,
            expires_at=at + life,
        )
        self.endorsements.save(request)
        return request

    def _send(self, request: EndorsementRequest, occasion: Occasion) -> None:
        letter = letter_to(
            request.address, occasion, request.id, campus_id=request.campus_id, at=request.asked_at
        )
        self.letters.enqueue_many([letter])

    def _erase(self, row: PeerRecommendation) -> None:
        """Text, signature and address: of the recommendation, of the request that it answered, and of e-mails."""
        row.words = row.signature = row.address = ""
        about = [row.id]
        for request in self.endorsements.requests_answered_by(row.id):
            request.address = ""
            self.endorsements.save(request)
            about.append(request.id)
        self.letters.forget_about(about)

    def _save(self, row: PeerRecommendation, action: str, by: Actor, **facts: str) -> None:
        self.endorsements.save(row)
        self._note(action, row.id, row.campus_id, by, **facts)

    def _note(self, action: str, number: uuid.UUID, campus_id: uuid.UUID, by: Actor, **facts: str) -> None:
        self.history.write(by, action, "endorsement", number, at=self.clock(), campus_id=campus_id, **facts)
