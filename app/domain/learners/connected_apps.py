"""Applications that a learner connects: registration, consent, secrets of one kind each, Open Badges API 3.0."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from sqlalchemy import JSON
from sqlmodel import Column, Field, SQLModel

from app.domain.core import enum_column, foreign_key, json_column, new_id, utc_datetime
from app.errors import AppError, InvalidInput
from sceau_credentials.errors import CredentialError
from sceau_credentials.keys import encode_base64url
from sceau_credentials.values import JsonObject, parse_timestamp
from sceau_credentials.verification.answers import secured_from_text

CODE_LIFE: Final = timedelta(minutes=10)
ACCESS_LIFE: Final = timedelta(hours=1)
REFRESH_LIFE: Final = timedelta(days=180)
"""Since its last use: an application that is no longer used is disconnected by itself."""
CONNECTION_LIFE: Final = timedelta(days=730)
"""Of a consent, however often its tokens are refreshed."""
MOST_REDIRECTS: Final = 10
LONGEST_URL: Final = 400
LONGEST_NAME: Final = 120
DEFAULT_PAGE, LARGEST_PAGE = 50, 100
_SCOPES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
_TOLERATED: Final = "offline_access"
_BADGE_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})


class AppScope(StrEnum):
    """What an application may do for the learner who connected it."""

    READ = _SCOPES + "credential.readonly"
    ADD = _SCOPES + "credential.upsert"
    PROFILE = _SCOPES + "profile.readonly"


class AppSecretKind(StrEnum):
    """Each query for a secret names the kind it accepts."""

    CODE = "code"
    ACCESS = "access"
    REFRESH = "refresh"


class ConnectedApp(SQLModel, table=True):
    """A registered application: its own description, and where it is answered."""

    __tablename__ = "connected_app"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    secret_digest: str = Field(max_length=64)
    name: str = Field(max_length=LONGEST_NAME)
    host: str = Field(max_length=253)
    """Of all its URLs: the only part that a learner can recognise it by."""
    facts: dict[str, Any] = Field(sa_column=json_column())
    """The other members of its registration (RFC 7591), as sent."""
    redirects: list[str] = Field(sa_column=json_column())
    scopes: list[str] = Field(sa_column=json_column())
    registered_itself: bool
    registered_at: datetime = Field(sa_column=utc_datetime())


class AppGrant(SQLModel, table=True):
    """A learner's consent for one application; without it, none of its secrets is left."""

    __tablename__ = "app_grant"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    app_id: uuid.UUID = Field(sa_column=foreign_key("connected_app"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    scopes: list[str] = Field(sa_column=json_column())
    given_at: datetime = Field(sa_column=utc_datetime())
    used_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When it last got an access token."""


class AppSecret(SQLModel, table=True):
    """A code, access token or refresh token, by its digest."""

    __tablename__ = "app_secret"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kind: AppSecretKind = Field(sa_column=enum_column(AppSecretKind, name="app_secret_kind"))
    grant_id: uuid.UUID = Field(sa_column=foreign_key("app_grant"))
    digest: str = Field(unique=True, max_length=64)
    challenge: str | None = Field(default=None, max_length=64)
    redirect: str | None = Field(default=None, max_length=LONGEST_URL)
    scopes: list[str] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    """Of an access token."""
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))
    used_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


# --- registration (RFC 7591, as profiled by Open Badges 3.0)


class RegistrationRefusal(StrEnum):
    REDIRECT = "invalid_redirect_uri"
    METADATA = "invalid_client_metadata"


class RegistrationRefused(AppError):
    def __init__(self, refusal: RegistrationRefusal, expected: str) -> None:
        super().__init__(expected)
        self.refusal, self.expected = refusal, expected


_URLS: Final = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
_TEXTS: Final = ("client_name", "software_id", "software_version")


def read_registration(
    sent: Mapping[str, Any], *, secret_digest: str, registered_itself: bool, at: datetime
) -> ConnectedApp:
    """Raises RegistrationRefused."""
    for name in (*_TEXTS, *_URLS, "scope"):
        if not _is_text(sent.get(name), 1000 if name == "scope" else LONGEST_URL):
            raise RegistrationRefused(RegistrationRefusal.METADATA, f"{name} is required, as text")
    redirects = sent.get("redirect_uris")
    if not isinstance(redirects, list) or not 0 < len(redirects) <= MOST_REDIRECTS:
        raise RegistrationRefused(RegistrationRefusal.REDIRECT, "redirect_uris is required, as a list")
    hosts = {_host_of(sent[name], RegistrationRefusal.METADATA, name) for name in _URLS}
    hosts |= {_host_of(each, RegistrationRefusal.REDIRECT, "redirect_uris") for each in redirects}
    if len(hosts) != 1:
        raise RegistrationRefused(RegistrationRefusal.METADATA, "all URLs must have the same host name")
    for name, wanted in _ONLY.items():
        given = sent.get(name)
        if given is not None and not _holds_only(given, wanted, as_list=name != "token_endpoint_auth_method"):
            raise RegistrationRefused(RegistrationRefusal.METADATA, f"{name}: {' '.join(sorted(wanted))}")
    scopes = [each.value for each in scopes_in(sent["scope"])]
    if not scopes or unknown_scopes(sent["scope"]):
        raise RegistrationRefused(RegistrationRefusal.METADATA, f"scope: {' '.join(AppScope)}")
    name = sent["client_name"].strip()
    if not name or len(name) > LONGEST_NAME:
        raise RegistrationRefused(
            RegistrationRefusal.METADATA, f"client_name: 1 to {LONGEST_NAME} characters"
        )
    return ConnectedApp(
        secret_digest=secret_digest,
        name=name,
        host=hosts.pop(),
        facts={each: sent[each] for each in (*_URLS, "software_id", "software_version")},
        redirects=list(dict.fromkeys(redirects)),
        scopes=scopes,
        registered_itself=registered_itself,
        registered_at=at,
    )


_ONLY: Final[Mapping[str, set[str]]] = {
    "token_endpoint_auth_method": {"client_secret_basic"},
    "grant_types": {"authorization_code", "refresh_token"},
    "response_types": {"code"},
}


def _holds_only(given: object, wanted: set[str], *, as_list: bool) -> bool:
    values = given if as_list else [given]
    return isinstance(values, list) and all(isinstance(each, str) and each in wanted for each in values)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def _host_of(url: object, refusal: RegistrationRefusal, name: str) -> str:
    refused = RegistrationRefused(refusal, f"{name}: an https URL without fragment or user name")
    if not isinstance(url, str) or not _is_text(url, LONGEST_URL) or not url.isascii() or " " in url:
        raise refused
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refused from None
    host = parts.hostname or ""
    if parts.scheme != "https" or not is_host_name(host) or "#" in url or "@" in parts.netloc or port == 0:
        raise refused
    return host


_HOST_NAME: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


def is_host_name(host: str) -> bool:
    """A name that reads as what a browser opens: no address in any notation, no escapes, no dot at its end."""
    return len(host) <= 253 and _HOST_NAME.fullmatch(host) is not None


def scopes_in(text: str) -> list[AppScope]:
    return [each for each in AppScope if each.value in text.split()]


def unknown_scopes(text: str) -> bool:
    return any(each != _TOLERATED and each not in set(AppScope) for each in text.split())


# --- authorization (RFC 6749, RFC 7636)


class AuthorizationRefusal(StrEnum):
    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_RESPONSE = "unsupported_response_type"
    INVALID_SCOPE = "invalid_scope"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    INVALID_TARGET = "invalid_target"
    INVALID_DETAILS = "invalid_authorization_details"
    DENIED = "access_denied"


@dataclass(frozen=True)
class AppRequest:
    """An authorization request with a redirect URI that the application registered."""

    app: ConnectedApp
    redirect: str
    state: str
    challenge: str
    scopes: Sequence[AppScope]
    issuer: str
    """This service, so that an application tells answers of several apart (RFC 9207)."""
    refusal: AuthorizationRefusal | None = None

    def refused(self, refusal: AuthorizationRefusal) -> str:
        return self._back({"error": refusal.value})

    def granted(self, code: str, scopes: Sequence[AppScope]) -> str:
        return self._back({"code": code, "scope": scope_text(scopes)})

    def _back(self, members: dict[str, str]) -> str:
        return answer_url(self.redirect, members, state=self.state, issuer=self.issuer)


def answer_url(redirect: str, members: dict[str, str], *, state: str, issuer: str) -> str:
    joint = "&" if urlsplit(redirect).query else "?"
    more = {"state": state} if state else {}
    return f"{redirect}{joint}{urlencode(members | more | {'iss': issuer})}"


def scope_text(scopes: Sequence[str]) -> str:
    return " ".join(str(each) for each in scopes)


def read_request(app: ConnectedApp, sent: Mapping[str, str], *, issuer: str) -> AppRequest:
    """Raises InvalidInput where nothing may be sent back: the redirect URI is not one of the application's."""
    redirect = sent.get("redirect_uri", "")
    if redirect not in app.redirects:
        raise InvalidInput(
            "Cette application veut recevoir la réponse à une adresse qu’elle n’a pas déclarée. Rien ne lui est envoyé."
        )
    state, challenge = sent.get("state", "")[:1000], sent.get("code_challenge", "")
    allowed = [each for each in scopes_in(sent.get("scope", "")) if each.value in app.scopes]
    refusal = None
    if sent.get("response_type") != "code":
        refusal = AuthorizationRefusal.UNSUPPORTED_RESPONSE
    elif not state or sent.get("code_challenge_method") != "S256" or not is_challenge(challenge):
        refusal = AuthorizationRefusal.INVALID_REQUEST
    elif not allowed or unknown_scopes(sent.get("scope", "")):
        refusal = AuthorizationRefusal.INVALID_SCOPE
    return AppRequest(app, redirect, state, challenge, allowed, issuer, refusal)


def is_challenge(text: str) -> bool:
    return len(text) == 43 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def proves_challenge(challenge: str, verifier: str) -> bool:
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    made = encode_base64url(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(made, challenge)


def may_be_secret(text: str) -> bool:
    """Whether it has the form of a code or token of this service, which can end but hardly be guessed."""
    return is_challenge(text)


class TokenRefusal(StrEnum):
    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT = "unsupported_grant_type"


# --- badges (Open Badges 3.0, equality and comparison)


@dataclass(frozen=True)
class BadgeIdentity:
    """`key`: equal for two versions of one credential; the newer has the later `issued_at`."""

    key: tuple[str, str]
    issued_at: datetime
    token: str
    """The compact JWS, out of its envelope if it came in one; empty for an object with its proof."""


def identity_of(text: str) -> BadgeIdentity | None:
    """None where the text is no Open Badge 3.0."""
    try:
        secured = secured_from_text(text)
        document = secured.document
        issued = parse_timestamp(document.get("validFrom", document.get("issuanceDate")))
    except (CredentialError, ValueError, TypeError, AttributeError):
        return None
    issuer, badge, types = document.get("issuer"), document.get("id"), document.get("type")
    issuer = issuer.get("id") if isinstance(issuer, dict) else issuer
    is_badge = not _BADGE_TYPES.isdisjoint(
        each for each in (types if isinstance(types, list) else [types]) if isinstance(each, str)
    )
    if not is_badge or not isinstance(issuer, str) or not isinstance(badge, str):
        return None
    jws = secured.jws
    token = f"{jws.signing_input.decode()}.{encode_base64url(jws.signature)}" if jws is not None else ""
    return BadgeIdentity((_same(issuer), _same(badge)), issued, token)


def _same(identifier: str) -> str:
    """Equal for two spellings of one identifier."""
    return unquote(identifier.strip())


def pairwise_id(secret: bytes, app_id: uuid.UUID, person_id: uuid.UUID) -> str:
    """What one application knows a person by: two applications cannot compare."""
    mark = hmac.digest(secret, b"person of an application|" + app_id.bytes + person_id.bytes, hashlib.sha256)
    return uuid.UUID(bytes=mark[:16], version=4).urn


def registration_answer(app: ConnectedApp, secret: str) -> JsonObject:
    return {
        "client_id": str(app.id),
        "client_secret": secret,
        "client_id_issued_at": int(app.registered_at.timestamp()),
        "client_secret_expires_at": 0,
        "client_name": app.name,
        **app.facts,
        "redirect_uris": [*app.redirects],
        "scope": scope_text(app.scopes),
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
