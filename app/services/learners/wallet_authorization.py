"""A wallet asks by authorization code: its request, the issuer's metadata, the learner's consent, and parts."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import HistoryStore
from app.db.learners.wallets import WalletStore
from app.db.people.privacy import ConsentStore
from app.domain.accounts.sessions import digest_of
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, ServiceOptions, whole_second
from app.domain.learners.connected_apps import AuthorizationRefusal
from app.domain.learners.wallet_authorization import (
    CONSENT_CODE_LIFE,
    CREDENTIAL_DETAILS,
    AuthorizationRefused,
    DisclosableMembers,
    WalletRequest,
    disclosable_in,
    mandatory_in,
    mandatory_pointers,
    place_of_redirect,
    presented,
    push,
    read_authorization,
    read_dpop,
    read_pushed,
    selected_in,
)
from app.domain.learners.wallets import (
    AUTHORIZATION_CODE,
    BATCH_SIZE,
    OFFER_LIFE,
    PRE_AUTHORIZED,
    PROOF_ALGORITHMS,
    PROOF_CRYPTOSUITES,
    REFRESH_TOKEN,
    WalletFormat,
    WalletOffer,
    check_may_carry,
    check_may_show_part,
    may_carry,
    new_reference,
)
from app.domain.people import Person
from app.domain.people.consents import check_may_show_further
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_, known_locales, speaking, translated
from app.services.awards.awards import AwardService
from app.services.publishing import PublicationService
from app.services.publishing.status import Signing
from sceau_credentials.dids import jwk_set
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.selective_disclosure import add_base_proof, derive_proof, select_members
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.values import (
    CONTEXT_OB_3_0_3,
    CONTEXT_V2,
    JsonObject,
    JsonValue,
    dump_json,
    parse_json_object,
)

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
            raise NotFound("Cette offre n’existe plus. Demandez-en une autre sur la page du badge.")
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
            raise InvalidInput("Choisissez un badge, ou refusez.")
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


# --- What a campus issues to wallets: metadata of the issuer, of its authorization server


SIGNED_METADATA: Final = "openidvci-issuer-metadata+jwt"
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


@dataclass(frozen=True, eq=False)
class WalletMetadata:
    signing: Signing
    addresses: Addresses
    clock: Clock

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
            "display": [{"name": campus.name, "locale": language} for language in known_locales()],
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
            "grant_types_supported": [AUTHORIZATION_CODE, PRE_AUTHORIZED, REFRESH_TOKEN],
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
            for language in known_locales()
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
        # In every language, so that what is signed and cached is the same for all; a wallet takes the one it speaks.
        names: list[JsonValue] = [
            {
                "name": _in(language, N_("Badge du campus {campus}")).format(campus=campus.short_name),
                "locale": language,
            }
            for language in known_locales()
        ]
        shown: JsonObject = {"scope": wanted.configuration, "credential_metadata": {"display": names}}
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


def _in(language: str, label: str) -> str:
    with speaking(language):
        return translated(label)


# --- A learner shows a part of a badge without a wallet: derived on demand from the stored badge


_SHOW_PART: Final = "show_part"
_NOUN: Final = "presentation"


@dataclass(frozen=True)
class PartPreview:
    """`whole` is the badge as its page shows it, `part` what a reader of the presentation gets; without proofs."""

    disclosable: Sequence[DisclosableMembers]
    whole: JsonObject
    part: JsonObject


@dataclass(frozen=True, eq=False)
class SelectiveDisclosure:
    awards: AwardService
    publication: PublicationService
    signing: Signing
    history: HistoryStore
    clock: Clock

    def is_offered(self, campus: Campus) -> bool:
        return campus.selective_disclosure

    def preview(self, record: AwardRecord, names: Collection[str]) -> PartPreview:
        document, kind = self._document(record, at=self.clock()), record.version.kind
        pointers = [*mandatory_in(document, kind), *selected_in(document, kind, names)]
        return PartPreview(disclosable_in(document, kind), document, select_members(document, pointers))

    def shown_before(self, award_id: uuid.UUID) -> list[tuple[datetime, list[str]]]:
        """When the holder made a presentation and what it showed, by name; the latest first."""
        entries = [entry for entry, _ in self.history.list_of(_NOUN, award_id) if entry.action == _SHOW_PART]
        entries.sort(key=lambda entry: entry.at, reverse=True)
        return [(entry.at, list(entry.facts.get("shown", []))) for entry in entries]

    def present(self, record: AwardRecord, names: Collection[str], *, by: Actor) -> bytes:
        """The derived credential, in JSON; the base proof it is derived from is forgotten at once."""
        at, campus = self.clock(), record.campus
        if not self.is_offered(campus):
            raise NotFound("Ce campus ne propose pas de montrer une partie d’un badge.")
        check_may_show_part(record.award, at=at)
        self.awards.check_may_show(record, by=by)
        document, kind = self._document(record, at=at), record.version.kind
        signer = self.signing.disclosure_signer(campus)
        base = add_base_proof(document, mandatory_in(document, kind), signer=signer, created=whole_second(at))
        derived = derive_proof(base, selected_in(document, kind, names))
        accepted = verify_proofs(derived, key_for=lambda _method: signer.key.public, at=at).accepted
        assert accepted is not None, "our own verifier accepts what we derive"
        shown = [each.name for each in disclosable_in(document, kind) if each.name in names]
        # Of no campus: only the holder reads it.
        self.history.write(by, _SHOW_PART, _NOUN, record.award.id, at=at, shown=shown)
        return dump_json(derived)

    def _document(self, record: AwardRecord, *, at: datetime) -> JsonObject:
        """From the newest signed edition: what the holder no longer discloses is not in it."""
        stored = parse_json_object(self.publication.award_file(record, "json").body)
        return presented(stored, at=whole_second(at))
