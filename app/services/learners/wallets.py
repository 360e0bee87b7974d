"""A badge into a wallet: offer, token, credential and notification of OpenID4VCI 1.0, per campus."""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore
from app.db.learners.wallets import WalletStore
from app.domain.accounts.sessions import digest_of
from app.domain.awards import AwardState
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.connected_apps import proves_challenge
from app.domain.learners.wallet_authorization import (
    CREDENTIAL_DETAILS,
    CREDENTIAL_IDENTIFIER,
    DpopProof,
    mandatory_pointers,
    read_dpop,
)
from app.domain.learners.wallets import (
    AUTHORIZATION_CODE,
    CODE_DIGITS,
    NONCE_LIFE,
    OFFER_LIFE,
    PRE_AUTHORIZED,
    REFRESH_LIFE,
    REFRESH_TOKEN,
    WalletFormat,
    WalletOffer,
    WalletRefusal,
    WalletRefused,
    check_may_carry,
    code_of_reference,
    copy_of_notification,
    format_of,
    is_being_signed,
    is_nonce,
    issuer_state_of_reference,
    keys_proved,
    may_carry,
    new_nonce,
    new_reference,
    new_transaction_code,
    nonce_mark,
    notification_id,
    token_digest,
    typed_digest,
)
from app.domain.people.consents import check_may_open, needs_guardian_for
from app.domain.publishing import Addresses
from app.errors import NotFound
from app.services.publishing import PublicationService
from app.services.publishing.status import Signing
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.sd_jwt import DIGESTS, badge_claims, issue_sd_jwt
from sceau_credentials.status_list import token_list_entry
from sceau_credentials.values import JsonObject, dump_json, parse_json_object, parse_timestamp

_SECRETS: Final = {
    PRE_AUTHORIZED: "pre-authorized_code",
    AUTHORIZATION_CODE: "code",
    REFRESH_TOKEN: "refresh_token",
}
"""Where each grant has its secret."""
SCHEME: Final = "openid-credential-offer://"
ProvedKeys = tuple[Sequence[VerificationKey], str]
"""The wallet's keys and the nonce that they signed; none, where the format needs none."""


@dataclass(frozen=True)
class OfferShown:
    """`by_value` and `by_reference` are links that a wallet opens; `typed` is the transaction code, if it needs one."""

    by_value: str
    by_reference: str
    typed: str
    expires_at: datetime


@dataclass(frozen=True)
class IssuedToWallet:
    """Each of `credentials` is JSON: the stored object as it was signed, or a text for one of the wallet's keys."""

    credentials: tuple[bytes, ...]
    notification_id: str


@dataclass(frozen=True)
class DeferredToWallet:
    """The badge is being signed; the wallet asks again with this secret."""

    transaction_id: str


@dataclass(frozen=True)
class NewTokens:
    """`refresh` is empty for a badge without an end; `digests` are the columns of the offer that remember them."""

    token: str
    refresh: str
    digests: dict[str, Any]


_CLIENT: Final = re.compile(r"[\x21-\x7e]{0,400}")


class WalletService:
    def __init__(
        self,
        wallets: WalletStore,
        awards: AwardStore,
        campuses: CampusStore,
        publication: PublicationService,
        signing: Signing,
        addresses: Addresses,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.wallets = wallets
        self.awards = awards
        self.campuses = campuses
        self.publication = publication
        self.signing = signing
        self.addresses = addresses
        self.secret = secret
        self.clock = clock

    # --- the learner

    def check_may_offer(self, record: AwardRecord) -> None:
        """As for a part in a file: of a child under 15, what a parent agreed to show of this badge."""
        self._check_may_offer([record])

    def _check_may_offer(self, records: Sequence[AwardRecord]) -> None:
        of_children = [each.award.id for each in records if needs_guardian_for(each.person, each.activity)]
        agreements = self.wallets.parents_agreements(of_children)
        for record in records:
            check_may_carry(record.award, at=self.clock())
            if needs_guardian_for(record.person, record.activity):
                check_may_open(record.person, agreements.get(record.award.id))

    def offer(self, record: AwardRecord, wanted: WalletFormat, *, needs_consent: bool = False) -> OfferShown:
        """A new offer of this badge; earlier ones that were not used end.

        `needs_consent`: its holder signs in from the wallet and agrees, instead of typing a code there.
        """
        return self.offers([record], wanted, needs_consent=needs_consent)[0]

    def offers(
        self, records: Sequence[AwardRecord], wanted: WalletFormat, *, needs_consent: bool = False
    ) -> list[OfferShown]:
        """As `offer`, for each of these badges; no statement of its own for each."""
        self._check_may_offer(records)
        made = [self._made(record, wanted, needs_consent=needs_consent) for record in records]
        self.wallets.drop_open([record.award.id for record in records])
        self.wallets.add(*(offer for offer, _shown in made))
        return [shown for _offer, shown in made]

    def _made(
        self, record: AwardRecord, wanted: WalletFormat, *, needs_consent: bool
    ) -> tuple[WalletOffer, OfferShown]:
        at, reference = self.clock(), new_reference()
        offer = WalletOffer(
            campus_id=record.campus.id,
            award_id=record.award.id,
            format=wanted,
            reference_digest=digest_of(reference),
            code_digest=digest_of(new_reference() if needs_consent else code_of_reference(reference)),
            typed_digest="",
            expires_at=at + OFFER_LIFE,
            needs_consent=needs_consent,
        )
        typed = ""
        if needs_consent:
            offer.state_digest = digest_of(issuer_state_of_reference(reference))
        else:
            typed = new_transaction_code()
            offer.typed_digest = typed_digest(self.secret, offer.id, typed)
        content = dump_json(self._content(record.campus, offer, reference)).decode()
        where = self.addresses.wallet_offer(record.campus.slug, reference)
        return offer, OfferShown(
            f"{SCHEME}?credential_offer={quote(content, safe='')}",
            f"{SCHEME}?credential_offer_uri={quote(where, safe='')}",
            typed,
            offer.expires_at,
        )

    def accepted_at(self, record: AwardRecord) -> datetime | None:
        """When a wallet last reported that it holds the badge."""
        return self.wallets.accepted(record.award.id)

    def forget_old(self) -> None:
        self.wallets.forget_old(self.clock())

    # --- the wallet

    def campus(self, slug: str) -> Campus:
        return self.campuses.get(slug)

    def offer_named(self, campus: Campus, reference: str) -> JsonObject:
        offer = self.wallets.find_by_reference(digest_of(reference), campus.id, at=self.clock())
        if offer is None:
            raise NotFound("Cette offre n’existe plus. Demandez-en une autre sur la page du badge.")
        return self._content(campus, offer, reference)

    def redeem(
        self, campus: Campus, form: Mapping[str, str], dpop: str | None = None
    ) -> JsonObject | WalletRefusal:
        """The token response for a code, and for its transaction code or the secret of its PKCE challenge.

        `dpop`: the proof of the key that the token is then bound to. Returns the refusal instead of raising it: the
        try has to be committed.
        """
        grant = form.get("grant_type")
        if not grant:
            return WalletRefusal.INVALID_REQUEST
        if grant not in _SECRETS:
            return WalletRefusal.UNSUPPORTED_GRANT
        code = form.get(_SECRETS[grant], "")
        if not code or not _CLIENT.fullmatch(form.get("client_id", "")):
            return WalletRefusal.INVALID_REQUEST
        at, proof = self.clock(), None
        if dpop is not None:
            try:
                proof = read_dpop(dpop, url=f"{self.addresses.wallet(campus.slug)}/jeton", at=at)
            except WalletRefused as error:
                return error.refusal
        if grant == REFRESH_TOKEN:
            return self._refresh(campus, form, code, proof)
        needs_consent = grant == AUTHORIZATION_CODE
        offer = self.wallets.count_try(digest_of(code), campus.id, needs_consent=needs_consent, at=at)
        if offer is None:
            if needs_consent:
                self._end_if_replayed(campus, form, code)
            return WalletRefusal.INVALID_GRANT
        if proof is not None and not self.wallets.use_proof(proof, campus.id, at=at):
            return WalletRefusal.INVALID_DPOP
        if not self._is_proved(offer, form) or not self._may_carry(offer):
            return WalletRefusal.INVALID_GRANT
        if offer.key_thumbprint and (proof is None or proof.thumbprint != offer.key_thumbprint):
            return WalletRefusal.INVALID_DPOP
        tokens = self._new_tokens(offer, proof)
        # With a pre-authorized code a wallet need not name itself; a name that it gives is asked of it again.
        named = {} if needs_consent or "client_id" not in form else {"client": form["client_id"]}
        if not self.wallets.redeem(offer.id, tokens.digests | named, at=at):
            return WalletRefusal.INVALID_GRANT
        return _token_answer(offer, tokens, proof)

    def _new_tokens(self, offer: WalletOffer, proof: DpopProof | None) -> NewTokens:
        """A refresh token with it for a badge that ends: it can be renewed, under the same identifier."""
        at, token = self.clock(), secrets.token_urlsafe(32)
        award = self.awards.find(offer.award_id)
        ends = award.valid_until if award is not None else None
        refresh = secrets.token_urlsafe(32) if ends is not None else ""
        return NewTokens(
            token,
            refresh,
            {
                "token_digest": token_digest(token, is_bound=proof is not None),
                "expires_at": at + OFFER_LIFE,
                "key_thumbprint": proof.thumbprint if proof else None,
                "refresh_digest": digest_of(refresh) if refresh else None,
                "refresh_until": max(at, ends) + REFRESH_LIFE if ends is not None else None,
            },
        )

    def _end_if_replayed(self, campus: Campus, form: Mapping[str, str], code: str) -> None:
        """A used code that comes again, with all that proves it, ends its tokens (RFC 6749, 4.1.2)."""
        offer = self.wallets.find_redeemed(digest_of(code), campus.id)
        if offer is not None and self._is_proved(offer, form):
            self.wallets.end_tokens(offer.id, at=self.clock())

    def _refresh(
        self, campus: Campus, form: Mapping[str, str], secret: str, proof: DpopProof | None
    ) -> JsonObject | WalletRefusal:
        """A token for the badge as it is now; each refresh token is used once, a second use ends both (RFC 9700)."""
        at, digest = self.clock(), digest_of(secret)
        offer = self.wallets.find_by_refresh(digest, campus.id, at=at)
        if offer is None or (offer.client and form.get("client_id", offer.client) != offer.client):
            return WalletRefusal.INVALID_GRANT
        if offer.key_thumbprint != (proof.thumbprint if proof else None):
            return WalletRefusal.INVALID_DPOP
        if proof is not None and not self.wallets.use_proof(proof, campus.id, at=at):
            return WalletRefusal.INVALID_DPOP
        award = self.awards.find(offer.award_id)
        if award is None or award.state is not AwardState.ISSUED:
            return WalletRefusal.INVALID_GRANT
        tokens = self._new_tokens(offer, proof)
        if not self.wallets.refresh(offer.id, digest, tokens.digests):
            self.wallets.end_tokens(offer.id, at=at)
            return WalletRefusal.INVALID_GRANT
        return _token_answer(offer, tokens, proof)

    def _is_proved(self, offer: WalletOffer, form: Mapping[str, str]) -> bool:
        if not offer.needs_consent:
            known = typed_digest(self.secret, offer.id, form.get("tx_code", ""))
            return hmac.compare_digest(known, offer.typed_digest)
        return (
            proves_challenge(offer.challenge or "", form.get("code_verifier", ""))
            and form.get("redirect_uri") == offer.redirect
            and form.get("client_id") == offer.client
        )

    def nonce(self, campus: Campus) -> str:
        return new_nonce(self.secret, campus.id, at=self.clock())

    def check_token(self, campus: Campus, token: str, proof: DpopProof | None = None) -> WalletOffer:
        """The offer of this token, before anything of the request is read; raises WalletRefused.

        A proof counts once: to be committed before the request is judged, which may be refused.
        """
        at = self.clock()
        digest = token_digest(token, is_bound=proof is not None)
        offer = self.wallets.find_by_token(digest, campus.id, at=at) if token else None
        if offer is None or offer.key_thumbprint != (proof.thumbprint if proof else None):
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        if proof is not None and not self.wallets.use_proof(proof, campus.id, at=at):
            raise WalletRefused(WalletRefusal.INVALID_DPOP)
        return offer

    def read_proof(self, campus: Campus, endpoint: str, token: str, dpop: str) -> DpopProof:
        """The proof of a wallet's key for its request to this endpoint, with this token; raises WalletRefused."""
        where = f"{self.addresses.wallet(campus.slug)}/{endpoint}"
        return read_dpop(dpop, url=where, at=self.clock(), token=token)

    def prove(self, campus: Campus, offer: WalletOffer, request: JsonObject) -> ProvedKeys:
        """What a request for the badge proves; may be slow, reads and writes nothing; raises WalletRefused."""
        if "credential_response_encryption" in request:
            raise WalletRefused(WalletRefusal.INVALID_ENCRYPTION)
        _check_wanted(offer, request)
        return self._proved(campus, offer.format, request.get("proofs"))

    def issue(self, offer: WalletOffer, proved: ProvedKeys) -> IssuedToWallet | DeferredToWallet:
        """A copy of the badge for each key proved; raises WalletRefused, and then nothing is used up."""
        at, (keys, nonce) = self.clock(), proved
        record = self._record(offer)
        is_early = is_being_signed(record.award, at=at)
        if not is_early and not may_carry(record.award, at=at):
            raise WalletRefused(WalletRefusal.DENIED)
        mark = nonce_mark(nonce) if nonce else ""
        if not is_early:
            copy = self.wallets.issue(offer, mark, self._copies(offer, keys), at=at)
            return self._issued(offer, record, keys, copy, at=at)
        transaction = secrets.token_urlsafe(32)
        waiting = [each.to_jwk() for each in keys]
        if not self.wallets.defer(offer, mark, digest_of(transaction), waiting, at=at):
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        return DeferredToWallet(transaction)

    def issue_deferred(self, offer: WalletOffer, request: JsonObject) -> IssuedToWallet | DeferredToWallet:
        """The badge that was being signed, once, or the same answer as before; raises WalletRefused."""
        at, transaction = self.clock(), request.get("transaction_id")
        if not isinstance(transaction, str) or digest_of(transaction) != offer.transaction_digest:
            raise WalletRefused(WalletRefusal.INVALID_TRANSACTION_ID)
        if not self.wallets.poll(offer, at=at):
            raise WalletRefused(WalletRefusal.SLOW_DOWN)
        record = self._record(offer)
        if is_being_signed(record.award, at=at):
            return DeferredToWallet(transaction)
        if not may_carry(record.award, at=at):
            raise WalletRefused(WalletRefusal.DENIED)
        keys = [VerificationKey.from_jwk(each) for each in offer.holder_keys or ()]
        copy = self.wallets.issue_deferred(offer, self._copies(offer, keys), at=at)
        return self._issued(offer, record, keys, copy, at=at)

    def _copies(self, offer: WalletOffer, keys: Sequence[VerificationKey]) -> int:
        """The stored forms are bound to no key: one copy, whatever was proved."""
        return len(keys) if offer.format is WalletFormat.SD_JWT else 1

    def _issued(
        self,
        offer: WalletOffer,
        record: AwardRecord,
        keys: Sequence[VerificationKey],
        copy: int | None,
        *,
        at: datetime,
    ) -> IssuedToWallet:
        if copy is None:
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        credentials = self._credentials(record, offer.format, keys, at=at)
        return IssuedToWallet(credentials, notification_id(self.secret, offer.id, copy))

    def notify(self, offer: WalletOffer, request: JsonObject) -> None:
        """« Dans le portefeuille »: a wallet stored the badge, or no longer has it."""
        event, named = request.get("event"), request.get("notification_id")
        if event not in ("credential_accepted", "credential_failure", "credential_deleted"):
            raise WalletRefused(WalletRefusal.INVALID_NOTIFICATION)
        copy = copy_of_notification(self.secret, offer, named) if isinstance(named, str) else None
        if copy is None:
            raise WalletRefused(WalletRefusal.INVALID_NOTIFICATION_ID)
        if event == "credential_accepted":
            self.wallets.accept(offer.id, copy, at=self.clock())
        elif self.wallets.drop(offer.id, copy) and event == "credential_deleted":
            self.wallets.end_tokens(offer.id, at=self.clock())

    # --- parts

    def _content(self, campus: Campus, offer: WalletOffer, reference: str) -> JsonObject:
        """OpenID4VCI 1.0, section 4.1.1; nothing of the person or of the badge."""
        return {
            "credential_issuer": self.addresses.campus(campus.slug),
            "credential_configuration_ids": [offer.format.configuration],
            "grants": {AUTHORIZATION_CODE: {"issuer_state": issuer_state_of_reference(reference)}}
            if offer.needs_consent
            else {
                PRE_AUTHORIZED: {
                    "pre-authorized_code": code_of_reference(reference),
                    "tx_code": {"input_mode": "numeric", "length": CODE_DIGITS},
                }
            },
        }

    def _may_carry(self, offer: WalletOffer) -> bool:
        """Now, or once it is signed."""
        award, at = self.awards.find(offer.award_id), self.clock()
        return award is not None and (may_carry(award, at=at) or is_being_signed(award, at=at))

    def _record(self, offer: WalletOffer) -> AwardRecord:
        """Without the pictures of its badge."""
        found = self.awards.records_among([offer.award_id], offer.campus_id)
        if not found:
            raise WalletRefused(WalletRefusal.DENIED)
        return found[0]

    def _proved(self, campus: Campus, wanted: WalletFormat, proofs: object) -> ProvedKeys:
        """The wallet's keys and its nonce; the stored forms name no key, so that none has to be proved."""
        if proofs is None and wanted is not WalletFormat.SD_JWT:
            return (), ""
        at = self.clock()
        return keys_proved(
            proofs,
            issuer=self.addresses.campus(campus.slug),
            is_ours=lambda nonce: is_nonce(self.secret, campus.id, nonce, at=at),
            at=at,
        )

    def _credentials(
        self, record: AwardRecord, wanted: WalletFormat, keys: Sequence[VerificationKey], *, at: datetime
    ) -> tuple[bytes, ...]:
        if wanted is WalletFormat.EMBEDDED:
            return (self.publication.award_file(record, "json").body,)
        if wanted is WalletFormat.TOKEN:
            return (dump_json(self.publication.award_file(record, "jwt").body.decode()),)
        return tuple(map(dump_json, self.sd_jwts_of(record, keys, at=at)))

    def sd_jwts_of(self, record: AwardRecord, keys: Iterable[VerificationKey], *, at: datetime) -> list[str]:
        """The stored badge, with what its holder discloses, as SD-JWT VC for the holder of each key.

        The badge and the key that signs are read once.
        """
        document = parse_json_object(self.publication.award_file(record, "json").body)
        claims, disclosable = badge_claims(document, mandatory_pointers(record.version.kind))
        claims |= {
            "iss": self.addresses.campus(record.campus.slug),
            "iat": int(at.timestamp()),
            "nbf": int(parse_timestamp(document["validFrom"]).timestamp()),
            "vct": self.addresses.badge_type,
        }
        if "validUntil" in document:
            claims["exp"] = int(parse_timestamp(document["validUntil"]).timestamp())
        entry = document.get("credentialStatus")
        if isinstance(entry, dict):
            list_id = uuid.UUID(str(entry["statusListCredential"]).rpartition("/")[2].partition(".")[0])
            claims["status"] = token_list_entry(
                self.addresses.token_list(list_id), int(str(entry["statusListIndex"]))
            )
        signer = self.signing.signers_of(record.campus).jwt
        return [
            issue_sd_jwt(claims | {"cnf": {"jwk": key.to_jwk()}}, disclosable, signer=signer, digests=DIGESTS)
            for key in keys
        ]


def _token_answer(offer: WalletOffer, tokens: NewTokens, proof: DpopProof | None) -> JsonObject:
    answer: JsonObject = {
        "access_token": tokens.token,
        "token_type": "DPoP" if proof else "Bearer",
        "expires_in": TOKEN_SECONDS,
    }
    if tokens.refresh:
        answer["refresh_token"] = tokens.refresh
    if offer.is_identified:
        answer["authorization_details"] = [
            {
                "type": CREDENTIAL_DETAILS,
                "credential_configuration_id": offer.format.configuration,
                "credential_identifiers": [CREDENTIAL_IDENTIFIER],
            }
        ]
    return answer


def _check_wanted(offer: WalletOffer, request: JsonObject) -> None:
    """By identifier where the token names one, else by configuration (OpenID4VCI 1.0, section 8.2)."""
    identifier, configuration = (
        request.get("credential_identifier"),
        request.get("credential_configuration_id"),
    )
    if isinstance(identifier, str) and identifier != CREDENTIAL_IDENTIFIER:
        raise WalletRefused(WalletRefusal.UNKNOWN_IDENTIFIER)
    if isinstance(configuration, str) and format_of(configuration) is not offer.format:
        raise WalletRefused(WalletRefusal.UNKNOWN_CONFIGURATION)
    named, other = (identifier, configuration) if offer.is_identified else (configuration, identifier)
    if not isinstance(named, str) or other is not None:
        raise WalletRefused(WalletRefusal.INVALID_CREDENTIAL_REQUEST)


NONCE_SECONDS: Final = int(NONCE_LIFE.total_seconds())
TOKEN_SECONDS: Final = int(OFFER_LIFE.total_seconds())
