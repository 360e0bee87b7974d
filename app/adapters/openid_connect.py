"""One other sign-in service (OpenID Connect): discovery, redirect, and authenticated user."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.types import Options

from app.adapters import Unusable
from app.adapters.web_documents import WebDocuments
from app.domain.accounts.sign_in import (
    CLOCKS_APART,
    AuthorizationRequest,
    Identity,
    ProviderDown,
    ProviderRefused,
)
from app.domain.people import is_address, normal_address
from app.language import N_
from sceau_credentials.errors import DocumentUnavailable, MalformedInput, UnusableKey
from sceau_credentials.keys import check_rsa
from sceau_credentials.proofs.vc_jwt import parse_compact_jws
from sceau_credentials.values import JsonObject

_NAME = re.compile(r"[a-z0-9-]{1,30}")
_KNOWN = {"name", "label", "issuer", "client_id", "client_secret", "client_key", "domains"}


class ProvidersUnusable(Unusable):
    """Invalid configuration file; the message contains the remedy for the operator."""


@dataclass(frozen=True)
class Registration:
    """`domains`: the addresses for which it may identify the holder. `client_key`: PEM, signs an assertion
    instead of a secret."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    domains: frozenset[str] = frozenset()
    client_key: str = field(default="", repr=False)

    def vouches_for(self, address: str) -> bool:
        return normal_address(address).rpartition("@")[2] in self.domains


def registrations_in(path: Path) -> list[Registration]:
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProvidersUnusable(
            "SCEAU_SIGN_IN_SERVICES : {file} ne se lit pas comme TOML ({reason}).",
            file=path.name,
            reason=type(error).__name__,
        ) from error
    entries = document.get("service")
    if not isinstance(entries, list) or not entries or set(document) != {"service"}:
        raise ProvidersUnusable(
            "{file} doit contenir [[service]] pour chaque service de connexion, et rien d’autre.",
            file=path.name,
        )
    found = [_registration(entry) for entry in entries]
    for what in ("name", "issuer"):
        if len({getattr(each, what) for each in found}) != len(found):
            raise ProvidersUnusable(
                "{file} : deux services ont le même {member}.", file=path.name, member=what
            )
    return found


def _registration(entry: Mapping[str, Any]) -> Registration:
    if unknown := set(entry) - _KNOWN:
        raise ProvidersUnusable(
            "Un service de connexion n’a pas de membre {members}.", members=", ".join(sorted(unknown))
        )
    name, domains = _word(entry, "name"), entry.get("domains", [])
    if not _NAME.fullmatch(name):
        raise ProvidersUnusable(
            "Le nom (name) d’un service de connexion s’écrit en minuscules, chiffres et tirets."
        )
    if not _is_issuer(_word(entry, "issuer")):
        raise ProvidersUnusable("{name} : issuer est une adresse https, sans ? ni #.", name=name)
    if not isinstance(domains, list) or not all(
        isinstance(each, str) and "@" not in each for each in domains
    ):
        raise ProvidersUnusable('{name} : domains est une liste comme ["lycee.example"].', name=name)
    secret, key = (_secret(name, each, str(entry.get(each, ""))) for each in ("client_secret", "client_key"))
    if key:
        _check_key(name, key, has_secret=bool(secret))
    return Registration(
        name,
        _word(entry, "label"),
        _word(entry, "issuer"),
        _word(entry, "client_id"),
        secret,
        frozenset(each.lower() for each in domains),
        key,
    )


def _is_issuer(said: str) -> bool:
    """OpenID Connect Discovery 1.0, section 4; plain http only to this machine in development."""
    parts = urlsplit(said)
    scheme_fits = parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1")
    return scheme_fits and bool(parts.hostname) and not (parts.query or parts.fragment) and len(said) <= 400


def _word(entry: Mapping[str, Any], what: str) -> str:
    said = entry.get(what, "")
    if not isinstance(said, str) or not said.strip():
        raise ProvidersUnusable("Un service de connexion n’a pas de {member}, ou il est vide.", member=what)
    return said.strip()


def signing_algorithm(pem: str) -> str:
    """The JOSE name for this private key; ValueError where it must not sign an assertion."""
    key = load_pem_private_key(pem.encode(), password=None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "RS256"
    raise ValueError("an Ed25519 or P-256 key, or RSA of at least 2,048 bits")


def _check_key(name: str, pem: str, *, has_secret: bool) -> None:
    if has_secret:
        raise ProvidersUnusable("{name} : client_secret ou client_key, pas les deux.", name=name)
    try:
        signing_algorithm(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProvidersUnusable(
            "{name} : client_key est une clé privée PEM sans mot de passe : Ed25519, P-256, ou RSA de 2 048 bits ou plus.",
            name=name,
        ) from error


def _secret(name: str, member: str, source: str) -> str:
    """From `file:/path` or `env:NAME`, so that the file of services contains no secret; empty: a public
    client."""
    scheme, _, where = source.partition(":")
    if not source:
        return ""
    if scheme == "env" and os.environ.get(where):
        return os.environ[where]
    if scheme == "file" and Path(where).is_file():
        if Path(where).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ProvidersUnusable("D’autres peuvent lire {path} : chmod 600 {path}.", path=where)
        return Path(where).read_text("utf-8-sig", "replace").strip()
    raise ProvidersUnusable(
        "{name} : {member} s’écrit file:/chemin ou env:NOM, et doit s’y trouver.", name=name, member=member
    )


_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GOOD_FOR: Final = timedelta(minutes=1)


def authentication(
    registration: Registration, methods: Sequence[object], token_endpoint: str, at: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """Additional headers and form fields of a token request; `methods` are those the service lists."""
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
    """RFC 7523, section 3: identifies us, for this endpoint only, once, for a minute."""
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


_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
# Asymmetric signatures only: with a shared secret, each of the two ends could sign for anyone.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES)
_TYPES: Final = ("jwt", "application/jwt", "id_token+jwt")
_NOT_OF_ID_TOKENS: Final = frozenset({"crit", "b64", "zip", "enc"})
"""Members that change how a token is read."""
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LONGEST_SUBJECT: Final = 255
_LONGEST_TOKEN: Final = 32 * 1024
_MOST_KEYS: Final = 50
# PyJWT compares times with the system's clock; ours is injected.
_OPTIONS: Final[Options] = {
    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "enforce_minimum_key_length": True,
}


class BadToken(Exception):
    """`about` names the invalid part for the log, without any content of the token."""

    def __init__(self, about: str) -> None:
        super().__init__(about)


class UnknownKey(BadToken):
    """Signed with no key of the cached set: the service may have replaced its keys."""


def checked(
    id_token: object,
    keys: object,
    *,
    issuer: str,
    client_id: str,
    question: AuthorizationRequest,
    at: datetime,
) -> Identity:
    """The subject of the token; raises BadToken."""
    claims = verified_claims(id_token, keys, issuer=issuer, client_id=client_id, nonce=question.nonce, at=at)
    return Identity(issuer, claims["sub"], _address(claims), _proved_at(claims, at))


def verified_claims(
    id_token: object,
    keys: object,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    at: datetime,
    algorithms: Sequence[str] = ALGORITHMS,
) -> dict[str, Any]:
    """The claims of an ID token that answers `nonce`, with a usable subject; raises BadToken."""
    if not isinstance(id_token, str):
        raise BadToken("no ID token")
    try:
        # Canonical encoding only, and no duplicate member: PyJWT alone accepts padding and the last of two
        # members.
        header = parse_compact_jws(id_token, max_length=_LONGEST_TOKEN).header
    except MalformedInput as error:
        raise BadToken(f"no ID token ({error.reason})") from error
    if header.get("alg") not in algorithms:
        raise BadToken("signature (algorithm)")
    # A service signs others with the same keys: access and logout tokens, proofs (RFC 8725, 3.11).
    if str(header.get("typ", "JWT")).casefold() not in _TYPES or not _NOT_OF_ID_TOKENS.isdisjoint(header):
        raise BadToken("header")
    claims = _signed_claims(id_token, header, keys, issuer=issuer, client_id=client_id)
    _check_times(claims, at)
    if claims["nonce"] != nonce:
        raise BadToken("claims (nonce)")
    _check_party(claims, client_id)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or "\x00" in subject:
        raise BadToken("sub")
    return claims


def _signed_claims(
    id_token: str, header: JsonObject, keys: object, *, issuer: str, client_id: str
) -> dict[str, Any]:
    """The claims, if verified by one of the service's keys."""
    algorithm = header.get("alg")
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
    # A name that fits proves nothing: a service may have put a new key under it since the set was cached.
    raise UnknownKey("signature" if fitting and "kid" in header else "signature (unknown key)")


def _listed(keys: object) -> list[dict[str, Any]]:
    listed = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise BadToken("key set")
    return [each for each in listed if isinstance(each, dict)]


def _may_verify(jwk: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Whether a key of the set applies to such a token: same name, kind and algorithm, for signatures, public
    only."""
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
    """OpenID Connect Core 1.0, section 3.1.3.7: a token with several audiences names its authorised party."""
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
    # What is normalised beyond its case is another mailbox to the provider: it must not become one of ours.
    return address if is_address(address) and address == said.lower() else ""


def _proved_at(claims: Mapping[str, Any], at: datetime) -> datetime | None:
    said = claims.get("auth_time")
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        return min(datetime.fromtimestamp(said, UTC).replace(microsecond=0), at)
    except (ValueError, OverflowError, OSError):
        return None


_SCOPE: Final = "openid email"
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!\"$-~]*)?")
"""A browser is sent to it as it stands: no second line, no name before an @."""
log = structlog.get_logger(__name__)


class _NotGranted(Exception):
    """The service refused the code."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.is_outage = status >= 500


class _Strange(Exception):
    """Invalid discovery document."""


@dataclass(frozen=True)
class OpenIdProvider:
    """`return_url` is the callback URL, `home` the page shown after leaving the service."""

    registration: Registration
    documents: WebDocuments
    return_url: str
    home: str

    @property
    def name(self) -> str:
        return self.registration.name

    @property
    def label(self) -> str:
        return self.registration.label

    @property
    def issuer(self) -> str:
        return self.registration.issuer

    def vouches_for(self, address: str) -> bool:
        return self.registration.vouches_for(address)

    def question_url(self, question: AuthorizationRequest) -> str:
        try:
            where = self._place("authorization_endpoint")
        except (DocumentUnavailable, _Strange) as error:
            raise self._down(error) from error
        digest = hashlib.sha256(question.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": self.return_url,
            "scope": _SCOPE,
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return _with_query(where, asked | ({"prompt": "login", "max_age": "0"} if question.again else {}))

    def identity(self, code: str, question: AuthorizationRequest, *, at: datetime) -> Identity:
        try:
            return self._checked(self._id_token(code, question, at), question, at)
        except (DocumentUnavailable, _Strange) as error:
            raise self._down(error) from error
        except (_NotGranted, BadToken) as error:
            if isinstance(error, _NotGranted) and error.is_outage:
                raise self._down(error) from error
            log.warning("sign-in service refused", service=self.name, why=_why(error))
            raise ProviderRefused(
                N_(
                    "La réponse de « {label} » ne prouve pas qui vous êtes : personne n’est entré. Recommencez ; si cela se répète, prévenez la personne qui gère ce service et entrez avec un lien."
                ),
                label=self.label,
            ) from error

    def names_itself(self) -> bool:
        try:
            return self._metadata().get("authorization_response_iss_parameter_supported") is True
        except (DocumentUnavailable, _Strange) as error:
            raise self._down(error) from error

    def leaving_url(self) -> str:
        try:
            where = self._place("end_session_endpoint")
        except (DocumentUnavailable, _Strange):
            return ""
        return _with_query(
            where, {"client_id": self.registration.client_id, "post_logout_redirect_uri": self.home}
        )

    def _id_token(self, code: str, question: AuthorizationRequest, at: datetime) -> object:
        """Exchanges the code at the token endpoint (RFC 6749, section 4.1.3)."""
        where = self._place("token_endpoint")
        methods = self._metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers, proof = authentication(
            self.registration, methods if isinstance(methods, list) else ["client_secret_basic"], where, at
        )
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.return_url,
            "code_verifier": question.verifier,
            **proof,
        }
        answer = self.documents.post(
            where,
            urlencode(form).encode(),
            media_type="application/x-www-form-urlencoded;charset=UTF-8",
            headers=headers,
        )
        if answer.status != 200:
            raise _NotGranted(answer.status)
        try:
            granted = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise BadToken("no JSON") from error
        return granted.get("id_token") if isinstance(granted, dict) else None

    def _checked(self, id_token: object, question: AuthorizationRequest, at: datetime) -> Identity:
        def against(keys: object) -> Identity:
            return checked(
                id_token, keys, issuer=self.issuer, client_id=self.registration.client_id,
                question=question, at=at,
            )  # fmt: skip

        where = self._place("jwks_uri")
        try:
            return against(self._document(where))
        except UnknownKey:
            self.documents.doubt(where)
            return against(self._document(where))

    def _metadata(self) -> dict[str, Any]:
        document = self._document(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0, section 4.3: otherwise one service could impersonate another.
        if not isinstance(document, dict) or document.get("issuer") != self.issuer:
            raise _Strange("another issuer")
        return document

    def _place(self, what: str) -> str:
        said = self._metadata().get(what)
        is_plain = urlsplit(self.issuer).scheme == "http"
        if not isinstance(said, str) or not _ENDPOINT.fullmatch(said) or (said[4] != "s" and not is_plain):
            raise _Strange(f"no {what}")
        return said

    def _document(self, url: str) -> object:
        try:
            return json.loads(self.documents.fetch(url).body)
        except (ValueError, RecursionError) as error:
            raise _Strange("no JSON") from error

    def _down(self, error: Exception) -> ProviderDown:
        log.warning("sign-in service down", service=self.name, why=_why(error))
        return ProviderDown(
            N_(
                "« {label} » ne répond pas en ce moment. Réessayez dans quelques minutes, ou entrez avec un lien."
            ),
            label=self.label,
        )


def providers_in(
    registrations: Sequence[Registration],
    documents: WebDocuments,
    *,
    return_url: Callable[[str], str],
    home: str,
) -> dict[str, OpenIdProvider]:
    return {each.name: OpenIdProvider(each, documents, return_url(each.name), home) for each in registrations}


def _with_query(url: str, said: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(said)}"


def _why(error: Exception) -> str:
    """Contains no text from the other side, which may include personal data of the user."""
    if isinstance(error, DocumentUnavailable):
        return error.reason
    ours = isinstance(error, BadToken | _NotGranted | _Strange)
    return str(error) if ours else type(error).__name__
