"""A network's list of the issuers it recognises, as a Verifiable Credential that the network signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from sceau_credentials.errors import NotFitToSign
from sceau_credentials.issuing.lints import text_faults_of
from sceau_credentials.keys import Signer
from sceau_credentials.proofs.data_integrity import add_plain_proof
from sceau_credentials.values.json_text import JsonObject, dump_json
from sceau_credentials.values.timestamps import format_timestamp
from sceau_credentials.values.vocabulary import CONTEXT_V2

LIST_TYPE: Final = "RecognisedIssuersCredential"
SUBJECT_TYPE: Final = "RecognisedIssuers"
ENTRY_TYPE: Final = "RecognisedIssuer"
LABEL_TYPE: Final = "GivenLabel"


class Standing(StrEnum):
    """The network's opinion of an issuer that it lists."""

    RECOGNISED = "recognised"
    SUSPENDED = "suspended"
    ENDED = "ended"


@dataclass(frozen=True)
class GivenLabel:
    """`url` is where the label itself is, signed."""

    url: str
    category: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """The first datetime at which it no longer holds."""


@dataclass(frozen=True)
class Entry:
    """One issuer: `id` as in its badges, `domain` its official site, `keys` SHA-256 thumbprints (RFC 7638)."""

    id: str
    name: str
    standing: Standing = Standing.RECOGNISED
    short_name: str = ""
    domain: str = ""
    keys: tuple[str, ...] = ()
    """If not empty, no other key is valid for the issuer."""
    since: datetime | None = None
    until: datetime | None = None
    """Since when the standing applies, if that is no longer recognised."""
    labels: tuple[GivenLabel, ...] = ()


@dataclass(frozen=True)
class TrustList:
    """The content of one edition. `sequence` only increases: of two editions the larger is the newer."""

    url: str
    issuer: str
    name: str
    sequence: int
    valid_from: datetime
    valid_until: datetime
    entries: tuple[Entry, ...]
    key: str = ""
    """The network's current key, as Multikey: a replaced key announces it by signing beside it."""

    def find(self, issuer_id: str) -> Entry | None:
        return self._by_id.get(issuer_id)

    def is_current(self, at: datetime) -> bool:
        """An edition from after `at` is current too: it is read to check an earlier day."""
        return at < self.valid_until

    @cached_property
    def _by_id(self) -> Mapping[str, Entry]:
        return {entry.id: entry for entry in self.entries}


def sign_trust_list(
    edition: TrustList,
    *,
    page: str,
    context: str,
    signer: Signer,
    at: datetime,
    beside: Signer | None = None,
) -> bytes:
    """The signed edition; `page` is for people, `context` the URL that defines the list's terms.

    `beside`: a recently replaced key, for readers that pinned it.

    The suite is eddsa-jcs-2022: a list of thousands of issuers is checked without JSON-LD expansion.
    NotFitToSign where a name or a link in it may not be signed.
    """
    document = _document(edition, page, context)
    if faults := text_faults_of(document, signer=signer, at=at):
        raise NotFitToSign(faults)
    for each in (signer, beside):
        document = add_plain_proof(document, signer=each, created=at) if each else document
    return dump_json(document)


def _document(edition: TrustList, page: str, context: str) -> JsonObject:
    return {
        "@context": [CONTEXT_V2, context],
        "id": edition.url,
        "type": ["VerifiableCredential", LIST_TYPE],
        "name": edition.name,
        "issuer": {"id": edition.issuer, "name": edition.name},
        "validFrom": format_timestamp(edition.valid_from),
        "validUntil": format_timestamp(edition.valid_until),
        "credentialSubject": {
            "id": page,
            "type": SUBJECT_TYPE,
            "sequence": edition.sequence,
            **({"networkKey": edition.key} if edition.key else {}),
            "issuers": [_entry(entry) for entry in edition.entries],
        },
    }


def _entry(entry: Entry) -> JsonObject:
    said: JsonObject = {
        "id": entry.id,
        "type": ENTRY_TYPE,
        "name": entry.name,
        "standing": entry.standing.value,
    }
    if entry.short_name:
        said["shortName"] = entry.short_name
    if entry.domain:
        said["domain"] = entry.domain
    if entry.keys:
        said["keyThumbprints"] = list(entry.keys)
    for member, moment in (("since", entry.since), ("until", entry.until)):
        if moment is not None:
            said[member] = format_timestamp(moment)
    if entry.labels:
        said["labels"] = [_label(label) for label in entry.labels]
    return said


def _label(label: GivenLabel) -> JsonObject:
    said: JsonObject = {"id": label.url, "type": LABEL_TYPE, "category": label.category}
    for member, moment in (("validFrom", label.valid_from), ("validUntil", label.valid_until)):
        if moment is not None:
            said[member] = format_timestamp(moment)
    return said
