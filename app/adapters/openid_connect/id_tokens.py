"""What an ID token says, once its signature and every claim that ties it to our question was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from app.domain.accounts.federation import CLOCKS_APART, Identity, Question
from app.domain.people.people import is_address, normal_address
from sceau_credentials.errors import MalformedInput, UnusableKey
from sceau_credentials.keys.verification import check_rsa
from sceau_credentials.proofs.vc_jwt import parse_compact_jws
from sceau_credentials.values.json_text import JsonObject

_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
# Signatures of the service's own keys only: with a shared secret, each of the two ends could sign for anybody.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES)
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LONGEST_SUBJECT: Final = 255
_LONGEST_TOKEN: Final = 32 * 1024
_MOST_KEYS: Final = 50
# PyJWT compares times with the system's clock; ours is given.
_OPTIONS: Final[Options] = {
    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "enforce_minimum_key_length": True,
}


class BadToken(Exception):
    """`about` names what was wrong for the log, and nothing of what the token says."""

    def __init__(self, about: str) -> None:
        super().__init__(about)


class UnknownKey(BadToken):
    """Signed with a key that is not among those at hand: the service may have changed its keys."""


def checked(
    id_token: object, keys: object, *, issuer: str, client_id: str, question: Question, at: datetime
) -> Identity:
    """Who the token is about; raises BadToken."""
    if not isinstance(id_token, str):
        raise BadToken("no ID token")
    try:
        # One spelling for one token, no member twice: PyJWT alone takes padding and the last of two members.
        header = parse_compact_jws(id_token, max_length=_LONGEST_TOKEN).header
    except MalformedInput as error:
        raise BadToken(f"no ID token ({error.reason})") from error
    claims = _signed_claims(id_token, header, keys, issuer=issuer, client_id=client_id)
    _check_times(claims, at)
    if claims["nonce"] != question.nonce:
        raise BadToken("claims (nonce)")
    _check_party(claims, client_id)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise BadToken("sub")
    return Identity(issuer, subject, _address(claims), _proved_at(claims, at))


def _signed_claims(
    id_token: str, header: JsonObject, keys: object, *, issuer: str, client_id: str
) -> dict[str, Any]:
    """The claims, if one of the service's keys that may have signed them did."""
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise BadToken("signature (algorithm)")
    fitting = [each for each in _listed(keys) if _may_verify(each, header)]
    for key in _usable(fitting, str(algorithm)):
        try:
            return jwt.decode(
                id_token,
                key,
                algorithms=[str(algorithm)],
                audience=client_id,
                issuer=issuer,
                options=_OPTIONS,
            )
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
            continue
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise BadToken(f"claims ({type(error).__name__})") from error
    if fitting and "kid" in header:
        raise BadToken("signature")
    raise UnknownKey("signature (unknown key)")


def _listed(keys: object) -> list[dict[str, Any]]:
    listed = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise BadToken("key set")
    return [each for each in listed if isinstance(each, dict)]


def _may_verify(jwk: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Whether the set gives this key for such a token: same name, kind and algorithm, for signatures, public only."""
    algorithm = header["alg"]
    kind = ("EC", _CURVES[algorithm]) if algorithm in _CURVES else ("RSA", None)
    operations = jwk.get("key_ops", ["verify"])
    return (
        (jwk.get("kty"), jwk.get("crv")) == kind
        and ("kid" not in header or jwk.get("kid") == header["kid"])
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and _PRIVATE_MEMBERS.isdisjoint(jwk)
    )


def _usable(jwks: list[dict[str, Any]], algorithm: str) -> Iterator[jwt.PyJWK]:
    for each in jwks:
        try:
            key = jwt.PyJWK(each, algorithm)
            if isinstance(key.key, RSAPublicKey):
                check_rsa(key.key.public_numbers())
        except (jwt.PyJWTError, UnusableKey, ValueError, TypeError):
            continue
        yield key


def _check_times(claims: Mapping[str, Any], at: datetime) -> None:
    now, leeway = at.timestamp(), CLOCKS_APART.total_seconds()
    if _time(claims, "exp") <= now - leeway:
        raise BadToken("claims (exp)")
    for name in ("iat", "nbf"):
        if name in claims and _time(claims, name) > now + leeway:
            raise BadToken(f"claims ({name})")


def _time(claims: Mapping[str, Any], name: str) -> float:
    said = claims[name]
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise BadToken(f"claims ({name})")
    return said


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7: several audiences name the one the token was made for."""
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise BadToken("claims (azp)")
    if claims.get("azp", client_id) != client_id:
        raise BadToken("claims (azp)")


def _address(claims: Mapping[str, Any]) -> str:
    said = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(said, str):
        return ""
    address = normal_address(said)
    return address if is_address(address) else ""


def _proved_at(claims: Mapping[str, Any], at: datetime) -> datetime | None:
    said = claims.get("auth_time")
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        return min(datetime.fromtimestamp(said, UTC).replace(microsecond=0), at)
    except (ValueError, OverflowError, OSError):
        return None
