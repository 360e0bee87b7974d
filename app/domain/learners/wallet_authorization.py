"""A wallet asks a signed-in learner for a badge, and which parts of it are shown."""

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

from app.domain.badges import BadgeKind
from app.domain.core import foreign_key, utc_datetime
from app.domain.learners.connected_apps import (
    LONGEST_URL,
    AuthorizationRefusal,
    answer_url,
    is_challenge,
    is_host_name,
)
from app.domain.learners.wallets import (
    OFFER_LIFE,
    PROOF_ALGORITHMS,
    WalletFormat,
    WalletRefusal,
    WalletRefused,
    format_of,
    is_made_now,
)
from app.errors import AppError
from app.language import N_
from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.keys import VerificationKey, decode_base64url, encode_base64url
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, verify_jws
from sceau_credentials.values import (
    JsonObject,
    dump_json,
    format_timestamp,
    parse_json,
    parse_json_object,
    parse_timestamp,
)

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
        return is_host_name(host) or host == "localhost"
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


def read_dpop(proof: str, *, url: str, at: datetime, token: str = "") -> DpopProof:
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
    named, target = claims.get("jti"), claims.get("htu")
    if not is_made_now(claims, at=at):
        raise refused
    if not isinstance(named, str) or not 8 <= len(named) <= 200 or not isinstance(target, str):
        raise refused
    if claims.get("htm") != "POST" or target.partition("#")[0].partition("?")[0] != url:
        raise refused
    if token:
        bound = encode_base64url(hashlib.sha256(token.encode("utf-8", "replace")).digest())
        if claims.get("ath") != bound:
            raise refused
    thumbprint = key.thumbprint()
    digest = hashlib.sha256("\n".join((thumbprint, url, named)).encode("utf-8", "replace")).hexdigest()
    return DpopProof(thumbprint, digest)


# --- Badges shown in part: which members every reader sees, and which ones their holder shows or not


PRESENTATION_LIFE: Final = timedelta(days=90)
"""What is left out of a derived proof may have been signed: a verifier accepts no such proof without an end. Every
presentation therefore has one, and a badge without end needs no exception."""

_ASSESSED: Final = frozenset(kind for kind in BadgeKind if kind.is_assessed)
_COMPETENCY: Final = frozenset({BadgeKind.COMPETENCY})


@dataclass(frozen=True)
class MandatoryMembers:
    """JSON pointers into a badge of one of `kinds`, and why its holder cannot leave them out."""

    pointers: tuple[str, ...]
    label: str
    reason: str
    kinds: frozenset[BadgeKind] = frozenset(BadgeKind)


@dataclass(frozen=True)
class DisclosableMembers:
    """JSON pointers that are shown or left out together; `name` is that of the form's field."""

    name: str
    pointers: tuple[str, ...]
    label: str


def _of_achievement(*names: str) -> tuple[str, ...]:
    return tuple(f"/credentialSubject/achievement/{name}" for name in names)


MANDATORY: Final = (
    MandatoryMembers(
        ("/name", *_of_achievement("name", "description", "criteria", "achievementType")),
        N_("Ce qui est attesté"),
        N_("Un titre sans ce qu’il veut dire pourrait passer pour autre chose."),
    ),
    MandatoryMembers(
        _of_achievement("image", "inLanguage", "version", "tag"),
        N_("L’image, la langue, la version et les mots-clés du badge"),
        N_("Ils disent de quel badge il s’agit, et rien de la personne."),
    ),
    MandatoryMembers(("/issuer",), N_("Le campus"), N_("On n’atteste pas sans dire qui atteste.")),
    MandatoryMembers(
        ("/id",),
        N_("L’adresse du badge"),
        N_("Le fichier la contient toujours : c’est là que le badge se vérifie."),
    ),
    MandatoryMembers(("/validFrom", "/validUntil"), N_("Le début et la fin"), N_("Une fin ne se cache pas.")),
    MandatoryMembers(
        ("/credentialStatus",), N_("Le statut"), N_("Un retrait ou une suspension ne se cache pas.")
    ),
    MandatoryMembers(
        ("/credentialSubject/narrative", "/credentialSubject/source"),
        N_("Comment c’est jugé"),
        N_("Un badge jugé ne veut rien dire si l’on ne sait pas comment il a été jugé."),
        _ASSESSED,
    ),
    MandatoryMembers(
        _of_achievement("alignment"),
        N_("Les compétences visées"),
        N_("Un badge de compétence nomme sa compétence."),
        _COMPETENCY,
    ),
)

DISCLOSABLE: Final = (
    DisclosableMembers("nom", ("/credentialSubject/identifier",), N_("Le nom de la personne")),
    DisclosableMembers("date", ("/awardedDate",), N_("La date d’attribution")),
    DisclosableMembers(
        "activite",
        ("/credentialSubject/activityStartDate", "/credentialSubject/activityEndDate"),
        N_("Les dates de l’activité"),
    ),
    DisclosableMembers("role", ("/credentialSubject/role",), N_("Le rôle dans l’activité")),
    DisclosableMembers(
        "resultats",
        ("/credentialSubject/result", *_of_achievement("resultDescription")),
        N_("Les heures et les résultats"),
    ),
    DisclosableMembers("preuves", ("/evidence", "/relatedResource"), N_("Les preuves")),
    DisclosableMembers(
        "jugement", ("/credentialSubject/narrative", "/credentialSubject/source"), N_("Comment c’est jugé")
    ),
    DisclosableMembers("competences", _of_achievement("alignment"), N_("Les compétences visées")),
)


def mandatory_of(kind: BadgeKind) -> tuple[MandatoryMembers, ...]:
    return tuple(each for each in MANDATORY if kind in each.kinds)


def mandatory_pointers(kind: BadgeKind) -> frozenset[str]:
    return frozenset(pointer for each in mandatory_of(kind) for pointer in each.pointers)


def mandatory_in(document: JsonObject, kind: BadgeKind) -> list[str]:
    """Those of this document, in the order of the table."""
    named = [pointer for each in mandatory_of(kind) for pointer in each.pointers]
    return [pointer for pointer in named if _has(document, pointer)]


def disclosable_in(document: JsonObject, kind: BadgeKind) -> list[DisclosableMembers]:
    """What the holder of this document shows or leaves out."""
    always = mandatory_pointers(kind)
    return [
        each
        for each in DISCLOSABLE
        if always.isdisjoint(each.pointers) and any(_has(document, pointer) for pointer in each.pointers)
    ]


def selected_in(document: JsonObject, kind: BadgeKind, names: Collection[str]) -> list[str]:
    """The pointers of the chosen members; names that this document does not have are ignored."""
    return [
        pointer
        for each in disclosable_in(document, kind)
        if each.name in names
        for pointer in each.pointers
        if _has(document, pointer)
    ]


def presented(document: JsonObject, *, at: datetime) -> JsonObject:
    """The badge as its holder discloses it today, without its proof, until the end of a presentation."""
    end = at + PRESENTATION_LIFE
    if "validUntil" in document:
        end = min(end, parse_timestamp(document["validUntil"]))
    bare = {name: value for name, value in document.items() if name != "proof"}
    return bare | {"validUntil": format_timestamp(end)}


def _has(document: JsonObject, pointer: str) -> bool:
    value: object = document
    for name in pointer.split("/")[1:]:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
