"""One other sign-in service: what it says of itself, the way there, and who comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import structlog
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from app.adapters.openid_connect.guarded import GuardedSession, NotGranted
from app.adapters.openid_connect.id_tokens import BadToken, UnknownKey, checked
from app.adapters.openid_connect.registrations import Registration
from app.adapters.web_documents import WebDocuments
from app.credentials.errors import DocumentUnavailable
from app.domain.federation import Identity, ProviderDown, ProviderRefused, Question
from app.language import N_

_SCOPE: Final = "openid email"
log = structlog.get_logger(__name__)


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
            where, client = self._place("authorization_endpoint"), self._client()
        except (DocumentUnavailable, _Strange) as error:
            raise self._down(error) from error
        more = {"prompt": "login", "max_age": "0"} if question.again else {}
        url, _ = client.create_authorization_url(
            where, state=question.state, code_verifier=question.verifier, nonce=question.nonce, **more
        )
        return str(url)

    def identity(self, code: str, question: Question, *, at: datetime) -> Identity:
        try:
            granted = self._client().fetch_token(
                self._place("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=question.verifier,
            )
            return self._checked(granted.get("id_token"), question, at)
        except (DocumentUnavailable, _Strange) as error:
            raise self._down(error) from error
        except (NotGranted, OAuth2Error, BadToken, ValueError) as error:
            if isinstance(error, NotGranted) and error.is_outage:
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
        said = urlencode({"client_id": self.registration.client_id, "post_logout_redirect_uri": self.home})
        return f"{where}{'&' if '?' in where else '?'}{said}"

    def _client(self) -> OAuth2Client:
        """One for each question: what it remembers of an answer stays apart."""
        methods = self._told().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        by_post = isinstance(methods, list) and "client_secret_basic" not in methods
        confidential = "client_secret_post" if by_post else "client_secret_basic"
        return OAuth2Client(
            GuardedSession(self.documents),
            client_id=self.registration.client_id,
            client_secret=self.registration.client_secret or None,
            token_endpoint_auth_method=confidential if self.registration.client_secret else "none",
            scope=_SCOPE,
            redirect_uri=self.return_url,
            code_challenge_method="S256",
        )

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


def _why(error: Exception) -> str:
    """Nothing that the other side wrote: an answer may repeat who signs in."""
    if isinstance(error, DocumentUnavailable):
        return error.reason
    ours = isinstance(error, BadToken | NotGranted | _Strange)
    return str(error) if ours else type(error).__name__
