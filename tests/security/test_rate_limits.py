"""Rate limits by e-mail address and by network, with `Retry-After` (T31)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pydantic import ValidationError

from app.adapters.accounts import LimitsUnusable, RateLimits, limits_in
from app.container import Process
from app.db.accounts import DatabaseCounts
from app.db.engine.session import open_engine
from app.domain.accounts.rate_limits import LIMITS, network_of
from app.domain.accounts.sessions import Scope
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.errors import TooMany
from app.settings import Settings
from tests.app.api.clients import program
from tests.support.app import App, SettableClock, build_app, send

KEY = b"key of the tests"


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path) -> Iterator[App]:
    """With rate limits enabled."""
    built = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", KEY))
    yield built
    built.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def limits(database_url: str, clock: SettableClock) -> RateLimits:
    return RateLimits(DatabaseCounts(open_engine(database_url), clock), KEY)


def used_up(limits: RateLimits, name: str, who: str = "somebody") -> TooMany:
    for _ in range(LIMITS[name].amount):
        limits.hit(name, who)
    with pytest.raises(TooMany) as refused:
        limits.hit(name, who)
    return refused.value


def test_awards_are_limited_per_token(app: App):
    limiter, amount = app.process.limiter, LIMITS["awards of a token"].amount
    first, second = program(app, Scope.AWARD_CREATE), program(app, Scope.AWARD_CREATE)
    asked = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id), "people": []}

    def award(client: TestClient) -> Response:
        return client.post("/api/v1/campuses/itip/awards", json=asked)

    with app.unit_of_work(reading=True) as services:
        tokens = [str(token.id) for token in services.people.list_tokens(app.campus)]
    for token in tokens[:1]:
        for _ in range(amount):
            limiter.hit("awards of a token", f"token {token}")
    answers = sorted((award(first).status_code, award(second).status_code))
    assert answers[1] == 429
    assert answers[0] != 429


def test_requests_are_accepted_again_after_retry_after(limits: RateLimits, clock: SettableClock):
    wait = used_up(limits, "link to an address").retry_after
    limits.hit("link to an address", "somebody else")
    limits.hit("password of an address", "somebody")
    clock.move(seconds=wait - 30)
    with pytest.raises(TooMany):
        limits.check("link to an address", "somebody")
    clock.move(seconds=30)
    limits.check("link to an address", "somebody")
    limits.hit("link to an address", "somebody")


def test_check_does_not_count(limits: RateLimits):
    for _ in range(100):
        limits.check("failed sign-in", "somebody")
    used_up(limits, "failed sign-in")


def test_concurrent_workers_share_one_limit(database_url: str, clock: SettableClock):
    workers = [RateLimits(DatabaseCounts(open_engine(database_url), clock), KEY) for _ in range(2)]

    def knock(number: int) -> bool:
        try:
            workers[number % 2].hit("password of an address", "somebody")
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(knock, range(20))) == LIMITS["password of an address"].amount


def test_stored_counts_contain_no_address(limits: RateLimits, tmp_path: Path):
    limits.hit("link to an address", "zoe@exemple.fr")
    storage = limits.limiter.storage
    with storage.engine.connect() as connection:  # type: ignore[attr-defined]
        kept = str(connection.exec_driver_sql("SELECT * FROM rate_count").all())
    assert "zoe" not in kept


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_clients_are_counted_by_ipv4_address_or_ipv6_prefix(host: str, network: str):
    assert network_of(host) == network


def test_ten_passwords_can_be_tried_per_address(app: App):
    client = app.client()
    typed = {"adresse": "le.goff@exemple.fr", "mot-de-passe": "faux mot de passe"}
    answers = [send(client, "/connexion/mot-de-passe", typed, seen_on="/connexion") for _ in range(11)]
    assert [each.status_code for each in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Réessayez dans" in answers[-1].text


def test_three_sign_in_links_can_be_requested_per_address_known_or_not(app: App):
    for address in ("le.goff@exemple.fr", "personne@exemple.fr"):
        client = app.client()
        answers = [send(client, "/connexion", {"adresse": address}) for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]


def test_guessing_sign_in_links_is_limited(app: App):
    client = app.client()
    seen = [client.get(f"/connexion/{number}").status_code for number in range(31)]
    assert seen == [401] * 30 + [429]


def test_guessing_tokens_is_limited_and_valid_tokens_are_not_counted(app: App):
    good = program(app, "read")
    bad = program(app, "read")
    bad.headers["authorization"] = "Bearer sceau_invented"
    path = "/api/v1/campuses/itip/badges"
    for _ in range(35):
        assert good.get(path).status_code == 200
    assert [bad.get(path).status_code for _ in range(31)] == [401] * 30 + [429]
    refused = bad.get(path)
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0


def test_forwarded_headers_of_clients_are_ignored(app: App):
    client = app.client()
    for number in range(31):
        last = client.get(f"/connexion/{number}", headers={"x-forwarded-for": f"192.0.2.{number}"})
    assert last.status_code == 429


def test_several_workers_cannot_start_with_counts_in_memory(tmp_path: Path):
    with pytest.raises(ValidationError, match="SCEAU_LIMITS"):
        Settings(workers=2, limits="memory")


def test_several_workers_count_in_the_database_by_default(sqlite_url: str, tmp_path: Path):
    process = Process(Settings(workers=2, database_url=sqlite_url, development_dir=tmp_path / "secrets"))
    assert isinstance(process.limiter.limiter.storage, DatabaseCounts)  # type: ignore[attr-defined]
    process.engine.dispose()


def test_an_unusable_store_prevents_the_start():
    with pytest.raises(LimitsUnusable, match="SCEAU_LIMITS"):
        limits_in("nowhere://localhost", KEY)


def test_requests_are_accepted_when_the_counts_are_unavailable(clock: SettableClock, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    away = RateLimits(DatabaseCounts(open_engine(f"sqlite:///{tmp_path}/empty/none.sqlite"), clock), KEY)
    for _ in range(20):
        away.hit("password of an address", "somebody")


def test_a_code_allows_five_attempts_and_a_holder_gets_three_letters_an_hour(app: App):
    award_id = app.award("N’DIAYE;Zoé;zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor.command("tests"))
    employer, page = app.client(), f"/attributions/{award_id}/personne"
    tries = [
        send(employer, f"{page}/lu", {"demande": "x", "chiffres": "1"}, seen_on=page).status_code
        for _ in range(6)
    ]
    assert tries == [422] * 5 + [429]
    letters = [send(employer, f"{page}/code", {}, seen_on=page).status_code for _ in range(4)]
    assert letters == [200] * 3 + [429]


def test_limits_in_names_the_missing_package_of_a_store():
    with pytest.raises(LimitsUnusable, match="pip install redis"):
        limits_in("memcached://127.0.0.1:11211", b"k" * 32)
