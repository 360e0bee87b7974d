"""A wrong answer of another sign-in service opens nothing, and the page explains what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from app.adapters.accounts import limits_in
from app.adapters.openid_connect import ProvidersUnusable, registrations_in
from app.domain.accounts.rate_limits import LIMITS, network_of
from tests.support.app import NOON, send
from tests.support.servers.openid_service import (
    ENTER,
    LABEL,
    Elsewhere,
    Faults,
    OpenIdService,
    app_with_service,
)

NOW = int(NOON.timestamp())


@pytest.fixture
def elsewhere(sqlite_url: str, tmp_path: Path) -> Iterator[Elsewhere]:
    with app_with_service(sqlite_url, tmp_path, domains='"exemple.fr"') as built:
        yield built


def said(**claims: object) -> Callable[[OpenIdService], Faults]:
    return lambda service: Faults(claims=claims)


LIES: dict[str, Callable[[OpenIdService], Faults]] = {
    "another nonce": said(nonce="of another question"),
    "no nonce": said(nonce=None),
    "another audience": said(aud="another-client"),
    "two audiences and no word of ours": said(aud=["sceau", "another-client"]),
    "for another party": said(azp="another-client"),
    "another issuer": said(iss="https://issuer.example"),
    "no issuer": said(iss=None),
    "expired": said(exp=NOW - 120),
    "never expires": said(exp=None),
    "from tomorrow": said(iat=NOW + 86400),
    "nobody": said(sub=None),
    "nobody in particular": said(sub=""),
    "a number": said(sub=17),
    "a very long name": said(sub="u" * 300),
    "signed by somebody else": lambda service: Faults(foreign_key=True),
    "signed with our secret": lambda service: Faults(secret_as_key=True),
    "not signed": lambda service: Faults(unsigned=True),
    "no code is good": lambda service: Faults(token_status=400),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_an_invalid_token_is_refused(
    elsewhere: Elsewhere, lie: Callable[[OpenIdService], Faults], capfd: pytest.CaptureFixture[str]
):
    elsewhere.service.faults = lie(elsewhere.service)
    client = elsewhere.app.client()
    refused = elsewhere.enter(client)
    assert (refused.status_code, "ne prouve pas qui vous êtes" in refused.text) == (401, True)
    assert client.get("/compte").status_code != 200
    written = capfd.readouterr()
    assert "le.goff@exemple.fr" not in written.out + written.err


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_both_common_kinds_of_key_are_read(elsewhere: Elsewhere, algorithm: str):
    elsewhere.service.faults.algorithm = algorithm
    assert elsewhere.enter(elsewhere.app.client()).headers["location"] == "/gestion"


@pytest.mark.parametrize("bits", [1024, 2040, 8337])
def test_a_token_signed_by_an_rsa_key_of_another_size_is_refused(elsewhere: Elsewhere, bits: int):
    """Under 2,048 bits a key can be factored; over 8,192 each check costs too much. Good keys beside it still count."""
    key = _key_of_well_known_primes() if bits > 8192 else rsa.generate_private_key(65537, bits)
    assert key.key_size == bits
    elsewhere.service.keys["RS256"] = RSAKey(key, key, {"kid": "size", "use": "sig"})
    refused = elsewhere.enter(elsewhere.app.client())
    assert (refused.status_code, "ne prouve pas qui vous êtes" in refused.text) == (401, True)
    elsewhere.service.faults.algorithm = "ES256"
    assert elsewhere.enter(elsewhere.app.client()).status_code == 303


def _key_of_well_known_primes() -> rsa.RSAPrivateKey:
    """Searching for primes of this size takes ten seconds."""
    p, q, e = 2**4423 - 1, 3 * 2**3912 + 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key(unsafe_skip_rsa_key_validation=True)


def test_a_service_may_change_its_keys_and_is_not_asked_for_them_each_time(elsewhere: Elsewhere):
    for _ in range(2):
        assert elsewhere.enter(elsewhere.app.client()).status_code == 303
    assert elsewhere.service.fetched.count("/realms/campus/keys") == 1
    elsewhere.service.change_keys()
    elsewhere.app.clock.now += timedelta(seconds=10)
    assert elsewhere.enter(elsewhere.app.client()).status_code == 303
    assert elsewhere.service.fetched.count("/realms/campus/keys") == 2


@pytest.mark.parametrize(
    ("metadata", "down"),
    [
        ({}, True),
        ({"issuer": "https://issuer.example"}, False),
        ({"authorization_endpoint": "ftp://x"}, False),
        ({"authorization_endpoint": ["https://x.example/"]}, False),
        ({"authorization_endpoint": "https://x.example/\ud800"}, False),
        ({"authorization_endpoint": "https://[x"}, False),
        ({"authorization_endpoint": "https://x.example/\r\nSet-Cookie: a=b"}, False),
        ({"authorization_endpoint": "https://known.example@x.example/"}, False),
        ({"authorization_endpoint": "https://x.example/#a"}, False),
    ],
    ids=[
        "no answer",
        "speaks for another",
        "leads nowhere",
        "list",
        "surrogate",
        "bracket",
        "two lines",
        "name",
        "fragment",
    ],
)
def test_a_service_out_of_order_is_reported_before_the_redirect(
    elsewhere: Elsewhere, metadata: dict, down: bool
):
    elsewhere.service.faults = Faults(metadata=metadata, down=down)
    refused = send(elsewhere.app.client(), ENTER, seen_on="/connexion")
    assert (refused.status_code, "ne répond pas en ce moment" in refused.text) == (503, True)


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        ("access_denied", 401, "Vous avez annulé"),
        ("login_required", 401, "Vous avez annulé"),
        ("temporarily_unavailable", 503, "ne répond pas en ce moment"),
    ],
)
def test_an_error_of_the_service_is_explained(elsewhere: Elsewhere, error: str, status: int, sentence: str):
    elsewhere.service.faults.denies = error
    refused = elsewhere.enter(elsewhere.app.client())
    assert (refused.status_code, sentence in refused.text) == (status, True)


def test_a_service_that_fails_before_the_code_is_redeemed_gets_503(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    back = elsewhere.back(elsewhere.leave(client, ENTER, seen_on="/connexion"))
    elsewhere.service.faults.down = True
    refused = client.get(back)
    assert (refused.status_code, "ne répond pas en ce moment" in refused.text) == (503, True)


def test_an_outage_of_the_service_is_not_counted_as_a_failed_sign_in(elsewhere: Elsewhere):
    """A whole school shares one network address: thirty outages must not lock it out."""
    limiter = limits_in("memory://", b"key of the tests")
    elsewhere.app.process.limiter = limiter
    elsewhere.service.faults.token_status = 502
    for _ in range(3):
        assert elsewhere.enter(elsewhere.app.client()).status_code == 503
    for _ in range(LIMITS["failed sign-in"].amount):
        limiter.hit("failed sign-in", network_of("testclient"))


def test_an_answer_of_another_service_is_not_redeemed(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    back = elsewhere.back(elsewhere.leave(client, ENTER, seen_on="/connexion"))
    refused = client.get(back.partition("&iss=")[0] + "&iss=https%3A%2F%2Fissuer.example" + "&code=x")
    assert (refused.status_code, "autre service" in refused.text) == (401, True)


def test_a_service_that_always_names_itself_is_not_believed_without_its_name(elsewhere: Elsewhere):
    """RFC 9207, section 2.4: such an answer may hold the code of another service."""
    elsewhere.service.faults = Faults(metadata={"authorization_response_iss_parameter_supported": True})
    for is_named, status in ((False, 401), (True, 303)):
        client = elsewhere.app.client()
        back = elsewhere.back(elsewhere.leave(client, ENTER, seen_on="/connexion"))
        asked = parse_qs(urlsplit(back).query)
        named = f"&iss={quote(asked['iss'][0], safe='')}" if is_named else ""
        bare = f"{back.partition('?')[0]}?state={asked['state'][0]}&code={asked['code'][0]}{named}"
        assert client.get(bare).status_code == status


def test_the_letter_about_a_linked_account_names_the_service_as_its_button_does(
    elsewhere: Elsewhere,
):
    elsewhere.enter(elsewhere.app.client())
    post = elsewhere.app.process.post
    for envelope in post.due():
        post.send(envelope)
    (letter,) = elsewhere.app.letters.letters
    assert LABEL in letter.text


def test_the_question_carries_a_challenge_and_no_secret(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    asked = parse_qs(urlsplit(elsewhere.leave(client, ENTER, seen_on="/connexion")).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email"]
    assert "prompt" not in asked
    assert len({asked["state"][0], asked["nonce"][0], asked["code_challenge"][0]}) == 3


def test_a_browser_without_our_cookie_is_sent_nowhere(elsewhere: Elsewhere):
    """Another site cannot sign a visitor in here under a different account."""
    client = elsewhere.app.client()
    shown = client.get("/connexion")
    client.cookies.clear()
    token = shown.text.partition('name="jeton" value="')[2].partition('"')[0]
    assert client.post(ENTER, data={"jeton": token}).status_code == 403


GOOD = '[[service]]\nname = "a"\nlabel = "A"\nissuer = "https://a.example"\nclient_id = "x"\n'


@pytest.mark.parametrize(
    "written",
    [
        "not toml",
        "",
        "[service]\nname = 'a'",
        GOOD.replace('"a"', '"Une Académie"', 1),
        GOOD.replace('client_id = "x"\n', ""),
        GOOD + 'client_secret = "in clear"\n',
        GOOD + 'client_secret = "file:/nowhere"\n',
        GOOD + 'domains = "exemple.fr"\n',
        GOOD + 'domains = ["nom@exemple.fr"]\n',
        GOOD + "typo = 1\n",
        GOOD + GOOD,
        GOOD.replace("https:", "http:"),
    ],
)
def test_a_file_of_services_that_is_not_understood_stops_the_start(tmp_path: Path, written: str):
    path = tmp_path / "services.toml"
    path.write_text(written)
    with pytest.raises(ProvidersUnusable):
        registrations_in(path)


def test_a_secret_that_others_can_read_stops_the_start(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    path = tmp_path / "services.toml"
    path.write_text(GOOD + f'client_secret = "file:{secret}"\n')
    with pytest.raises(ProvidersUnusable, match="chmod 600"):
        registrations_in(path)
