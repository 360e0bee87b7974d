"""Read a network's list from elsewhere: accepted only under the key that was pinned for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sceau_credentials.errors import CredentialError, KeyNotResolved, MalformedInput, UnusableKey
from sceau_credentials.issuing.lints.wording import holds_markup, is_unseen
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.trust.lists import LIST_TYPE, Entry, GivenLabel, Standing, TrustList
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.values.timestamps import parse_timestamp, shifted

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


class TrustListRefused(CredentialError):
    """A rejected list; `reason` is a stable code."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}{': ' + detail if detail else ''}")


def read_trust_list(data: bytes, pinned: PinnedNetwork, *, at: datetime, not_below: int = 0) -> TrustList:
    """The list's content, if the pinned network signed it and it is no older than edition `not_below`.

    An expired edition is read all the same: callers that rely on it check `is_current`.
    """
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
    entries = tuple(_entry(each) for each in _objects(subject, "issuers", MOST_ENTRIES))
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


def _entry(said: JsonObject) -> Entry:
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
        labels=tuple(_label(each) for each in _objects(said, "labels", _MOST_OF_ONE)),
    )


def _label(said: JsonObject) -> GivenLabel:
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
