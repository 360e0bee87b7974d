"""A badge into a wallet: offer, token, credential and notification of OpenID4VCI 1.0, per campus."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from app.db.awards.awards import AwardRecord
from app.db.campus.campus import CampusStore
from app.db.learners.wallets import WalletStore
from app.db.people import GuardianStore
from app.domain.accounts.sessions import digest_of
from app.domain.badges.badges import BadgeKind
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.connected_apps import proves_challenge
from app.domain.learners.disclosure import mandatory_pointers
from app.domain.learners.wallet_authorization import (
    CREDENTIAL_DETAILS,
    CREDENTIAL_IDENTIFIER,
    DpopProof,
    read_dpop,
)
from app.domain.learners.wallets import (
    AUTHORIZATION_CODE,
    BATCH_SIZE,
    CODE_DIGITS,
    NONCE_LIFE,
    OFFER_LIFE,
    PRE_AUTHORIZED,
    PROOF_ALGORITHMS,
    PROOF_CRYPTOSUITES,
    WalletFormat,
    WalletOffer,
    WalletRefusal,
    WalletRefused,
    check_may_carry,
    code_of_reference,
    format_of,
    is_being_signed,
    is_nonce,
    issuer_state_of_reference,
    keys_proved,
    may_carry,
    new_nonce,
    new_reference,
    new_transaction_code,
    notification_id,
    typed_digest,
)
from app.domain.people.parental_consent import check_may_open, needs_guardian_for
from app.domain.publishing import Addresses
from app.errors import NotFound
from app.language import N_, locales, speaking
from app.language.typography import translated
from app.services.publishing.publication import PublicationService
from app.services.publishing.status import Signing
from sceau_credentials.dids import jwk_set
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.sd_jwt import DIGESTS, badge_claims, issue_sd_jwt
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.status_list import token_list_entry
from sceau_credentials.values.json_text import JsonObject, dump_json, parse_json_object
from sceau_credentials.values.timestamps import parse_timestamp
from sceau_credentials.values.vocabulary import CONTEXT_OB_3_0_3, CONTEXT_V2

SIGNED_METADATA: Final = "openidvci-issuer-metadata+jwt"
SCHEME: Final = "openid-credential-offer://"
_TYPES: Final = ("VerifiableCredential", "OpenBadgeCredential")
_CLAIMS: Final = {
    "name": N_("Badge"),
    "achievement": N_("Ce qui est attesté"),
    "issuer": N_("Campus"),
    "identifier": N_("Nom, s’il est écrit"),
    "awardedDate": N_("Attribué le"),
    "role": N_("Rôle"),
    "narrative": N_("Jugé comment"),
    "result": N_("Résultats"),
    "evidence": N_("Preuves"),
}
"""Labels of the claims, for wallets."""


_SIGNED_FOR: Final = 300
_MOST_SIGNED: Final = 256
_signed: dict[tuple[str, str, bytes], str] = {}
"""Signed metadata, by the key that signed it, its kind and its content."""
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


class WalletService:
    def __init__(
        self,
        wallets: WalletStore,
        guardians: GuardianStore,
        campuses: CampusStore,
        publication: PublicationService,
        signing: Signing,
        addresses: Addresses,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.wallets = wallets
        self.guardians = guardians
        self.campuses = campuses
        self.publication = publication
        self.signing = signing
        self.addresses = addresses
        self.secret = secret
        self.clock = clock

    # --- the learner

    def check_may_offer(self, record: AwardRecord) -> None:
        """As for a part in a file: of a child under 15, what a parent agreed to show of this badge."""
        check_may_carry(record.award, at=self.clock())
        if needs_guardian_for(record.person, record.activity):
            check_may_open(record.person, self.guardians.newest_about(record.award.id))

    def offer(self, record: AwardRecord, wanted: WalletFormat, *, needs_consent: bool = False) -> OfferShown:
        """A new offer of this badge; earlier ones that were not used end.

        `needs_consent`: its holder signs in from the wallet and agrees, instead of typing a code there.
        """
        self.check_may_offer(record)
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
        self.wallets.drop_open(record.award.id)
        self.wallets.add(offer)
        content = dump_json(self._content(record.campus, offer, reference)).decode()
        where = self.addresses.wallet_offer(record.campus.slug, reference)
        return OfferShown(
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
            raise NotFound(N_("Cette offre n’existe plus. Demandez-en une autre sur la page du badge."))
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
        if grant not in (PRE_AUTHORIZED, AUTHORIZATION_CODE):
            return WalletRefusal.UNSUPPORTED_GRANT
        needs_consent = grant == AUTHORIZATION_CODE
        code = form.get("code" if needs_consent else "pre-authorized_code", "")
        if not code:
            return WalletRefusal.INVALID_REQUEST
        at, proof = self.clock(), None
        if dpop is not None:
            try:
                proof = read_dpop(dpop, url=f"{self.addresses.wallet(campus.slug)}/jeton", at=at)
            except WalletRefused as error:
                return error.refusal
        offer = self.wallets.count_try(digest_of(code), campus.id, needs_consent=needs_consent, at=at)
        if offer is None:
            return WalletRefusal.INVALID_GRANT
        if proof is not None and not self.wallets.use_proof(proof, campus.id, at=at):
            return WalletRefusal.INVALID_DPOP
        if not self._is_proved(offer, form) or not self._may_carry(offer):
            return WalletRefusal.INVALID_GRANT
        if offer.key_thumbprint and (proof is None or proof.thumbprint != offer.key_thumbprint):
            return WalletRefusal.INVALID_DPOP
        token = secrets.token_urlsafe(32)
        if not self.wallets.redeem(
            offer.id,
            digest_of(token),
            key_thumbprint=proof.thumbprint if proof else None,
            expires_at=at + OFFER_LIFE,
            at=at,
        ):
            return WalletRefusal.INVALID_GRANT
        answer: JsonObject = {
            "access_token": token,
            "token_type": "DPoP" if proof else "Bearer",
            "expires_in": TOKEN_SECONDS,
        }
        if offer.is_identified:
            answer["authorization_details"] = [
                {
                    "type": CREDENTIAL_DETAILS,
                    "credential_configuration_id": offer.format.configuration,
                    "credential_identifiers": [CREDENTIAL_IDENTIFIER],
                }
            ]
        return answer

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

    def check_token(self, campus: Campus, token: str, proof: DpopProof | None = None) -> None:
        """Before anything of the request is read; raises WalletRefused.

        A proof counts once: to be committed before the request is judged, which may be refused.
        """
        offer = self._of_token(campus, token)
        if offer.key_thumbprint != (proof.thumbprint if proof else None):
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        if proof is not None and not self.wallets.use_proof(proof, campus.id, at=self.clock()):
            raise WalletRefused(WalletRefusal.INVALID_DPOP)

    def read_proof(self, campus: Campus, endpoint: str, token: str, dpop: str) -> DpopProof:
        """The proof of a wallet's key for its request to this endpoint, with this token; raises WalletRefused."""
        where = f"{self.addresses.wallet(campus.slug)}/{endpoint}"
        return read_dpop(dpop, url=where, at=self.clock(), token=token)

    def prove(self, campus: Campus, token: str, request: JsonObject) -> ProvedKeys:
        """What a request for the badge proves; may be slow, writes nothing; raises WalletRefused."""
        offer = self._unissued(campus, token)
        if "credential_response_encryption" in request:
            raise WalletRefused(WalletRefusal.INVALID_ENCRYPTION)
        _check_wanted(offer, request)
        return self._proved(campus, offer.format, request.get("proofs"))

    def issue(self, campus: Campus, token: str, proved: ProvedKeys) -> IssuedToWallet | DeferredToWallet:
        """The one badge of this token, for each key proved; raises WalletRefused, and then nothing is used up."""
        at, (keys, nonce) = self.clock(), proved
        offer = self._unissued(campus, token)
        record = self.publication.record(offer.award_id)
        is_early = is_being_signed(record.award, at=at)
        if not is_early and not may_carry(record.award, at=at):
            raise WalletRefused(WalletRefusal.DENIED)
        if nonce and not self.wallets.use_nonce(offer.id, digest_of(nonce)):
            raise WalletRefused(WalletRefusal.INVALID_NONCE)
        if not is_early:
            return self._issued(offer, record, keys, at=at)
        transaction = secrets.token_urlsafe(32)
        if not self.wallets.defer(offer.id, digest_of(transaction), [each.to_jwk() for each in keys]):
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        return DeferredToWallet(transaction)

    def issue_deferred(
        self, campus: Campus, token: str, request: JsonObject
    ) -> IssuedToWallet | DeferredToWallet:
        """The badge that was being signed, once, or the same answer as before; raises WalletRefused."""
        at, transaction = self.clock(), request.get("transaction_id")
        offer = self._of_token(campus, token)
        if not isinstance(transaction, str) or digest_of(transaction) != offer.transaction_digest:
            raise WalletRefused(WalletRefusal.INVALID_TRANSACTION_ID)
        record = self.publication.record(offer.award_id)
        if is_being_signed(record.award, at=at):
            return DeferredToWallet(transaction)
        if not may_carry(record.award, at=at):
            raise WalletRefused(WalletRefusal.DENIED)
        keys = [VerificationKey.from_jwk(each) for each in offer.holder_keys or ()]
        return self._issued(offer, record, keys, at=at)

    def _issued(
        self, offer: WalletOffer, record: AwardRecord, keys: Sequence[VerificationKey], *, at: datetime
    ) -> IssuedToWallet:
        if not self.wallets.issue(offer.id, at=at):
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        return IssuedToWallet(
            self._credentials(record, offer.format, keys, at=at), notification_id(self.secret, offer.id)
        )

    def notify(self, campus: Campus, token: str, request: JsonObject) -> None:
        """« Dans le portefeuille »: a wallet stored the badge, or no longer has it."""
        offer = self._of_token(campus, token)
        event, named = request.get("event"), request.get("notification_id")
        if event not in ("credential_accepted", "credential_failure", "credential_deleted"):
            raise WalletRefused(WalletRefusal.INVALID_NOTIFICATION)
        known = notification_id(self.secret, offer.id)
        if (
            offer.issued_at is None
            or not isinstance(named, str)
            or not hmac.compare_digest(named.encode("utf-8", "replace"), known.encode())
        ):
            raise WalletRefused(WalletRefusal.INVALID_NOTIFICATION_ID)
        self.wallets.mark(offer.id, self.clock() if event == "credential_accepted" else None)

    # --- metadata

    def issuer_metadata(self, campus: Campus) -> JsonObject:
        """OpenID4VCI 1.0, section 12.2."""
        issuer = self.addresses.campus(campus.slug)
        place = self.addresses.wallet(campus.slug)
        return {
            "credential_issuer": issuer,
            "authorization_servers": [issuer],
            "credential_endpoint": f"{place}/attestation",
            "deferred_credential_endpoint": f"{place}/differee",
            "nonce_endpoint": f"{place}/nonce",
            "notification_endpoint": f"{place}/notification",
            "batch_credential_issuance": {"batch_size": BATCH_SIZE},
            "display": [{"name": campus.name, "locale": "fr"}],
            "credential_configurations_supported": {
                each.configuration: self._configuration(campus, each) for each in WalletFormat
            },
        }

    def signed_metadata(self, campus: Campus) -> str:
        """The same as a JWT of the campus (OpenID4VCI 1.0, section 12.2.3), by the key that signs its badges."""
        metadata = self.issuer_metadata(campus)
        return self._signed(campus, metadata | {"sub": metadata["credential_issuer"]}, SIGNED_METADATA)

    def _signed(self, campus: Campus, claims: JsonObject, kind: str) -> str:
        """Once for each key and five minutes: the answers are cached as long, and each is the same until then."""
        made = int(self.clock().timestamp())
        signed = claims | {"iss": campus.did, "iat": made - made % _SIGNED_FOR}
        signer = self.signing.signers_of(campus).jwt
        named = (signer.key.public.thumbprint(), kind, dump_json(signed))
        found = _signed.get(named)
        if found is None:
            found = sign_claims(signed, signer=signer, kind=kind)
            if len(_signed) >= _MOST_SIGNED:
                _signed.clear()
            _signed[named] = found
        return found

    def server_metadata(self, campus: Campus) -> JsonObject:
        """RFC 8414, signed by the campus too (section 2.1), and OpenID4VCI 1.0, section 12.3."""
        issuer, place = self.addresses.campus(campus.slug), self.addresses.wallet(campus.slug)
        metadata: JsonObject = {
            "issuer": issuer,
            "authorization_endpoint": f"{place}/autoriser",
            "pushed_authorization_request_endpoint": f"{place}/demande",
            "token_endpoint": f"{place}/jeton",
            "scopes_supported": [each.configuration for each in WalletFormat],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [AUTHORIZATION_CODE, PRE_AUTHORIZED],
            "code_challenge_methods_supported": ["S256"],
            "authorization_details_types_supported": [CREDENTIAL_DETAILS],
            "authorization_response_iss_parameter_supported": True,
            "dpop_signing_alg_values_supported": [each.value for each in PROOF_ALGORITHMS],
            "token_endpoint_auth_methods_supported": ["none"],
            "pre-authorized_grant_anonymous_access_supported": True,
        }
        return metadata | {"signed_metadata": self._signed(campus, metadata, "JWT")}

    def key_metadata(self, campus: Campus) -> JsonObject:
        """SD-JWT VC, section 5: the keys of an issuer with an https identifier."""
        keys = self.signing.published_keys(campus)
        return {"issuer": self.addresses.campus(campus.slug), "jwks": jwk_set(keys)}

    def type_metadata(self) -> JsonObject:
        """SD-JWT VC, section 6: what the claims of a badge are called."""
        names: dict[str, Any] = {
            language: {name: _in(language, label) for name, label in _CLAIMS.items()}
            for language in locales()
        }
        return {
            "vct": self.addresses.badge_type,
            "name": "Open Badge",
            "description": "An Open Badge 3.0: the members of the badge under their own names.",
            "display": [
                {"locale": language, "name": _in(language, N_("Badge ouvert"))} for language in names
            ],
            "claims": [
                {
                    "path": [name],
                    "display": [
                        {"locale": language, "label": labels[name], "name": labels[name]}
                        for language, labels in names.items()
                    ],
                    "sd": _disclosure_of(name),
                }
                for name in _CLAIMS
            ],
        }

    def _configuration(self, campus: Campus, wanted: WalletFormat) -> JsonObject:
        name = translated(N_("Badge du campus {campus}")).format(campus=campus.short_name)
        shown: JsonObject = {
            "scope": wanted.configuration,
            "credential_metadata": {"display": [{"name": name, "locale": "fr"}]},
        }
        if wanted is WalletFormat.EMBEDDED:
            return {
                "format": wanted.value,
                "credential_definition": {
                    "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
                    "type": [*_TYPES],
                },
                "credential_signing_alg_values_supported": ["eddsa-rdfc-2022"],
                **shown,
            }
        algorithms: JsonObject = {"credential_signing_alg_values_supported": ["EdDSA"]}
        if wanted is WalletFormat.TOKEN:
            return {
                "format": wanted.value,
                "credential_definition": {"type": [*_TYPES]},
                **algorithms,
                **shown,
            }
        return {
            "format": wanted.value,
            "vct": self.addresses.badge_type,
            "cryptographic_binding_methods_supported": ["jwk", "did:key", "did:jwk"],
            "proof_types_supported": {
                "jwt": {"proof_signing_alg_values_supported": [each.value for each in PROOF_ALGORITHMS]},
                "di_vp": {"proof_signing_alg_values_supported": [*PROOF_CRYPTOSUITES]},
            },
            **algorithms,
            **shown,
        }

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

    def _of_token(self, campus: Campus, token: str) -> WalletOffer:
        offer = self.wallets.find_by_token(digest_of(token), campus.id, at=self.clock()) if token else None
        if offer is None:
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        return offer

    def _unissued(self, campus: Campus, token: str) -> WalletOffer:
        offer = self._of_token(campus, token)
        if offer.issued_at is not None or offer.transaction_digest is not None:
            raise WalletRefused(WalletRefusal.INVALID_TOKEN)
        return offer

    def _may_carry(self, offer: WalletOffer) -> bool:
        """Now, or once it is signed."""
        award, at = self.publication.record(offer.award_id).award, self.clock()
        return may_carry(award, at=at) or is_being_signed(award, at=at)

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
        return tuple(dump_json(self.sd_jwt_of(record, key, at=at)) for key in keys)

    def sd_jwt_of(self, record: AwardRecord, key: VerificationKey, *, at: datetime) -> str:
        """The stored badge, with what its holder discloses, as SD-JWT VC for the holder of `key`."""
        document = parse_json_object(self.publication.award_file(record, "json").body)
        claims, disclosable = badge_claims(document, mandatory_pointers(record.version.kind))
        claims |= {
            "iss": self.addresses.campus(record.campus.slug),
            "iat": int(at.timestamp()),
            "nbf": int(parse_timestamp(document["validFrom"]).timestamp()),
            "vct": self.addresses.badge_type,
            "cnf": {"jwk": key.to_jwk()},
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
        return issue_sd_jwt(claims, disclosable, signer=signer, digests=DIGESTS)


def _check_wanted(offer: WalletOffer, request: JsonObject) -> None:
    """By identifier where the token names one, else by configuration (OpenID4VCI 1.0, section 8.2)."""
    identifier, configuration = (
        request.get("credential_identifier"),
        request.get("credential_configuration_id"),
    )
    if not isinstance(identifier if offer.is_identified else configuration, str):
        raise WalletRefused(WalletRefusal.INVALID_CREDENTIAL_REQUEST)
    if (configuration if offer.is_identified else identifier) is not None:
        raise WalletRefused(WalletRefusal.INVALID_CREDENTIAL_REQUEST)
    if offer.is_identified:
        if identifier != CREDENTIAL_IDENTIFIER:
            raise WalletRefused(WalletRefusal.UNKNOWN_IDENTIFIER)
    elif format_of(str(configuration)) is not offer.format:
        raise WalletRefused(WalletRefusal.UNKNOWN_CONFIGURATION)


def _disclosure_of(claim: str) -> str:
    """`never` for what every badge shows, `always` for what its holder may withhold of any; else it depends."""
    if claim in ("issuer", "achievement"):
        return "never"
    kinds = [
        kind
        for kind in BadgeKind
        if not mandatory_pointers(kind).isdisjoint((f"/{claim}", f"/credentialSubject/{claim}"))
    ]
    return "never" if len(kinds) == len(BadgeKind) else "allowed" if kinds else "always"


NONCE_SECONDS: Final = int(NONCE_LIFE.total_seconds())
TOKEN_SECONDS: Final = int(OFFER_LIFE.total_seconds())


def _in(language: str, label: str) -> str:
    with speaking(language):
        return translated(label)
