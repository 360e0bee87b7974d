"""Requests for a badge by OpenID4VP 1.0: what an employer asks, for how long, and proofs that a holder answered."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from sqlmodel import Field, SQLModel

from app.domain.core import enum_column, new_id, utc_datetime
from app.errors import AppError, InvalidInput
from app.language import N_
from sceau_credentials.dids import PublishedKey, did_web, key_of_did
from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.keys import (
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_base64url,
    encode_base64url,
)
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.sd_jwt import MAX_SD_JWT, parse_sd_jwt, verify_key_binding
from sceau_credentials.proofs.vc_jwt import ParsedJws, parse_compact_jws, verify_jws
from sceau_credentials.values import JsonObject, JsonValue, dump_json, parse_json_object

REQUEST_LIFE: Final = timedelta(minutes=10)
READ_LIFE: Final = timedelta(minutes=10)
"""An answer can be read so long after the end of its request; then the row is deleted."""
REQUEST_TYPE: Final = "oauth-authz-req+jwt"
WALLET_AUDIENCE: Final = "https://self-issued.me/v2"
"""Of requests to wallets without discovered metadata (OpenID4VP 1.0, 5.8)."""
SCHEME: Final = "openid4vp://"
LONGEST_WORDS: Final = 120
LONGEST_PURPOSE: Final = 300
_LONGEST_WALLET_NONCE: Final = 200


class RequestState(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"


class PresentationRequest(SQLModel, table=True):
    """One question, answered once. `sealed` is what was asked, with the nonce and the key that reads the answer;
    reading this table reveals nothing."""

    __tablename__ = "presentation_request"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    asker_digest: str = Field(max_length=64, unique=True)
    reference_digest: str = Field(max_length=64, unique=True)
    sealed: bytes
    state: RequestState = Field(
        default=RequestState.WAITING, sa_column=enum_column(RequestState, name="presentation_state")
    )
    answer: bytes | None = None
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


class InvalidWish(InvalidInput):
    """`faults`: each of them, by field."""

    def __init__(self, faults: Mapping[str, InvalidInput]) -> None:
        first = next(iter(faults.values()))
        super().__init__(first.sentence, **first.values)
        self.faults = faults


@dataclass(frozen=True)
class BadgeWish:
    """What is asked, as free text. `domain`: proved by who asks, else empty; `campus`: the issuer's DID, else empty."""

    asker: str
    purpose: str
    badge: str = ""
    competency: str = ""
    level: str = ""
    campus: str = ""
    campus_name: str = ""
    in_force: bool = True
    domain: str = ""

    def __post_init__(self) -> None:
        if faults := dict(self._faults()):
            raise InvalidWish(faults)

    def _faults(self) -> Iterator[tuple[str, InvalidInput]]:
        """By field; of two of one field, the last counts."""
        if not self.asker:
            yield "asker", InvalidInput("Écrivez qui demande : la personne le lit avant de répondre.")
        if not self.purpose:
            yield "purpose", InvalidInput("Écrivez pourquoi : la personne le lit avant de répondre.")
        if not (self.badge or self.competency or self.level or self.campus):
            asked = N_("Écrivez ce qu’il vous faut : un badge, une compétence ou un campus.")
            yield "badge", InvalidInput(asked)
        if self.level and not self.competency:
            yield "competency", InvalidInput("Un niveau va avec une compétence : écrivez laquelle.")
        for field, shortest in (("badge", 2), ("competency", 2), ("level", 1)):
            text = getattr(self, field)
            if text and not _words(text, shortest=shortest):
                yield field, InvalidInput("Écrivez ce qu’il vous faut en mots : au moins deux caractères.")
        for field in ("asker", "purpose", "badge", "competency", "level"):
            if len(getattr(self, field)) > (LONGEST_PURPOSE if field == "purpose" else LONGEST_WORDS):
                yield field, InvalidInput("C’est trop long. Quelques mots suffisent.")


@dataclass(frozen=True)
class AskedFor:
    """A request, opened: for its own pages and endpoints alone."""

    id: uuid.UUID
    wish: BadgeWish
    nonce: str
    state: str
    key: bytes
    """The scalar of the P-256 key for this answer."""
    expires_at: datetime

    def to_bytes(self) -> bytes:
        return dump_json(
            {
                "wish": asdict(self.wish),
                "nonce": self.nonce,
                "state": self.state,
                "key": encode_base64url(self.key),
            }
        )

    @classmethod
    def read(cls, row: PresentationRequest, opened: bytes) -> AskedFor:
        held: dict[str, Any] = parse_json_object(opened)
        key = decode_base64url(held["key"])
        return cls(row.id, BadgeWish(**held["wish"]), held["nonce"], held["state"], key, row.expires_at)


def reference_of(asker: str) -> str:
    return encode_base64url(hashlib.sha256(b"presentation-reference|" + asker.encode()).digest()[:24])


def new_request(wish: BadgeWish, *, at: datetime) -> AskedFor:
    key = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
    return AskedFor(
        new_id(), wish, secrets.token_urlsafe(24), secrets.token_urlsafe(16), key, at + REQUEST_LIFE
    )


# --- does a badge match what was asked


@dataclass(frozen=True)
class Attestation:
    """The content of a badge that requests can ask for; competencies with their levels."""

    title: str
    issuer: str
    competencies: tuple[tuple[str, str], ...]


def matches(wish: BadgeWish, badge: Attestation) -> bool:
    """Every requested term is in the badge; accents and capitals do not count."""
    if wish.campus and badge.issuer != wish.campus:
        return False
    if not _words(wish.badge) <= _words(badge.title):
        return False
    if not wish.competency:
        return True
    wanted, level = _words(wish.competency), _words(wish.level, shortest=1)
    return any(
        wanted <= _words(statement) and level <= _words(reached, shortest=1)
        for statement, reached in badge.competencies
    )


def _words(text: str, *, shortest: int = 2) -> set[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = (sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return {word for word in "".join(letters).split() if len(word) >= shortest or word.isdecimal()}


# --- the request object


def request_signer(secret: bytes, base_url: str) -> Signer:
    """The key that signs requests: derived, so that every process has it; it signs no credential.

    Named as Multikey: wallets read P-256 keys of a DID so, or as JsonWebKey2020, and few as its successor JsonWebKey.
    """
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    drawn = int.from_bytes(hmac.digest(secret, b"presentation-request-key", hashlib.sha512), "big")
    key = LocalSigningKey(ec.derive_private_key(drawn % (order - 1) + 1, ec.SECP256R1()))
    return Signer(_method(key.public, base_url), key)


def published_request_key(secret: bytes, base_url: str) -> PublishedKey:
    public = request_signer(secret, base_url).key.public
    return PublishedKey(_method(public, base_url), public)


def _method(key: VerificationKey, base_url: str) -> str:
    return f"{did_web(base_url)}#{key.thumbprint()}"


def client_id(base_url: str) -> str:
    """OpenID4VP 1.0, 5.9.3: the keys of requests are those of the service's own DID."""
    return f"decentralized_identifier:{did_web(base_url)}"


def response_jwk(asked: AskedFor) -> JsonObject:
    public = _private(asked.key).public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": encode_base64url(public.x.to_bytes(32, "big")),
        "y": encode_base64url(public.y.to_bytes(32, "big")),
        "use": "enc",
        "alg": "ECDH-ES",
        "kid": str(asked.id),
    }


SD_JWT_QUERY: Final = "badge_sd_jwt"
TOKEN_QUERY: Final = "badge_jwt"  # noqa: S105
EMBEDDED_QUERY: Final = "badge_ldp"
_OF_W3C: Final[list[JsonValue]] = [
    [
        "https://www.w3.org/2018/credentials#VerifiableCredential",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential",
    ],
    ["VerifiableCredential", "OpenBadgeCredential"],
]
_SIGNATURES: Final = ["ES256", "EdDSA", "ES384"]


def dcql_query(wish: BadgeWish, badge_type: str) -> JsonObject:
    """One badge, in one of three formats. Free text cannot be queried: the answer is compared with it."""
    claims: list[JsonObject] = [
        {"id": "id", "path": ["id"]},
        {"id": "subject", "path": ["sub"]},
        {"id": "name", "path": ["name"]},
        {"id": "achievement", "path": ["achievement"]},
        {"id": "issuer", "path": ["issuer", "id"], **({"values": [wish.campus]} if wish.campus else {})},
        {"id": "awarded", "path": ["awardedDate"]},
        {"id": "holder", "path": ["identifier"]},
        {"id": "alignment", "path": ["achievement", "alignment"]},
    ]
    least = ["id", "subject", "name", "achievement", "issuer", "awarded"]
    least += ["alignment"] if wish.competency else []
    return {
        "credentials": [
            {
                "id": SD_JWT_QUERY,
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [badge_type]},
                "claims": [*claims] if wish.competency else [*claims[:-1]],
                # A badge need not contain a name.
                "claim_sets": [[*least, "holder"], [*least]],
            },
            {"id": TOKEN_QUERY, "format": "jwt_vc_json", "meta": {"type_values": [*_OF_W3C]}},
            {"id": EMBEDDED_QUERY, "format": "ldp_vc", "meta": {"type_values": [*_OF_W3C]}},
        ],
        "credential_sets": [{"options": [[SD_JWT_QUERY], [TOKEN_QUERY], [EMBEDDED_QUERY]]}],
    }


VP_FORMATS: Final[JsonObject] = {
    "dc+sd-jwt": {"sd-jwt_alg_values": [*_SIGNATURES], "kb-jwt_alg_values": [*_SIGNATURES]},
    "jwt_vc_json": {"alg_values": [*_SIGNATURES]},
    "ldp_vc": {
        "proof_type_values": ["DataIntegrityProof"],
        "cryptosuite_values": ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"],
    },
}


def checked_wallet_nonce(written: str) -> str:
    """Of a `request_uri` by POST; empty where the wallet sends none."""
    if len(written) > _LONGEST_WALLET_NONCE:
        raise PresentationRefused("wallet_nonce is too long")
    return written


# --- the answer


class PresentationRefused(AppError):
    """For a wallet's software: why its answer was not taken; the request still waits, unless `is_over`."""

    def __init__(self, why: str, *, is_over: bool = False) -> None:
        super().__init__(why)
        self.is_over = is_over


_BITS: Final = {"A128GCM": 128, "A256GCM": 256}
_LONGEST_ANSWER: Final = 3 * MAX_SD_JWT


def decrypt_answer(jwe: str, asked: AskedFor) -> JsonObject:
    """The content of a compact JWE by ECDH-ES (RFC 7518, 4.6) for the key of this request."""
    parts = jwe.split(".")
    if len(jwe) > _LONGEST_ANSWER or len(parts) != 5 or parts[1]:
        raise PresentationRefused("response must be one compact JWE, encrypted directly by ECDH-ES")
    try:
        header = parse_json_object(decode_base64url(parts[0]), max_bytes=4096, max_depth=4)
        nonce, text, tag = map(decode_base64url, parts[2:])
        apu, apv = (decode_base64url(_text(header.get(name, ""))) for name in ("apu", "apv"))
    except (CredentialError, ValueError):
        raise PresentationRefused("response is not a well-formed JWE") from None
    enc = header.get("enc")
    if (
        header.get("alg") != "ECDH-ES"
        or not isinstance(enc, str)
        or enc not in _BITS
        or not header.keys().isdisjoint(("zip", "crit"))
    ):
        raise PresentationRefused("response must be encrypted by ECDH-ES with A128GCM or A256GCM")
    if header.get("kid", str(asked.id)) != str(asked.id):
        raise PresentationRefused("response is encrypted for another key")
    if len(nonce) != 12 or len(tag) != 16:
        raise PresentationRefused("response is not a well-formed JWE")
    try:
        shared = _private(asked.key).exchange(ec.ECDH(), _public(header.get("epk")))
        key = _derived(shared, str(enc), apu, apv)
        opened = AESGCM(key).decrypt(nonce, text + tag, parts[0].encode())
        return parse_json_object(opened, max_bytes=_LONGEST_ANSWER)
    except (InvalidTag, CredentialError, ValueError):
        raise PresentationRefused("response cannot be decrypted") from None


def _derived(shared: bytes, enc: str, apu: bytes, apv: bytes) -> bytes:
    parts = (enc.encode(), apu, apv)
    about = b"".join(len(each).to_bytes(4, "big") + each for each in parts)
    about += _BITS[enc].to_bytes(4, "big")
    return ConcatKDFHash(SHA256(), _BITS[enc] // 8, about).derive(shared)


def _private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def _public(jwk: JsonValue) -> ec.EllipticCurvePublicKey:
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise MalformedInput("epk")
    x, y = (int.from_bytes(decode_base64url(_text(jwk.get(name))), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()  # ValueError: not on the curve


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise MalformedInput("not_text")
    return value


@dataclass(frozen=True)
class Presented:
    """A credential as its holder presented it to this request. `holder`: the DID that signed, where the
    credential itself names no key."""

    credential: str
    query: str
    holder: str = ""


def presentation_in(content: JsonObject, asked: AskedFor) -> tuple[str, JsonValue]:
    """The id of the query, and its one presentation."""
    if content.get("state") != asked.state:
        raise PresentationRefused("state is not that of the request")
    token = content.get("vp_token")
    if not isinstance(token, dict) or len(token) != 1:
        raise PresentationRefused("vp_token must contain one of the options of the query")
    ((query, found),) = token.items()
    if query not in (SD_JWT_QUERY, TOKEN_QUERY, EMBEDDED_QUERY):
        raise PresentationRefused("vp_token names no credential of the query")
    if not isinstance(found, list) or len(found) != 1:
        raise PresentationRefused("vp_token must contain one presentation")
    return query, found[0]


def presented(query: str, written: JsonValue, asked: AskedFor, *, audience: str, at: datetime) -> Presented:
    """Checks that a holder signed this presentation for this request, not yet the credential inside.

    The key binding of an SD-JWT is checked with the key in it, which `bound_to_wallet` compares after the issuer's
    signature.
    """
    try:
        if query == SD_JWT_QUERY:
            parsed = parse_sd_jwt(_text(written))
            verify_key_binding(
                parsed, parsed.jws.payload, audience=audience, nonce=asked.nonce, at=at, life=REQUEST_LIFE
            )
            return Presented(parsed.presented, query)
        if query == TOKEN_QUERY:
            return _in_token(_text(written), asked, audience)
        return _in_document(written, asked, audience, at)
    except (CredentialError, ValueError) as error:
        raise PresentationRefused(f"the presentation is not proved: {error}"[:200]) from None


_COMPACT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_PRESENTATIONS: Final = ("JWT", "vp+jwt", "vp+ld+jwt", "application/vp+jwt")


def _in_token(text: str, asked: AskedFor, audience: str) -> Presented:
    jws = parse_compact_jws(text, max_length=_LONGEST_ANSWER)
    key, holder = _holder_key(jws)
    verify_jws(jws, key, kinds=_PRESENTATIONS)
    said = jws.payload.get("aud")
    if audience not in (said if isinstance(said, list) else [said]):
        raise ProofError("wrong_audience")
    if jws.payload.get("nonce") != asked.nonce:
        raise ProofError("wrong_nonce")
    wrapped = jws.payload.get("vp")
    return Presented(_credential(wrapped if isinstance(wrapped, dict) else jws.payload), TOKEN_QUERY, holder)


def _holder_key(jws: ParsedJws) -> tuple[VerificationKey, str]:
    """The key of the DID that `iss` names, which is the key itself: nothing is fetched."""
    issuer = jws.payload.get("iss")
    if isinstance(issuer, str) and issuer.startswith("did:"):
        if jws.kid is not None and jws.kid.startswith("did:") and jws.kid.partition("#")[0] != issuer:
            raise ProofError("holder_key_missing")
        return key_of_did(issuer), issuer
    if jws.jwk is not None:
        return VerificationKey.from_jwk(jws.jwk), ""
    return key_of_did(jws.kid or ""), (jws.kid or "").partition("#")[0]


def _in_document(written: JsonValue, asked: AskedFor, audience: str, at: datetime) -> Presented:
    if not isinstance(written, dict):
        raise MalformedInput("not_an_object")
    proofs = verify_proofs(written, key_for=key_of_did, at=at, purpose="authentication")
    accepted = proofs.accepted
    if accepted is None:
        raise proofs.error or ProofError("no_proof")
    if accepted.proof.get("challenge") != asked.nonce:
        raise ProofError("wrong_nonce")
    if accepted.proof.get("domain") not in (audience, [audience]):
        raise ProofError("wrong_audience")
    return Presented(
        _credential(written), EMBEDDED_QUERY, (accepted.verification_method or "").partition("#")[0]
    )


def _credential(presentation: JsonObject) -> str:
    found = presentation.get("verifiableCredential")
    listed = found if isinstance(found, list) else [found]
    if len(listed) != 1:
        raise MalformedInput("one_credential_expected")
    (only,) = listed
    if isinstance(only, dict):
        return dump_json(only).decode()
    if not _COMPACT.fullmatch(text := _text(only)):  # a link would lead elsewhere at each reading
        raise MalformedInput("not_a_credential")
    return text


def is_bound_to_holder(given: Presented, document: JsonObject) -> bool:
    """Whether who signed the presentation is whom the credential was given to: by the key in an SD-JWT, else by
    the DID of its subject. Other files can be presented by everybody who has them."""
    if given.query == SD_JWT_QUERY:
        return True
    subject = document.get("credentialSubject")
    return bool(given.holder) and isinstance(subject, dict) and subject.get("id") == given.holder
