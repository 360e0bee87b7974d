"""How we prove at the token endpoint that we are the client: a secret, or an assertion signed with our key."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import jwt

from app.adapters.openid_connect.registrations import Registration, signing_algorithm

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GOOD_FOR: Final = timedelta(minutes=1)


def authentication(
    registration: Registration, methods: Sequence[object], token_endpoint: str, at: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """What is added to the headers and to the form of a token request; `methods` are those the service lists."""
    client_id = registration.client_id
    if registration.client_key:
        return {}, {
            "client_id": client_id,
            "client_assertion_type": _ASSERTION,
            "client_assertion": _assertion(registration, token_endpoint, at),
        }
    if not registration.client_secret:
        return {}, {"client_id": client_id}
    if "client_secret_basic" in methods:
        pair = f"{client_id}:{registration.client_secret}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}, {}
    return {}, {"client_id": client_id, "client_secret": registration.client_secret}


def _assertion(registration: Registration, token_endpoint: str, at: datetime) -> str:
    """RFC 7523, section 3: who we are, for this endpoint alone, once, for a minute."""
    claims = {
        "iss": registration.client_id,
        "sub": registration.client_id,
        "aud": token_endpoint,
        "jti": secrets.token_urlsafe(16),
        "iat": int(at.timestamp()),
        "exp": int((at + _GOOD_FOR).timestamp()),
    }
    key = registration.client_key
    return jwt.encode(claims, key, algorithm=signing_algorithm(key))
