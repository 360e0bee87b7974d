"""What an ID token says, once its signature and every claim that ties it to our question was checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from app.domain.federation import CLOCKS_APART, Identity, Question
from app.domain.people import is_address, normal_address

# Signatures of the service's own keys only: with a shared secret whoever holds ours could sign for anybody.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_LONGEST_SUBJECT: Final = 255
_LONGEST_TOKEN: Final = 32 * 1024


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
    if not isinstance(id_token, str) or len(id_token) > _LONGEST_TOKEN:
        raise BadToken("no ID token")
    claims = _claims(
        id_token, _key_set(keys), issuer=issuer, client_id=client_id, nonce=question.nonce, at=at
    )
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise BadToken("sub")
    return Identity(issuer, subject, _address(claims), _proved_at(claims, at))


def _key_set(keys: object) -> KeySet:
    try:
        listed = keys["keys"] if isinstance(keys, dict) else []
        signing = [key for key in listed if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": [key for key in signing if key.get("kty") in ("RSA", "EC")]})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken("key set") from error


def _claims(
    id_token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, at: datetime
) -> Mapping[str, Any]:
    try:
        token = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
    except InvalidKeyIdError as error:
        raise UnknownKey("signature (unknown key)") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken(f"signature ({type(error).__name__})") from error
    wanted = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}}
    claims = CodeIDToken(token.claims, token.header, wanted, {"nonce": nonce, "client_id": client_id})
    try:
        claims.validate(now=int(at.timestamp()), leeway=int(CLOCKS_APART.total_seconds()))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken(f"claims ({type(error).__name__})") from error
    return dict(claims)


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
