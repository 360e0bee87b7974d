"""Check the evidence that a credential names. Every failure becomes an outcome; nothing is raised."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from sceau_credentials.canonical import canonical_json
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import (
    CredentialError,
    DocumentUnavailable,
    MalformedInput,
    ProofError,
    UnusableKey,
)
from sceau_credentials.evidence.documents import (
    TYPE,
    Evidence,
    LoggedEntry,
    Opening,
    ProvedEvidence,
    check_evidence,
    disclosed,
)
from sceau_credentials.keys import encode_base64url
from sceau_credentials.transparency_log.notes import (
    EntryProof,
    Note,
    NoteKey,
    SignatureType,
    TreeHead,
    consistency_proof,
    decoded_hashes,
    is_consistent,
)
from sceau_credentials.transparency_log.tiles import ReadTile, TiledTree, tiles_read
from sceau_credentials.values import (
    DocumentSource,
    FetchedDocument,
    JsonObject,
    JsonValue,
    format_timestamp,
    parse_json_object,
    parse_timestamp,
)

# --- The successive keys of a log: how each was announced by its predecessor, and which checkpoints it
# vouches for
#
# A log keeps its name when its key changes, and the next key has an id of its own (C2SP signed-note). A
# replaced key signs one last checkpoint, of a tree that holds the entry naming the next. A stolen key announces
# none, and its checkpoints count only where they are consistent with the log as it was before the theft.

KEYS_TYPE: Final = "ActivityLogKeys"
FILE: Final = "keys"
MOST_KEYS: Final = 200
_TERM: Final = {"key", "state", "from"}
_NOT_THERE: Final = ("not_found", "not_in_package")


class LogKeyState(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"
    """May have been compromised since `ended`."""


@dataclass(frozen=True)
class Announcement:
    """The entry that names a key, in a tree signed by its predecessor."""

    entry: LoggedEntry
    opening: Opening
    checkpoint: Note

    @property
    def head(self) -> TreeHead:
        return TreeHead.from_text(self.checkpoint.text)

    def names(self, following: NoteKey, *, signed_by: NoteKey) -> bool:
        """Whether `signed_by` announced `following` as its successor; faults in it give False."""
        try:
            head = self.head
            signed = self.checkpoint.signed_by([signed_by])
            said = self.opening.checked(self.entry.leaf.commitment)
        except (MalformedInput, ProofError):
            return False
        return (
            bool(signed)
            and head.origin == signed_by.name == following.name
            and self.entry.is_in(head)
            and (said.get("purpose"), said.get("state")) == ("activity_log", "active")
            and said.get("thumbprint") == following.public.thumbprint()
        )

    def to_document(self) -> JsonObject:
        entry = parse_json_object(self.entry.to_bytes(self.opening))
        return {"entry": entry, "checkpoint": self.checkpoint.to_text()}

    @classmethod
    def from_document(cls, document: Any, pointer: str) -> Announcement:
        entry = document.get("entry") if isinstance(document, dict) else None
        if not isinstance(entry, dict) or not isinstance(document.get("checkpoint"), str):
            raise MalformedInput("malformed_log_keys", pointer)
        rest = {name: value for name, value in entry.items() if name != "opening"}
        return cls(
            LoggedEntry.from_document(rest, f"{pointer}/entry"),
            Opening.from_document(entry.get("opening")),
            Note.from_text(document["checkpoint"]),
        )


@dataclass(frozen=True)
class LogKeyTerm:
    """A key of the log with its period; `last` is the largest tree that it vouches for, where that is known."""

    key: NoteKey
    state: LogKeyState
    since: datetime
    ended: datetime | None = None
    last: TreeHead | None = None
    announcement: Announcement | None = None

    def vouches_for(self, head: TreeHead, read: ReadTile) -> bool:
        """Whether a checkpoint that this key signed counts.

        A checkpoint of a former key counts where it is a prefix of the last tree that the key vouches for,
        which the log's files prove. So earlier checkpoints stay valid, and nothing a thief signs becomes
        valid, whether or not the theft is known. Of a key replaced without known theft, the files may be
        missing.
        """
        gave_way = self.state is LogKeyState.RETIRED
        if self.state is LogKeyState.ACTIVE or (gave_way and self.last is None):
            return True
        if self.last is None or not 0 < head.size <= self.last.size:
            return False
        try:
            return self._began_as(head, self.last, read)
        except DocumentUnavailable as error:
            if gave_way and error.reason in _NOT_THERE:
                return True
            raise

    @staticmethod
    def _began_as(head: TreeHead, last: TreeHead, read: ReadTile) -> bool:
        proof = consistency_proof(TiledTree(read, last.size), head.size, last.size)
        return is_consistent(head.size, last.size, proof, head.root, last.root)

    def to_document(self) -> JsonObject:
        document: JsonObject = {
            "key": self.key.to_vkey(),
            "state": self.state.value,
            "from": format_timestamp(self.since),
        }
        if self.ended is not None:
            document["ended"] = format_timestamp(self.ended)
        if self.last is not None:
            document["last"] = {"size": self.last.size, "root": base64.b64encode(self.last.root).decode()}
        if self.announcement is not None:
            document["announcement"] = self.announcement.to_document()
        return document

    @classmethod
    def from_document(cls, document: Any, origin: str, pointer: str) -> LogKeyTerm:
        if not isinstance(document, dict) or not document.keys() >= _TERM:
            raise MalformedInput("malformed_log_keys", pointer)
        if document["state"] not in set(LogKeyState) or not isinstance(document["key"], str):
            raise MalformedInput("malformed_log_keys", pointer)
        key = NoteKey.from_vkey(document["key"])
        if key.name != origin:
            raise MalformedInput("malformed_log_keys", f"{pointer}/key", "of another log")
        ended, announced = document.get("ended"), document.get("announcement")
        return cls(
            key,
            LogKeyState(document["state"]),
            parse_timestamp(document["from"]),
            None if ended is None else parse_timestamp(ended),
            _last(document.get("last"), origin, f"{pointer}/last"),
            None if announced is None else Announcement.from_document(announced, f"{pointer}/announcement"),
        )


def _last(document: Any, origin: str, pointer: str) -> TreeHead | None:
    if document is None:
        return None
    size, root = (document.get(name) for name in ("size", "root")) if isinstance(document, dict) else (0, 0)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(root, str):
        raise MalformedInput("malformed_log_keys", pointer)
    return TreeHead(origin, size, *decoded_hashes([root]))


@dataclass(frozen=True)
class LogKeys:
    """All keys of one log, oldest first."""

    origin: str
    terms: Sequence[LogKeyTerm]

    def to_bytes(self) -> bytes:
        keys = [each.to_document() for each in self.terms]
        return canonical_json({"type": KEYS_TYPE, "origin": self.origin, "keys": [*keys]})

    @classmethod
    def from_bytes(cls, encoded: bytes) -> LogKeys:
        """Inverse of `to_bytes`; MalformedInput for anything else."""
        document = parse_json_object(encoded)
        origin, keys = document.get("origin"), document.get("keys")
        if document.get("type") != KEYS_TYPE or not isinstance(origin, str):
            raise MalformedInput("malformed_log_keys")
        if not isinstance(keys, list) or len(keys) > MOST_KEYS:
            raise MalformedInput("malformed_log_keys", "/keys")
        return cls(
            origin,
            tuple(LogKeyTerm.from_document(each, origin, f"/keys/{at}") for at, each in enumerate(keys)),
        )

    def signed(self, note: Note) -> LogKeyTerm | None:
        """The newest of these keys that signed the note."""
        return next((each for each in reversed(self.terms) if note.signed_by([each.key])), None)

    def announced_after(self, key: NoteKey) -> Iterable[LogKeyTerm]:
        """The successors of `key`, as far as each was announced by its predecessor."""
        found = [at for at, each in enumerate(self.terms) if each.key == key]
        for term in self.terms[found[0] + 1 :] if found else ():
            if term.announcement is None or not term.announcement.names(term.key, signed_by=key):
                return
            yield term
            key = term.key


def log_key_of(checkpoint: Note, documents: DocumentSource) -> NoteKey:
    """The log's key that validly signed this checkpoint: the present one or a former one.

    The log's own URL lists its keys. ProofError where the key was stolen and the checkpoint is not known to
    precede that; DocumentUnavailable where the log does not answer. The present key where none of them
    signed.
    """
    head = TreeHead.from_text(checkpoint.text)
    place = f"https://{head.origin}/"
    current = NoteKey.from_vkey(documents.fetch(f"{place}key", accept="text/plain").body.decode("ascii"))
    if checkpoint.signed_by([current]):
        return current
    try:
        keys = LogKeys.from_bytes(documents.fetch(place + FILE).body)
    except DocumentUnavailable as error:
        if error.reason in _NOT_THERE:
            return current
        raise
    term = keys.signed(checkpoint) if keys.origin == head.origin else None
    if term is None:
        return current
    read = tiles_read(lambda path: documents.fetch(place + path, accept="application/octet-stream").body)
    if not _vouches(term, head, read):
        raise ProofError("checkpoint_of_a_stolen_key")
    return term.key


def _vouches(term: LogKeyTerm, head: TreeHead, read: ReadTile) -> bool:
    try:
        return term.vouches_for(head, read)
    except DocumentUnavailable:
        raise
    except CredentialError:
        return False


WITNESS_TYPE: Final = "ActivityLogWitnesses"
WITNESSES: Final = "/temoins"
"""Suffix of the document's URL where witnesses are served: separate, since they sign later."""
MOST_WITNESSES: Final = 16
_LONGEST_NAME: Final = 200


@dataclass(frozen=True)
class Witnessed:
    """`name` is the campus's name for the witness, `at` the time at which it attests to the award in the log."""

    name: str
    at: datetime


def witnesses_document(digest: str, seen: Sequence[tuple[str, NoteKey, EntryProof]]) -> bytes:
    """Per witness: its display name, its key, and the proof that the decision is in the tree that it signed."""
    witnesses: list[JsonValue] = [
        {"name": name, "key": key.to_vkey(), "proof": proof.to_text()} for name, key, proof in seen
    ]
    return canonical_json({"type": WITNESS_TYPE, "evidence": digest, "witnesses": witnesses})


def witnessed(
    encoded: bytes,
    evidence: Evidence,
    *,
    digest: str,
    documents: DocumentSource,
    known: Collection[str] | None = None,
) -> list[Witnessed]:
    """The witnesses with a valid proof, earliest first; invalid ones prove nothing and are omitted.

    `known`: verifier keys; where given, no other witness counts.

    MalformedInput where it is not a witnesses document, or belongs to other evidence.
    """
    document = parse_json_object(encoded)
    listed = document.get("witnesses")
    if (
        document.get("type") != WITNESS_TYPE
        or document.get("evidence") != digest
        or not isinstance(listed, list)
    ):
        raise MalformedInput("malformed_witnesses")
    found: dict[str, Witnessed] = {}
    for each in listed[:MOST_WITNESSES]:
        try:
            key, seen = _checked(each, evidence, documents)
        except CredentialError:
            continue
        if seen is not None and (known is None or key in known):
            found.setdefault(key, seen)
    return sorted(found.values(), key=lambda one: (one.at, one.name))


def _checked(document: Any, evidence: Evidence, documents: DocumentSource) -> tuple[str, Witnessed | None]:
    name, vkey, text = (
        document.get(member) if isinstance(document, dict) else None for member in ("name", "key", "proof")
    )
    if not isinstance(name, str) or not isinstance(vkey, str) or not isinstance(text, str):
        raise MalformedInput("malformed_witnesses")
    key, proof = NoteKey.from_vkey(vkey), EntryProof.from_text(text)
    decision = evidence.decision
    in_the_log = (
        proof.head.origin == evidence.head.origin
        and proof.index == decision.index
        and proof.holds_for(decision.leaf.hash())
    )
    if not in_the_log or key.type is not SignatureType.COSIGNATURE:
        return vkey, None
    log = log_key_of(proof.checkpoint, documents)
    signed = {each.key: each.at for each in proof.checkpoint.signed_by([log, key])}
    at = signed.get(key)
    return vkey, Witnessed(name[:_LONGEST_NAME], at) if log in signed and at is not None else None


# --- judging

_UNBOUND: Final = frozenset({"proof", "relatedResource"})
_LOG: Final = re.compile(r"journal(?:/[1-9][0-9]{0,5})?")
SIGNING_KEY: Final = "signingKey"
"""In a decision: thumbprint (RFC 7638) of the key that signs the award; earlier decisions have none."""
SHOWN: Final = "/montrees"
"""Suffix of the document's URL where the holder's disclosure is served."""


class EvidenceOutcome(StrEnum):
    PROVED = "proved"
    FAILED = "failed"
    """A proof does not hold: something was altered."""
    UNREAD = "unread"
    """The document, or the key of the log, could not be fetched: nothing is known either way."""


@dataclass(frozen=True)
class EvidenceReport:
    outcome: EvidenceOutcome
    reason: str = ""
    proved: ProvedEvidence | None = None
    shown: Mapping[int, Mapping[str, JsonValue]] = field(default_factory=dict)
    """The fields the holder discloses of each entry, by its index in the log; each one checked."""
    witnesses: Sequence[Witnessed] | None = None
    """The witnesses that saw the award in the log; None where they could not be read."""

    @property
    def decided_at(self) -> datetime | None:
        return self.proved.decided_at if self.proved else None

    @property
    def signing_key(self) -> str | None:
        """The thumbprint of the key that the decision names; None where it names none."""
        named = self.proved.decided.get(SIGNING_KEY) if self.proved else None
        return named if isinstance(named, str) else None


def content_digest(credential: JsonObject) -> str:
    """SHA-256 of the credential without its proof and the digest of the evidence that names it."""
    said = {name: value for name, value in credential.items() if name not in _UNBOUND}
    return encode_base64url(hashlib.sha256(canonical_json(said)).digest())


def judge_evidence(
    credential: JsonObject,
    *,
    documents: DocumentSource,
    with_what_stands_beside: bool = True,
    known_witnesses: Collection[str] | None = None,
) -> EvidenceReport | None:
    """For a credential as it was signed; None where it names no evidence document.

    `known_witnesses`: verifier keys; where given, no other witness counts.

    Fetches the evidence, the key of the log, the disclosure and the witnesses; for a checkpoint of a former
    key also the log's list of keys, and for a stolen one a few tiles. All are on the issuer's host: a log
    that is not the issuer's own proves nothing of it.
    """
    named = _named(credential)
    issuer = _issuer(credential)
    if named is None or issuer is None:
        return None
    address, digest = named
    if not _lies_with(issuer, address):
        return EvidenceReport(EvidenceOutcome.FAILED, "log_of_somebody_else")
    try:
        fetched = documents.fetch(address)
        encoded, evidence = fetched.body, _evidence_in(fetched)
        if evidence is None:
            return EvidenceReport(EvidenceOutcome.UNREAD, "not_evidence")
        origin = evidence.head.origin
        if not _is_log_of(issuer, origin):
            return EvidenceReport(EvidenceOutcome.FAILED, "log_of_somebody_else")
        try:
            key = log_key_of(evidence.checkpoint, documents)
        except (MalformedInput, UnusableKey, UnicodeDecodeError):
            return EvidenceReport(EvidenceOutcome.UNREAD, "log_key_unreadable")
        proved = check_evidence(
            encoded, digest=digest, award=str(credential.get("id")), log=key, read=evidence
        )
        if proved.decided.get("credential") != content_digest(credential):
            raise ProofError("decision_about_other_content")
        if proved.decided.get("entries") != [entry.index for entry in proved.evidence.entries]:
            raise ProofError("decision_about_other_entries")
    except DocumentUnavailable as error:
        return EvidenceReport(EvidenceOutcome.UNREAD, error.reason)
    except (MalformedInput, ProofError) as error:
        return EvidenceReport(EvidenceOutcome.FAILED, error.reason)
    except (CredentialError, UnicodeDecodeError):
        return EvidenceReport(EvidenceOutcome.FAILED, "malformed_key")
    if not with_what_stands_beside:
        return EvidenceReport(EvidenceOutcome.PROVED, "", proved)
    report = _with_what_is_shown(proved, address, digest, documents)
    return replace(report, witnesses=_witnesses(proved, address, digest, documents, known_witnesses))


def _witnesses(
    proved: ProvedEvidence,
    address: str,
    digest: str,
    documents: DocumentSource,
    known: Collection[str] | None,
) -> Sequence[Witnessed] | None:
    try:
        beside = documents.fetch(address + WITNESSES).body
        return witnessed(beside, proved.evidence, digest=digest, documents=documents, known=known)
    except (DocumentUnavailable, MalformedInput):
        return None


def _with_what_is_shown(
    proved: ProvedEvidence, address: str, digest: str, documents: DocumentSource
) -> EvidenceReport:
    """A disclosure that does not match discloses nothing, and leaves the proof valid."""
    try:
        beside = documents.fetch(address + SHOWN).body
        return EvidenceReport(
            EvidenceOutcome.PROVED, "", proved, disclosed(beside, proved.evidence, digest=digest)
        )
    except DocumentUnavailable:
        return EvidenceReport(EvidenceOutcome.PROVED, "nothing_shown", proved)
    except (MalformedInput, ProofError) as error:
        return EvidenceReport(EvidenceOutcome.PROVED, error.reason, proved)


def _evidence_in(fetched: FetchedDocument) -> Evidence | None:
    """None where the URL serves no such document: an error page proves nothing about the award."""
    if isinstance(fetched.holds, Evidence):
        return fetched.holds
    try:
        document = parse_json_object(fetched.body)
    except MalformedInput:
        return None
    return Evidence.from_document(document) if document.get("type") == TYPE else None


def _named(credential: JsonObject) -> tuple[str, str] | None:
    resources = credential.get("relatedResource")
    for each in resources if isinstance(resources, list) else [resources]:
        if not isinstance(each, dict):
            continue
        address, digest = each.get("id"), each.get("digestMultibase")
        if isinstance(address, str) and isinstance(digest, str) and "/preuves/" in address:
            return address, digest
    return None


def _issuer(credential: JsonObject) -> str | None:
    named = credential.get("issuer")
    identifier = named.get("id") if isinstance(named, dict) else named
    return identifier if isinstance(identifier, str) else None


def _lies_with(issuer: str, address: str) -> bool:
    """Whether that is on the issuer's own host: no other host is contacted."""
    try:
        place = did_web_document_url(issuer) if issuer.startswith("did:web:") else ""
        return bool(place) and urlsplit(place).netloc == urlsplit(address).netloc
    except (CredentialError, ValueError):
        return False


def _is_log_of(issuer: str, origin: str) -> bool:
    """Whether the log's name is under the issuer's own domain and path."""
    try:
        place = did_web_document_url(issuer) if issuer.startswith("did:web:") else ""
    except CredentialError:
        return False
    own = place.removeprefix("https://").removesuffix("did.json")
    return bool(own) and origin.startswith(own) and _LOG.fullmatch(origin.removeprefix(own)) is not None
