"""Requests to course platforms (LTI 1.3, Names and Roles 2.0, Assignment and Grades 2.0)."""

from __future__ import annotations

import json
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.adapters.openid_connect import BadToken, UnknownKey, verified_claims
from app.adapters.web_documents import WebDocuments
from app.domain.campus.lti import (
    LONGEST_ID,
    MOST_LINE_ITEMS,
    MOST_ROWS,
    DeepLinkSettings,
    GrantedToken,
    Launch,
    LaunchKind,
    LaunchRefused,
    LineItem,
    LtiRegistration,
    LtiResult,
    Member,
    PlatformDown,
    PlatformRefused,
    RequestBudget,
    ToolKey,
    is_platform_url,
)
from app.domain.core import as_stored
from app.domain.people import is_address, normal_address
from sceau_credentials.errors import DocumentUnavailable

_CLAIM: Final = "https://purl.imsglobal.org/spec/lti/claim/"
_LINKS: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_ROSTER: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
_GRADES: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
_SCOPES: Final = (
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly",
    "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly",
)
_MEMBERS_TYPE: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_ITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_KINDS: Final = {
    "LtiResourceLinkRequest": LaunchKind.RESOURCE,
    "LtiDeepLinkingRequest": LaunchKind.DEEP_LINKING,
}
_ASSERTION_LIFE: Final = timedelta(minutes=1)
_RESPONSE_LIFE: Final = timedelta(minutes=5)
_TOKEN_LIFE: Final = timedelta(hours=1)
_OLDEST: Final = timedelta(minutes=10)
"""Of an ID token: a platform issues it for this launch."""
_MOST_PAGES: Final = 100
_LONGEST_URL: Final = 2_000
_LONGEST_DATA: Final = 16_000
_NEXT: Final = re.compile(r'<([^<>]{1,2000})>\s*;[^,<]*\brel="?next"?', re.IGNORECASE)
_KEY_BITS: Final = 2048
_NAME_CUT: Final = 400
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LtiClient:
    """`documents`: the guarded client; None where the operator wants nothing fetched."""

    documents: WebDocuments | None
    monotonic: Callable[[], float] = time.monotonic

    def read_launch(
        self, registration: LtiRegistration, id_token: str, nonce: str, *, at: datetime
    ) -> Launch:
        """Raises LaunchRefused, or PlatformDown where its keys cannot be read."""
        try:
            return _launch(self._claims(registration, id_token, nonce, at), registration, at)
        except BadToken as error:
            log.warning("launch refused", why=str(error))
            raise LaunchRefused(str(error)) from error

    def token(self, registration: LtiRegistration, key: ToolKey, *, at: datetime) -> GrantedToken:
        claims = {
            "iss": registration.client_id,
            "sub": registration.client_id,
            "aud": registration.token_url,
            "jti": secrets.token_urlsafe(16),
            "iat": int(at.timestamp()),
            "exp": int((at + _ASSERTION_LIFE).timestamp()),
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": sign(claims, key),
            "scope": " ".join(_SCOPES),
        }
        budget = RequestBudget(self.monotonic)
        try:
            answer = self._ready(registration).post(
                registration.token_url,
                urlencode(form).encode(),
                media_type="application/x-www-form-urlencoded",
            )
        except DocumentUnavailable as error:
            raise PlatformDown(registration.label, error.reason) from error
        answer_body = _object(registration, answer.status, answer.body)
        secret, seconds = answer_body.get("access_token"), answer_body.get("expires_in", 3600)
        if not isinstance(secret, str) or not re.fullmatch(r"[\x21-\x7e]{1,8000}", secret):
            raise PlatformRefused(registration.label, "no access token")
        life = timedelta(seconds=seconds) if type(seconds) is int and 0 < seconds < 86_400 else _TOKEN_LIFE
        return GrantedToken(secret, at + life, budget)

    def members(self, registration: LtiRegistration, token: GrantedToken, url: str) -> list[Member]:
        """Every page of the roster."""
        found: dict[str, Member] = {}
        for entry in self._pages(registration, token, url, _MEMBERS_TYPE, "members"):
            member = _member(entry)
            if member is not None:
                found.setdefault(member.subject, member)
        return list(found.values())

    def line_items(self, registration: LtiRegistration, token: GrantedToken, url: str) -> list[LineItem]:
        found: list[LineItem] = []
        for entry in self._pages(registration, token, url, _ITEMS_TYPE, ""):
            where, label, most = entry.get("id"), _text(entry, "label", 200), entry.get("scoreMaximum")
            if isinstance(where, str) and len(where) <= _LONGEST_URL and label and _is_number(most):
                found.append(LineItem(where, label, float(str(most))))
            if len(found) >= MOST_LINE_ITEMS:
                break
        return found

    def results(self, registration: LtiRegistration, token: GrantedToken, item: LineItem) -> list[LtiResult]:
        try:
            parts = urlsplit(item.url)
        except ValueError:
            raise PlatformRefused(registration.label, "line item") from None
        url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/results"))
        found: dict[str, LtiResult] = {}
        for entry in self._pages(registration, token, url, _RESULTS_TYPE, ""):
            subject, score = entry.get("userId"), entry.get("resultScore")
            most = entry.get("resultMaximum", item.maximum)
            if isinstance(subject, str) and _is_number(score) and _is_number(most):
                found[subject] = LtiResult(subject, float(str(score)), float(str(most)))
        return list(found.values())

    def _claims(
        self, registration: LtiRegistration, id_token: str, nonce: str, at: datetime
    ) -> dict[str, Any]:
        documents, where = self._ready(registration), registration.keys_url

        def against(keys: object) -> dict[str, Any]:
            return verified_claims(
                id_token, keys, issuer=registration.issuer, client_id=registration.client_id, nonce=nonce,
                at=at, algorithms=("RS256",),
            )  # fmt: skip

        def keys() -> object:
            try:
                return json.loads(documents.fetch(where).body)
            except DocumentUnavailable as error:
                raise PlatformDown(registration.label, error.reason) from error
            except (ValueError, RecursionError) as error:
                raise BadToken("key set") from error

        try:
            return against(keys())
        except UnknownKey:
            documents.doubt(where)
            return against(keys())

    def _pages(
        self, registration: LtiRegistration, token: GrantedToken, url: str, accept: str, member: str
    ) -> Iterator[Mapping[str, Any]]:
        """The objects of a paged list; `member` holds them where the list is not the document itself."""
        documents, seen, rows, first = self._ready(registration), set[str](), 0, url
        while url and url not in seen and len(seen) < _MOST_PAGES:
            if token.budget.is_spent:
                raise PlatformDown(registration.label, "too long or too large")
            seen.add(url)
            try:
                answer = documents.get(
                    url, accept=accept, headers={"Authorization": f"Bearer {token.secret}"}
                )
            except DocumentUnavailable as error:
                raise PlatformDown(registration.label, error.reason) from error
            token.budget.spend(len(answer.body))
            entry = _json(registration, answer.status, answer.body)
            listed = entry.get(member) if member and isinstance(entry, dict) else entry
            if not isinstance(listed, list):
                raise PlatformRefused(registration.label, "no list")
            rows += len(listed)
            if rows > MOST_ROWS:
                raise PlatformRefused(registration.label, "too many rows")
            yield from (each for each in listed if isinstance(each, dict))
            following = _NEXT.search(answer.headers.get("link", ""))
            url = urljoin(url, following[1]) if following else ""
            if url and _origin(url) != _origin(first):  # it would get our access token
                raise PlatformRefused(registration.label, "next page at another host")
        if url and url not in seen:  # a list without its end would be taken for the whole course
            raise PlatformRefused(registration.label, "too many pages")

    def _ready(self, registration: LtiRegistration) -> WebDocuments:
        if self.documents is None:
            raise PlatformDown(registration.label, "fetching is off")
        return self.documents


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.casefold()


def make_tool_key() -> tuple[str, dict[str, Any]]:
    """A new RSA key: PEM, and its public JWK."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return pem, {
        "kty": "RSA",
        "n": public["n"],
        "e": public["e"],
        "kid": str(uuid.uuid4()),
        "alg": "RS256",
        "use": "sig",
    }


def sign(claims: Mapping[str, Any], key: ToolKey) -> str:
    return jwt.encode(dict(claims), key.pem, algorithm="RS256", headers={"kid": key.key_id})


def deep_link_response(
    registration: LtiRegistration,
    deployment: str,
    data: str,
    item: Mapping[str, Any],
    key: ToolKey,
    *,
    at: datetime,
) -> str:
    """The JWT that carries one item back to the course (LTI Deep Linking 2.0, section 4)."""
    claims: dict[str, Any] = {
        "iss": registration.client_id,
        "aud": registration.issuer,
        "iat": int(at.timestamp()),
        "exp": int((at + _RESPONSE_LIFE).timestamp()),
        "nonce": secrets.token_urlsafe(16),
        f"{_CLAIM}message_type": "LtiDeepLinkingResponse",
        f"{_CLAIM}version": "1.3.0",
        f"{_CLAIM}deployment_id": deployment,
        f"{_LINKS}content_items": [dict(item)],
    }
    if data:
        claims[f"{_LINKS}data"] = data
    return sign(claims, key)


def _launch(claims: Mapping[str, Any], registration: LtiRegistration, at: datetime) -> Launch:
    issued = claims["iat"]
    if issued < (at - _OLDEST).timestamp():
        raise BadToken("claims (iat, too old)")
    kind = _KINDS.get(str(claims.get(f"{_CLAIM}message_type")))
    if kind is None or claims.get(f"{_CLAIM}version") != "1.3.0":
        raise BadToken("claims (message_type, version)")
    deployment = claims.get(f"{_CLAIM}deployment_id")
    if not isinstance(deployment, str) or deployment not in registration.deployments:
        raise BadToken("claims (deployment_id)")
    roles = claims.get(f"{_CLAIM}roles", [])
    context = _part(claims, f"{_CLAIM}context")
    custom, wanted = _part(claims, f"{_CLAIM}custom"), _part(claims, f"{_LINKS}deep_linking_settings")
    deep_link = None
    if kind is LaunchKind.DEEP_LINKING:
        where, types = _text(wanted, "deep_link_return_url", _LONGEST_URL), wanted.get("accept_types")
        # A local issuer is registered only where the settings are local.
        is_local = registration.issuer.startswith("http:")
        if not is_platform_url(where, allows_local=is_local):
            raise BadToken("claims (deep_link_return_url)")
        data = wanted.get("data", "")
        if not isinstance(data, str) or len(data) > _LONGEST_DATA or "\x00" in data:
            raise BadToken("claims (data)")
        takes = isinstance(types, list) and "ltiResourceLink" in types
        deep_link = DeepLinkSettings(where, data, takes)
    return Launch(
        kind,
        claims["sub"],
        deployment,
        tuple(each for each in roles if isinstance(each, str)) if isinstance(roles, list) else (),
        _text(context, "id", LONGEST_ID),
        _text(context, "title", 200) or _text(context, "label", 200),
        _text(_part(claims, _ROSTER), "context_memberships_url", _LONGEST_URL),
        _text(_part(claims, _GRADES), "lineitems", _LONGEST_URL),
        _number_of(custom.get("badge")),
        deep_link,
    )


def _number_of(written: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _part(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = claims.get(name)
    return found if isinstance(found, dict) else {}


def _text(claims: Mapping[str, Any], name: str, most: int) -> str:
    """One line; longer identifiers and addresses are nothing, longer titles and names are cut: too long a name is
    refused, and not taken for its other half."""
    found = claims.get(name)
    if not isinstance(found, str):
        return ""
    line = as_stored(" ".join(found.split()))
    if name in ("title", "label", "given_name", "family_name", "name"):
        return line[:most]
    return line if len(line) <= most else ""


def _member(claims: Mapping[str, Any]) -> Member | None:
    subject, roles = claims.get("user_id"), claims.get("roles", [])
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_ID:
        return None
    address = normal_address(_text(claims, "email", 254))
    return Member(
        subject,
        tuple(each for each in roles if isinstance(each, str)) if isinstance(roles, list) else (),
        claims.get("status", "Active") == "Active",
        _text(claims, "given_name", _NAME_CUT),
        _text(claims, "family_name", _NAME_CUT),
        _text(claims, "name", _NAME_CUT),
        address if is_address(address) else "",
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _json(registration: LtiRegistration, status: int, body: bytes) -> Any:
    if status >= 500 or status == 429:
        raise PlatformDown(registration.label, f"status {status}")
    if status != 200:
        raise PlatformRefused(registration.label, f"status {status}")
    try:
        return _writable(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise PlatformRefused(registration.label, "no JSON") from error


def _writable(value: Any) -> Any:
    """`as_stored` and without lone surrogates, which no database takes: a name of one member refuses no roster."""
    if isinstance(value, str):
        return as_stored(value.encode("utf-8", "replace").decode())
    if isinstance(value, list):
        return [_writable(each) for each in value]
    if isinstance(value, dict):
        return {_writable(name): _writable(each) for name, each in value.items()}
    return value


def _object(registration: LtiRegistration, status: int, body: bytes) -> Mapping[str, Any]:
    document = _json(registration, status, body)
    if not isinstance(document, dict):
        raise PlatformRefused(registration.label, "no object")
    return document
