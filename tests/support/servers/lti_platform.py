"""A fake LTI platform on loopback: HTTP server, keys, one course, and switchable faults."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from fastapi.testclient import TestClient
from httpx import Response

from app.adapters.lti import LtiClient
from app.adapters.web_documents import WebDocuments
from app.adapters.web_documents.url_policy import NetworkScope
from app.domain.campus.lti import LtiRegistration
from tests.support.app import COMMAND, App
from tests.support.servers.rsa_keys import rsa_key

CLIENT_ID, DEPLOYMENT, LABEL = "sceau-itip", "1", "Moodle du lycée"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
LINKS = "https://purl.imsglobal.org/spec/lti-dl/claim/"
COURSE_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
TEACHER, LEARNER = f"{COURSE_ROLE}Instructor", f"{COURSE_ROLE}Learner"


@dataclass
class Faults:
    """Faults of the platform; none by default. `claims` overrides claims or, with None, removes them."""

    claims: dict[str, Any] = field(default_factory=dict)
    foreign_key: bool = False
    small_key: bool = False
    algorithm: str = "RS256"
    token_status: int = 200
    down: bool = False


def _learner(number: int) -> dict[str, Any]:
    return {
        "user_id": f"eleve-{number}",
        "roles": [LEARNER],
        "status": "Active",
        "given_name": f"Élodie{_letters(number)}",
        "family_name": f"Garnier{_letters(number)}",
        "email": f"eleve{number}@lycee.exemple.fr",
    }


def _letters(number: int) -> str:
    return "abcdefghij"[number // 10] + "abcdefghij"[number % 10]


class LtiTestPlatform:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock, self.faults = clock, Faults()
        self.members = [_learner(number) for number in range(30)]
        self.members.append(
            {"user_id": "prof-1", "roles": [TEACHER], "status": "Active", "name": "Paul Roux"}
        )
        self.results: dict[str, list[dict[str, Any]]] = {"quiz": [], "projet": []}
        self.key = rsa_key("platform")
        self.granted: list[str] = []
        self.asked: list[str] = []
        self.tool_keys: dict[str, Any] = {}
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.answer(self, "")

            def do_POST(self) -> None:
                platform.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.issuer = f"http://localhost:{self.port}"
        Thread(target=self.server.serve_forever, name="lti-platform", daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def registration(self) -> LtiRegistration:
        return LtiRegistration(
            LABEL, self.issuer, CLIENT_ID, (DEPLOYMENT,), f"{self.issuer}/keys", f"{self.issuer}/token",
            f"{self.issuer}/authorize",
        )  # fmt: skip

    def connect(self, app: App) -> None:
        """Lets the app's guarded HTTP client connect to this platform only."""
        reach = NetworkScope(local_ports=frozenset({self.port}))
        app.process.lti = LtiClient(WebDocuments(clock=app.clock, reach=reach))

    # --- requests by the browser

    def id_token(
        self, nonce: str, *, subject: str = "prof-1", roles: tuple[str, ...] = (TEACHER,), **claims: Any
    ) -> str:
        now = self.clock()
        content = {
            "iss": self.issuer,
            "sub": subject,
            "aud": CLIENT_ID,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": nonce,
            "email": "formateur@exemple.fr",
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": DEPLOYMENT,
            f"{CLAIM}target_link_uri": "http://localhost:8000/lti/itip/lancement",
            f"{CLAIM}resource_link": {"id": "r-1"},
            f"{CLAIM}roles": list(roles),
            f"{CLAIM}context": {"id": "c-42", "title": "Fabrication additive"},
            "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {
                "context_memberships_url": f"{self.issuer}/members?limit=20",
                "service_versions": ["2.0"],
            },
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": [],
                "lineitems": f"{self.issuer}/items",
            },
            **claims,
            **self.faults.claims,
        }
        content = {name: value for name, value in content.items() if value is not None}
        key: Any = self.key
        if self.faults.foreign_key or self.faults.small_key:
            key = rsa_key("foreign")
        if self.faults.algorithm == "none":
            return jwt.encode(content, None, algorithm="none")
        return jwt.encode(content, key, algorithm=self.faults.algorithm, headers={"kid": "k-1"})

    def log_in(self, browser: TestClient, **replaced: str) -> dict[str, str]:
        """Start a login; the parameters that the tool sends to the platform."""
        form = {
            "iss": self.issuer, "client_id": CLIENT_ID, "login_hint": "7", "lti_message_hint": "h",
            "target_link_uri": "http://localhost:8000/lti/itip/lancement", **replaced,
        }  # fmt: skip
        answer = browser.post("/lti/itip/connexion", data=form)
        assert answer.status_code == 303, answer.text
        where = urlsplit(answer.headers["location"])
        assert where.path == "/authorize"
        return dict(parse_qsl(where.query))

    def launch(self, browser: TestClient, **result: Any) -> Response:
        asked = self.log_in(browser)
        form = {"state": asked["state"], "id_token": self.id_token(asked["nonce"], **result)}
        return browser.post("/lti/itip/lancement", data=form)

    def deep_linking(self, **settings: Any) -> dict[str, Any]:
        """The claims of a deep-linking launch."""
        return {
            f"{CLAIM}message_type": "LtiDeepLinkingRequest",
            f"{LINKS}deep_linking_settings": {
                "deep_link_return_url": f"{self.issuer}/return",
                "accept_types": ["ltiResourceLink"],
                "accept_presentation_document_targets": ["window"],
                "data": "opaque-7",
                **settings,
            },
        }

    # --- answers of the platform

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        parts = urlsplit(handler.path)
        self.asked.append(parts.path)
        if self.faults.down:
            return _send(handler, 503, {})
        if parts.path == "/keys":
            key = self.key
            if self.faults.small_key:
                key = rsa_key("small", 1024)
            public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
            return _send(handler, 200, {"keys": [{**public, "kid": "k-1", "alg": "RS256", "use": "sig"}]})
        if parts.path == "/token":
            return self._grant(handler, {name: each[0] for name, each in parse_qs(body).items()})
        if handler.headers.get("Authorization", "").removeprefix("Bearer ") not in self.granted:
            return _send(handler, 401, {})
        match parts.path:
            case "/members":
                start = int(dict(parse_qsl(parts.query)).get("from", "0"))
                page, more = self.members[start : start + 20], start + 20 < len(self.members)
                following = f'<{self.issuer}/members?limit=20&from={start + 20}>; rel="next"' if more else ""
                return _send(handler, 200, {"id": "x", "members": page}, link=following)
            case "/items":
                labels = {"quiz": "Quiz sur les capteurs", "projet": "Projet"}
                items = [
                    {"id": f"{self.issuer}/items/{name}", "label": label, "scoreMaximum": 20}
                    for name, label in labels.items()
                ]
                return _send(handler, 200, items)
        name = parts.path.removeprefix("/items/").removesuffix("/results")
        return _send(handler, 200, self.results[name]) if name in self.results else _send(handler, 404, {})

    def _grant(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        if self.faults.token_status != 200:
            return _send(handler, self.faults.token_status, {"error": "invalid_client"})
        header = jwt.get_unverified_header(form["client_assertion"])
        key = next(each for each in self.tool_keys["keys"] if each["kid"] == header["kid"])
        claims = jwt.decode(
            form["client_assertion"], jwt.PyJWK(key), algorithms=["RS256"], audience=f"{self.issuer}/token",
            issuer=CLIENT_ID, options={"verify_exp": False, "verify_iat": False},
        )  # fmt: skip
        assert claims["sub"] == CLIENT_ID
        assert claims["exp"] - claims["iat"] <= 60
        assert form["grant_type"] == "client_credentials"
        self.granted.append(secrets.token_urlsafe(16))
        return _send(
            handler, 200, {"access_token": self.granted[-1], "token_type": "Bearer", "expires_in": 3600}
        )


def _send(handler: BaseHTTPRequestHandler, status: int, content: Any, *, link: str = "") -> None:
    raw = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(raw)))
    if link:
        handler.send_header("Link", link)
    handler.end_headers()
    handler.wfile.write(raw)


def registered(app: App, platform: LtiTestPlatform) -> uuid.UUID:
    """Registers the platform at campus `itip`, and gives it our published keys."""
    platform.connect(app)
    with app.unit_of_work() as services:
        row = services.lti.register(app.campus, platform.registration, by=COMMAND)
        platform.tool_keys = dict(services.lti.key_set(app.campus))
        return row.id
