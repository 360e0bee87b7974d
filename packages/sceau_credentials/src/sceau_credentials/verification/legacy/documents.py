"""Assertion, BadgeClass and Profile of Open Badges 2.0 and 1.x, parsed as values; MalformedInput otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.timestamps import parse_timestamp
from sceau_credentials.values.vocabulary import CONTEXT_OB_3_0_3

CONTEXT_2: Final = "https://w3id.org/openbadges/v2"  # H-002
CONTEXT_1: Final = "https://w3id.org/openbadges/v1"

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


def objects(value: JsonValue) -> list[JsonValue]:
    """JSON-LD allows a single value for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def strings(value: JsonValue) -> list[str]:
    return [each for each in objects(value) if isinstance(each, str)]


def text(document: JsonObject, member: str) -> str:
    value = document.get(member)
    if not isinstance(value, str) or not value.strip():
        raise MalformedInput("missing" if value is None else "wrong_type", f"/{member}")
    return value


def identifier(document: JsonObject, member: str) -> str:
    """The `id` of a member that is an embedded object or a reference."""
    value = document.get(member)
    named = value.get("id") if isinstance(value, dict) else value
    if not isinstance(named, str) or not named:
        raise MalformedInput("missing" if value is None else "wrong_type", f"/{member}")
    return named


def moment(document: JsonObject, member: str, generation: int) -> datetime:
    """ISO 8601 in 2.0; Open Badges 1.0 also wrote days and seconds since 1970."""
    value = document.get(member)
    if generation == 1 and type(value) is int and 0 <= value <= _LAST_SECOND:
        return datetime.fromtimestamp(value, UTC)
    try:
        if generation == 1 and isinstance(value, str) and _DAY.fullmatch(value):
            return parse_timestamp(f"{value}T00:00:00Z")
        return parse_timestamp(value)
    except MalformedInput:
        raise MalformedInput("missing" if value is None else "timestamp", f"/{member}") from None


LOCAL: Final = frozenset({"localhost", "127.0.0.1"})


def is_answered_safely(parts: SplitResult) -> bool:
    """Whether an attacker on the network cannot answer for the host."""
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
    )


def web_address(url: str) -> SplitResult | None:
    """The parts of an unambiguous URL: https, a host, no user or password, no dot segments.

    http for localhost, which no network can intercept: so a local trial instance verifies its own badges.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if not is_answered_safely(parts) or "@" in parts.netloc or "\\" in url:
        return None
    return None if _DOTS.search(parts.path) else parts


_HOSTED: Final = frozenset({"hosted", "HostedBadge"})
_SIGNED: Final = frozenset({"signed", "SignedBadge"})


def generation_of(claims: JsonObject) -> int | None:
    """H-002: the Open Badges generation of an assertion: 2 for 2.0, 1 for 1.0 and 1.1, or None."""
    contexts = strings(claims.get("@context"))
    if {"uid", "verify", "recipient"} <= claims.keys() and CONTEXT_2 not in contexts:
        return 1
    if "Assertion" not in strings(claims.get("type")):
        return None
    if CONTEXT_2 in contexts:
        return 2
    return 1 if CONTEXT_1 in contexts else None


@dataclass(frozen=True)
class Assertion:
    identifier: str
    """Its `id`, or the `uid` of Open Badges 1.0."""
    badge: str
    is_signed: bool
    address: str | None
    """Where a hosted assertion is served, and where Open Badges 1.x publishes the key of a signed one."""
    creator: str | None
    recipient: JsonObject
    issued_on: datetime
    expires: datetime | None
    is_revoked: bool
    document: JsonObject = field(repr=False)
    names: frozenset[str] = frozenset()
    """Every identifier a revocation list may use for it."""


def read_assertion(document: JsonObject, generation: int) -> Assertion:
    if generation == 2:
        _check_type(document, "Assertion")
    kind, verification = _verification(document)
    own = [document[name] for name in ("id", "uid") if name in document]
    names = strings(own)
    if len(names) != len(own) or not names or (generation == 2 and "id" not in document):
        raise MalformedInput("missing" if not own else "wrong_type", "/id")
    return Assertion(
        identifier=names[0],
        badge=identifier(document, "badge"),
        is_signed=kind == "signed",
        address=_address(document, verification, generation, kind),
        creator=identifier(verification, "creator") if "creator" in verification else None,
        recipient=_recipient(document),
        issued_on=moment(document, "issuedOn", generation),
        expires=moment(document, "expires", generation) if document.get("expires") is not None else None,
        is_revoked=document.get("revoked") is True,
        document=document,
        names=frozenset(names),
    )


def address_in(document: JsonObject, generation: int) -> str | None:
    """The hosting URL this assertion states, without validating the rest of it."""
    kind, verification = _verification(document)
    return _address(document, verification, generation, kind) if kind == "hosted" else None


@dataclass(frozen=True)
class BadgeClass:
    url: str
    issuer: str
    document: JsonObject = field(repr=False)


def read_badge_class(document: JsonObject, url: str, generation: int) -> BadgeClass:
    _check_named(document, url, "BadgeClass", generation)
    for member in ("name", "description"):
        text(document, member)
    for member in ("image", "criteria"):
        if not document.get(member):
            raise MalformedInput("missing", f"/{member}")
    return BadgeClass(url, identifier(document, "issuer"), document)


@dataclass(frozen=True)
class Issuer:
    url: str
    scope: JsonObject
    """Its `verification`: the URLs it authorises (H-004)."""
    keys: tuple[JsonValue, ...]
    revocation_list: str | None
    document: JsonObject = field(repr=False)


def read_issuer(document: JsonObject, url: str, generation: int) -> Issuer:
    _check_named(document, url, None, generation)
    for member in ("name", "url", "email") if generation == 2 else ("name", "url"):
        text(document, member)
    scope = document.get("verification")
    if scope is not None and not isinstance(scope, dict):
        raise MalformedInput("wrong_type", "/verification")
    listed = document.get("revocationList")
    return Issuer(
        url=url,
        scope=scope or {},
        keys=tuple(objects(document.get("publicKey"))),
        revocation_list=identifier(document, "revocationList") if listed is not None else None,
        document=document,
    )


def _check_named(document: JsonObject, url: str, type_name: str | None, generation: int) -> None:
    """Open Badges 1.0 objects have no id; an id they do have is the URL they were fetched from."""
    if document.get("id", None if generation == 2 else url) != url:
        raise MalformedInput("missing" if "id" not in document else "another_id", "/id")
    if generation != 2:
        return
    if type_name is None:
        if not {"Issuer", "Profile"} & set(strings(document.get("type"))):
            raise MalformedInput("wrong_class", "/type")
    else:
        _check_type(document, type_name)


def _check_type(document: JsonObject, type_name: str) -> None:
    if type_name not in strings(document.get("type")):
        raise MalformedInput("wrong_class", "/type")


def _verification(document: JsonObject) -> tuple[str, JsonObject]:
    member = "verification" if "verification" in document else "verify"
    value = document.get(member)
    if not isinstance(value, dict):
        raise MalformedInput("missing" if value is None else "wrong_type", f"/{member}")
    types = set(strings(value.get("type")))
    is_hosted, is_signed = bool(types & _HOSTED), bool(types & _SIGNED)
    if is_hosted == is_signed:
        raise MalformedInput("wrong_class", f"/{member}/type")
    return "signed" if is_signed else "hosted", value


def _address(document: JsonObject, verification: JsonObject, generation: int, kind: str) -> str | None:
    if generation == 2:
        return text(document, "id") if kind == "hosted" else None
    return text(verification, "url")


def _recipient(document: JsonObject) -> JsonObject:
    value = document.get("recipient")
    if not isinstance(value, dict):
        raise MalformedInput("missing" if value is None else "wrong_type", "/recipient")
    if not strings(value.get("type")) or not isinstance(value.get("identity"), str):
        raise MalformedInput("missing", "/recipient/identity")
    if not isinstance(value.get("hashed"), bool):
        raise MalformedInput("missing", "/recipient/hashed")
    return value


ADDED_WORDS: Final = (frozenset({"endorsementJwt"}), frozenset({"endorsementJwt", "jti"}))
"""Terms added to the context, by content, the newest first."""


def may_be_older(claims: JsonObject) -> bool:
    contexts = claims.get("@context")
    return isinstance(contexts, list) and CONTEXT_OB_3_0_3 in contexts and _is_rdfc(claims.get("proof"))


def _is_rdfc(proof: JsonValue) -> bool:
    """Only where terms are expanded with the contexts; a signature over the JSON itself covers every member."""
    proofs = proof if isinstance(proof, list) else [proof]
    return all(isinstance(each, dict) and "-jcs-" not in str(each.get("cryptosuite")) for each in proofs)


def without_words(value: JsonObject, words: frozenset[str]) -> JsonObject:
    """The document as signed with a context that lacked these terms; the same object if it has none."""
    stripped = _without(value, words)
    assert isinstance(stripped, dict)
    return stripped


def _without(value: JsonValue, words: frozenset[str]) -> JsonValue:
    if isinstance(value, dict):
        kept = {name: _without(item, words) for name, item in value.items() if name not in words}
        return value if len(kept) == len(value) and all(kept[n] is value[n] for n in kept) else kept
    if isinstance(value, list):
        items = [_without(item, words) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
