"""From whatever was handed over, text or picture, to the claims inside, and what kind of badge they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from app.credentials.baking import unbake
from app.credentials.errors import ImageError, MalformedInput
from app.credentials.json_text import JsonObject, JsonValue, parse_json
from app.credentials.proofs.vc_jwt import ParsedJws, parse_compact_jws
from app.credentials.verification.reasons import Reason, found
from app.credentials.verification.report import CheckResult, Container, Form, Outcome

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_OTHER_PICTURES: Final = (b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF-", b"\x1f\x8b", b"PK\x03\x04")
_URL: Final = re.compile(r"https?://[^\s\"<>]+", re.IGNORECASE)
_COMPACT_JWS: Final = re.compile(r"[^.\s{}\[\]\"]+\.[^.\s]*\.[^.\s]*")
_REGISTERED_CLAIMS: Final = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")  # B-013, B-017
_MAX_TEXT: Final = 512 * 1024  # M10: no longer text comes out of a picture either

_BADGE_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})  # A-021, C-001
_VC_1: Final = "https://www.w3.org/2018/credentials/v1"
_OPEN_BADGES_2: Final = "https://w3id.org/openbadges/v2"  # H-002
_OPEN_BADGES_1: Final = "https://w3id.org/openbadges/v1"


@dataclass(frozen=True)
class Reading:
    """`answer` passed if and only if `document` is an Open Badges 3.0 credential worth asking more about."""

    answer: CheckResult
    container: Container = "unknown"
    form: Form | None = None
    claims: JsonObject | None = None
    """Everything that was read, proof or token claims included."""
    document: JsonObject | None = None
    """The credential alone, as the proof covers it."""
    jws: ParsedJws | None = None


def read(presented: bytes | str) -> Reading:
    """Detect by content, never by a name or a media type (E-003)."""
    if isinstance(presented, bytes):
        if presented.startswith(_PNG) or presented.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return _from_picture(presented)
        if presented.startswith(_OTHER_PICTURES):
            return Reading(found(Reason.UNRECOGNISED_FORMAT))
        if len(presented) > _MAX_TEXT:
            return Reading(found(Reason.TOO_LARGE))
        try:
            text = presented.decode()
        except UnicodeDecodeError:
            return Reading(found(Reason.UNRECOGNISED_FORMAT))
        return _from_text(text)
    if presented.lstrip("\ufeff \t\r\n").startswith("<"):
        return _from_picture(presented.encode(errors="replace"))
    return _from_text(presented)


def _from_picture(data: bytes) -> Reading:
    container: Container = "png" if data.startswith(_PNG) else "svg"
    try:
        unbaked = unbake(data)
    except ImageError as error:
        return Reading(
            found(_IMAGE_REASONS.get(error.reason, Reason.IMAGE_NOT_READ), cause=error.reason), container
        )
    reading = _from_text(unbaked.text)
    return replace(reading, container=container)


_IMAGE_REASONS: Final = {
    "no_credential": Reason.IMAGE_WITHOUT_BADGE,
    "several_credentials": Reason.IMAGE_AMBIGUOUS,
    "too_large": Reason.TOO_LARGE,
}


def _from_text(text: str) -> Reading:
    text = text.strip()
    if len(text) > _MAX_TEXT:
        return Reading(found(Reason.TOO_LARGE))
    if text.startswith(("{", "[")):
        return _from_json(text)
    if _URL.fullmatch(text):
        return Reading(found(Reason.PRESENTED_IS_URL, url=text), "url")
    if _COMPACT_JWS.fullmatch(text):
        return _from_token(text)
    return Reading(found(Reason.UNRECOGNISED_FORMAT))


def _from_json(text: str) -> Reading:
    try:
        claims = parse_json(text)
    except MalformedInput as error:
        reason = Reason.TOO_LARGE if error.reason in ("too_large", "too_deep") else Reason.MALFORMED_JSON
        return Reading(found(reason, cause=error.reason), "json")
    if not isinstance(claims, dict):
        return Reading(found(Reason.NOT_AN_OPEN_BADGE_3), "json")
    document = {name: value for name, value in claims.items() if name != "proof"}
    return Reading(kind_of(claims), "json", "data_integrity", claims, document)


def _from_token(text: str) -> Reading:
    try:
        jws = parse_compact_jws(text)
    except MalformedInput as error:
        return Reading(found(Reason.MALFORMED_JWT, cause=error.reason), "jwt")
    claims = jws.payload
    answer = kind_of(claims)
    if answer.outcome is Outcome.PASSED and ("vc" in claims or "vp" in claims):
        answer = found(Reason.MALFORMED_JWT, cause="vc_claim")  # B-012, B-025
    return Reading(answer, "jwt", "vc_jwt", claims, document_of_token(claims), jws)


def document_of_token(claims: JsonObject) -> JsonObject:
    """The credential inside a token's payload (B-019 step 6, B-024)."""
    return {name: value for name, value in claims.items() if name not in _REGISTERED_CLAIMS}


def kind_of(claims: JsonObject) -> CheckResult:
    """Name what was read, before anything is asked of it."""
    contexts = _strings(claims.get("@context"))
    types = _strings(claims.get("type"))
    inner = claims.get("vc")
    if contexts[:1] == [_VC_1] or (
        isinstance(inner, dict) and _strings(inner.get("@context"))[:1] == [_VC_1]
    ):
        return found(Reason.VC_DATA_MODEL_1)
    if not _BADGE_TYPES.isdisjoint(types):
        return found(Reason.READABLE)
    if _OPEN_BADGES_2 in contexts:
        return found(Reason.OPEN_BADGE_2)
    if _OPEN_BADGES_1 in contexts or {"uid", "verify", "recipient"} <= claims.keys():
        return found(Reason.OPEN_BADGE_1)
    return found(Reason.NOT_AN_OPEN_BADGE_3, types=", ".join(types)[:200])


def _strings(value: JsonValue) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]
