"""What a campus issues to wallets: metadata of the issuer, of its authorization server, of its keys and of badges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.domain.badges import BadgeKind
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.disclosure import mandatory_pointers
from app.domain.learners.wallet_authorization import CREDENTIAL_DETAILS
from app.domain.learners.wallets import (
    AUTHORIZATION_CODE,
    BATCH_SIZE,
    PRE_AUTHORIZED,
    PROOF_ALGORITHMS,
    PROOF_CRYPTOSUITES,
    REFRESH_TOKEN,
    WalletFormat,
)
from app.domain.publishing import Addresses
from app.language import N_, locales, speaking
from app.language.typography import translated
from app.services.publishing.status import Signing
from sceau_credentials.dids import jwk_set
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2, JsonObject, dump_json

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
