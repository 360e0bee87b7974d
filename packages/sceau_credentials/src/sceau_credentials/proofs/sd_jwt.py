"""Selective Disclosure JWT (RFC 9901) and SD-JWT VC: issue, read, verify, present with key binding."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.keys import Signer, VerificationKey, decode_base64url, encode_base64url
from sceau_credentials.proofs.vc_jwt import ParsedJws, parse_compact_jws, sign_claims, verify_jws
from sceau_credentials.values import (
    CONTEXT_OB_3_0_3,
    CONTEXT_V2,
    JsonObject,
    JsonValue,
    dump_json,
    format_timestamp,
    parse_json,
)

SD_JWT_VC: Final = "dc+sd-jwt"
SD_JWT_VC_TYPES: Final = (SD_JWT_VC, "vc+sd-jwt")
"""`typ` of an SD-JWT VC: the drafts before November 2024 had the second."""
KEY_BINDING: Final = "kb+jwt"
MAX_SD_JWT: Final = 192 * 1024
MAX_DISCLOSURES: Final = 256
ALWAYS_DISCLOSED: Final = frozenset(
    {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "aud", "_sd", "_sd_alg", "..."}
)
"""Claims that a holder may not withhold (SD-JWT VC 3.2.2.2), and the names that the format itself uses."""

_MAX_DEPTH: Final = 64
_SALT: Final = 16  # bytes: RFC 9901 10.3 recommends 128 bits
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class ParsedSdJwt:
    """A well-formed SD-JWT, not yet verified."""

    jws: ParsedJws
    disclosures: tuple[str, ...]
    key_binding: ParsedJws | None
    presented: str
    """The text before the key binding JWT, over which `sd_hash` is calculated."""


def issue_sd_jwt(
    claims: JsonObject,
    disclosable: Collection[str],
    *,
    signer: Signer,
    kind: str = SD_JWT_VC,
    digests: int = 0,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """`claims` signed; members and items at the JSON pointers `disclosable` only as digests.

    Decoys fill the digests at the top level up to a multiple of `digests`, so that their count reveals nothing.
    A pointer that leads nowhere is ignored. MalformedInput `always_disclosed` for a claim that has to stay
    visible.
    """
    pointers = frozenset(disclosable)
    if clash := {f"/{name}" for name in ALWAYS_DISCLOSED} & pointers:
        raise MalformedInput("always_disclosed", min(clash))
    disclosures: list[str] = []

    def digest(*parts: JsonValue) -> str:
        text = encode_base64url(dump_json([encode_base64url(random(_SALT)), *parts]))
        disclosures.append(text)
        return _digest(text)

    def hidden(value: JsonValue, at: str) -> JsonValue:
        """`value` with everything selectively disclosable below it replaced; inner disclosures come first."""
        if isinstance(value, list):
            items: list[JsonValue] = []
            for number, each in enumerate(value):
                inner = hidden(each, f"{at}/{number}")
                items.append({"...": digest(inner)} if f"{at}/{number}" in pointers else inner)
            return items
        if not isinstance(value, dict):
            return value
        members: JsonObject = {}
        own: list[str] = []
        for name, each in value.items():
            if name in ("_sd", "..."):
                raise MalformedInput("registered_claim", f"{at}/{name}")
            here = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
            inner = hidden(each, here)
            if here in pointers:
                own.append(digest(name, inner))
            else:
                members[name] = inner
        if not at and digests:
            own += [_digest(encode_base64url(random(32))) for _ in range(-len(own) % digests)]
        if own:
            members["_sd"] = [*sorted(own)]  # sorted digests do not reveal the order of the members
        return members

    payload = hidden(claims, "")
    assert isinstance(payload, dict)
    token = sign_claims(payload | {"_sd_alg": "sha-256"}, signer=signer, kind=kind)
    return "~".join([token, *disclosures, ""])


def parse_sd_jwt(text: str) -> ParsedSdJwt:
    """Split and read; MalformedInput for what is not an SD-JWT in compact serialisation."""
    if len(text) > MAX_SD_JWT:
        raise MalformedInput("too_large")
    presented, separator, bound = text.rpartition("~")
    token, *disclosures = presented.split("~")
    if not separator or "" in disclosures:
        raise MalformedInput("not_sd_jwt")
    if len(disclosures) > MAX_DISCLOSURES:
        raise MalformedInput("too_many_disclosures")
    return ParsedSdJwt(
        parse_compact_jws(token, max_length=MAX_SD_JWT),
        tuple(disclosures),
        parse_compact_jws(bound) if bound else None,
        f"{presented}~",
    )


def verify_sd_jwt(
    parsed: ParsedSdJwt, key: VerificationKey, *, kinds: Collection[str] = SD_JWT_VC_TYPES
) -> JsonObject:
    """The processed payload (RFC 9901 7.1): the claims with those that were disclosed.

    ProofError for a wrong signature or header, MalformedInput for disclosures that do not belong to the token.
    The caller judges the issuer, the key and the validity period.
    """
    verify_jws(parsed.jws, key, kinds=kinds)
    return disclosed_claims(parsed)


def disclosed_claims(parsed: ParsedSdJwt) -> JsonObject:
    """As `verify_sd_jwt`, for a token with a signature that is checked elsewhere."""
    payload = dict(parsed.jws.payload)
    if payload.pop("_sd_alg", "sha-256") != "sha-256":
        raise ProofError("algorithm_not_allowed", "_sd_alg")
    held: dict[str, JsonValue] = {}
    for text in parsed.disclosures:
        held[_digest(text)] = parse_json(_decoded(text))
    if len(held) != len(parsed.disclosures):
        raise MalformedInput("repeated_disclosure")
    seen: set[str] = set()

    def content(digest: JsonValue, size: int) -> list[JsonValue] | None:
        """The disclosure of this digest; None where it was withheld, or is a decoy."""
        if not isinstance(digest, str):
            raise MalformedInput("disclosure_digest")
        if digest in seen:
            raise MalformedInput("repeated_digest")
        seen.add(digest)
        if digest not in held:
            return None
        found = held.pop(digest)
        if not isinstance(found, list) or len(found) != size or not isinstance(found[0], str):
            raise MalformedInput("disclosure")
        return found

    def shown(value: JsonValue, depth: int = 0) -> JsonValue:
        if depth > _MAX_DEPTH:  # disclosures may contain digests of others
            raise MalformedInput("too_deep")
        if isinstance(value, list):
            items: list[JsonValue] = []
            for each in value:
                if isinstance(each, dict) and each.keys() == {"..."}:
                    found = content(each["..."], 2)
                    if found is not None:
                        items.append(shown(found[1], depth + 1))
                else:
                    items.append(shown(each, depth + 1))
            return items
        if not isinstance(value, dict):
            return value
        if "..." in value:
            raise MalformedInput("disclosure_digest")
        members: JsonObject = {name: shown(each, depth + 1) for name, each in value.items() if name != "_sd"}
        digests = value.get("_sd", [])
        if not isinstance(digests, list):
            raise MalformedInput("disclosure_digest")
        for digest in digests:
            found = content(digest, 3)
            if found is None:
                continue
            name = found[1]
            if not isinstance(name, str) or name in ("_sd", "...") or name in members:
                raise MalformedInput("disclosure")
            members[name] = shown(found[2], depth + 1)
        return members

    processed = shown(payload)
    if held:
        raise MalformedInput("unreferenced_disclosure")
    assert isinstance(processed, dict)
    return processed


def verify_sd_jwt_vc(parsed: ParsedSdJwt, key: VerificationKey, *, at: datetime) -> JsonObject:
    """`verify_sd_jwt` of an SD-JWT VC that is within its validity period.

    ProofError `not_yet_valid` or `expired`, MalformedInput with the claim where one has the wrong shape.
    """
    claims = verify_sd_jwt(parsed, key)
    for name in ("iss", "vct"):
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise MalformedInput("claim_missing", f"/{name}")
    check_always_disclosed(parsed, claims)
    check_period(claims, at=at)
    return claims


def check_always_disclosed(parsed: ParsedSdJwt, claims: JsonObject) -> None:
    """MalformedInput `always_disclosed` for a claim that its issuer lets a holder withhold, and may not."""
    if withheld := (ALWAYS_DISCLOSED & claims.keys()) - parsed.jws.payload.keys():
        raise MalformedInput("always_disclosed", f"/{min(withheld)}")


def may_withhold_claims(payload: JsonObject, claims: JsonObject) -> bool:
    """Whether the top level has more digests than disclosed claims: decoys, or claims that are withheld."""
    digests = payload.get("_sd")
    return isinstance(digests, list) and len(digests) > len(claims.keys() - payload.keys())


def check_period(claims: JsonObject, *, at: datetime) -> None:
    """`nbf` and `exp`, where they are present."""
    begins, ends = (_seconds(claims, name) for name in ("nbf", "exp"))
    if begins is not None and at.timestamp() + _SKEW.total_seconds() < begins:
        raise ProofError("not_yet_valid")
    if ends is not None and at.timestamp() >= ends:
        raise ProofError("expired")


def present_sd_jwt(
    text: str,
    withheld: Callable[[str, JsonValue], bool],
    *,
    holder: Signer | None = None,
    audience: str = "",
    nonce: str = "",
    at: datetime | None = None,
) -> str:
    """The SD-JWT without the disclosures that `withheld(name, value)` names; items of arrays have the name "".

    With `holder`, the signer of the key in `cnf`, a key binding JWT for this audience and nonce follows.
    """
    parsed = parse_sd_jwt(text)
    kept = []
    for each in parsed.disclosures:
        content = parse_json(_decoded(each))
        if not isinstance(content, list) or len(content) not in (2, 3):
            raise MalformedInput("disclosure")
        name = content[1] if len(content) == 3 and isinstance(content[1], str) else ""
        if not withheld(name, content[-1]):
            kept.append(each)
    shown = "~".join([text.partition("~")[0], *kept, ""])
    if holder is None or at is None:
        return shown
    bound: JsonObject = {
        "iat": int(at.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": _digest(shown),
    }
    return shown + sign_claims(bound, signer=holder, kind=KEY_BINDING, with_kid=False)


def verify_key_binding(
    parsed: ParsedSdJwt, claims: JsonObject, *, audience: str, nonce: str, at: datetime, life: timedelta
) -> None:
    """ProofError unless the holder named in `cnf` presented exactly this, here, now (RFC 9901 7.3)."""
    bound = parsed.key_binding
    if bound is None:
        raise ProofError("key_binding_missing")
    confirmed = claims.get("cnf")
    jwk = confirmed.get("jwk") if isinstance(confirmed, dict) else None
    if not isinstance(jwk, dict):
        raise ProofError("holder_key_missing")
    if bound.header.get("typ") != KEY_BINDING:
        raise ProofError("header_not_allowed", "typ")
    verify_jws(bound, VerificationKey.from_jwk(jwk), kinds=(KEY_BINDING,))
    said = bound.payload
    if said.get("aud") != audience:
        raise ProofError("wrong_audience")
    if said.get("nonce") != nonce:
        raise ProofError("wrong_nonce")
    if said.get("sd_hash") != _digest(parsed.presented):
        raise ProofError("other_disclosures")
    made = _seconds(said, "iat")
    if made is None or not -_SKEW.total_seconds() <= at.timestamp() - made <= life.total_seconds():
        raise ProofError("too_old")


# --- an Open Badge as SD-JWT VC

_LEFT_OUT: Final = ("@context", "type", "issuer", "validFrom", "validUntil", "credentialStatus", "proof")
_OF_ACHIEVEMENT: Final = (
    "name",
    "description",
    "criteria",
    "achievementType",
    "image",
    "inLanguage",
    "version",
)
ALWAYS_IN_BADGE: Final = frozenset(
    {"/name", "/issuer", *(f"/credentialSubject/achievement/{name}" for name in _OF_ACHIEVEMENT)}
)
"""JSON pointers into an Open Badge: its title, who attests, and what."""
DIGESTS: Final = 16


def badge_claims(
    document: JsonObject, always: Collection[str] = ALWAYS_IN_BADGE
) -> tuple[JsonObject, frozenset[str]]:
    """The members of an Open Badge as claims of an SD-JWT VC, and the pointers of those to disclose selectively.

    Names and values are those of the badge; members of `credentialSubject` move to the top, its `id` becomes
    `sub`. `always`: pointers into the badge of the members that stay visible; all others can be withheld, `id`
    and `sub` as well.
    """
    subject, issuer = document.get("credentialSubject"), document.get("issuer")
    if not isinstance(subject, dict) or not isinstance(issuer, dict):
        raise MalformedInput("credential", "/credentialSubject")
    claims: JsonObject = {name: value for name, value in document.items() if name not in _LEFT_OUT}
    del claims["credentialSubject"]
    claims |= {name: value for name, value in subject.items() if name not in ("id", "type")}
    if "id" in subject:
        claims["sub"] = subject["id"]
    claims["issuer"] = {name: issuer[name] for name in ("id", "name") if name in issuer}
    visible = {"issuer", "achievement"} | {each.rpartition("/")[2] for each in always if _is_claim(each)}
    pointers = {f"/{name}" for name in claims if name not in visible}
    achievement = claims.get("achievement")
    if isinstance(achievement, dict):
        inside = {name for name in achievement if f"/credentialSubject/achievement/{name}" not in always}
        pointers |= {f"/achievement/{name}" for name in inside - {"id", "type"}}
    return claims, frozenset(pointers)


def _is_claim(pointer: str) -> bool:
    """Whether a member of the badge, or of its subject, is a claim of its own name."""
    parent = pointer.rpartition("/")[0]
    return parent in ("", "/credentialSubject") and pointer not in ("/id", "/credentialSubject/id")


_OF_CREDENTIAL: Final = frozenset(
    {
        "id",
        "name",
        "description",
        "image",
        "awardedDate",
        "evidence",
        "endorsement",
        "endorsementJwt",
        "credentialSchema",
        "refreshService",
        "relatedResource",
        "termsOfUse",
    }
)


def document_of_claims(claims: JsonObject) -> JsonObject:
    """The Open Badge that `badge_claims` made these claims of, with what was disclosed; its status stays a claim.

    MalformedInput `not_a_badge` for the claims of any other SD-JWT.
    """
    achievement, issuer = claims.get("achievement"), claims.get("issuer")
    if not isinstance(achievement, dict) or not isinstance(issuer, dict):
        raise MalformedInput("not_a_badge")
    own = {name: value for name, value in claims.items() if name not in _REGISTERED}
    subject: JsonObject = {"type": ["AchievementSubject"]}
    if "sub" in claims:
        subject["id"] = claims["sub"]
    subject |= {name: value for name, value in own.items() if name not in _OF_CREDENTIAL and name != "issuer"}
    document: JsonObject = {
        "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"type": ["Profile"], **issuer},
        **{name: value for name, value in own.items() if name in _OF_CREDENTIAL},
        "credentialSubject": subject,
    }
    for claim, member in (("nbf", "validFrom"), ("exp", "validUntil")):
        seconds = _seconds(claims, claim)
        if seconds is not None:
            document[member] = format_timestamp(_time_of(seconds, claim))
    return document


_REGISTERED: Final = ALWAYS_DISCLOSED | {"iat", "sub", "jti"}


def _time_of(seconds: float, claim: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise MalformedInput("claim", f"/{claim}") from None


def _digest(text: str) -> str:
    return encode_base64url(hashlib.sha256(text.encode("ascii", "replace")).digest())


def _decoded(text: str) -> bytes:
    try:
        return decode_base64url(text)
    except (CredentialError, ValueError):
        raise MalformedInput("disclosure") from None


def _seconds(claims: JsonObject, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedInput("claim", f"/{name}")
    try:
        return float(value)
    except OverflowError:
        raise MalformedInput("claim", f"/{name}") from None
