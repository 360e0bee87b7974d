"""HTTP clients of programs: with a token, with an Accept header, or anonymous."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from fastapi.testclient import TestClient

from app.domain.accounts.sessions import Scope
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.learners.connected_apps import AppScope, TokenRefusal
from app.domain.people import Person
from sceau_credentials.keys import encode_base64url
from tests.support.app import COMMAND, App

EVERY_SCOPE = tuple(scope.value for scope in Scope)
V1 = "/api/v1/campuses/itip"


def anybody(app: App) -> TestClient:
    """A program without a token or an Accept header."""
    client = app.client()
    del client.headers["accept"]
    return client


def program(app: App, *scopes: str, campus: Campus | None = None) -> TestClient:
    """A program with a token of `campus` (itip by default) for these scopes (by default all)."""
    client = anybody(app)
    client.headers["authorization"] = f"Bearer {token(app, *scopes, campus=campus)}"
    return client


def token(app: App, *scopes: str, campus: Campus | None = None) -> str:
    with app.unit_of_work() as services:
        return services.people.create_token(
            campus or app.campus,
            label="tests",
            scopes=list(scopes or EVERY_SCOPE),
            life=timedelta(days=30),
            by=COMMAND,
        )


REGISTRATION: Final = {
    "client_name": "Portefeuille d’essai",
    "client_uri": "https://portefeuille.exemple.fr",
    "logo_uri": "https://portefeuille.exemple.fr/logo.png",
    "tos_uri": "https://portefeuille.exemple.fr/conditions",
    "policy_uri": "https://portefeuille.exemple.fr/donnees",
    "software_id": "portefeuille",
    "software_version": "1.0",
    "redirect_uris": ["https://portefeuille.exemple.fr/retour"],
    "scope": " ".join(AppScope),
}
VERIFIER: Final = "v" * 43


def registered(app: App) -> dict[str, Any]:
    """An application that the operator registered: its answer, with `client_id` and `client_secret`."""
    with app.unit_of_work() as services:
        return services.connected_apps.register(REGISTRATION, by_operator=True)


def authorization(registration: Mapping[str, Any], *scopes: AppScope) -> dict[str, str]:
    """The parameters with which it sends a learner's browser here."""
    return {
        "client_id": registration["client_id"],
        "redirect_uri": REGISTRATION["redirect_uris"][0],
        "response_type": "code",
        "scope": " ".join(scopes or AppScope),
        "state": "etat",
        "code_challenge": encode_base64url(sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
    }


def code_for(app: App, registration: Mapping[str, Any], person: Person, *scopes: AppScope) -> str:
    with app.unit_of_work() as services:
        asked = services.connected_apps.request(authorization(registration, *scopes))
        where = services.connected_apps.grant(asked, person, asked.scopes, by=Actor(person.id))
    return parse_qs(urlsplit(where).query)["code"][0]


def redemption(code: str, **changes: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REGISTRATION["redirect_uris"][0],
        "code_verifier": VERIFIER,
    } | changes


def connected(
    app: App, person: Person, *scopes: AppScope, registration: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The tokens of an application that this person connected."""
    registration = registration or registered(app)
    code = code_for(app, registration, person, *scopes)
    with app.unit_of_work() as services:
        client = services.connected_apps.client(registration["client_id"], registration["client_secret"])
        assert client is not None
        tokens = services.connected_apps.tokens(client, redemption(code))
    assert not isinstance(tokens, TokenRefusal)
    return tokens


def application(app: App, person: Person, *scopes: AppScope) -> TestClient:
    """A program with the access token of an application that this person connected."""
    client = anybody(app)
    client.headers["authorization"] = f"Bearer {connected(app, person, *scopes)['access_token']}"
    return client


_number = count()


def open_award(app: App) -> uuid.UUID:
    """An award that its holder opened to the world."""
    award_id = closed_award(app)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(label="holder"))
    return award_id


def closed_award(app: App) -> uuid.UUID:
    """The award of a new person."""
    award_id = app.award(f"Zoé Martin;zoe.{next(_number)}@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def stored(app: App, award_id: uuid.UUID, form: str) -> bytes:
    """The bytes as they were signed and stored (pictures: as they are baked from them)."""
    with app.unit_of_work(reading=True) as services:
        return services.publication.award_file(services.awards.record(award_id), form).body
