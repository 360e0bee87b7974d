"""Open Badges 2.0 and 1.x: read, checked and rendered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sceau_credentials.errors import (
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    MalformedInput,
    UnusableKey,
)
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.vc_jwt import ParsedJws, verify_jws
from sceau_credentials.values import (
    CONTEXT_OB_3_0_3,
    DocumentSource,
    JsonObject,
    JsonValue,
    parse_json_object,
    parse_timestamp,
)

# --- Assertion, BadgeClass and Profile of Open Badges 2.0 and 1.x, parsed as values; MalformedInput
# otherwise

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


# --- What an issuer of Open Badges 2.0 authorises: URLs, keys, and its revocation list

_MOST_REVOKED: Final = 100_000
_LONGEST_PEM: Final = 8 * 1024


def is_in_scope(assertion_url: str, class_url: str, issuer: Issuer) -> bool:
    """H-004: within what the issuer's profile allows, else all three on one origin.

    `startsWith` is compared after the origin, not as bare text: `https://a.example` must not authorise
    `https://a.example.elsewhere.example`.
    """
    prefixes, origins = strings(issuer.scope.get("startsWith")), strings(issuer.scope.get("allowedOrigins"))
    if not prefixes and not origins:
        return is_same_origin(assertion_url, issuer.url) and is_same_origin(class_url, issuer.url)
    in_prefixes = not prefixes or any(_starts_with(assertion_url, prefix) for prefix in prefixes)
    return in_prefixes and (not origins or any(_comes_from(assertion_url, each) for each in origins))


def is_same_origin(left: str, right: str) -> bool:
    return _origin(left) is not None and _origin(left) == _origin(right)


def _origin(url: str) -> tuple[str, str | None, int] | None:
    parts = web_address(url)
    if parts is None:
        return None
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _starts_with(url: str, prefix: str) -> bool:
    parts, allowed = web_address(url), web_address(prefix)
    return (
        parts is not None
        and allowed is not None
        and _origin(url) == _origin(prefix)
        and f"{parts.path}?{parts.query}".startswith(
            f"{allowed.path}?{allowed.query}" if allowed.query else allowed.path
        )
    )


def _comes_from(url: str, allowed: str) -> bool:
    """`allowedOrigins` holds registered names, which some issuers write as whole origins."""
    parts = web_address(url)
    if parts is None:
        return False
    return _origin(url) == _origin(allowed) if "://" in allowed else parts.hostname == allowed.lower()


def linked_keys(issuer: Issuer, creator: str | None) -> list[JsonValue]:
    """H-006: the keys an issuer's profile links, by name or embedded; only the creator's where there is one."""
    named = [each for each in issuer.keys if creator is None or _name_of(each) == creator]
    if not named:
        raise KeyNotResolved("key_not_bound_to_issuer", creator or "no publicKey in the issuer's profile")
    return named[:2]


def _name_of(key: JsonValue) -> JsonValue:
    return key.get("id") if isinstance(key, dict) else key


def read_key(document: JsonObject, url: str, issuer: Issuer) -> VerificationKey:
    """A CryptographicKey that names this issuer as its owner."""
    if document.get("id", url) != url or document.get("owner") != issuer.url:
        raise KeyNotResolved("key_not_bound_to_issuer", "id or owner")
    pem = document.get("publicKeyPem")
    if not isinstance(pem, str):
        raise KeyNotResolved("key_document_malformed", "publicKeyPem")
    return read_pem(pem)


def read_pem(pem: str) -> VerificationKey:
    if len(pem) > _LONGEST_PEM:
        raise KeyNotResolved("key_document_malformed", "too_large")
    try:
        public = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyNotResolved("key_document_malformed", "PEM") from None
    if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise KeyNotResolved("key_unusable", "unsupported_key")
    try:
        return VerificationKey.of(public)
    except UnusableKey as unusable:
        raise KeyNotResolved("key_unusable", unusable.reason) from None


_NOT_OF_A_LIST_OF_1_0: Final = frozenset({"type", "@context", "error", "errors", "message", "detail"})
"""Members of 2.0, or of documents that are not a list."""


def is_revoked(document: JsonObject, url: str, issuer: Issuer, assertion: Assertion) -> bool:
    """Whether the issuer's list names it; MalformedInput `another_issuer` for another issuer's list."""
    if assertion.names & document.keys() and "revokedAssertions" not in document:
        return True  # Open Badges 1.0: an object from `uid` to the reason
    if "revokedAssertions" not in document:
        if not document.keys().isdisjoint(_NOT_OF_A_LIST_OF_1_0):
            raise MalformedInput("missing", "/revokedAssertions")
        return False
    if document.get("id", url) != url:
        raise MalformedInput("another_id", "/id")
    if _name_of(document.get("issuer", issuer.url)) != issuer.url:
        raise MalformedInput("another_issuer", "/issuer")
    listed = objects(document["revokedAssertions"])
    if len(listed) > _MOST_REVOKED:
        raise MalformedInput("too_large", "/revokedAssertions")
    return any(_names_it(entry, assertion.names) for entry in listed)


def _names_it(entry: JsonValue, names: frozenset[str]) -> bool:
    """H-006: `id`, the `uid` of 1.0, or a bare string."""
    if isinstance(entry, dict):
        return any(each in names for each in strings([entry.get("id"), entry.get("uid")]))
    return isinstance(entry, str) and entry in names


_ACCEPT: Final = "application/ld+json, application/json;q=0.9"
_KEY_MEMBERS: Final = frozenset({"@context", "id", "owner", "publicKeyPem", "type"})
_ACCEPT_PEM: Final = "text/plain, application/x-pem-file;q=0.9"

_Named = tuple[str, Callable[[], VerificationKey]]


@dataclass(frozen=True)
class LinkedKeys:
    issuer: Issuer
    documents: DocumentSource
    generation: int

    def key_that_signed(self, jws: ParsedJws, assertion: Assertion) -> tuple[str, VerificationKey]:
        refused: CredentialError = KeyNotResolved("key_not_found")
        for url, read in self._keys(assertion):
            try:
                key = read()
                verify_jws(jws, key)
            except CredentialError as error:
                if not _is_out_of_reach(refused):  # that key may be the right one
                    refused = error
            else:
                return url, key
        raise refused

    def _keys(self, assertion: Assertion) -> list[_Named]:
        if self.generation == 1:
            address = assertion.address or ""
            if not is_same_origin(address, self.issuer.url):
                raise KeyNotResolved("key_not_bound_to_issuer", address)
            return [(address, lambda: self._pem_at(address))]
        return [self._linked(key) for key in linked_keys(self.issuer, assertion.creator)]

    def _linked(self, key: JsonValue) -> _Named:
        if isinstance(key, dict):
            url = str(key.get("id") or f"{self.issuer.url}#publicKey")
            return url, lambda: read_key(key, url, self.issuer)
        if not isinstance(key, str):
            raise KeyNotResolved("key_document_malformed", "publicKey")
        return key, lambda: self._key_at(key)

    def _key_at(self, url: str) -> VerificationKey:
        try:
            document = parse_json_object(self.documents.fetch(url, accept=_ACCEPT).body)
        except MalformedInput as error:
            raise KeyNotResolved("key_document_unreadable", error.reason) from None
        if document.keys().isdisjoint(_KEY_MEMBERS):
            raise KeyNotResolved("key_document_unreadable", "no key")
        return read_key(document, url, self.issuer)

    def _pem_at(self, url: str) -> VerificationKey:
        text = self.documents.fetch(url, accept=_ACCEPT_PEM).body.decode(errors="replace")
        if "-----BEGIN" not in text:
            raise KeyNotResolved("key_document_unreadable", "PEM")
        return read_pem(text)


def _is_out_of_reach(error: CredentialError) -> bool:
    unread = isinstance(error, KeyNotResolved) and error.reason == "key_document_unreadable"
    return unread or isinstance(error, DocumentUnavailable)


# --- A badge of 3.0 converted to Open Badges 2.0, hosted, for platforms that read nothing newer
#
# It proves nothing that the signed badge does not: its trust comes from the URL that serves it.

_ALIGNMENT: Final = ("targetName", "targetUrl", "targetDescription", "targetFramework", "targetCode")
_EVIDENCE: Final = ("id", "name", "narrative", "description", "genre", "audience")


@dataclass(frozen=True)
class LegacyPointers:
    """Where the three documents are served; `all_assertions` is the prefix of every assertion's URL."""

    assertion: str
    badge_class: str
    issuer: str
    all_assertions: str


def assertion_of(
    credential: JsonObject, places: LegacyPointers, *, image: str, recipient: JsonObject | None = None
) -> JsonObject:
    """H-003, H-008: the recipient is the URN of the signed badge, in plain text, never the holder's e-mail
    address.

    `recipient` is the identity the holder chose instead: the hash of an e-mail address, never the address.
    """
    subject = _object(credential.get("credentialSubject"))
    written: JsonObject = {
        "@context": CONTEXT_2,
        "type": "Assertion",
        "id": places.assertion,
        "recipient": recipient or {"type": "url", "hashed": False, "identity": subject.get("id")},
        "badge": places.badge_class,
        "issuedOn": credential.get("awardedDate") or credential.get("validFrom"),
        "verification": {"type": "HostedBadge"},
        "image": image,
        "evidence": _evidence(credential),
    }
    if "validUntil" in credential:
        written["expires"] = credential["validUntil"]
    return written


def revoked_assertion(places: LegacyPointers, *, reason: str = "") -> JsonObject:
    """H-005: the body served with 410 Gone."""
    reason_given: JsonObject = {"revocationReason": reason} if reason else {}
    return {
        "@context": CONTEXT_2,
        "type": "Assertion",
        "id": places.assertion,
        "revoked": True,
        **reason_given,
    }


def badge_class_of(achievement: JsonObject, places: LegacyPointers) -> JsonObject:
    written: JsonObject = {
        "@context": CONTEXT_2,
        "type": "BadgeClass",
        "id": places.badge_class,
        "name": achievement.get("name"),
        "description": achievement.get("description"),
        "image": _object(achievement.get("image")).get("id"),
        "criteria": {
            name: value
            for name, value in _object(achievement.get("criteria")).items()
            if name in ("id", "narrative")
        },
        "issuer": places.issuer,
    }
    alignments = [_only(each, _ALIGNMENT) for each in _objects(achievement.get("alignment"))]
    more: JsonObject = {
        "alignment": [*alignments],
        "tags": achievement.get("tag"),
        "version": achievement.get("version"),
        "@language": achievement.get("inLanguage"),
    }
    return written | {name: value for name, value in more.items() if value}


def issuer_of(profile: JsonObject, places: LegacyPointers) -> JsonObject:
    written = _only(profile, ("name", "url", "email", "description"))
    return {
        "@context": CONTEXT_2,
        "type": "Issuer",
        "id": places.issuer,
        **written,
        "verification": {"type": "VerificationObject", "startsWith": places.all_assertions},
    }


def _evidence(credential: JsonObject) -> list[JsonValue]:
    """The award's evidence, with the signed badge itself as the first item."""
    signed: JsonObject = {
        "id": credential.get("id"),
        "name": "Open Badges 3.0",
        "genre": "OpenBadgeCredential",
    }
    return [signed, *(_only(each, _EVIDENCE) for each in _objects(credential.get("evidence")))]


def _only(value: JsonObject, members: tuple[str, ...]) -> JsonObject:
    return {name: value[name] for name in members if name in value}


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
