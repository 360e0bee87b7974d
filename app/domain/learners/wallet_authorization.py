"""A wallet asks a signed-in learner for a badge: authorization requests, pushed ones, and DPoP proofs."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import Field, SQLModel

from app.domain.core import foreign_key, utc_datetime
from app.domain.learners.connected_apps import LONGEST_URL, AuthorizationRefusal, answer_url, is_challenge
from app.domain.learners.wallets import (
    OFFER_LIFE,
    PROOF_ALGORITHMS,
    PROOF_SKEW,
    WalletFormat,
    WalletRefusal,
    WalletRefused,
    format_of,
)
from app.errors import AppError
from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.keys import VerificationKey, decode_base64url, encode_base64url
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, verify_jws
from sceau_credentials.values import dump_json, parse_json, parse_json_object

CONSENT_CODE_LIFE: Final = timedelta(minutes=2)
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
CREDENTIAL_DETAILS: Final = "openid_credential"
CREDENTIAL_IDENTIFIER: Final = "badge"
"""Of the one badge of a token that was asked for by `authorization_details`."""
DPOP: Final = "dpop+jwt"
WALLET_SCHEMES: Final = frozenset(
    {"openid4vci", "openid-credential-offer", "haip", "haip-vci", "eudi-openid4ci", "eudi-openid4vci"}
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9]*([.+-][a-z0-9]+)*")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class UsedProof(SQLModel, table=True):
    """The identifier of a DPoP proof that was accepted, under a digest with its key and its URL."""

    __tablename__ = "wallet_used_proof"
    digest: str = Field(primary_key=True, max_length=64)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


class AuthorizationRefused(AppError):
    """For a wallet's software, in its protocol."""

    def __init__(self, refusal: AuthorizationRefusal, expected: str) -> None:
        super().__init__(expected)
        self.refusal, self.expected = refusal, expected


# --- where an answer may be sent


def is_redirect(url: str) -> bool:
    """https, this very device (RFC 8252), or a scheme of applications; never one that a browser itself executes."""
    if (
        not 0 < len(url) <= LONGEST_URL
        or not url.isascii()
        or not url.isprintable()
        or set(url) & set(' "<>\\^`{|}')
    ):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if "#" in url or "@" in parts.netloc or port == 0 or "://" not in url:
        return False
    host = parts.hostname or ""
    if parts.scheme == "https":
        return "." in host or host == "localhost"
    if parts.scheme == "http":
        return host in ("127.0.0.1", "localhost", "::1")
    is_private = "." in parts.scheme or parts.scheme in WALLET_SCHEMES
    return is_private and _SCHEME.fullmatch(parts.scheme) is not None


def place_of_redirect(url: str) -> str:
    """What a learner recognises it by: a host name, or the scheme of an application."""
    parts = urlsplit(url)
    return (parts.hostname or "") if parts.scheme in ("https", "http") else f"{parts.scheme}:"


# --- authorization requests (OpenID4VCI 1.0, section 5; RFC 6749, 7636, 8707, 9396)


@dataclass(frozen=True)
class WalletRequest:
    """A request that can be answered: its parameters were checked, its learner not yet asked."""

    id: str
    client: str
    redirect: str
    state: str
    challenge: str
    configuration: str
    is_identified: bool
    """By `authorization_details`: the token then names the badge by an identifier."""
    issuer_state: str
    key_thumbprint: str
    """Of the DPoP key that the code is bound to; empty for none."""
    ends: int
    issuer: str

    @property
    def format(self) -> WalletFormat:
        found = format_of(self.configuration)
        assert found is not None, "checked as it was read"
        return found

    def refused(self, refusal: AuthorizationRefusal) -> str:
        return self._back({"error": refusal.value})

    def granted(self, code: str) -> str:
        return self._back({"code": code})

    def _back(self, members: dict[str, str]) -> str:
        return answer_url(self.redirect, members, state=self.state, issuer=self.issuer)


def read_authorization(
    sent: Mapping[str, str], *, issuer: str, trusted: Collection[str], at: datetime, key_thumbprint: str = ""
) -> WalletRequest:
    """Raises AuthorizationRefused. A wallet that starts on its own needs a redirect URI that the operator trusts;
    with `issuer_state`, which a learner's own page gave it, any that `is_redirect`.
    """
    redirect, issuer_state = sent.get("redirect_uri", ""), sent.get("issuer_state", "")
    client, challenge = sent.get("client_id", ""), sent.get("code_challenge", "")
    if "request" in sent or "request_uri" in sent:
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, "request objects are not supported")
    if not 0 < len(client) <= LONGEST_URL or not client.isprintable():
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, "client_id is required")
    if not is_redirect(redirect):
        expected = "redirect_uri is required: https, a loopback address, or an application's own scheme"
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, expected)
    if not issuer_state and redirect not in trusted:
        expected = "issuer_state is required: the operator of this service does not know this redirect_uri"
        raise AuthorizationRefused(AuthorizationRefusal.UNAUTHORIZED_CLIENT, expected)
    if sent.get("response_type") != "code":
        raise AuthorizationRefused(AuthorizationRefusal.UNSUPPORTED_RESPONSE, "response_type: code")
    if sent.get("code_challenge_method") != "S256" or not is_challenge(challenge):
        expected = "code_challenge is required, with code_challenge_method S256"
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, expected)
    if sent.get("resource", issuer) != issuer:
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_TARGET, f"resource: {issuer}")
    state = sent.get("state", "")
    if len(state) > 500 or not state.isprintable() or len(issuer_state) > 100:
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, "state: 500 characters at most")
    named = sent.get("dpop_jkt", key_thumbprint)
    if (named and _THUMBPRINT.fullmatch(named) is None) or (key_thumbprint and named != key_thumbprint):
        expected = "dpop_jkt: the thumbprint of the key of the DPoP proof"
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_REQUEST, expected)
    configuration, is_identified = _wanted(sent, issuer)
    return WalletRequest(
        secrets.token_urlsafe(16),
        client,
        redirect,
        state,
        challenge,
        configuration,
        is_identified,
        issuer_state,
        named,
        int((at + OFFER_LIFE).timestamp()),
        issuer,
    )


def _wanted(sent: Mapping[str, str], issuer: str) -> tuple[str, bool]:
    """The one credential configuration, and whether `authorization_details` named it."""
    if "authorization_details" in sent:
        refused = AuthorizationRefused(
            AuthorizationRefusal.INVALID_DETAILS,
            f"authorization_details: one {CREDENTIAL_DETAILS} with a credential_configuration_id",
        )
        try:
            details = parse_json(sent["authorization_details"].encode(), max_bytes=4096)
        except MalformedInput:
            raise refused from None
        found = details[0] if isinstance(details, list) and len(details) == 1 else None
        if not isinstance(found, dict) or found.get("type") != CREDENTIAL_DETAILS or sent.get("scope"):
            raise refused
        configuration, locations = found.get("credential_configuration_id"), found.get("locations")
        if not isinstance(configuration, str) or format_of(configuration) is None:
            raise refused
        if locations is not None and locations != [issuer]:
            raise refused
        return configuration, True
    scopes = sent.get("scope", "").split()
    if len(scopes) != 1 or format_of(scopes[0]) is None:
        raise AuthorizationRefused(AuthorizationRefusal.INVALID_SCOPE, "scope: one credential of this campus")
    return scopes[0], False


# --- pushed requests (RFC 9126): nothing is stored, what was checked travels encrypted


def push(secret: bytes, campus_id: uuid.UUID, request: WalletRequest) -> str:
    """A `request_uri` that only this service reads, for this campus."""
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(_request_key(secret)).encrypt(nonce, dump_json(asdict(request)), campus_id.bytes)
    return REQUEST_URI + encode_base64url(nonce + sealed)


def read_pushed(secret: bytes, campus_id: uuid.UUID, request_uri: str, *, at: datetime) -> WalletRequest:
    """Raises AuthorizationRefused for another campus, and after its end."""
    ended = AuthorizationRefused(
        AuthorizationRefusal.INVALID_REQUEST, "request_uri is unknown or has expired"
    )
    if not request_uri.startswith(REQUEST_URI) or len(request_uri) > 4000:
        raise ended
    try:
        raw = decode_base64url(request_uri.removeprefix(REQUEST_URI))
        opened = AESGCM(_request_key(secret)).decrypt(raw[:12], raw[12:], campus_id.bytes)
    except (CredentialError, ValueError, InvalidTag):
        raise ended from None
    request = WalletRequest(**parse_json_object(opened))  # type: ignore[arg-type]
    if at.timestamp() >= request.ends:
        raise ended
    return request


def _request_key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"wallet-authorization-request", hashlib.sha256)


# --- proofs of a key for each request (RFC 9449)


@dataclass(frozen=True)
class DpopProof:
    thumbprint: str
    digest: str
    """Stored once: the same proof is not accepted again."""


def read_dpop(proof: str, *, url: str, at: datetime, token: str = "", method: str = "POST") -> DpopProof:
    """`url`: as this service is configured, never as a request names it. Raises WalletRefused."""
    refused = WalletRefused(WalletRefusal.INVALID_DPOP)
    try:
        jws = parse_compact_jws(proof, max_length=8 * 1024)
        if jws.header.get("typ") != DPOP or jws.jwk is None or "kid" in jws.header:
            raise refused
        key = VerificationKey.from_jwk(jws.jwk)
        if key.algorithm not in PROOF_ALGORITHMS:
            raise refused
        verify_jws(jws, key, kinds=(DPOP,))
    except (CredentialError, ValueError):
        raise refused from None
    claims = jws.payload
    made, named, target = claims.get("iat"), claims.get("jti"), claims.get("htu")
    if isinstance(made, bool) or not isinstance(made, int | float):
        raise refused
    if not (at - PROOF_SKEW).timestamp() <= made <= (at + PROOF_SKEW).timestamp():
        raise refused
    if not isinstance(named, str) or not 8 <= len(named) <= 200 or not isinstance(target, str):
        raise refused
    if claims.get("htm") != method or target.partition("#")[0].partition("?")[0] != url:
        raise refused
    if token:
        bound = encode_base64url(hashlib.sha256(token.encode("utf-8", "replace")).digest())
        if claims.get("ath") != bound:
            raise refused
    thumbprint = key.thumbprint()
    digest = hashlib.sha256("\n".join((thumbprint, url, named)).encode("utf-8", "replace")).hexdigest()
    return DpopProof(thumbprint, digest)
