"""Multibase text: base58btc (`z`) and base64url without padding (`u`)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Literal

from app.credentials.errors import MalformedInput

Base = Literal["z", "u"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Two digits at a time: half as many divisions of a long integer.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_CHUNK = 3364**5
_PAIR_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode_multibase(data: bytes, base: Base = "z") -> str:
    return base + (_encode_base58(data) if base == "z" else encode_base64url(data))


def decode_multibase(text: str, base: Base = "z", *, max_length: int = 2048) -> bytes:
    """The bytes behind `text`, which must be in exactly this base.

    base58 costs time quadratic in its length, so `max_length` bounds it before any work is done.
    """
    if len(text) > max_length:
        raise MalformedInput("multibase_too_long")
    if not text.startswith(base):
        raise MalformedInput("multibase_prefix")
    return _decode_base58(text[1:]) if base == "z" else decode_base64url(text[1:])


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Strict base64url: no padding, no other alphabet, and only the one canonical spelling of the bytes."""
    if _BASE64URL.fullmatch(text) is None:
        raise MalformedInput("base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise MalformedInput("base64url") from None
    # Spare bits at the end would let two different texts stand for one signature (M4).
    if encode_base64url(data) != text:
        raise MalformedInput("base64url")
    return data


def _encode_base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    pairs = []
    while number:
        number, chunk = divmod(number, _CHUNK)  # short integers from here: their divisions cost a quarter
        for _ in range(5):
            chunk, value = divmod(chunk, 3364)
            pairs.append(_PAIRS[value])
    digits = "".join(reversed(pairs)).lstrip("1")
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def _decode_base58(text: str) -> bytes:
    digits = text.lstrip("1")
    padded = digits if len(digits) % 2 == 0 else "1" + digits
    number = 0
    try:
        for position in range(0, len(padded), 2):
            number = number * 3364 + _PAIR_VALUES[padded[position : position + 2]]
    except KeyError:
        raise MalformedInput("base58") from None
    zeros = b"\0" * (len(text) - len(digits))
    return zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
