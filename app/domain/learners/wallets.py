"""Badges into digital wallets by OpenID4VCI 1.0: offers, their secrets, and proofs of a wallet's key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeGuard

from sqlalchemy import JSON
from sqlmodel import Column, Field, SQLModel

from app.domain.accounts.sessions import digest_of
from app.domain.awards import Award, AwardState, DocumentsToAlign, Visibility, check_aligned, is_suspended
from app.domain.core import enum_column, foreign_key, new_id, utc_datetime
from app.errors import AppError, Conflict
from sceau_credentials.dids import key_of_did
from sceau_credentials.errors import CredentialError
from sceau_credentials.keys import Algorithm, VerificationKey, decode_base64url, encode_base64url
from sceau_credentials.proofs.data_integrity import DATA_INTEGRITY, verify_proofs
from sceau_credentials.proofs.vc_jwt import ParsedJws, parse_compact_jws, verify_jws
from sceau_credentials.values import CONTEXT_V1, CONTEXT_V2, JsonObject, JsonValue

OFFER_LIFE: Final = timedelta(minutes=10)
NONCE_LIFE: Final = timedelta(minutes=5)
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""An offer that brought no badge into a wallet."""
CODE_DIGITS: Final = 6
MOST_TRIES: Final = 5
BATCH_SIZE: Final = 8
"""Copies of the badge that one token brings, at once or one after the other; an SD-JWT for each key."""
DEFERRED_INTERVAL: Final = 5
"""Seconds until a wallet asks again for a badge that is being signed."""
PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105
REFRESH_LIFE: Final = timedelta(days=180)
"""From the end of the badge, or from the last use after it: as for a connected application."""
KEY_PROOF: Final = "openid4vci-proof+jwt"
PROOF_ALGORITHMS: Final = (Algorithm.ES256, Algorithm.EDDSA, Algorithm.ES384)
PROOF_CRYPTOSUITES: Final = ("eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019")
PROOF_SKEW: Final = timedelta(minutes=5)
_PRESENTATION: Final = "VerifiablePresentation"
_MEMBERS_OF_PRESENTATION: Final = frozenset({"@context", "type", "holder", "proof"})
_MEMBERS_OF_PROOF: Final = frozenset(
    [
        "@context",
        "id",
        "type",
        "cryptosuite",
        "created",
        "expires",
        "verificationMethod",
        "proofPurpose",
        "domain",
        "challenge",
        "proofValue",
    ]
)
_LONGEST_TEXT: Final = 2000
_CONTEXTS_OF_PRESENTATION: Final = frozenset(
    {
        CONTEXT_V2,
        CONTEXT_V1,
        "https://w3id.org/security/data-integrity/v1",
        "https://w3id.org/security/data-integrity/v2",
        "https://w3id.org/security/multikey/v1",
    }
)


class WalletFormat(StrEnum):
    """Identifiers of OpenID4VCI 1.0, appendix A."""

    SD_JWT = "dc+sd-jwt"
    EMBEDDED = "ldp_vc"
    TOKEN = "jwt_vc_json"  # noqa: S105

    @property
    def configuration(self) -> str:
        return f"badge-{self.value.replace('+', '-').replace('_', '-')}"


def format_of(configuration: str) -> WalletFormat | None:
    return next((each for each in WalletFormat if each.configuration == configuration), None)


class WalletOffer(SQLModel, table=True):
    """One badge offered to one wallet. Digests only: reading this table reveals no secret.

    Its secrets in turn: the reference in the QR code, the pre-authorized code that it leads to, the transaction
    code typed by hand, the access token, the nonce that the wallet's key signed. Each works once, but for the token,
    which brings up to `BATCH_SIZE` copies while it lives. Where the learner signs in instead, the reference leads to
    an issuer state, and their consent to an authorization code.
    """

    __tablename__ = "wallet_offer"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    award_id: uuid.UUID = Field(sa_column=foreign_key("award"))
    format: WalletFormat = Field(sa_column=enum_column(WalletFormat, name="wallet_format"))
    reference_digest: str = Field(max_length=64, unique=True)
    code_digest: str = Field(max_length=64, unique=True)
    typed_digest: str = Field(max_length=64)
    tries: int = 0
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))
    redeemed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    token_digest: str | None = Field(default=None, max_length=64, unique=True)
    issued_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    nonce_digest: str | None = Field(default=None, max_length=64, unique=True)
    """Of versions before 0138, as `is_refreshed`; to be dropped where a migration stops the service."""
    copies: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Copies of the badge that the wallet has received; an answer with copies is named by their number after it."""
    copies_before: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """`copies` when the access token was issued."""
    accepted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When the wallet reported that it stored the badge."""
    accepted_copy: int | None = None
    """Which answer it reported then."""
    needs_consent: bool = False
    """By authorization code; `code_digest` is nothing's until the learner consents."""
    state_digest: str | None = Field(default=None, max_length=64, index=True, unique=True)
    request_digest: str | None = Field(default=None, max_length=64, index=True, unique=True)
    """Of the authorization request that the learner consented to."""
    challenge: str | None = Field(default=None, max_length=64)
    client: str | None = Field(default=None, max_length=400)
    redirect: str | None = Field(default=None, max_length=400)
    is_identified: bool = False
    key_thumbprint: str | None = Field(default=None, max_length=64)
    """Of the key that the code and the access token are bound to (DPoP)."""
    transaction_digest: str | None = Field(default=None, max_length=64, index=True, unique=True)
    holder_keys: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    """Those that a wallet proved before the badge was signed as it is to be issued; public keys, until then."""
    poll_after: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When a wallet may ask again for a badge that is being signed."""
    refresh_digest: str | None = Field(default=None, max_length=64, index=True, unique=True)
    refreshed_digest: str | None = Field(default=None, max_length=64, index=True, unique=True)
    """Of the refresh token before: its second use ends the tokens."""
    refresh_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    is_refreshed: bool = False


class WalletRefusal(StrEnum):
    """Error codes of RFC 6749 and OpenID4VCI 1.0."""

    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_GRANT = "unsupported_grant_type"
    INVALID_GRANT = "invalid_grant"
    INVALID_TOKEN = "invalid_token"  # noqa: S105
    INVALID_DPOP = "invalid_dpop_proof"
    INVALID_CREDENTIAL_REQUEST = "invalid_credential_request"
    UNKNOWN_CONFIGURATION = "unknown_credential_configuration"
    UNKNOWN_IDENTIFIER = "unknown_credential_identifier"
    INVALID_PROOF = "invalid_proof"
    INVALID_NONCE = "invalid_nonce"
    INVALID_ENCRYPTION = "invalid_encryption_parameters"
    DENIED = "credential_request_denied"
    SLOW_DOWN = "slow_down"
    INVALID_TRANSACTION_ID = "invalid_transaction_id"
    INVALID_NOTIFICATION_ID = "invalid_notification_id"
    INVALID_NOTIFICATION = "invalid_notification_request"


class WalletRefused(AppError):
    """For a wallet's software, in its protocol; what a refused attempt counted is committed all the same."""

    def __init__(self, refusal: WalletRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


def check_may_show_part(award: Award, *, at: datetime) -> None:
    """As for a wallet: a badge in force that its holder opened, as they disclose it now."""
    if award.state is not AwardState.ISSUED:
        raise Conflict("Ce badge a été retiré : il ne se montre plus, même en partie.")
    if is_suspended(award, at=at):
        raise Conflict("Ce badge est suspendu : il ne se montre pas en partie pour le moment.")
    if award.valid_until is not None and at >= award.valid_until:
        raise Conflict("Ce badge a expiré : il ne se montre plus en partie.")
    if award.visibility is not Visibility.OPEN:
        raise Conflict(
            "La page de ce badge est fermée. Il faut d’abord l’ouvrir : le fichier contient une partie de ce qu’elle montre."
        )
    check_aligned(award)


def check_may_carry(award: Award, *, at: datetime) -> None:
    """What a wallet may receive: a badge in force that its holder opened, as they disclose it now."""
    if award.state is not AwardState.ISSUED:
        raise Conflict("Ce badge a été retiré : il n’entre plus dans un portefeuille.")
    if is_suspended(award, at=at):
        raise Conflict(
            "Ce badge est suspendu : vous ne pouvez pas l’ajouter à un portefeuille pour le moment."
        )
    if award.valid_until is not None and at >= award.valid_until:
        raise Conflict("Ce badge a expiré : il n’entre plus dans un portefeuille.")
    if award.visibility is not Visibility.OPEN:
        raise Conflict(
            "La page de ce badge est fermée. Il faut d’abord l’ouvrir : le portefeuille contient ce qu’elle montre."
        )
    check_aligned(award)


def may_carry(award: Award, *, at: datetime) -> bool:
    try:
        check_may_carry(award, at=at)
    except AppError:
        return False
    return True


def is_being_signed(award: Award, *, at: datetime) -> bool:
    """Whether a wallet may receive it once it is signed as its holder discloses it now."""
    try:
        check_may_carry(award, at=at)
    except DocumentsToAlign:
        return True
    except AppError:
        return False
    return False


# --- secrets


def new_reference() -> str:
    return secrets.token_urlsafe(32)


def code_of_reference(reference: str) -> str:
    """The pre-authorized code that an offer by reference leads to; it does not lead back."""
    return encode_base64url(hashlib.sha256(b"pre-authorized-code|" + reference.encode()).digest())


def issuer_state_of_reference(reference: str) -> str:
    """As the code, for an offer that its holder accepts signed in."""
    return encode_base64url(hashlib.sha256(b"issuer-state|" + reference.encode()).digest())


def new_transaction_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def typed_digest(secret: bytes, offer_id: uuid.UUID, typed: str) -> str:
    """Keyed: there are few codes of six digits."""
    return hmac.new(
        secret, b"transaction-code|" + offer_id.bytes + typed.encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()


def nonce_mark(nonce: str) -> str:
    """Stored once it is used, as the mark of a proof is."""
    return digest_of(f"nonce {nonce}")


def token_digest(token: str, *, is_bound: bool) -> str:
    """A token that is bound to a key has another digest: no program that does not know of keys finds it."""
    return digest_of(f"DPoP {token}" if is_bound else token)


def notification_id(secret: bytes, offer_id: uuid.UUID, copy: int) -> str:
    """Of one answer: a wallet that has the badge twice reports on each copy."""
    mark = hmac.digest(secret, b"wallet-notification|" + offer_id.bytes + b"%d" % copy, hashlib.sha256)
    return f"{copy}-{encode_base64url(mark[:16])}"


def copy_of_notification(secret: bytes, offer: WalletOffer, named: str) -> int | None:
    """Which answer this identifier names; None where it is none of this offer."""
    number = named.partition("-")[0]
    copy = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
    known = notification_id(secret, offer.id, copy)
    is_known = hmac.compare_digest(named.encode("utf-8", "replace"), known.encode())
    return copy if is_known and 0 < copy <= offer.copies else None


def new_nonce(secret: bytes, campus_id: uuid.UUID, *, at: datetime) -> str:
    """A challenge for a wallet's key, with its time under a signature: nothing is stored before it is used."""
    content = int(at.timestamp()).to_bytes(8, "big") + secrets.token_bytes(16)
    return encode_base64url(content + _nonce_mark(secret, campus_id, content))


def is_nonce(secret: bytes, campus_id: uuid.UUID, nonce: str, *, at: datetime) -> bool:
    try:
        raw = decode_base64url(nonce[:100])
    except (CredentialError, ValueError):
        return False
    content, mark = raw[:24], raw[24:]
    if not hmac.compare_digest(mark, _nonce_mark(secret, campus_id, content)):
        return False
    age = at.timestamp() - int.from_bytes(content[:8], "big")
    return 0 <= age <= NONCE_LIFE.total_seconds()


def _nonce_mark(secret: bytes, campus_id: uuid.UUID, content: bytes) -> bytes:
    return hmac.digest(secret, b"wallet-nonce|" + campus_id.bytes + content, hashlib.sha256)[:16]


# --- proofs of possession (OpenID4VCI 1.0, appendix F.1)


def keys_proved(
    proofs: object, *, issuer: str, is_ours: Callable[[str], bool], at: datetime
) -> tuple[tuple[VerificationKey, ...], str]:
    """The wallet's keys, each another, and the nonce that they all signed; raises WalletRefused.

    `is_ours`: whether a nonce is one of this campus, in time.
    """
    kind, found = next(iter(proofs.items())) if isinstance(proofs, dict) and len(proofs) == 1 else ("", None)
    if not isinstance(found, list) or not 0 < len(found) <= BATCH_SIZE or kind not in ("jwt", "di_vp"):
        raise WalletRefused(WalletRefusal.INVALID_PROOF)
    proved = []
    for each in found:
        if kind == "jwt" and isinstance(each, str):
            proved.append(key_proved(each, issuer=issuer, at=at))
        elif kind == "di_vp" and isinstance(each, dict):
            proved.append(_key_in_presentation(each, issuer=issuer, is_ours=is_ours, at=at))
        else:
            raise WalletRefused(WalletRefusal.INVALID_PROOF)
    keys = {key.thumbprint(): key for key, _nonce in proved}
    nonces = {nonce for _key, nonce in proved}
    if len(keys) != len(proved) or len(nonces) != 1:
        raise WalletRefused(WalletRefusal.INVALID_PROOF)
    nonce = nonces.pop()
    if not is_ours(nonce):
        raise WalletRefused(WalletRefusal.INVALID_NONCE)
    return tuple(keys.values()), nonce


def _key_in_presentation(
    presentation: JsonObject, *, issuer: str, is_ours: Callable[[str], bool], at: datetime
) -> tuple[VerificationKey, str]:
    """OpenID4VCI 1.0, appendix F.2: a presentation of nothing, signed by the DID that is the key itself.

    Its canonical form is costly: it is made of a small document alone, with a nonce of this campus.
    """
    refused = WalletRefused(WalletRefusal.INVALID_PROOF)
    proof, holder = presentation.get("proof"), presentation.get("holder")
    if not isinstance(proof, dict) or not _is_plain(presentation, proof):
        raise refused
    if proof.get("cryptosuite") not in PROOF_CRYPTOSUITES or proof.get("domain") not in (issuer, [issuer]):
        raise refused
    if isinstance(holder, dict):
        holder = holder["id"]
    if holder is not None and holder != str(proof.get("verificationMethod")).partition("#")[0]:
        raise refused
    nonce = str(proof.get("challenge", ""))
    if not is_ours(nonce):
        raise WalletRefused(WalletRefusal.INVALID_NONCE)
    try:
        accepted = verify_proofs(presentation, key_for=key_of_did, at=at, purpose="authentication").accepted
    except (CredentialError, ValueError):
        raise refused from None
    if accepted is None or accepted.key is None or accepted.key.algorithm not in PROOF_ALGORITHMS:
        raise refused
    return accepted.key, nonce


def _is_plain(presentation: JsonObject, proof: JsonObject) -> bool:
    """Whether a presentation has nothing but its holder, and one proof of texts; contexts are known ones, by name."""
    holder = presentation.get("holder")
    if not (_MEMBERS_OF_PRESENTATION.issuperset(presentation) and _MEMBERS_OF_PROOF.issuperset(proof)):
        return False
    if (
        presentation.get("type") not in (_PRESENTATION, [_PRESENTATION])
        or proof.get("type") != DATA_INTEGRITY
    ):
        return False
    if isinstance(holder, dict) and (len(holder) != 1 or not isinstance(holder.get("id"), str)):
        return False
    texts = [value for name, value in proof.items() if name not in ("@context", "domain")]
    return (
        all(isinstance(each, str) and len(each) <= _LONGEST_TEXT for each in texts)
        and _are_known_contexts(presentation.get("@context"))
        and ("@context" not in proof or _are_known_contexts(proof["@context"]))
    )


def _are_known_contexts(named: JsonValue) -> bool:
    listed = named if isinstance(named, list) else [named]
    texts = {each for each in listed if isinstance(each, str)}
    return 0 < len(listed) == len(texts) and texts <= _CONTEXTS_OF_PRESENTATION


def key_proved(proof: str, *, issuer: str, at: datetime) -> tuple[VerificationKey, str]:
    """The wallet's key, and the nonce that it signed; the caller judges the nonce.

    Raises WalletRefused `invalid_proof`.
    """
    try:
        jws = parse_compact_jws(proof, max_length=16 * 1024)
        if jws.header.get("typ") != KEY_PROOF:
            raise WalletRefused(WalletRefusal.INVALID_PROOF)
        key = _key_in(jws)
        if key.algorithm not in PROOF_ALGORITHMS:
            raise WalletRefused(WalletRefusal.INVALID_PROOF)
        verify_jws(jws, key, kinds=(KEY_PROOF,))
    except (CredentialError, ValueError):
        raise WalletRefused(WalletRefusal.INVALID_PROOF) from None
    audience = jws.payload.get("aud")
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise WalletRefused(WalletRefusal.INVALID_PROOF)
    if not is_made_now(jws.payload, at=at):
        raise WalletRefused(WalletRefusal.INVALID_PROOF)
    nonce = jws.payload.get("nonce")
    return key, nonce if isinstance(nonce, str) else ""


def is_made_now(claims: JsonObject, *, at: datetime) -> bool:
    """Whether `iat` is now, and neither `exp` nor `nbf` forbids it (RFC 7519, 4.1)."""
    earliest, latest = (at - PROOF_SKEW).timestamp(), (at + PROOF_SKEW).timestamp()
    made, begins, ends = claims.get("iat"), claims.get("nbf", 0), claims.get("exp", latest)
    if not (_is_number(made) and _is_number(begins) and _is_number(ends)):
        return False
    return earliest <= made <= latest and begins <= latest and ends >= earliest


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key_in(jws: ParsedJws) -> VerificationKey:
    """As `jwk`, or as `kid` where the identifier is the key itself: nothing is fetched."""
    if ("jwk" in jws.header) == ("kid" in jws.header):
        raise WalletRefused(WalletRefusal.INVALID_PROOF)
    if jws.jwk is not None:
        return VerificationKey.from_jwk(jws.jwk)
    return key_of_did(jws.kid or "")
