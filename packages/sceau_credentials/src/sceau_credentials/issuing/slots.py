"""The slots in which credentials of one badge differ: identifiers, status index, holder's name, evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sceau_credentials.canonical import canonical_bytes
from sceau_credentials.canonical.templates import MARK_SIGN, Template, mark
from sceau_credentials.errors import CredentialError, MalformedInput, NotCovered
from sceau_credentials.keys import VerificationKey, decode_base64url, decode_multibase
from sceau_credentials.proofs.data_integrity import digest, digest_of_options
from sceau_credentials.proofs.vc_jwt import claim_problems, claims_of, credential_of, parse_compact_jws
from sceau_credentials.values import JsonObject, JsonValue, dump_json, is_our_form, parse_json_object

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_LAST: Final = 36  # characters of an identifier are its UUID
_ENDS_WITH_UUID: Final = re.compile(rf"[/:]{_UUID}", re.ASCII)
_PART_OF_A_PAGE: Final = re.compile(r"#[a-z]{1,20}", re.ASCII)
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{40,120}", re.ASCII)
_DATES: Final = ("validFrom", "validUntil", "awardedDate")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
# Letters of European languages and the punctuation of their texts: no character that reverses, hides or
# combines, no markup, no e-mail address. Texts with any other character go through every lint.
_EASY: Final = re.compile(
    r"(?=\S)[\n\t\x20-\x3b=?A-~\u00a0-\u00ac\u00ae-\u02ff\u0391-\u03a9\u03b1-\u03c9\u0410-\u044f"
    r"\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u202f]{1,300}"
)
_NAMES: Final = frozenset({"name", "identityHash"})  # on one line
_FEW_CHARACTERS: Final = 2_000
_RETIRED: Final = "1EdTechRevocationList"  # a term that is rejected anywhere


@dataclass
class Slotted:
    """A credential split into what it shares with others (with marks in it), and its own values."""

    marked: JsonObject
    values: list[str] = field(default_factory=list)
    marks: int = 0
    dates: int = 0
    """How many of the values, the last ones, are dates."""
    is_easy: bool = True
    """Whether no lint could find in these values what it does not find in those of another such credential.
    """

    def own_dates(self) -> tuple[str, ...]:
        return tuple(self.values[len(self.values) - self.dates :])

    def repeats(self) -> tuple[int, ...]:
        """For each value but the dates, the first that equals it."""
        first: dict[str, int] = {}
        own = self.values[: len(self.values) - self.dates]
        return tuple([first.setdefault(value, at) for at, value in enumerate(own)])

    def take_end(self, owner: JsonObject, member: str, prefix: str, value: str, suffix: str = "") -> None:
        owner[member] = prefix + mark(len(self.values)) + suffix
        self.values.append(value)
        self.marks += 1

    def take_text(self, owner: JsonObject, member: str) -> None:
        text = owner[member]
        if not isinstance(text, str):
            raise NotCovered
        is_easy = _EASY.fullmatch(text) is not None and text != _RETIRED
        is_line = member not in _NAMES or ("\n" not in text and "\t" not in text)
        self.is_easy = self.is_easy and is_easy and is_line
        self.take_end(owner, member, "", text)


def extract(document: JsonObject) -> Slotted:
    """NotCovered for a document that is not structured like the badges issued here.

    Only the end of an identifier varies, so that scheme, host and status list stay in the shared part.
    """
    placed = Slotted(dict(document))
    marked = placed.marked
    subject = marked["credentialSubject"] = _copy(marked.get("credentialSubject"))
    for owner in (marked, subject):
        placed.take_end(owner, "id", *_split_uuid(owner.get("id")))
    if "credentialStatus" in marked:
        marked["credentialStatus"] = _take_index(placed, _copy(marked["credentialStatus"]))
    if "identifier" in subject:
        subject["identifier"] = [_take_name(placed, each) for each in _list(subject["identifier"])]
    if "evidence" in marked:
        marked["evidence"] = [_take_evidence(placed, each) for each in _list(marked["evidence"])]
    if "relatedResource" in marked:
        marked["relatedResource"] = [
            _take_resource(placed, each) for each in _list(marked["relatedResource"])
        ]
    placed.is_easy = placed.is_easy and sum(map(len, placed.values)) <= _FEW_CHARACTERS
    return placed


def take_apart_with_dates(document: JsonObject) -> Slotted:
    """As `extract`, for credentials of one badge issued at different times."""
    placed = extract(document)
    for member in _DATES:
        date = document.get(member)
        if isinstance(date, str) and is_our_form(date):
            placed.take_end(placed.marked, member, "", date)
            placed.dates += 1
    return placed


def _take_index(placed: Slotted, status: JsonObject) -> JsonObject:
    index, url = status.get("statusListIndex"), status.get("statusListCredential")
    if not isinstance(index, str) or not _INDEX.fullmatch(index) or status.get("id") != f"{url}#{index}":
        raise NotCovered
    status["statusListIndex"] = mark(len(placed.values))
    placed.marks += 1
    placed.take_end(status, "id", f"{url}#", index)
    return status


def _take_name(placed: Slotted, entry: JsonValue) -> JsonObject:
    identifier = _copy(entry)
    if identifier.get("hashed") is False and "identityHash" in identifier:
        placed.take_text(identifier, "identityHash")
    return identifier


def _take_evidence(placed: Slotted, entry: JsonValue) -> JsonObject:
    evidence = _copy(entry)
    identifier = evidence.get("id")
    if isinstance(identifier, str):
        page, sign, part = identifier.partition("#")
        if _PART_OF_A_PAGE.fullmatch(sign + part) and _ends_with_uuid(page):
            placed.take_end(evidence, "id", *_split_uuid(page), sign + part)
    if "narrative" in evidence:
        placed.take_text(evidence, "narrative")
    return evidence


def _take_resource(placed: Slotted, entry: JsonValue) -> JsonObject:
    resource = _copy(entry)
    digest = resource.get("digestMultibase")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise NotCovered
    placed.take_end(resource, "id", *_split_uuid(resource.get("id")))
    placed.take_end(resource, "digestMultibase", "", digest)
    return resource


def _copy(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise NotCovered
    return dict(value)


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise NotCovered
    return value


def _split_uuid(identifier: JsonValue) -> tuple[str, str]:
    if not isinstance(identifier, str) or not _ends_with_uuid(identifier):
        raise NotCovered
    return identifier[:-_LAST], identifier[-_LAST:]


def _ends_with_uuid(identifier: str) -> bool:
    return _ENDS_WITH_UUID.fullmatch(identifier, max(0, len(identifier) - _LAST - 1)) is not None


# --- The canonical form of credentials that come one at a time: by a template where similar ones came
# before

_SIGN: Final = MARK_SIGN.encode()
_ANEW_EVERY: Final = 128


@dataclass
class Kind:
    """Documents that differ in their values only."""

    met: int = 0
    template: Template | None = None

    def meet(self) -> int:
        """One more of them; returns how many there were."""
        self.met += 1
        return self.met


class TemplatedForms:
    """Caches a limited number of templates, each made for the second document of its kind, so single ones
    cost nothing.

    A template is stored only where it agrees with the general path for that document; the general path is
    used again for every 128th after it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kinds: dict[bytes, Kind] = {}

    def kind_of(self, shared: bytes) -> Kind | None:
        return self._kinds.get(shared)

    def canonical_bytes(self, document: JsonObject, shared: bytes, placed: Slotted) -> bytes | None:
        """None if the general path must be used. `shared` is the serialised marked part of the document."""
        kind = self._kinds.get(shared)
        if kind is None:
            if len(self._kinds) >= self._most:
                self._kinds.clear()
            kind = self._kinds[shared] = Kind()
        met = kind.meet()
        try:
            if met == 2 and shared.count(_SIGN) == placed.marks:
                # Its own text resembling a mark would be taken for one.
                kind.template = _template_of(document, placed)
            if kind.template is None or met % _ANEW_EVERY == 0:
                return None
            return kind.template.canonical_bytes(placed.values)
        except NotCovered:
            return None


def _template_of(document: JsonObject, placed: Slotted) -> Template | None:
    template = Template(placed.marked)
    try:
        says_the_same = template.canonical_bytes(placed.values) == canonical_bytes(document)
    except CredentialError:
        return None
    return template if says_the_same else None


# --- Whether stored credentials still hold: both forms against their issuer's keys, and one form against
# the other
#
# The checks are the verifier's. The shared part of one badge's credentials is canonicalised once, as in
# issuing.

_MOST_PATTERNS: Final = 1_024


class StoredFault(StrEnum):
    UNREADABLE = "unreadable"
    EMBEDDED_SIGNATURE = "embedded_signature"
    TOKEN_SIGNATURE = "token_signature"  # noqa: S105
    UNKNOWN_KEY = "unknown_key"
    FORMS_DIFFER = "forms_differ"


@dataclass(frozen=True)
class Checked:
    """The content of the embedded form, without its proof; None where it cannot be read."""

    document: JsonObject | None
    faults: tuple[StoredFault, ...]


class StoredCredentials:
    """`keys`: all keys the issuers ever published, by verification method, under both of a key's names."""

    def __init__(self, keys: Mapping[str, VerificationKey]) -> None:
        self._keys = keys
        self._forms = TemplatedForms(_MOST_PATTERNS)
        self._headers: dict[str, VerificationKey | None] = {}

    def check(self, embedded: bytes, token: str) -> Checked:
        try:
            document = parse_json_object(embedded)
            proof = document.pop("proof", None)
            if isinstance(proof, list) and len(proof) == 1:
                proof = proof[0]
            if not isinstance(proof, dict):
                return Checked(document, (StoredFault.EMBEDDED_SIGNATURE,))
            faults = [self._of_embedded(document, dict(proof)), self._of_token(document, embedded, token)]
        except (CredentialError, ValueError, UnicodeDecodeError):
            return Checked(None, (StoredFault.UNREADABLE,))
        return Checked(document, tuple(fault for fault in faults if fault is not None))

    def _of_embedded(self, document: JsonObject, proof: JsonObject) -> StoredFault | None:
        value, method = proof.pop("proofValue", None), proof.get("verificationMethod")
        key = self._keys.get(method) if isinstance(method, str) else None
        if key is None:
            return StoredFault.UNKNOWN_KEY
        if proof.get("cryptosuite") != "eddsa-rdfc-2022" or not isinstance(value, str):
            return StoredFault.EMBEDDED_SIGNATURE
        try:
            data = digest_of_options(document, proof) + digest(self._canonical(document))
            holds = key.verify(decode_multibase(value, "z"), data)
        except CredentialError:
            holds = False
        return None if holds else StoredFault.EMBEDDED_SIGNATURE

    def _of_token(self, document: JsonObject, embedded: bytes, token: str) -> StoredFault | None:
        text, _, signature = token.rpartition(".")
        header, _, payload = text.partition(".")
        key = self._key_of(header, token)
        if key is None:
            return StoredFault.UNKNOWN_KEY
        if not key.verify(decode_base64url(signature), text.encode()):
            return StoredFault.TOKEN_SIGNATURE
        said = decode_base64url(payload)
        # As issued: the same members in the same order, then the proof in one form and the claims in the other.
        written = embedded[: embedded.rfind(b',"proof":')]
        if said == b"".join((written, b",", dump_json(claims_of(document))[1:])):
            return None
        claims = parse_json_object(said)
        if credential_of(claims) != document or claim_problems(claims):
            return StoredFault.FORMS_DIFFER
        return None

    def _key_of(self, header: str, token: str) -> VerificationKey | None:
        if header not in self._headers:
            if len(self._headers) >= _MOST_PATTERNS:
                self._headers.clear()
            kid = parse_compact_jws(token).kid
            self._headers[header] = self._keys.get(kid) if kid else None
        return self._headers[header]

    def _canonical(self, document: JsonObject) -> bytes:
        try:
            placed = take_apart_with_dates(document)
            known = self._forms.canonical_bytes(document, dump_json(placed.marked), placed)
        except (NotCovered, MalformedInput):
            known = None
        return canonical_bytes(document) if known is None else known
