"""Which issuers a network recognises: its signed list, written and read, and names that resemble those on it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Final, TypeVar

from sceau_credentials.errors import (
    CodedError,
    CredentialError,
    KeyNotResolved,
    MalformedInput,
    NotFitToSign,
    UnusableKey,
)
from sceau_credentials.issuing.lints import text_faults_of
from sceau_credentials.issuing.lints.wording import holds_markup, is_unseen
from sceau_credentials.keys import Signer, VerificationKey
from sceau_credentials.proofs.data_integrity import add_plain_proof, verify_proofs
from sceau_credentials.values import (
    CONTEXT_V2,
    JsonObject,
    JsonValue,
    check_aware,
    dump_json,
    format_timestamp,
    parse_json_object,
    parse_timestamp,
    shifted,
)
from sceau_credentials.verification.checks import domain_of

__all__ = [
    "Entry",
    "GivenLabel",
    "Likeness",
    "PinnedNetwork",
    "Resemblance",
    "Standing",
    "TrustList",
    "TrustListRefused",
    "read_trust_list",
    "resemblance",
    "sign_trust_list",
]

# --- A network's list of the issuers it recognises, as a Verifiable Credential that the network signs

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
            "issuers": [_write_entry(entry) for entry in edition.entries],
        },
    }


def _write_entry(entry: Entry) -> JsonObject:
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
        said["labels"] = [_write_label(label) for label in entry.labels]
    return said


def _write_label(label: GivenLabel) -> JsonObject:
    said: JsonObject = {"id": label.url, "type": LABEL_TYPE, "category": label.category}
    for member, moment in (("validFrom", label.valid_from), ("validUntil", label.valid_until)):
        if moment is not None:
            said[member] = format_timestamp(moment)
    return said


# --- Read a network's list from elsewhere: accepted only under the key that was pinned for it

MOST_BYTES: Final = 1024 * 1024
MOST_ENTRIES: Final = 2_000
_MOST_OF_ONE: Final = 20
_LONGEST: Final = 300
_LONGEST_ID: Final = 600
_MOST_PROOFS: Final = 3
_AHEAD: Final = timedelta(minutes=5)

T = TypeVar("T")


@dataclass(frozen=True)
class PinnedNetwork:
    """A followed network: its key, received out of band, and its identifier once known."""

    key: VerificationKey
    issuer: str = ""


class TrustListRefused(CodedError):
    """A rejected list; `reason` is a stable code."""


def read_trust_list(data: bytes, pinned: PinnedNetwork, *, at: datetime, not_below: int = 0) -> TrustList:
    """The list's content, if the pinned network signed it and it is no older than edition `not_below`.

    An expired edition is read all the same: callers that rely on it check `is_current`. `at` must be
    timezone-aware, else ValueError.
    """
    check_aware(at)
    document = _parsed(data)
    listed = _list_of(document)
    if listed.issuer != (pinned.issuer or listed.issuer):
        raise TrustListRefused("other_network", listed.issuer[:_LONGEST])
    _check_signed(document, listed.issuer, pinned.key, at)
    if listed.sequence < not_below:
        raise TrustListRefused("older_than_known", f"{listed.sequence} < {not_below}")
    if listed.valid_from > shifted(at, _AHEAD):
        raise TrustListRefused("from_the_future")
    return listed


def parse_trust_list(data: bytes) -> TrustList:
    """The content alone, of a list from one's own store: nothing is verified. Raises TrustListRefused."""
    return _list_of(_parsed(data))


def _parsed(data: bytes) -> JsonObject:
    if len(data) > MOST_BYTES:
        raise TrustListRefused("too_large", str(len(data)))
    try:
        return parse_json_object(data, max_bytes=MOST_BYTES)
    except MalformedInput as error:
        raise TrustListRefused("malformed", error.reason) from error


def _check_signed(document: JsonObject, issuer: str, key: VerificationKey, at: datetime) -> None:
    def key_for(method: str) -> VerificationKey:
        if method.partition("#")[0] != issuer:
            raise KeyNotResolved("key_not_bound_to_issuer")
        return key

    # Another key of the network may have signed beside the pinned one, and cannot be checked here: each proof
    # alone.
    written = document.get("proof")
    troubles = []
    for proof in written[:_MOST_PROOFS] if isinstance(written, list) else [written]:
        try:
            proofs = verify_proofs(document | {"proof": proof}, key_for=key_for, at=at)
        except CredentialError as error:
            troubles.append(str(error))
            continue
        if proofs.accepted is not None:
            return
        troubles.append(str(proofs.error))
    raise TrustListRefused("not_signed_by_the_network", troubles[0][:_LONGEST] if troubles else "")


def _list_of(document: JsonObject) -> TrustList:
    subject = _object(document, "credentialSubject")
    types = document.get("type")
    if not isinstance(types, list) or LIST_TYPE not in types:
        raise TrustListRefused("malformed", "type")
    sequence = subject.get("sequence")
    if isinstance(sequence, bool) or not isinstance(sequence, int) or not 0 < sequence < 2**53:
        raise TrustListRefused("malformed", "sequence")
    entries = tuple(_read_entry(each) for each in _objects(subject, "issuers", MOST_ENTRIES))
    if len({entry.id for entry in entries}) != len(entries):
        raise TrustListRefused("named_twice")
    return TrustList(
        url=_text(document, "id", _LONGEST_ID),
        issuer=_text(_object(document, "issuer"), "id", _LONGEST_ID),
        name=_name(document, "name"),
        sequence=sequence,
        valid_from=_needed(_moment(document, "validFrom"), "validFrom"),
        valid_until=_needed(_moment(document, "validUntil"), "validUntil"),
        entries=entries,
        key=_network_key(subject),
    )


def _network_key(subject: JsonObject) -> str:
    """Empty where the list has none, as in earlier versions."""
    if "networkKey" not in subject:
        return ""
    try:
        return VerificationKey.from_multikey(_text(subject, "networkKey")).to_multikey()
    except UnusableKey:
        raise TrustListRefused("malformed", "networkKey") from None


def _read_entry(said: JsonObject) -> Entry:
    try:
        standing = Standing(_text(said, "standing"))
    except ValueError:
        raise TrustListRefused("malformed", "standing") from None
    return Entry(
        id=_text(said, "id", _LONGEST_ID),
        name=_name(said, "name"),
        standing=standing,
        short_name=_name(said, "shortName") if "shortName" in said else "",
        domain=_text(said, "domain") if "domain" in said else "",
        keys=_texts(said, "keyThumbprints"),
        since=_moment(said, "since"),
        until=_moment(said, "until"),
        labels=tuple(_read_label(each) for each in _objects(said, "labels", _MOST_OF_ONE)),
    )


def _read_label(said: JsonObject) -> GivenLabel:
    return GivenLabel(
        url=_text(said, "id", _LONGEST_ID),
        category=_text(said, "category"),
        valid_from=_moment(said, "validFrom"),
        valid_until=_moment(said, "validUntil"),
    )


def _name(said: JsonObject, member: str) -> str:
    """Without markup and invisible characters."""
    value = _text(said, member)
    if holds_markup(value) or any(map(is_unseen, value)):
        raise TrustListRefused("malformed", member)
    return value


def _text(said: JsonObject, member: str, longest: int = _LONGEST) -> str:
    value = said.get(member)
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise TrustListRefused("malformed", member)
    return value


def _texts(said: JsonObject, member: str) -> tuple[str, ...]:
    values = said.get(member, [])
    if not isinstance(values, list) or len(values) > _MOST_OF_ONE:
        raise TrustListRefused("malformed", member)
    texts = tuple(each for each in values if isinstance(each, str) and 0 < len(each) <= _LONGEST)
    if len(texts) != len(values):
        raise TrustListRefused("malformed", member)
    return texts


def _moment(said: JsonObject, member: str) -> datetime | None:
    if member not in said:
        return None
    try:
        return parse_timestamp(said[member], zone_required=True)
    except MalformedInput:
        raise TrustListRefused("malformed", member) from None


def _needed(value: T | None, member: str) -> T:
    if value is None:
        raise TrustListRefused("malformed", member)
    return value


def _object(said: JsonObject, member: str) -> JsonObject:
    value = said.get(member)
    if not isinstance(value, dict):
        raise TrustListRefused("malformed", member)
    return value


def _objects(said: JsonObject, member: str, most: int) -> list[JsonObject]:
    values: JsonValue = said.get(member, [])
    if not isinstance(values, list):
        raise TrustListRefused("malformed", member)
    if len(values) > most:
        raise TrustListRefused("too_many", member)
    objects = [each for each in values if isinstance(each, dict)]
    if len(objects) != len(values):
        raise TrustListRefused("malformed", member)
    return objects


# --- Issuers outside every list with a name or site that resembles that of a recognised one

_LONGEST_COMPARED: Final = 400
# Beyond the standard's single characters: Latin letters confused in handwriting and on small screens.
_ALIKE: Final = str.maketrans({"i": "l", "j": "l", "1": "l", "|": "l", "0": "o", "5": "s"})
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


@lru_cache(maxsize=16_384)
def skeleton(text: str) -> str:
    """Letters and digits only: no accents, case, hyphens or spaces; each character as the one it resembles."""
    looks = _prototypes()
    shown: list[str] = []
    for sign in unicodedata.normalize("NFKD", text[:_LONGEST_COMPARED]):
        if unicodedata.category(sign)[0] == "M":
            continue
        # A small Cyrillic letter may have no lookalike where its capital has one.
        like = looks.get(sign) or looks.get(sign.upper()) or _in_another_shape(sign)
        shown.extend(each for each in like.casefold() if each.isalnum())
    bare = "".join(shown)
    for pair, one in _PAIRS:
        bare = bare.replace(pair, one)
    return bare.translate(_ALIKE)


def without_unseen(text: str) -> str:
    """The text up to the longest that is compared, without combining marks and invisible characters."""
    return "".join(sign for sign in text if unicodedata.category(sign)[0] not in "MC")[:_LONGEST_COMPARED]


def _in_another_shape(sign: str) -> str:
    """The plain letter of a small capital, or of one in a dark disc or square, which NFKD leaves unchanged."""
    if sign.isascii():
        return sign
    found = _SHAPED.search(unicodedata.name(sign, ""))
    return found[1] if found else sign


_SHAPED: Final = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|(?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER) ([A-Z])$"
)


@cache
def _prototypes() -> Mapping[str, str]:
    table = (files("sceau_credentials.trust") / "confusables.tsv").read_text("utf-8")
    looks = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            like, _, sources = line.partition("\t")
            looks.update({chr(int(code, 16)): like for code in sources.split()})
    return looks


_SHORTEST: Final = 4
_ONE_SLIP, _TWO_SLIPS = 8, 16
"""From this length on, one or two edits still count as a resemblance."""
_BEFORE_THE_NAME: Final = re.compile(
    r"(?:(?<!\s)\s++)?+(?:le\s+)?(?:campus|cmq)\b(?:\s+des\s+m.{1,2}tiers\s+et\s+(?:des\s+)?qualifications?)?(?:\s+d.excellence)?\s*",
    re.IGNORECASE,
)


class Likeness(StrEnum):
    """In what respect another issuer resembles a recognised one."""

    NAME = "name"
    HOST = "host"


@dataclass(frozen=True)
class Resemblance:
    """`known` is the recognised issuer that the other resembles."""

    likeness: Likeness
    known: Entry


def resemblance(entries: Iterable[Entry], *, issuer: str, name: str) -> Resemblance | None:
    """The listed issuer that this one resembles; None for one that is on the list itself, or resembles none."""
    known = tuple(entries)
    if any(entry.id == issuer for entry in known):
        return None
    host = domain_of(issuer) or ""
    for entry in known:
        if host and any(_hosts_alike(host, theirs) for theirs in _hosts_of(entry)):
            return Resemblance(Likeness.HOST, entry)
    # A name that begins with hundreds of invisible characters is still compared.
    name = without_unseen(name)
    for entry in known:
        if any(names_alike(name, theirs) for theirs in (entry.name, entry.short_name)):
            return Resemblance(Likeness.NAME, entry)
    return None


def names_alike(one: str, other: str) -> bool:
    """Whether a hurried reader confuses the names; the prefix common to all campus names does not count."""
    return _alike(_core(one), _core(other))


def _hosts_alike(host: str, known: str) -> bool:
    """Not where both are one site, or one is below the other: a domain's owner controls its subdomains."""
    if host == known or host.endswith(f".{known}") or known.endswith(f".{host}"):
        return False
    if f".{host}.".find(f".{known}.") == 0:  # badges.exemple.fr.ailleurs.net
        return True
    if _alike(_host_core(host), _host_core(known)):
        return True
    name, known_name = host.rpartition(".")[0], known.rpartition(".")[0]
    return len(known_name) >= _ONE_SLIP and name == known_name


def _hosts_of(entry: Entry) -> Iterator[str]:
    for host in (domain_of(entry.id), domain_of(f"https://{entry.domain}") if entry.domain else None):
        if host:
            yield host


@lru_cache(maxsize=8_192)
def _core(name: str) -> str:
    return skeleton(_BEFORE_THE_NAME.sub("", name, count=1)) or skeleton(name)


@lru_cache(maxsize=8_192)
def _host_core(host: str) -> str:
    labels = host.removeprefix("www.").split(".")
    return skeleton("".join(map(_as_written, labels)))


def _as_written(label: str) -> str:
    """A label of a host as a browser may display it: letters beyond ASCII come as punycode."""
    try:
        return label.removeprefix("xn--").encode().decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def _alike(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    if shorter < _SHORTEST:
        return False
    if one == other:
        return True
    slips = 2 if shorter >= _TWO_SLIPS else 1 if shorter >= _ONE_SLIP else 0
    return slips > 0 and within_slips(one, other, slips)


def within_slips(one: str, other: str, most: int) -> bool:
    """Whether the edit distance (insert, delete, replace, swap neighbours) is at most `most`."""
    if abs(len(one) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, sign in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, theirs in enumerate(other, start=1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (sign != theirs))
            if i > 1 and j > 1 and sign == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return False
    return row[-1] <= most
