"""A wallet asks by authorization code: its request, the learner's badges for it, and their consent."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import HistoryStore
from app.db.learners.wallets import WalletStore
from app.db.people.privacy import ConsentStore
from app.domain.accounts.sessions import digest_of
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, ServiceOptions
from app.domain.learners.connected_apps import AuthorizationRefusal
from app.domain.learners.wallet_authorization import (
    CONSENT_CODE_LIFE,
    AuthorizationRefused,
    WalletRequest,
    place_of_redirect,
    push,
    read_authorization,
    read_dpop,
    read_pushed,
)
from app.domain.learners.wallets import OFFER_LIFE, WalletOffer, check_may_carry, may_carry, new_reference
from app.domain.people import Person
from app.domain.people.parental_consent import check_may_show_further
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from sceau_credentials.values import JsonObject

REQUEST_SECONDS: Final = int(OFFER_LIFE.total_seconds())
_ANSWERED: Final = N_("Cette demande a déjà reçu une réponse. Recommencez depuis l’application.")


@dataclass(frozen=True, eq=False)
class WalletConsents:
    wallets: WalletStore
    awards: AwardStore
    consents: ConsentStore
    history: HistoryStore
    addresses: Addresses
    options: ServiceOptions
    secret: bytes
    clock: Clock

    def push(self, campus: Campus, sent: Mapping[str, str], dpop: str | None) -> JsonObject:
        """A `request_uri` for this request (RFC 9126); raises AuthorizationRefused or WalletRefused.

        Nothing is stored, so that a proof that is shown here again does nothing but bind another code to its key.
        """
        thumbprint = ""
        if dpop is not None:
            url = f"{self.addresses.wallet(campus.slug)}/demande"
            thumbprint = read_dpop(dpop, url=url, at=self.clock()).thumbprint
        request = self._checked(campus, sent, thumbprint)
        return {"request_uri": push(self.secret, campus.id, request), "expires_in": REQUEST_SECONDS}

    def read(self, campus: Campus, sent: Mapping[str, str]) -> WalletRequest:
        """Raises AuthorizationRefused."""
        if "request_uri" not in sent:
            return self._checked(campus, sent, "")
        request = self.reopen(campus, sent["request_uri"])
        if sent.get("client_id") != request.client:
            expected = "client_id: that of the pushed request"
            raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, expected)
        return request

    def seal(self, campus: Campus, request: WalletRequest) -> str:
        """What the consent form sends back: the request as it was checked."""
        return push(self.secret, campus.id, request)

    def reopen(self, campus: Campus, sealed: str) -> WalletRequest:
        """Raises AuthorizationRefused, and NotFound for a request that its learner answered."""
        request = read_pushed(self.secret, campus.id, sealed, at=self.clock())
        if self.wallets.is_used(_answer_digest(request)):
            raise NotFound(_ANSWERED)
        return request

    def refuse(self, campus: Campus, request: WalletRequest) -> str:
        """Where the learner's browser takes the refusal. A request is answered once; raises NotFound."""
        if not self.wallets.use(_answer_digest(request), campus.id, until=self.clock() + OFFER_LIFE):
            raise NotFound(_ANSWERED)
        return request.refused(AuthorizationRefusal.DENIED)

    def _checked(self, campus: Campus, sent: Mapping[str, str], thumbprint: str) -> WalletRequest:
        return read_authorization(
            sent,
            issuer=self.addresses.campus(campus.slug),
            trusted=self.options.wallet_redirects,
            at=self.clock(),
            key_thumbprint=thumbprint,
        )

    def is_trusted(self, request: WalletRequest) -> bool:
        return request.redirect in self.options.wallet_redirects

    def check_may_give(self, person: Person) -> None:
        """Raises ParentNeeded for a child under 15 without parental consent: as for a connected application."""
        check_may_show_further(person, self.consents.of_person(person.id))

    def badges(self, campus: Campus, request: WalletRequest, person: Person) -> Sequence[AwardRecord]:
        """What this wallet may be given: the badge of the offer, or any of the learner's at the campus.

        Raises NotFound where the offer is not theirs, was used or has ended.
        """
        at = self.clock()
        if not request.issuer_state:
            held = self.awards.list_of_person(person.id)
            return [each for each in held if each.campus.id == campus.id and may_carry(each.award, at=at)]
        return [self.awards.get_record(self._offer(campus, request, person).award_id)]

    def _offer(self, campus: Campus, request: WalletRequest, person: Person) -> WalletOffer:
        digest, at = digest_of(request.issuer_state), self.clock()
        offer = self.wallets.find_by_state(digest, campus.id, at=at)
        if offer is None or self.awards.get_record(offer.award_id).person.id != person.id:
            raise NotFound(N_("Cette offre n’existe plus. Demandez-en une autre sur la page du badge."))
        if offer.format is not request.format:
            expected = f"the offer is of {offer.format.configuration}"
            raise AuthorizationRefused(AuthorizationRefusal.INVALID_SCOPE, expected)
        return offer

    def consent(
        self,
        campus: Campus,
        request: WalletRequest,
        person: Person,
        award_id: uuid.UUID | None,
        *,
        by: Actor,
    ) -> str:
        """Where the learner's browser takes the code. A request and an offer are answered once; raises Conflict."""
        self.check_may_give(person)
        at = self.clock()
        chosen = {each.award.id: each for each in self.badges(campus, request, person)}
        record = chosen.get(award_id) if award_id is not None else None
        if record is None:
            raise InvalidInput(N_("Choisissez un badge, ou refusez."))
        check_may_carry(record.award, at=at)
        if request.issuer_state:
            offer = self._offer(campus, request, person)
        else:
            offer = WalletOffer(
                campus_id=campus.id,
                award_id=record.award.id,
                format=request.format,
                reference_digest=digest_of(new_reference()),
                code_digest=digest_of(new_reference()),
                typed_digest="",
                expires_at=at + OFFER_LIFE,
                needs_consent=True,
            )
            self.wallets.drop_open([record.award.id], but_of_request=digest_of(request.id))
            self.wallets.add(offer)
        code = secrets.token_urlsafe(32)
        is_first = self.wallets.use(_answer_digest(request), campus.id, until=at + OFFER_LIFE)
        if not is_first or not self.wallets.consent(
            offer.id,
            request,
            request_digest=digest_of(request.id),
            code_digest=digest_of(code),
            expires_at=at + CONSENT_CODE_LIFE,
        ):
            raise Conflict(_ANSWERED)
        place = place_of_redirect(request.redirect)
        self.history.write(
            by, "give_to_wallet", "award", record.award.id, at=at, campus_id=campus.id, place=place
        )
        return request.granted(code)


def _answer_digest(request: WalletRequest) -> str:
    """Stored once, as a proof is: the learner answers a request one time."""
    return digest_of(f"answered {request.id}")
