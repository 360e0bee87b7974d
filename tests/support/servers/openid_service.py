"""A fake OpenID Connect provider on loopback: HTTP server, keys, one user, and switchable faults."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
from fastapi.testclient import TestClient
from httpx import Response
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.support.app import BASE_URL, NOON, App, build_app, send
from tests.support.servers.rsa_keys import rsa_key

CLIENT_ID, CLIENT_SECRET = "sceau", "un secret pour les essais"
LABEL = "Compte académique"
ENTER, LINK, PROVE = (
    "/connexion/service/academie",
    "/compte/services/academie/relier",
    "/confirmer/service/academie",
)
_LEADS_TO = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


@dataclass
class Member:
    """The user in front of the browser, as known to the provider."""

    subject: str = "u-1789"
    address: str = "le.goff@exemple.fr"
    is_verified: bool = True


@dataclass
class Faults:
    """Faults of the provider; none by default. `claims` overrides claims or, with None, removes them."""

    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    foreign_key: bool = False
    secret_as_key: bool = False
    unsigned: bool = False
    denies: str = ""
    down: bool = False
    token_status: int = 200
    signs_in_anew: bool = True


@dataclass
class Asked:
    """An authorization request, stored until its code is redeemed."""

    query: dict[str, str]
    subject: Member
    proved_at: int


class OpenIdService:
    """`member` is the signed-in user; with `shows_page`, a page waits for a click, as in journeys."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.member, self.faults, self.shows_page = Member(), Faults(), False
        self.signed_in_at = int(clock().timestamp())
        self.keys: dict[str, Any] = {}
        self.changes = 0
        self.change_keys()
        self.codes: dict[str, Asked] = {}
        self.asked: list[dict[str, str]] = []
        self.fetched: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.answer(self, "")

            def do_POST(self) -> None:
                service.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.issuer = f"http://localhost:{self.port}/realms/campus"
        Thread(target=self.server.serve_forever, name="openid-service", daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def change_keys(self) -> None:
        number, self.changes = self.changes, self.changes + 1
        key = rsa_key(f"openid {number}")
        self.keys = {
            "RS256": RSAKey(key, key, {"kid": f"rsa-{number}-{secrets.token_hex(4)}", "use": "sig"}),
            "ES256": ECKey.generate_key(
                "P-256", {"kid": f"ec-{number}-{secrets.token_hex(4)}", "use": "sig"}
            ),
        }

    def registration(self, folder: Path, *, domains: str = "", secret: bool = True) -> Path:
        """The operator's configuration file, with the secret in a separate file."""
        kept = folder / "client-secret"
        kept.write_text(CLIENT_SECRET + "\n")
        kept.chmod(0o600)
        path = folder / "services.toml"
        path.write_text(
            f'[[service]]\nname = "academie"\nlabel = "{LABEL}"\nissuer = "{self.issuer}"\n'
            f'client_id = "{CLIENT_ID}"\ndomains = [{domains}]\n'
            + (f'client_secret = "file:{kept}"\n' if secret else "")
        )
        return path

    # --- answers of the provider

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        parts = urlsplit(handler.path)
        self.fetched.append(parts.path)
        path = parts.path.removeprefix("/realms/campus")
        if self.faults.down:
            return _send(handler, 503, {"error": "down"})
        match path:
            case "/.well-known/openid-configuration":
                return _send(handler, 200, self.metadata)
            case "/keys":
                return _send(
                    handler, 200, {"keys": [key.as_dict(private=False) for key in self.keys.values()]}
                )
            case "/authorize":
                return self._authorize(handler, dict(parse_qsl(parts.query)))
            case "/token":
                return self._redeem(handler, {name: each[0] for name, each in parse_qs(body).items()})
            case "/logout":
                return _page(handler, "<h1>Déconnecté du compte académique</h1>")
        return _send(handler, 404, {})

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            **self.faults.metadata,
        }

    def _authorize(self, handler: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        if self.shows_page and "yes" not in query and "no" not in query:
            kept = "".join(f'<input type="hidden" name="{k}" value="{v}">' for k, v in query.items())
            return _page(
                handler,
                f"<h1>Compte académique</h1><form>{kept}<button name=yes value=1>Je suis bien moi</button>"
                "<button name=no value=1>Refuser</button></form>",
            )
        self.asked.append(query)
        if query.get("prompt") == "login" and self.faults.signs_in_anew:
            self.signed_in_at = int(self.clock().timestamp())
        back = {"state": query["state"], "iss": self.issuer}
        if self.faults.denies or "no" in query:
            back["error"] = self.faults.denies or "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = Asked(query, self.member, self.signed_in_at)
        handler.send_response(302)
        handler.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        handler.end_headers()
        return None

    def _redeem(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        asked = self.codes.pop(form.get("code", ""), None)
        right = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if handler.headers.get("Authorization") != right:
            return _send(handler, 401, {"error": "invalid_client"})
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or asked.query["code_challenge_method"] != "S256"
            or asked.query["code_challenge"] != challenge.decode().rstrip("=")
            or asked.query["redirect_uri"] != form["redirect_uri"]
        ):
            return _send(handler, 400, {"error": "invalid_grant"})
        if self.faults.token_status != 200:
            return _send(handler, self.faults.token_status, {"error": "server_error"})
        return _send(
            handler,
            200,
            {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": self._token(asked)},
        )

    def _token(self, asked: Asked) -> str:
        now, member = int(self.clock().timestamp()), asked.subject
        claims = {
            "iss": self.issuer,
            "sub": member.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked.query["nonce"],
            "auth_time": asked.proved_at,
            "email": member.address,
            "email_verified": member.is_verified,
            **self.faults.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.faults.unsigned:
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.faults.secret_as_key:
            key = OctKey.import_key(CLIENT_SECRET.encode() * 2)
            return jwt.encode({"alg": "HS256"}, claims, key, algorithms=["HS256"])
        key = self.keys[self.faults.algorithm]
        signing = _foreign_key() if self.faults.foreign_key else key
        header = {"alg": self.faults.algorithm, "kid": key.kid}
        return jwt.encode(header, claims, signing, algorithms=["RS256", "ES256"])


def _foreign_key() -> RSAKey:
    key = rsa_key("foreign")
    return RSAKey(key, key)


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def _send(handler: BaseHTTPRequestHandler, status: int, said: dict[str, Any]) -> None:
    body = json.dumps(said).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _page(handler: BaseHTTPRequestHandler, html: str) -> None:
    body = f"<!doctype html><html lang=fr><title>Service</title>{html}".encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@dataclass
class Elsewhere:
    """The app with the provider enabled for sign-in, and the browser's steps to the provider and back."""

    app: App
    service: OpenIdService

    def leave(self, client: TestClient, action: str, *, seen_on: str = "", **typed: str) -> str:
        """Submit the sign-in form; the URL of the provider that the page redirects to."""
        left = send(client, action, typed, seen_on=seen_on)
        found = _LEADS_TO.search(left.text)
        assert found, f"{left.status_code}: {left.text[:3000]}"
        return unescape(found[1])

    def back(self, url: str) -> str:
        """The path to which the provider redirects the browser."""
        sent = httpx.get(url, trust_env=False).headers["location"]
        assert sent.startswith(BASE_URL), sent
        return sent.removeprefix(BASE_URL)

    def enter(self, client: TestClient) -> Response:
        return client.get(self.back(self.leave(client, ENTER, seen_on="/connexion")))

    def link(self, client: TestClient) -> Response:
        return client.get(self.back(self.leave(client, LINK, seen_on="/compte")))


@contextmanager
def app_with_service(
    database_url: str, folder: Path, *, domains: str = "", base_url: str = BASE_URL
) -> Iterator[Elsewhere]:
    service = OpenIdService(lambda: NOON)
    built = build_app(
        database_url,
        folder,
        base_url=base_url,
        sign_in_services=service.registration(folder, domains=domains),
        fetch_local_ports=str(service.port),
    )
    service.clock = built.clock
    yield Elsewhere(built, service)
    built.close()
    service.close()
