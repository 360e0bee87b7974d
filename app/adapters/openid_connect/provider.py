"""One other sign-in service: what it says of itself, the way there, and who comes back."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import structlog

from app.adapters.openid_connect.client_authentication import authentication
from app.adapters.openid_connect.id_tokens import BadToken, UnknownKey, checked
from app.adapters.openid_connect.registrations import Registration
from app.adapters.web_documents import WebDocuments
from app.domain.accounts.federation import Identity, ProviderDown, ProviderRefused, Question
from app.language import N_
from sceau_credentials.errors import DocumentUnavailable

_SCOPE: Final = "openid email"
log = structlog.get_logger(__name__)


class _NotGranted(Exception):
    """The service answered, and gave nothing for the code."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.is_outage = status >= 500


class _Strange(Exception):
    """What the service says of itself is not what it should be."""


@dataclass(frozen=True)
class OpenIdProvider:
    """`return_url` is where the service sends the browser back to, `home` the page one sees after leaving it."""

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

    def question_url(self, question: Question) -> str:
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

    def identity(self, code: str, question: Question, *, at: datetime) -> Identity:
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

    def leaving_url(self) -> str:
        try:
            where = self._place("end_session_endpoint")
        except (DocumentUnavailable, _Strange):
            return ""
        return _with_query(
            where, {"client_id": self.registration.client_id, "post_logout_redirect_uri": self.home}
        )

    def _id_token(self, code: str, question: Question, at: datetime) -> object:
        """What the token endpoint gives for the code (RFC 6749, section 4.1.3)."""
        where = self._place("token_endpoint")
        methods = self._told().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
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

    def _checked(self, id_token: object, question: Question, at: datetime) -> Identity:
        def against(keys: object) -> Identity:
            return checked(
                id_token, keys, issuer=self.issuer, client_id=self.registration.client_id,
                question=question, at=at,
            )  # fmt: skip

        where = self._place("jwks_uri")
        try:
            return against(self._document(where))
        except UnknownKey:
            self.documents.forget(where)
            return against(self._document(where))

    def _told(self) -> dict[str, Any]:
        told = self._document(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0, section 4.3: else one service could speak for another.
        if not isinstance(told, dict) or told.get("issuer") != self.issuer:
            raise _Strange("another issuer")
        return told

    def _place(self, what: str) -> str:
        said = self._told().get(what)
        is_plain = urlsplit(self.issuer).scheme == "http"
        if not isinstance(said, str) or not said.startswith(
            ("https://", "http://") if is_plain else "https://"
        ):
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
    """Nothing that the other side wrote: an answer may repeat who signs in."""
    if isinstance(error, DocumentUnavailable):
        return error.reason
    ours = isinstance(error, BadToken | _NotGranted | _Strange)
    return str(error) if ours else type(error).__name__
