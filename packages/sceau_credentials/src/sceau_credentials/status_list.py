"""Bitstring Status List and Token Status List: one bit for each credential ever issued."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import decode_base64url, decode_multibase, encode_base64url, encode_multibase
from sceau_credentials.values import CONTEXT_V2, JsonObject, JsonValue, check_aware, format_timestamp

MINIMUM_SIZE: Final = 131_072  # BSL 3.2: shorter lists reveal too much about which one is checked
MAX_DECOMPRESSED: Final = 2 * 1024 * 1024  # M11: 261 kB of gzip can hold 256 MiB
_MAX_ENCODED: Final = 2 * MAX_DECOMPRESSED
_LEAST_TOO_LARGE: Final = 10**10
# A local trial instance serves its own lists over http; document sources refuse to fetch those.
_LIST_URL: Final = re.compile(r"(?:https://|http://(?:localhost|127\.0\.0\.1):)[\x21-\x7e]{1,2048}", re.ASCII)

Purpose = Literal["revocation", "suspension"]

__all__ = [
    "INVALID",
    "MAX_DECOMPRESSED",
    "MINIMUM_SIZE",
    "SUSPENDED",
    "PublishedList",
    "Purpose",
    "StatusEntry",
    "StatusList",
    "free_index",
    "is_list_url",
    "read_entry",
    "read_list",
    "read_token_list",
    "sequence_of",
    "status_entry",
    "status_list_credential",
    "token_list_claims",
    "token_list_entry",
]


class StatusList:
    """A bit string; index 0 is the most significant bit of the first byte (BSL 2.2).

    `size` counts entries: whole bytes of them, 131,072 at least, else ValueError. `bits` are `size / 8`
    bytes. IndexError for an index out of range.
    """

    __slots__ = ("_bits", "size")

    def __init__(self, size: int = MINIMUM_SIZE, bits: bytes | None = None) -> None:
        if size < MINIMUM_SIZE or size % 8:
            raise ValueError(f"a status list has at least {MINIMUM_SIZE} entries, in whole bytes")
        self.size = size
        self._bits = bytearray(size // 8) if bits is None else bytearray(bits)
        if len(self._bits) * 8 != size:
            raise ValueError("as many bits as entries")

    def get(self, index: int) -> bool:
        """Whether the bit is set: the credential with this index is revoked (or suspended)."""
        self._check(index)
        return bool(self._bits[index >> 3] & (0x80 >> (index & 7)))

    def set(self, index: int, value: bool = True) -> None:
        """Set or clear the bit of this index."""
        self._check(index)
        mask = 0x80 >> (index & 7)
        self._bits[index >> 3] = (
            (self._bits[index >> 3] | mask) if value else (self._bits[index >> 3] & ~mask)
        )

    def to_bytes(self) -> bytes:
        """`size / 8` bytes, not compressed."""
        return bytes(self._bits)

    def encode(self) -> str:
        """`u` and base64url of GZIP. Deterministic on one machine, but not across machines (K-001)."""
        # Level 9 costs 18 times level 6 on a sparse list, for a tenth fewer bytes.
        return encode_multibase(gzip.compress(self._bits, compresslevel=6, mtime=0), "u")

    @classmethod
    def decode(cls, encoded: str, *, max_bytes: int = MAX_DECOMPRESSED) -> StatusList:
        """Read an `encodedList` of at most `max_bytes` decompressed; MalformedInput with `encoded_list`,
        `list_too_large` or `list_too_short`.
        """
        try:
            compressed = decode_multibase(encoded, "u", max_length=_MAX_ENCODED)
        except MalformedInput:
            raise MalformedInput("encoded_list") from None
        bits = _gunzip(compressed, max_bytes)
        if len(bits) * 8 < MINIMUM_SIZE:
            raise MalformedInput("list_too_short")
        return cls(len(bits) * 8, bits)

    def encode_for_token(self) -> str:
        """`lst` of a Token Status List: base64url of ZLIB; its index 0 is the least significant bit."""
        return encode_base64url(zlib.compress(self._bits.translate(_BITS_REVERSED), 6))  # as in `encode`

    @classmethod
    def decode_from_token(cls, lst: str, *, max_bytes: int = MAX_DECOMPRESSED) -> StatusList:
        """Inverse of `encode_for_token`, for lists of any length: missing entries up to the minimum are 0."""
        if len(lst) > _MAX_ENCODED:
            raise MalformedInput("list_too_large")
        try:
            compressed = decode_base64url(lst)
        except (MalformedInput, ValueError):
            raise MalformedInput("encoded_list") from None
        bits = _decompress(compressed, max_bytes, zlib.MAX_WBITS)
        padded = bits.ljust(MINIMUM_SIZE // 8, b"\0").translate(_BITS_REVERSED)
        return cls(len(padded) * 8, padded)

    def _check(self, index: int) -> None:
        if not 0 <= index < self.size:  # a negative index would read from the end
            raise IndexError(index)


@dataclass(frozen=True)
class StatusEntry:
    """A parsed `credentialStatus` entry."""

    list_url: str
    index: int
    purpose: str
    width: int = 1
    kind: str = "BitstringStatusList"
    messages: Mapping[int, str] = field(default_factory=dict)
    """The issuer's message for each value (D-006)."""

    def value_in(self, status_list: StatusList) -> int:
        """The status, 0 meaning that nothing was set; IndexError where the list has no such index."""
        value = 0
        for position in range(self.index * self.width, (self.index + 1) * self.width):
            value = value << 1 | status_list.get(position)
        return value


@dataclass(frozen=True)
class PublishedList:
    """A parsed status list credential."""

    purposes: tuple[str, ...]
    status_list: StatusList
    ttl: timedelta | None
    kind: str


# The second is the older name of the same type; only the encoding of the bits differs.
_KINDS: Final = ("BitstringStatusList", "StatusList2021")


def is_list_url(text: str) -> bool:
    """Whether a status list may be served at this URL: https, or http on localhost."""
    return _LIST_URL.fullmatch(text) is not None


def status_entry(list_url: str, index: int, purpose: Purpose = "revocation") -> JsonObject:
    """The `credentialStatus` of a new credential; the index is a string (D-001, X-5).

    ValueError for an index that `read_entry` would not read.
    """
    if not 0 <= index < _LEAST_TOO_LARGE:
        raise ValueError(f"an index is a number below {_LEAST_TOO_LARGE}")
    return {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }


def read_entry(entry: JsonObject) -> StatusEntry:
    """An entry of either kind, or MalformedInput with the pointer of the bad member."""
    kind = _kind_in(entry.get("type"), "Entry")
    if kind is None:
        raise MalformedInput("status_entry", "/type")
    url, purpose = entry.get("statusListCredential"), entry.get("statusPurpose")
    if not isinstance(url, str) or not is_list_url(url):
        raise MalformedInput("status_entry", "/statusListCredential")
    if not isinstance(purpose, str) or not purpose:
        raise MalformedInput("status_entry", "/statusPurpose")
    width = entry.get("statusSize", 1)
    if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= 64:
        raise MalformedInput("status_entry", "/statusSize")
    index = _index_of(entry.get("statusListIndex"))
    return StatusEntry(url, index, purpose, width, kind, _messages_in(entry.get("statusMessage")))


def status_list_credential(
    url: str,
    *,
    issuer: JsonValue,
    status_list: StatusList,
    purpose: Purpose,
    valid_from: datetime,
    valid_until: datetime | None,
    ttl: timedelta,
    sequence: int | None = None,
) -> JsonObject:
    """The list as a credential, still to be signed (BSL 2.2); without an end it stays valid indefinitely.

    `ttl` is how long a reader may cache it, written in whole milliseconds; the times are written in UTC to
    the second. `sequence` counts its editions, so that of two signed lists the newer can be identified.
    ValueError for a negative one, and for a negative `ttl`.
    """
    if ttl < timedelta() or (sequence is not None and sequence < 0):
        raise ValueError("neither `ttl` nor `sequence` may be negative")
    ends: JsonObject = {} if valid_until is None else {"validUntil": format_timestamp(valid_until)}
    edition: JsonObject = {} if sequence is None else {"description": f"{_EDITION}{sequence}"}
    return {
        "@context": [CONTEXT_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        **edition,
        "validFrom": format_timestamp(valid_from),
        **ends,
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "ttl": int(ttl.total_seconds() * 1000),  # D-011: milliseconds
            "encodedList": status_list.encode(),
        },
    }


def sequence_of(credential: JsonObject) -> int | None:
    """The edition number of one of our lists; None where it has none."""
    said = credential.get("description")
    number = said.removeprefix(_EDITION) if isinstance(said, str) and said.startswith(_EDITION) else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 18 else None


_EDITION: Final = "Edition "


def read_list(credential: JsonObject) -> PublishedList:
    """The list inside a credential with a verified proof; MalformedInput for other credentials.

    Its reasons are `status_list` with a pointer, and those of `StatusList.decode`.
    """
    kind = _kind_in(credential.get("type"), "Credential")
    if kind is None:
        raise MalformedInput("status_list", "/type")
    subject = credential.get("credentialSubject")
    if not isinstance(subject, dict) or subject.get("type") not in (kind, [kind]):
        raise MalformedInput("status_list", "/credentialSubject")
    stated = subject.get("statusPurpose")
    purposes = [
        purpose for purpose in (stated if isinstance(stated, list) else [stated]) if isinstance(purpose, str)
    ]
    if not purposes:
        raise MalformedInput("status_list", "/credentialSubject/statusPurpose")
    encoded = subject.get("encodedList")
    if not isinstance(encoded, str):
        raise MalformedInput("status_list", "/credentialSubject/encodedList")
    if kind == "StatusList2021":
        # Base64 of GZIP, in either alphabet and without the multibase prefix.
        encoded = "u" + encoded.rstrip("=").translate(_TO_BASE64URL).removeprefix("u")
    return PublishedList(tuple(purposes), StatusList.decode(encoded), _ttl_of(subject.get("ttl")), kind)


# --- Token Status List (draft-ietf-oauth-status-list)

STATUS_TOKEN: Final = "statuslist+jwt"  # noqa: S105
"""`typ` of a Status List Token."""
INVALID: Final = 1
SUSPENDED: Final = 2
APPLICATION_SPECIFIC: Final = 3
"""Values of a status, as `VALID`, which is 0."""
_BITS_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def token_list_entry(url: str, index: int) -> JsonObject:
    """The `status` claim of a token, with the index of its status."""
    return {"status_list": {"idx": index, "uri": url}}


def token_list_claims(
    url: str,
    *,
    issuer: str,
    status_list: StatusList,
    valid_from: datetime,
    valid_until: datetime | None,
    ttl: timedelta,
    suspended: StatusList | None = None,
) -> JsonObject:
    """The claims of a Status List Token, still to be signed with `STATUS_TOKEN` as type.

    With `suspended`, of the same size, each status has two bits; an entry of both lists is INVALID. ValueError
    for lists of different sizes, and for a datetime without a time zone.
    """
    for moment in (valid_from, *([valid_until] if valid_until is not None else [])):
        check_aware(moment)
    ends: JsonObject = {} if valid_until is None else {"exp": int(valid_until.timestamp())}
    return {
        "iss": issuer,
        "sub": url,
        "iat": int(valid_from.timestamp()),
        **ends,
        "ttl": int(ttl.total_seconds()),
        "status_list": {"bits": 1, "lst": status_list.encode_for_token()}
        if suspended is None
        else {"bits": 2, "lst": _in_two_bits(status_list, suspended)},
    }


def read_token_list(claims: JsonObject, *, url: str, status: int = INVALID) -> StatusList:
    """The entries with this status, from the claims of a token with a verified signature.

    MalformedInput `status_list` with a pointer; lists of four and eight bits are not read.
    """
    if claims.get("sub") != url:
        raise MalformedInput("status_list", "/sub")
    content = claims.get("status_list")
    if not isinstance(content, dict) or not isinstance(content.get("lst"), str):
        raise MalformedInput("status_list", "/status_list")
    bits, lst = content.get("bits"), str(content["lst"])
    if bits == 1:
        return StatusList.decode_from_token(lst) if status == INVALID else StatusList()
    if bits == 2:
        return _from_two_bits(lst, status)
    raise MalformedInput("status_list", "/status_list")


def _in_two_bits(invalid: StatusList, suspended: StatusList) -> str:
    if invalid.size != suspended.size:
        raise ValueError("both lists must have the same size")
    size = invalid.size // 8
    raised = int.from_bytes(invalid.to_bytes(), "big")
    paused = (int.from_bytes(suspended.to_bytes(), "big") & ~raised).to_bytes(size, "big")
    packed = bytearray(2 * size)
    for half in (0, 1):
        low, high = invalid.to_bytes().translate(_SPREAD[half]), paused.translate(_SPREAD[half])
        both = int.from_bytes(low, "big") | int.from_bytes(high, "big") << 1
        packed[half::2] = both.to_bytes(size, "big")
    return encode_base64url(zlib.compress(packed, 6))


def _from_two_bits(lst: str, status: int) -> StatusList:
    if len(lst) > _MAX_ENCODED:
        raise MalformedInput("list_too_large")
    try:
        compressed = decode_base64url(lst)
    except (MalformedInput, ValueError):
        raise MalformedInput("encoded_list") from None
    packed = _decompress(compressed, MAX_DECOMPRESSED, zlib.MAX_WBITS)
    packed = packed.ljust(max(MINIMUM_SIZE // 4, len(packed) + len(packed) % 2), b"\0")
    halves = packed.translate(
        bytes(sum(8 >> entry for entry in range(4) if byte >> 2 * entry & 3 == status) for byte in range(256))
    )
    bits = bytes(first << 4 | second for first, second in zip(halves[::2], halves[1::2], strict=True))
    return StatusList(len(bits) * 8, bits)


_SPREAD: Final = tuple(
    bytes(sum((byte >> (first - entry) & 1) << 2 * entry for entry in range(4)) for byte in range(256))
    for first in (7, 3)
)
"""The first and the last four bits of a byte of ours, each as the lower bit of a two-bit entry."""


_TO_BASE64URL: Final = str.maketrans("+/", "-_")


def _kind_in(types: JsonValue, ending: str) -> str | None:
    named = types if isinstance(types, list) else [types]
    return next((kind for kind in _KINDS if kind + ending in named), None)


def free_index(
    taken: Container[int], *, choose: Callable[[int], int], size: int = MINIMUM_SIZE
) -> int | None:
    """A free index, uniformly distributed (D-012), or None when the list is full.

    `choose(n)` returns a number below n, as `secrets.randbelow` does. Concurrent callers may choose the same
    index: only a unique constraint where indexes are stored reserves it (K-003).
    """
    for _ in range(32):
        index = choose(size)
        if index not in taken:
            return index
    free = [index for index in range(size) if index not in taken]
    return free[choose(len(free))] if free else None


def _gunzip(compressed: bytes, max_bytes: int) -> bytes:
    return _decompress(compressed, max_bytes, 31)


def _decompress(compressed: bytes, max_bytes: int, wbits: int) -> bytes:
    reader = zlib.decompressobj(wbits)
    try:
        data = reader.decompress(compressed, max_bytes + 1)
    except zlib.error:
        raise MalformedInput("encoded_list") from None
    if len(data) > max_bytes:
        raise MalformedInput("list_too_large")
    if not reader.eof or reader.unused_data:
        raise MalformedInput("encoded_list")
    return data


def _index_of(value: JsonValue) -> int:
    """A base-10 string; integers are accepted too, as in 1EdTech's own examples (D-003, X-5)."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LEAST_TOO_LARGE:
        return value
    raise MalformedInput("status_entry", "/statusListIndex")


def _messages_in(value: JsonValue) -> dict[int, str]:
    """D-006: the status in hexadecimal, and its message. Other forms are ignored."""
    messages = {}
    for each in value[:_MAX_MESSAGES] if isinstance(value, list) else ():
        status, message = (
            (each.get("status"), each.get("message")) if isinstance(each, dict) else (None, None)
        )
        if isinstance(status, str) and isinstance(message, str) and _HEXADECIMAL.fullmatch(status):
            messages[int(status, 16)] = message[:500]
    return messages


_MAX_MESSAGES: Final = 256
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]{1,16}")


def _ttl_of(value: JsonValue) -> timedelta | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**12:
        return None
    return timedelta(milliseconds=value)
