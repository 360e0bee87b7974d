"""External proof: the credential as a signed JWT (Open Badges 3.0, section 8.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NoReturn

import jwt

from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import (
    Algorithm,
    Signer,
    SigningKey,
    VerificationKey,
    decode_base64url,
    encode_base64url,
)
from sceau_credentials.model.conforming import is_version_1, period_members
from sceau_credentials.values import (
    JsonObject,
    JsonValue,
    dump_json,
    epoch_seconds,
    parse_json_object,
    parse_timestamp,
    parse_with_text,
    shifted,
)

MAX_TOKEN: Final = 64 * 1024  # M4
REGISTERED_CLAIMS: Final = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")  # B-013, B-017

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)", re.ASCII)
_HEADER_MEMBERS: Final = frozenset({"alg", "kid", "typ", "cty", "jwk"})
# M4, X-3: parameters that change how the token is read, or lead to a key elsewhere. Other members are
# ignored.
_REFUSED: Final = frozenset(
    [
        "crit",
        "b64",
        "zip",
        "enc",
        "jku",
        "x5u",
        "x5c",
        "x5t",
        "x5t#S256",
        "epk",
        "apu",
        "apv",
        "iv",
        "tag",
        "p2s",
        "p2c",
        "url",
        "nonce",
        "iss",
    ]
)
_TYPES: Final = (
    "JWT",
    "vc+jwt",
    "application/vc+jwt",
    "vc+ld+jwt",
)  # B-010; X-1: ours is JWT, others may differ
_ALGORITHMS: Final = {name: Algorithm(name) for name in ("EdDSA", "ES256", "RS256", "ES384")} | {
    "Ed25519": Algorithm.EDDSA  # RFC 9864
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: Final = (-62_135_596_800, 253_402_300_799)  # the years 1 to 9999, as datetime has them


@dataclass(frozen=True)
class ParsedJws:
    """A well-formed compact JWS, not yet verified."""

    header: JsonObject
    payload: JsonObject
    signature: bytes = field(repr=False)
    signing_input: bytes = field(repr=False)
    text: bytes | None = field(default=None, repr=False, compare=False)
    """The payload's text, where it equals the output of `dump_json`."""

    @property
    def kid(self) -> str | None:
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    @property
    def jwk(self) -> JsonObject | None:
        """A key embedded in the token. Compare it with the issuer's, never verify with it (B-029, M8)."""
        jwk = self.header.get("jwk")
        return jwk if isinstance(jwk, dict) else None


@dataclass(frozen=True)
class ClaimProblem:
    reason: Literal["claim_missing", "claims_disagree"]
    claim: str


def sign_jwt(document: JsonObject, *, signer: Signer, kind: str = "JWT") -> str:
    """The credential as compact JWS. Requires what the claims repeat: issuer, subject id, id, validFrom."""
    return _PYJWT.encode(
        dump_json(document | claims_of(document)),
        signer.key,  # type: ignore[arg-type]  # `_OwnKey` is what reads it
        algorithm=signer.key.public.algorithm.value,
        headers={"kid": signer.verification_method, "typ": kind},
    )


def sign_claims(claims: JsonObject, *, signer: Signer, kind: str, with_kid: bool = True) -> str:
    """Any claims as compact JWS of the type `kind`."""
    header: JsonObject = {"alg": signer.key.public.algorithm.value, "typ": kind}
    if with_kid:
        header["kid"] = signer.verification_method
    text = f"{encode_base64url(dump_json(header))}.{encode_base64url(dump_json(claims))}"
    return f"{text}.{encode_base64url(signer.key.sign(text.encode()))}"


class _OwnKey(jwt.algorithms.Algorithm):
    """Lets PyJWT sign with a key behind `SigningKey`, which may be in another process or device."""

    def prepare_key(self, key: SigningKey) -> SigningKey:
        return key

    def sign(self, msg: bytes, key: SigningKey) -> bytes:
        return key.sign(msg)

    def verify(self, msg: bytes, key: SigningKey, sig: bytes) -> bool:
        return key.public.verify(sig, msg)

    @staticmethod
    def to_jwk(key_obj: SigningKey, as_dict: bool = False) -> NoReturn:
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: str | JsonObject) -> NoReturn:
        raise NotImplementedError


def _pyjwt() -> jwt.PyJWS:
    signing = jwt.PyJWS(algorithms=[])
    for algorithm in Algorithm:
        signing.register_algorithm(algorithm.value, _OwnKey())
    return signing


_PYJWT: Final = _pyjwt()


def signing_input(payload: bytes, *, signer: Signer, kind: str = "JWT") -> str:
    """The signing input of a token: the bytes that PyJWT makes, for signing thousands
    (docs/decisions/0001-jose-and-http.md).
    """
    header = _header(signer.key.public.algorithm.value, signer.verification_method, kind)
    return f"{header}.{encode_base64url(payload)}"


@lru_cache(maxsize=64)
def _header(algorithm: str, kid: str, kind: str) -> str:
    return encode_base64url(dump_json({"alg": algorithm, "kid": kid, "typ": kind}))


def parse_compact_jws(token: str, *, max_length: int = MAX_TOKEN) -> ParsedJws:
    """Strict parser (M4): one spelling for one token, or MalformedInput."""
    if len(token) > max_length:
        raise MalformedInput("too_large")
    parts = token.split(".")
    try:
        header, payload, signature = map(decode_base64url, parts)
    except (MalformedInput, ValueError):  # not three parts, or one that is not base64url
        if _COMPACT.fullmatch(token) is None:
            raise MalformedInput("not_compact_jws") from None
        raise
    if not parts[0] or not parts[1]:
        raise MalformedInput("not_compact_jws")
    members = _plain_header(header) if len(header) <= _LONGEST_KEPT else None
    claims, text = parse_with_text(payload, max_bytes=max_length)
    return ParsedJws(
        header=parse_json_object(header, max_bytes=max_length, max_depth=4)
        if members is None
        else dict(members),
        payload=claims,
        signature=signature,
        signing_input=token.rpartition(".")[0].encode(),
        text=text,
    )


def jws_that_says(claims: JsonObject, token: str) -> ParsedJws | None:
    """`parse_compact_jws` of a token with exactly the serialised claims as payload; None for any other token."""
    header, _, rest = token.partition(".")
    said, _, signature = rest.partition(".")
    if len(token) > MAX_TOKEN or said != encode_base64url(dump_json(claims)):
        return None
    members = _plain_header(decode_base64url(header)) if len(header) <= _LONGEST_KEPT else None
    if members is None:
        return None
    return ParsedJws(dict(members), claims, decode_base64url(signature), f"{header}.{said}".encode())


_LONGEST_KEPT: Final = 1_024


@lru_cache(maxsize=256)
def _plain_header(header: bytes) -> tuple[tuple[str, JsonValue], ...] | None:
    """Its members where none is nested; cached, since all tokens of one issuer share a header."""
    members = parse_json_object(header, max_depth=4)
    return None if any(isinstance(each, dict | list) for each in members.values()) else tuple(members.items())


def check_header(jws: ParsedJws, *, kinds: Collection[str] = _TYPES) -> Algorithm:
    """Check the header's members before any key is fetched (B-007 to B-011, X-3)."""
    algorithm = jws.header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise ProofError("algorithm_not_allowed", str(algorithm)[:40])
    if not _REFUSED.isdisjoint(jws.header):
        raise ProofError("header_not_allowed", ", ".join(sorted(jws.header.keys() & _REFUSED)))
    if "typ" in jws.header and jws.header["typ"] not in kinds:
        raise ProofError("header_not_allowed", "typ")
    if ("kid" in jws.header and jws.kid is None) or ("jwk" in jws.header and jws.jwk is None):
        raise ProofError("header_not_allowed", "kid or jwk")
    return _ALGORITHMS[algorithm]


def other_header_members(jws: ParsedJws) -> list[str]:
    """Members that Open Badges does not allow (B-008) and that are ignored here."""
    return sorted(jws.header.keys() - _HEADER_MEMBERS)


def verify_jws(jws: ParsedJws, key: VerificationKey, *, kinds: Collection[str] = _TYPES) -> None:
    """ProofError unless this key signed the token; the key's own algorithm decides (B-011)."""
    if check_header(jws, kinds=kinds) is not key.algorithm:
        raise ProofError("algorithm_not_allowed", f"the key is one for {key.algorithm}")
    if not key.verify(jws.signature, jws.signing_input):
        raise ProofError("signature_mismatch")


def credential_of(claims: JsonObject) -> JsonObject:
    """The credential inside a payload (B-019 step 6): all but the registered claims, or the `vc` of VC 1.1.

    `exp` sets the end of validity where the credential itself names none (B-024).
    """
    wrapped = claims.get("vc")
    members = wrapped if isinstance(wrapped, dict) else claims
    credential = dict(members)
    for claim in REGISTERED_CLAIMS:
        credential.pop(claim, None)
    until = period_members(credential)[1]
    expiry = _numeric_date(claims.get("exp"))
    if until not in credential and expiry is not None:
        credential[until] = expiry.isoformat().replace("+00:00", "Z")
    return credential


def claim_problems(claims: JsonObject) -> tuple[ClaimProblem, ...]:
    """Where the claims differ from the credential (B-020 to B-025); empty if they agree."""
    return tuple(_claim_problems(claims))


def _claim_problems(claims: JsonObject) -> Iterator[ClaimProblem]:
    wrapped = claims.get("vc")
    credential = wrapped if isinstance(wrapped, dict) else claims
    start, until = period_members(credential)
    if ("vc" in claims) != is_version_1(credential) or "vp" in claims:
        yield ClaimProblem("claims_disagree", "vc")
    expected = {
        "iss": _id_of(credential.get("issuer")),
        "sub": _id_of(credential.get("credentialSubject")),
        "jti": credential.get("id"),
    }
    for claim, value in expected.items():
        if claim not in claims:
            yield ClaimProblem("claim_missing", claim)
        elif not isinstance(claims[claim], str) or claims[claim] != value:
            yield ClaimProblem("claims_disagree", claim)
    if "nbf" not in claims:
        yield ClaimProblem("claim_missing", "nbf")
    elif not _same_moment(claims["nbf"], credential.get(start)):
        yield ClaimProblem("claims_disagree", "nbf")
    if "exp" not in claims:
        if until in credential:
            yield ClaimProblem("claim_missing", "exp")
    elif (
        not _same_moment(claims["exp"], credential[until])
        if until in credential
        else _numeric_date(claims["exp"]) is None
    ):
        yield ClaimProblem("claims_disagree", "exp")
    if "iat" in claims and _numeric_date(claims["iat"]) is None:
        yield ClaimProblem("claims_disagree", "iat")


def claims_of(document: JsonObject) -> JsonObject:
    """The registered claims that repeat the credential (B-013)."""
    issuer, subject, identifier = (
        _id_of(document.get("issuer")),
        _id_of(document.get("credentialSubject")),
        document.get("id"),
    )
    for pointer, value in (("/issuer/id", issuer), ("/credentialSubject/id", subject), ("/id", identifier)):
        if not isinstance(value, str):  # the model allows a subject without id, a JWT does not
            raise MalformedInput("jwt_needs_member", pointer)
    clash = document.keys() & {*REGISTERED_CLAIMS, "vc", "vp"}
    if clash:
        raise MalformedInput("registered_claim", f"/{min(clash)}")
    claims: JsonObject = {"iss": issuer, "sub": subject, "jti": identifier}
    claims["nbf"] = _whole_seconds(document.get("validFrom"), "/validFrom")
    if "validUntil" in document:
        claims["exp"] = _whole_seconds(document["validUntil"], "/validUntil")
    return claims


def _whole_seconds(text: JsonValue, pointer: str) -> int:
    try:
        moment = parse_timestamp(text)
    except MalformedInput:
        raise MalformedInput("timestamp", pointer) from None
    if moment.microsecond:  # B-015: a fraction may be lost in a reader that rounds
        raise MalformedInput("timestamp", pointer)
    return int(moment.timestamp())


def _same_moment(claim: JsonValue, text: JsonValue) -> bool:
    """Compared as instants (B-015): offsets are spelling, and a claim in whole seconds has no fraction."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return False
    try:
        apart = abs(claim - epoch_seconds(text))
        return apart < (1 if claim == int(claim) else 0.001)
    except (MalformedInput, OverflowError):  # an integer may be larger than any float
        return False


def _numeric_date(claim: JsonValue) -> datetime | None:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    if not _SECONDS[0] <= claim <= _SECONDS[1]:
        return None
    return shifted(_EPOCH, timedelta(seconds=claim))


def _id_of(value: JsonValue) -> JsonValue:
    return value.get("id") if isinstance(value, dict) else value
