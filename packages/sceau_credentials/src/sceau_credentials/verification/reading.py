"""Extract the claims from any input, text or picture, and detect the kind of badge."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from sceau_credentials.baking import unbake
from sceau_credentials.errors import ImageError, MalformedInput
from sceau_credentials.model.version_1 import is_version_1
from sceau_credentials.values.json_text import JsonValue, members_in
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.hosted import KINDS, OlderBadge
from sceau_credentials.verification.legacy.documents import generation_of
from sceau_credentials.verification.report import CheckResult, Container
from sceau_credentials.verification.secured import (
    Secured,
    looks_secured,
    secured_from_json,
    secured_from_sd_jwt,
    secured_from_text,
)

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PDF: Final = b"%PDF-"
_OTHER_PICTURE: Final = re.compile(rb"\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", re.DOTALL)
"""Formats into which no badge is baked."""
_XML_IN_UTF_16: Final = (b"\xff\xfe<", b"\xfe\xff\0<")
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_URL: Final = re.compile('https?://[^\\s"<>\ud800-\udfff]+', re.IGNORECASE)
_MAX_TEXT: Final = 512 * 1024  # M10: the limit of text from a picture too

_MOST_MEMBERS: Final = 20_000  # T13: each is validated on its own
_SHORT: Final = 2 * _MOST_MEMBERS  # shorter text cannot contain more of them

_BADGE_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})  # A-021, C-001


@dataclass(frozen=True)
class Reading:
    """`answer` passed if and only if there is a badge to check further: `secured` for 3.0, else `older`."""

    answer: CheckResult
    container: Container = "unknown"
    secured: Secured | None = None
    older: OlderBadge | None = None


def read(presented: bytes | str) -> Reading:
    """Detects the format by content, never by file name or media type (E-003)."""
    if isinstance(presented, str):
        if presented.lstrip("\ufeff \t\r\n").startswith("<"):
            return _from_picture(presented.encode(errors="replace"), "svg")
        return _from_text(presented)
    if presented.startswith(b"{"):
        try:
            return _of_kind(secured_from_json(presented), "json", len(presented))
        except MalformedInput:
            pass  # text before or after it may be the fault, and is reported below
    if presented.startswith(_PNG):
        return _from_picture(presented, "png")
    if presented.startswith(_PDF):
        return _from_picture(presented, "pdf")
    if presented.lstrip(_BLANK).startswith(b"<") or presented.startswith(_XML_IN_UTF_16):
        return _from_picture(presented, "svg")
    if _OTHER_PICTURE.match(presented):
        return Reading(found(Reason.IMAGE_WITHOUT_BADGE))
    if len(presented) > _MAX_TEXT:
        return Reading(found(Reason.TOO_LARGE))
    try:
        return _from_text(presented.decode())
    except UnicodeDecodeError:
        return Reading(found(Reason.UNRECOGNISED_FORMAT))


_IMAGE_REASONS: Final = {
    "no_credential": Reason.IMAGE_WITHOUT_BADGE,
    "several_credentials": Reason.IMAGE_AMBIGUOUS,
    "too_large": Reason.TOO_LARGE,
}


def _from_picture(data: bytes, container: Container) -> Reading:
    try:
        unbaked = unbake(data)
    except ImageError as error:
        reason = _refusal_of(error, container)
        return Reading(found(reason, cause=error.reason), container)
    text = unbaked.text.strip()
    if unbaked.generation == "2.0" and _URL.fullmatch(text):  # E-016, E-017
        answer = found(Reason.OLDER_BADGE_ADDRESS, url=text[:2000])
        return Reading(answer, container, older=OlderBadge(container, address=text))
    inside = _from_text(text)
    older = replace(inside.older, container=container) if inside.older else None
    return Reading(inside.answer, container, inside.secured, older)


def _refusal_of(error: ImageError, container: Container) -> Reason:
    if container == "pdf" and error.reason == "no_credential":
        return Reason.PDF_WITHOUT_BADGE
    unread = Reason.PDF_NOT_READ if container == "pdf" else Reason.IMAGE_NOT_READ
    return _IMAGE_REASONS.get(error.reason, unread)


def _from_text(text: str) -> Reading:
    text = text.removeprefix("\ufeff").strip()  # a byte order mark that some editors add
    if len(text) > _MAX_TEXT:
        return Reading(found(Reason.TOO_LARGE))
    if _URL.fullmatch(text):
        return Reading(found(Reason.PRESENTED_IS_URL, url=text[:2000]), "url")
    container: Container = "json" if text.startswith(("{", "[")) else "jwt"
    try:
        # Only a badge may be an SD-JWT: its claims name the issuer and the status elsewhere than a document does.
        secured = secured_from_sd_jwt(text) if "~" in text and container == "jwt" else secured_from_text(text)
    except MalformedInput as error:
        if not looks_secured(text):
            return Reading(found(Reason.UNRECOGNISED_FORMAT))
        return Reading(_refusal(error, container), container)
    return _of_kind(secured, container, len(text))


def _of_kind(secured: Secured, container: Container, length: int) -> Reading:
    if length > _SHORT and members_in(secured.claims) > _MOST_MEMBERS:
        return Reading(found(Reason.TOO_LARGE, cause="too_many_members"), container)
    answer = kind_of(secured)
    if answer.reason in KINDS.values():
        return Reading(answer, container, older=OlderBadge(container, secured.claims, jws=secured.jws))
    return Reading(answer, container, secured)


def _refusal(error: MalformedInput, container: Container) -> CheckResult:
    if error.reason == "not_a_badge":
        return found(Reason.UNRECOGNISED_FORMAT)
    if error.reason in ("too_large", "too_deep"):
        return found(Reason.TOO_LARGE, cause=error.reason)
    if error.reason == "not_an_object" and container == "json":
        return found(Reason.NOT_AN_OPEN_BADGE_3)
    return found(Reason.MALFORMED_JWT if container == "jwt" else Reason.MALFORMED_JSON, cause=error.reason)


def kind_of(secured: Secured) -> CheckResult:
    """The kind of document, from its claims alone."""
    claims = secured.claims
    wrapped = secured.form == "vc_jwt" and not claims.keys().isdisjoint(("vc", "vp"))
    of_version_1 = wrapped and "@context" not in claims and is_version_1(secured.document)
    in_document = of_version_1 or secured.form == "sd_jwt"
    types = _strings((secured.document if in_document else claims).get("type"))
    if not _BADGE_TYPES.isdisjoint(types):
        if wrapped and not of_version_1:
            return found(Reason.MALFORMED_JWT, cause="vc_claim")  # B-012, B-025
        return found(Reason.READABLE)
    generation = generation_of(claims)
    if generation is not None:
        return found(KINDS[generation])
    return found(Reason.NOT_AN_OPEN_BADGE_3, types=", ".join(types)[:200])


def _strings(value: JsonValue) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]
