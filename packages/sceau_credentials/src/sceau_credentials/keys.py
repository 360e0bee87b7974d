"""Signing and verification keys, and their JWK and Multikey forms."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from sceau_credentials.errors import MalformedInput, UnusableKey
from sceau_credentials.values import JsonObject, JsonValue

__all__ = [
    "Algorithm",
    "LocalSigningKey",
    "Signer",
    "SigningKey",
    "VerificationKey",
    "decode_base64url",
    "decode_multibase",
    "encode_base64url",
    "encode_multibase",
]

# --- Multibase text: base58btc (`z`) and base64url without padding (`u`)

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
    if "+" in text or "/" in text or "=" in text:  # which the decoder would accept as well
        raise MalformedInput("base64url")
    try:
        data = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        raise MalformedInput("base64url") from None
    # Spare bits at the end would allow two texts for one signature (M4). They are in the last group of four alone.
    rest = len(text) % 4
    if rest and encode_base64url(data[-(rest - 1) :]) != text[-rest:]:
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


# --- Public keys: verification, parsing and serialisation

try:  # extra `fast`: libsodium takes half the time that OpenSSL takes
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError
except ImportError:
    crypto_sign_open = None  # type: ignore[assignment]
    BadSignatureError = InvalidSignature  # type: ignore[assignment,misc]

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Algorithm(StrEnum):
    """JOSE names. A key has exactly one, and a header may only repeat it (B-011)."""

    EDDSA = "EdDSA"
    ES256 = "ES256"
    RS256 = "RS256"
    ES384 = "ES384"


_MULTICODEC = {
    Algorithm.EDDSA: b"\xed\x01",
    Algorithm.ES256: b"\x80\x24",
    Algorithm.ES384: b"\x81\x24",
    Algorithm.RS256: b"\x85\x24",
}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ALGORITHM_NAMES = {
    Algorithm.EDDSA: ("EdDSA", "Ed25519"),  # RFC 9864 renames it.
    Algorithm.ES256: ("ES256",),
    Algorithm.RS256: ("RS256",),
    Algorithm.ES384: ("ES384",),
}
_RSA_BITS = range(2048, 8193)  # RFC 7518 3.3; above, one verification costs milliseconds.


@dataclass(frozen=True)
class Curve:
    """A NIST curve with the hash and the lengths that ECDSA uses with it here."""

    curve: ec.EllipticCurve
    name: str
    size: int
    """Bytes of a coordinate, and of each half of a signature."""
    order: int
    digest: HashAlgorithm


CURVES = {
    Algorithm.ES256: Curve(
        ec.SECP256R1(),
        "P-256",
        32,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        SHA256(),
    ),
    Algorithm.ES384: Curve(
        ec.SECP384R1(),
        "P-384",
        48,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        SHA384(),
    ),
}
_BY_CURVE = {(each.curve.name): algorithm for algorithm, each in CURVES.items()}


@dataclass(frozen=True)
class VerificationKey:
    """A public key that has passed every check; its `verify` can be trusted.

    `encoded` is the raw 32 bytes for Ed25519, the compressed point for P-256 and P-384, PKCS#1 DER for RSA.
    """

    algorithm: Algorithm
    encoded: bytes
    _public: PublicKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, public: PublicKey) -> VerificationKey:
        if isinstance(public, ed25519.Ed25519PublicKey):
            encoded = public.public_bytes_raw()
            if is_weak_ed25519_point(encoded):
                raise UnusableKey("weak_key", "Ed25519 point of small order or non-canonical")
            return cls(Algorithm.EDDSA, encoded, public)
        if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _BY_CURVE:
            encoded = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
            return cls(_BY_CURVE[public.curve.name], encoded, public)
        if isinstance(public, rsa.RSAPublicKey):
            check_rsa(public.public_numbers())
            encoded = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
            return cls(Algorithm.RS256, encoded, public)
        raise UnusableKey("unsupported_key")

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, JsonValue]) -> VerificationKey:
        if not _PRIVATE_MEMBERS.isdisjoint(jwk):
            raise UnusableKey("private_key_published")
        _check_meant_for_verifying(jwk)
        try:
            key = cls.of(_public_key_of_jwk(jwk))
        except (ValueError, MalformedInput):
            raise UnusableKey("malformed_key") from None
        if "alg" in jwk and jwk["alg"] not in _ALGORITHM_NAMES[key.algorithm]:
            raise UnusableKey("key_algorithm_mismatch")
        return key

    @classmethod
    def from_multikey(cls, text: str) -> VerificationKey:
        """A key in `publicKeyMultibase` form (CID 2.2.2), which is also the body of a did:key."""
        return _key_of_multikey(text)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made `signature` (raw r || s for ECDSA, never DER) over `message`."""
        try:
            if isinstance(self._public, ed25519.Ed25519PublicKey):
                if len(signature) != 64 or is_weak_ed25519_point(signature[:32]):
                    return False
                if crypto_sign_open is None:
                    self._public.verify(signature, message)
                else:
                    crypto_sign_open(signature + message, self.encoded)
            elif isinstance(self._public, ec.EllipticCurvePublicKey):
                curve = CURVES[self.algorithm]
                self._public.verify(_der_of_raw(signature, curve), message, ec.ECDSA(curve.digest))
            else:
                self._public.verify(signature, message, padding.PKCS1v15(), SHA256())
        except (InvalidSignature, BadSignatureError):
            return False
        return True

    def to_jwk(self) -> JsonObject:
        """The required members only, in the order RFC 7638 hashes them."""
        if isinstance(self._public, ed25519.Ed25519PublicKey):
            return {"crv": "Ed25519", "kty": "OKP", "x": encode_base64url(self.encoded)}
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            curve = CURVES[self.algorithm]
            point = self._public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            x, y = encode_base64url(point[1 : curve.size + 1]), encode_base64url(point[curve.size + 1 :])
            return {"crv": curve.name, "kty": "EC", "x": x, "y": y}
        numbers = self._public.public_numbers()
        return {"e": _encode_integer(numbers.e), "kty": "RSA", "n": _encode_integer(numbers.n)}

    def to_multikey(self) -> str:
        return encode_multibase(_MULTICODEC[self.algorithm] + self.encoded)

    def thumbprint(self) -> str:
        """RFC 7638, SHA-256, base64url."""
        members = ",".join(f'"{name}":"{value}"' for name, value in self.to_jwk().items())
        return encode_base64url(hashlib.sha256(f"{{{members}}}".encode()).digest())


@lru_cache(maxsize=1024)
def _key_of_multikey(text: str) -> VerificationKey:
    try:
        data = decode_multibase(text)
    except MalformedInput:
        raise UnusableKey("malformed_key") from None
    try:
        return VerificationKey.of(_public_key_of_multicodec(data[:2], data[2:]))
    except ValueError:
        raise UnusableKey("malformed_key") from None


def _public_key_of_multicodec(prefix: bytes, body: bytes) -> PublicKey:
    if prefix == _MULTICODEC[Algorithm.EDDSA]:
        return ed25519.Ed25519PublicKey.from_public_bytes(body)
    for algorithm, curve in CURVES.items():
        if prefix == _MULTICODEC[algorithm]:
            # from_encoded_point would accept the uncompressed form too: two texts, one key.
            if len(body) != curve.size + 1:
                raise UnusableKey("malformed_key")
            return ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, body)
    if prefix == _MULTICODEC[Algorithm.RS256]:
        public = load_der_public_key(
            body
        )  # accepts PKCS#1 and SubjectPublicKeyInfo: only the first is a Multikey
        if isinstance(public, rsa.RSAPublicKey) and _pkcs1(public) == body:
            return public
    raise UnusableKey("unsupported_key")


def _public_key_of_jwk(jwk: Mapping[str, JsonValue]) -> PublicKey:
    kind = (jwk.get("kty"), jwk.get("crv"))
    if kind == ("OKP", "Ed25519"):
        return ed25519.Ed25519PublicKey.from_public_bytes(_member(jwk, "x"))
    for curve in CURVES.values():
        if kind == ("EC", curve.name):
            x, y = _member(jwk, "x"), _member(jwk, "y")
            if len(x) != curve.size or len(y) != curve.size:
                raise UnusableKey("malformed_key")
            return ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, b"\x04" + x + y)
    if kind == ("RSA", None):
        modulus, exponent = _member(jwk, "n"), _member(jwk, "e")
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        check_rsa(numbers)
        return numbers.public_key()
    raise UnusableKey("unsupported_key")


def _member(jwk: Mapping[str, JsonValue], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or len(value) > 2048:
        raise UnusableKey("malformed_key")
    return decode_base64url(value)


def _check_meant_for_verifying(jwk: Mapping[str, JsonValue]) -> None:
    if jwk.get("use", "sig") != "sig":
        raise UnusableKey("key_use")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnusableKey("key_use")
    if any(not isinstance(operation, str) for operation in operations):
        raise UnusableKey("key_use")
    if len({str(operation) for operation in operations}) != len(operations):
        raise UnusableKey("key_use")


def check_rsa(numbers: rsa.RSAPublicNumbers) -> None:
    """Raises UnusableKey `weak_key` unless the modulus has 2,048 to 8,192 bits and the exponent is odd and small."""
    if numbers.n.bit_length() not in _RSA_BITS or not 3 <= numbers.e < 2**32 or numbers.e % 2 == 0:
        raise UnusableKey("weak_key", "RSA size")
    if has_roca_fingerprint(numbers.n):
        raise UnusableKey("weak_key", "ROCA")


def _der_of_raw(signature: bytes, curve: Curve) -> bytes:
    size = curve.size
    if len(signature) != 2 * size:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    if not (0 < r < curve.order and 0 < s < curve.order):
        raise InvalidSignature
    return encode_dss_signature(r, s)


def _pkcs1(public: rsa.RSAPublicKey) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def _encode_integer(number: int) -> str:
    return encode_base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


_ED25519_FIELD = 2**255 - 19
# The y coordinates of the eight points of order dividing the cofactor; libsodium's block list, and M3.
_SMALL_ORDER_Y = (
    0,
    1,
    _ED25519_FIELD - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
)
_SMALL_ORDER = frozenset((y | sign << 255).to_bytes(32, "little") for y in _SMALL_ORDER_Y for sign in (0, 1))
_LEAST_NOT_REDUCED = _ED25519_FIELD & 0xFF
"""The first byte of the field's prime, the others being 0xff: larger values are second spellings."""
_SMALL_PRIMES = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip


def is_weak_ed25519_point(encoded: bytes) -> bool:
    """A point of small order, for which a signature needs no private key, or a second spelling of a point.

    OpenSSL verifies both; the 14 small-order encodings of M3 are all covered.
    """
    if encoded in _SMALL_ORDER:
        return True
    return encoded[31] & 0x7F == 0x7F and encoded[0] >= _LEAST_NOT_REDUCED and encoded[1:31] == b"\xff" * 30


def has_roca_fingerprint(modulus: int) -> bool:
    """A modulus made by the Infineon generator (CVE-2017-15361): its primes are powers of 65537 mod small
    primes.

    An honest modulus passes all the subgroup tests with a probability below one in 2**27.
    """
    return all(modulus % prime in powers for prime, powers in _POWERS_OF_65537.items())


def _powers_of_65537(prime: int) -> frozenset[int]:
    powers, value = set(), 1
    while value not in powers:
        powers.add(value)
        value = value * 65537 % prime
    return frozenset(powers)


# Primes for which the subgroup is the whole group are no evidence.
_POWERS_OF_65537 = {
    prime: powers for prime in _SMALL_PRIMES if len(powers := _powers_of_65537(prime)) < prime - 1
}


# --- Private keys, behind a small interface that a KMS or a hardware token can implement

_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class SigningKey(Protocol):
    """A private key, wherever it is stored: in this process, in a hardware module, behind a service."""

    @property
    def public(self) -> VerificationKey: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes for EdDSA and ES256 (r || s), 96 for ES384, as long as the modulus for RS256."""
        ...


class LocalSigningKey:
    """A private key in this process's memory."""

    __slots__ = ("_private", "public")

    def __init__(self, private: _PrivateKey) -> None:
        self._private = private
        self.public = VerificationKey.of(private.public_key())

    @classmethod
    def generate(cls, algorithm: Algorithm) -> LocalSigningKey:
        if algorithm is Algorithm.EDDSA:
            return cls(ed25519.Ed25519PrivateKey.generate())
        if algorithm in CURVES:
            return cls(ec.generate_private_key(CURVES[algorithm].curve))
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=3072))

    @classmethod
    def from_seed(cls, seed: bytes) -> LocalSigningKey:
        """The Ed25519 key of these 32 bytes."""
        return cls(ed25519.Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_bytes(cls, der: bytes) -> LocalSigningKey:
        """Read an unencrypted PKCS#8 DER key."""
        try:
            private = load_der_private_key(der, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnusableKey("malformed_key") from None
        if not isinstance(private, _PrivateKey):
            raise UnusableKey("unsupported_key")
        return cls(private)

    def to_bytes(self) -> bytes:
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            curve = CURVES[self.public.algorithm]
            r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(curve.digest)))
            return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")
        return self._private.sign(message, padding.PKCS1v15(), SHA256())

    def __repr__(self) -> str:
        return f"LocalSigningKey({self.public.thumbprint()})"


@dataclass(frozen=True)
class Signer:
    """A signing key and the verification method under which its public half is published."""

    verification_method: str
    key: SigningKey

    @property
    def controller(self) -> str:
        return self.verification_method.partition("#")[0]
