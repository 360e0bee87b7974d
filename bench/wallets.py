"""Badges into wallets: ten thousand offers, and offers redeemed over HTTP (token and credential); on both engines.

By the clock and in the server's processor time. Each offer is of another badge, as in a class that takes its badges home.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from app.container.process import collect_rarely
from app.db.engine import session
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.wallets import KEY_PROOF, PRE_AUTHORIZED, WalletFormat
from app.services.learners.wallets import OfferShown
from bench.measuring.measure import Row
from bench.web import Server, serving
from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_base64url
from sceau_credentials.values import dump_json
from tests.support.app import App, build_app
from tests.support.databases.postgres import database_of_this_run

BADGES, OFFERS, AT_A_TIME = 220, 10_000, 200
ONE_AFTER_THE_OTHER, AT_ONCE = 1, 4
_networks = (f"127.0.{n // 250}.{n % 250 + 2}" for n in count())
"""Loopback addresses: each network may ask so often."""
_PLACE = "/campus/itip/portefeuille"
_ISSUER = "http://localhost:8000/campus/itip"


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as name:
        found = _measure(Path(name), f"sqlite:///{name}/database/sceau.sqlite", "SQLite")
    with database_of_this_run() as url, TemporaryDirectory(prefix="sceau-bench-") as name:
        if url is None:
            print("  without PostgreSQL: none is installed", file=sys.stderr)
            return found
        return found + _measure(Path(name), url, "PostgreSQL")


def _measure(folder: Path, url: str, engine: str) -> list[Row]:
    session.upgrade(url)
    collect_rarely()  # as every server process does
    app = build_app(url, folder, at=datetime.now(UTC))
    people = [f"Nom{n} Prénom;p{n}@exemple.fr" for n in range(BADGES)]
    awards = [line.award_id for line in app.award(*people).lines if line.award_id is not None]
    with app.unit_of_work() as services:
        for each in awards:
            services.awards.set_visibility(each, Visibility.OPEN, by=Actor(label="bench"))
    found = [_prepare(app, awards, engine)]
    result = {
        "SCEAU_DATABASE_URL": url,
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_WORK": "off",
    }
    with serving("app.main:served", result) as server:
        for wallets in (ONE_AFTER_THE_OTHER, AT_ONCE):
            offers = _offers(app, awards)
            found.append(_redeem(server, offers, wallets, engine))
    app.close()
    return found


def _prepare(app: App, awards: list[uuid.UUID], engine: str) -> Row:
    begun, used = time.perf_counter(), time.process_time()
    for start in range(0, OFFERS, AT_A_TIME):
        _offers(app, [awards[(start + n) % len(awards)] for n in range(AT_A_TIME)])
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    print(f"  {OFFERS:,} offers, {engine}: {seconds:.1f} s, {processor:.1f} s of processor time", flush=True)
    return Row(f"prepare {OFFERS:,} offers, {engine}", seconds, 0.0, "s")


def _offers(app: App, awards: list[uuid.UUID]) -> list[OfferShown]:
    with app.unit_of_work() as services:
        records = services.stores.awards.records_among(awards, app.campus.id)
        return services.wallets.offers(records, WalletFormat.SD_JWT)


def _redeem(server: Server, offers: list[OfferShown], wallets: int, engine: str) -> Row:
    warm, measured = offers[:20], offers[20:]
    _all_of(server, warm, 1)
    used, begun = server.processor_seconds(), time.perf_counter()
    taken = _all_of(server, measured, wallets)
    spent, seconds = server.processor_seconds() - used, time.perf_counter() - begun
    both = sorted(token + credential for token, credential in taken)
    p95 = both[int(len(both) * 0.95)]
    print(
        f"  redeem {len(both)} offers over HTTP, {wallets} at once, {engine}: token "
        f"{statistics.median(token for token, _ in taken):.1f} ms, credential "
        f"{statistics.median(credential for _, credential in taken):.1f} ms, both {statistics.median(both):.1f} ms "
        f"(p50), {p95:.1f} ms (p95), at most {both[-1]:.1f}; {spent / len(both) * 1000:.1f} ms of processor time "
        f"each; {seconds:.1f} s",
        flush=True,
    )
    return Row(f"redeem an offer over HTTP, {wallets} at once, {engine}", p95, 0.0, "ms")


def _all_of(server: Server, offers: list[OfferShown], wallets: int) -> list[tuple[float, float]]:
    with ThreadPoolExecutor(wallets) as pool:
        parts = [offers[start::wallets] for start in range(wallets)]
        return [each for part in pool.map(_wallet, repeat(server), parts, _networks) for each in part]


def _wallet(server: Server, offers: list[OfferShown], network: str) -> list[tuple[float, float]]:
    """Milliseconds of the token request and of the credential request, for each offer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, 60, (network, 0))
    found = []
    for offer in offers:
        (content,) = parse_qs(urlsplit(offer.by_value).query)["credential_offer"]
        code = json.loads(content)["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, "tx_code": offer.typed}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        token, first = _post(connection, "jeton", urlencode(form), kind)
        nonce, _ = _post(connection, "nonce", "", {})
        asked = {
            "credential_configuration_id": WalletFormat.SD_JWT.configuration,
            "proofs": {"jwt": [_proof(nonce["c_nonce"])]},
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token['access_token']}"}
        credential, second = _post(connection, "attestation", json.dumps(asked), headers)
        assert credential["credentials"], credential
        found.append((first, second))
    return found


def _post(
    connection: http.client.HTTPConnection, step: str, body: str, headers: dict[str, str]
) -> tuple[dict[str, Any], float]:
    begun = time.perf_counter()
    connection.request("POST", f"{_PLACE}/{step}", body, {**headers, "Host": "localhost:8000"})
    answer = connection.getresponse()
    content = answer.read()
    taken = (time.perf_counter() - begun) * 1000
    assert answer.status < 300, (step, answer.status, content)
    return json.loads(content), taken


def _proof(nonce: str) -> str:
    key = LocalSigningKey.generate(Algorithm.ES256)
    head = {"alg": "ES256", "typ": KEY_PROOF, "jwk": key.public.to_jwk()}
    claims = {"aud": _ISSUER, "iat": int(time.time()), "nonce": nonce}
    text = f"{encode_base64url(dump_json(head))}.{encode_base64url(dump_json(claims))}"
    return f"{text}.{encode_base64url(key.sign(text.encode()))}"
