"""Check the evidence that a credential names. Every failure becomes an outcome; nothing is raised."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
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
from sceau_credentials.evidence.documents import TYPE, Evidence, ProvedEvidence, check_evidence, disclosed
from sceau_credentials.evidence.log_keys import WITNESSES, Witnessed, log_key_of, witnessed
from sceau_credentials.keys import encode_base64url
from sceau_credentials.values.documents import DocumentSource, FetchedDocument
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object

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
