"""Multibase text: base58btc (`z`) and base64url without padding (`u`)."""

from __future__ import annotations

from typing import Literal

from sceau_credentials.errors import MalformedInput

try:  # extra `fast`: the same functions, ten times as quick on a status list
    from pybase64 import b64decode, urlsafe_b64encode
except ImportError:
    from base64 import b64decode, urlsafe_b64encode  # type: ignore[assignment]

Base = Literal["z", "u"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHUNK = 58**10  # the most digits a short integer holds; dividing by it costs a quarter
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
"""Two digits at once."""


def encode_multibase(data: bytes, base: Base = "z") -> str:
    """The letter that names the base, followed by `data` in it."""
    return base + (_encode_base58(data) if base == "z" else encode_base64url(data))


def decode_multibase(text: str, base: Base = "z", *, max_length: int = 2048) -> bytes:
    """The bytes behind `text`, which must be in exactly this base.

    base58 decoding is quadratic in the length, so `max_length` is checked first.
    """
    if len(text) > max_length:
        raise MalformedInput("multibase_too_long")
    if not text.startswith(base):
        raise MalformedInput("multibase_prefix")
    return _decode_base58(text[1:]) if base == "z" else decode_base64url(text[1:])


def encode_base64url(data: bytes) -> str:
    """Without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Strict base64url: no padding, no other alphabet, and only the one canonical spelling of the bytes."""
    if "+" in text or "/" in text:  # which the decoder would accept as well
        raise MalformedInput("base64url")
    try:
        data = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        raise MalformedInput("base64url") from None
    # Spare bits at the end would allow two texts for one signature (M4).
    if encode_base64url(data) != text:
        raise MalformedInput("base64url")
    return data


def _encode_base58(data: bytes) -> str:
    number, text, two = int.from_bytes(data, "big"), "", 58**2
    while number:
        number, chunk = divmod(number, _CHUNK)
        six, four = divmod(chunk, 58**4)
        first, rest = divmod(six, 58**4)
        text = f"{_PAIRS[first]}{_PAIRS[rest // two]}{_PAIRS[rest % two]}{_PAIRS[four // two]}{_PAIRS[four % two]}{text}"
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text.lstrip("1")


def _decode_base58(text: str) -> bytes:
    """Neighbouring digits are joined, then neighbouring pairs, and so on, all at once in one long integer."""
    digits = text.lstrip("1")
    values = digits.encode("ascii", "replace").translate(_DIGITS)
    if _NO_DIGIT in values:
        raise MalformedInput("base58")
    values = bytes(-len(values) % _TOGETHER) + values
    number = 0
    for start in range(0, len(values), _TOGETHER):
        joined = int.from_bytes(values[start : start + _TOGETHER], "big")
        for width, lanes, weight in _JOINS:
            joined = (joined & lanes) + (joined >> width & lanes) * weight
        number = number * 58**_TOGETHER + joined
    return bytes(len(text) - len(digits)) + number.to_bytes((number.bit_length() + 7) // 8, "big")


_NO_DIGIT = 255
_DIGITS = bytes(_ALPHABET.find(chr(code)) & 255 for code in range(256))
_TOGETHER = 128
_JOINS = [
    (width, (2 ** (8 * _TOGETHER) - 1) // (2**width + 1), 58 ** (width // 8))
    for width in (8, 16, 32, 64, 128, 256, 512)
]
"""For each step the width of a lane in bits, every second lane, and what a digit counts in the lane before."""
