"""Is a file that the badge vouches for by its digest the file at hand (C-020, J-005)?"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import decode_multibase
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.verification.answers import CheckResult
from sceau_credentials.verification.findings.reasons import Reason, found

_MULTIHASHES: Final = {0x12: "sha256", 0x13: "sha512", 0x20: "sha384"}


def resources_against(document: JsonObject, at_hand: Mapping[str, bytes]) -> CheckResult | None:
    """What stands against the files at hand; None when each is the one its digest names, or has none."""
    for named in _with_digests(document):
        identifier = named["id"]
        assert isinstance(identifier, str)
        if identifier not in at_hand:
            continue
        for member, matches in (("digestSRI", _is_sri), ("digestMultibase", _is_multihash)):
            written = named.get(member)
            agrees = matches(written, at_hand[identifier]) if written is not None else True
            if agrees is not True:
                reason = Reason.RESOURCE_DIFFERS if agrees is False else Reason.RESOURCE_DIGEST_NOT_READ
                return found(reason, url=identifier[:500], cause=member)
    return None


def _with_digests(document: JsonObject) -> Iterator[JsonObject]:
    """`relatedResource`, evidence and whatever else names a file together with its digest."""
    waiting: list[JsonValue] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("id"), str) and not {"digestSRI", "digestMultibase"}.isdisjoint(value):
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _is_sri(written: JsonValue, body: bytes) -> bool | None:
    """Subresource Integrity: of several digests the strongest kind counts, and one of that kind is enough."""
    if not isinstance(written, str):
        return None
    parts = [part.partition("?")[0].partition("-") for part in written.split()]
    for name in ("sha512", "sha384", "sha256"):
        digests = [digest for algorithm, _, digest in parts if algorithm == name]
        if digests:
            try:
                decoded = [base64.b64decode(digest, validate=True) for digest in digests]
            except (binascii.Error, ValueError):
                return None
            return any(hmac.compare_digest(each, hashlib.new(name, body).digest()) for each in decoded)
    return None


def _is_multihash(written: JsonValue, body: bytes) -> bool | None:
    if not isinstance(written, str):
        return None
    try:
        data = decode_multibase(written, "u" if written.startswith("u") else "z", max_length=200)
    except MalformedInput:
        return None
    name = _MULTIHASHES.get(data[0]) if data else None
    if name is None or len(data) < 2 or data[1] != len(data) - 2:
        return None
    return hmac.compare_digest(data[2:], hashlib.new(name, body).digest())
