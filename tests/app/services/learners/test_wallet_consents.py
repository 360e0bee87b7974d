"""A wallet asks a signed-in learner: their consent, a code once, PKCE, pushed requests, and tokens bound to a key."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import col, func, select

from app.container import Services
from app.domain.accounts.sessions import digest_of
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.learners.connected_apps import AuthorizationRefusal
from app.domain.learners.wallet_authorization import (
    CONSENT_CODE_LIFE,
    CREDENTIAL_DETAILS,
    CREDENTIAL_IDENTIFIER,
    DPOP,
    AuthorizationRefused,
    UsedProof,
    is_redirect,
    place_of_redirect,
    read_authorization,
    read_dpop,
)
from app.domain.learners.wallets import (
    AUTHORIZATION_CODE,
    OFFER_LIFE,
    PRE_AUTHORIZED,
    WalletFormat,
    WalletOffer,
    WalletRefusal,
    WalletRefused,
)
from app.domain.people import Person
from app.errors import Conflict, InvalidInput, NotFound
from app.jobs.kinds import Imports
from app.services.learners.wallet_authorization import WalletConsents
from app.services.learners.wallets import DeferredToWallet, IssuedToWallet
from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_base64url
from sceau_credentials.values import JsonObject, dump_json
from tests.app.services.learners.test_wallets import content_of, nonce, proof
from tests.support.app import App
from tests.support.running.every import for_each

ISSUER: Final = "http://localhost:8000/campus/itip"
PLACE: Final = f"{ISSUER}/portefeuille"
REDIRECT: Final = "eudi-openid4ci://retour"
VERIFIER: Final = "w" * 43
CLIENT: Final = "portefeuille-d-essai"
KEY: Final = LocalSigningKey.generate(Algorithm.ES256)
BY: Final = Actor(label="holder")
_number = count()


def learner(app: App, *, opened: bool = True) -> tuple[Person, uuid.UUID]:
    """A new person with a badge."""
    award_id = app.award(f"Zoé N’Diaye; zoe.wallet.{next(_number)}@exemple.fr").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN if opened else Visibility.CLOSED, by=BY)
        return services.awards.record(award_id).person, award_id


def offered_state(app: App, award_id: uuid.UUID, wanted: WalletFormat = WalletFormat.EMBEDDED) -> str:
    with app.unit_of_work() as services:
        offer = services.wallets.offer(services.awards.record(award_id), wanted, needs_consent=True)
    return str(content_of(offer)["grants"][AUTHORIZATION_CODE]["issuer_state"])


def authorization(issuer_state: str = "", **changes: str) -> dict[str, str]:
    """The parameters with which a wallet sends a learner's browser here."""
    state = {"issuer_state": issuer_state} if issuer_state else {}
    return {
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": WalletFormat.EMBEDDED.configuration,
        "state": "etat",
        "code_challenge": encode_base64url(sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
        **state,
    } | changes


def trusting(services: Services) -> WalletConsents:
    """As with a redirect URI that the operator knows."""
    options = dataclasses.replace(services.wallet_consents.options, wallet_redirects=frozenset({REDIRECT}))
    return dataclasses.replace(services.wallet_consents, options=options)


def dpop(
    endpoint: str,
    *,
    at: float,
    token: str = "",
    key: LocalSigningKey = KEY,
    header: JsonObject | None = None,
    **changes: Any,
) -> str:
    claims = {"jti": uuid.uuid4().hex, "htm": "POST", "htu": f"{PLACE}/{endpoint}", "iat": int(at)}
    if token:
        claims["ath"] = encode_base64url(sha256(token.encode()).digest())
    head = {"alg": key.public.algorithm.value, "typ": DPOP, "jwk": key.public.to_jwk()} | (header or {})
    text = ".".join(
        encode_base64url(dump_json({name: value for name, value in part.items() if value is not None}))
        for part in (head, claims | changes)
    )
    return f"{text}.{encode_base64url(key.sign(text.encode()))}"


def now(app: App) -> float:
    return app.clock().timestamp()


def code_for(app: App, person: Person, award_id: uuid.UUID, sent: Mapping[str, str]) -> str:
    with app.unit_of_work() as services:
        asked = services.wallet_consents.read(app.campus, sent)
        where = services.wallet_consents.consent(app.campus, asked, person, award_id, by=BY)
    assert where.startswith(f"{REDIRECT}?")
    answer = parse_qs(urlsplit(where).query)
    assert (answer["state"], answer["iss"]) == (["etat"], [ISSUER])
    return answer["code"][0]


def redemption(code: str, **changes: str) -> dict[str, str]:
    return {
        "grant_type": AUTHORIZATION_CODE,
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": CLIENT,
        "code_verifier": VERIFIER,
    } | changes


def redeemed(
    app: App, form: Mapping[str, str], proved: str | None = None, campus: Campus | None = None
) -> JsonObject | WalletRefusal:
    with app.unit_of_work() as services:
        return services.wallets.redeem(campus or app.campus, form, proved)


def issued(
    app: App, token: str, request: JsonObject, proved: str | None = None
) -> IssuedToWallet | DeferredToWallet | WalletRefusal:
    try:
        with app.unit_of_work() as services:
            wallets = services.wallets
            found = (
                wallets.read_proof(app.campus, "attestation", token, proved) if proved is not None else None
            )
            offer = wallets.check_token(app.campus, token, found)
            return wallets.issue(offer, wallets.prove(app.campus, offer, request))
    except WalletRefused as error:
        return error.refusal


def refused_by(act: Callable[[], object]) -> AuthorizationRefusal:
    with pytest.raises(AuthorizationRefused) as refused:
        act()
    return refused.value.refusal


EMBEDDED: Final[JsonObject] = {"credential_configuration_id": WalletFormat.EMBEDDED.configuration}


# --- the whole way


def test_pushed_request_and_consent_give_one_badge_to_one_key(app: App) -> None:
    person, award_id = learner(app)
    sent = authorization(
        offered_state(app, award_id, WalletFormat.SD_JWT), scope=WalletFormat.SD_JWT.configuration
    )
    with app.unit_of_work(reading=True) as services:
        pushed = services.wallet_consents.push(app.campus, sent, dpop("demande", at=now(app)))
    assert pushed["expires_in"] == OFFER_LIFE.total_seconds()
    assert sent["issuer_state"] not in str(pushed["request_uri"])
    code = code_for(app, person, award_id, {"client_id": CLIENT, "request_uri": str(pushed["request_uri"])})
    for wrong in (None, dpop("jeton", at=now(app), key=LocalSigningKey.generate(Algorithm.ES256))):
        assert redeemed(app, redemption(code), wrong) is WalletRefusal.INVALID_DPOP
    got = redeemed(app, redemption(code), dpop("jeton", at=now(app)))
    assert isinstance(got, dict)
    assert (got["token_type"], "authorization_details" in got) == ("DPoP", False)
    token = str(got["access_token"])
    asked: JsonObject = {
        "credential_configuration_id": WalletFormat.SD_JWT.configuration,
        "proofs": {"jwt": [proof(app, nonce(app))]},
    }
    other = LocalSigningKey.generate(Algorithm.ES256)
    assert issued(app, token, asked) is WalletRefusal.INVALID_TOKEN, "as a bearer token"
    stranger = dpop("attestation", at=now(app), token=token, key=other)
    assert issued(app, token, asked, stranger) is WalletRefusal.INVALID_TOKEN
    assert issued(app, token, asked, "") is WalletRefusal.INVALID_DPOP
    shown = dpop("attestation", at=now(app), token=token)
    found = issued(app, token, asked, shown)
    assert isinstance(found, IssuedToWallet)
    with app.unit_of_work() as services:
        again = services.wallets.read_proof(app.campus, "attestation", token, shown)
        with pytest.raises(WalletRefused, match="invalid_dpop_proof"):
            services.wallets.check_token(app.campus, token, again)


def test_authorization_details_name_the_badge_by_an_identifier(app: App) -> None:
    person, award_id = learner(app)
    details: JsonObject = {
        "type": CREDENTIAL_DETAILS,
        "credential_configuration_id": WalletFormat.EMBEDDED.configuration,
        "locations": [ISSUER],
    }
    sent = authorization(offered_state(app, award_id), authorization_details=json.dumps([details]), scope="")
    got = redeemed(app, redemption(code_for(app, person, award_id, sent)))
    assert isinstance(got, dict)
    assert got["token_type"] == "Bearer"
    assert got["authorization_details"] == [
        {
            "type": CREDENTIAL_DETAILS,
            "credential_configuration_id": WalletFormat.EMBEDDED.configuration,
            "credential_identifiers": [CREDENTIAL_IDENTIFIER],
        }
    ]
    token = str(got["access_token"])
    named: JsonObject = {"credential_identifier": CREDENTIAL_IDENTIFIER}
    assert issued(app, token, EMBEDDED) is WalletRefusal.INVALID_CREDENTIAL_REQUEST
    assert issued(app, token, EMBEDDED | named) is WalletRefusal.INVALID_CREDENTIAL_REQUEST
    wrong: JsonObject = {"credential_identifier": "x"}
    assert issued(app, token, wrong) is WalletRefusal.UNKNOWN_IDENTIFIER
    assert (
        issued(app, token, named, dpop("attestation", at=now(app), token=token))
        is WalletRefusal.INVALID_TOKEN
    )
    assert isinstance(issued(app, token, named), IssuedToWallet)


def test_pre_authorized_token_is_bound_to_a_key_too(app: App) -> None:
    _person, award_id = learner(app)
    with app.unit_of_work() as services:
        offer = services.wallets.offer(services.awards.record(award_id), WalletFormat.EMBEDDED)
    grant = content_of(offer)["grants"][PRE_AUTHORIZED]
    form = {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": grant["pre-authorized_code"],
        "tx_code": offer.typed,
    }
    got = redeemed(app, form, dpop("jeton", at=now(app)))
    assert isinstance(got, dict)
    token = str(got["access_token"])
    assert issued(app, token, EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert isinstance(
        issued(app, token, EMBEDDED, dpop("attestation", at=now(app), token=token)), IssuedToWallet
    )


@pytest.mark.both_engines
def test_two_hundred_concurrent_redemptions_of_an_authorization_code_give_one_token(app: App) -> None:
    person, award_id = learner(app)
    form = redemption(code_for(app, person, award_id, authorization(offered_state(app, award_id))))
    with ThreadPoolExecutor(16) as wallets:
        found = Counter(
            each if isinstance(each, WalletRefusal) else "token"
            for each in wallets.map(lambda _turn: redeemed(app, form), range(200))
        )
    assert found == {"token": 1, WalletRefusal.INVALID_GRANT: 199}


@pytest.mark.both_engines
def test_concurrent_uses_of_one_proof_count_once(app: App) -> None:
    person, award_id = learner(app)
    code = code_for(app, person, award_id, authorization(offered_state(app, award_id)))
    got = redeemed(app, redemption(code), dpop("jeton", at=now(app)))
    assert isinstance(got, dict)
    token = str(got["access_token"])
    shown = dpop("attestation", at=now(app), token=token)
    with ThreadPoolExecutor(8) as wallets:
        found = Counter(
            "badge" if isinstance(each, IssuedToWallet) else each
            for each in wallets.map(lambda _turn: issued(app, token, EMBEDDED, shown), range(30))
        )
    assert found["badge"] == 1
    assert set(found) <= {"badge", WalletRefusal.INVALID_DPOP, WalletRefusal.INVALID_TOKEN}


@pytest.mark.both_engines
@pytest.mark.parametrize("by_offer", [True, False])
def test_concurrent_consents_to_one_request_give_one_code(app: App, by_offer: bool) -> None:
    person, award_id = learner(app)
    sent = authorization(offered_state(app, award_id) if by_offer else "")
    with app.unit_of_work(reading=True) as services:
        asked = trusting(services).read(app.campus, sent)

    def consents(_turn: int) -> str:
        try:
            with app.unit_of_work() as services:
                return trusting(services).consent(app.campus, asked, person, award_id, by=BY)[:0] or "code"
        except (Conflict, NotFound):
            return "refused"

    with ThreadPoolExecutor(8) as browsers:
        assert Counter(browsers.map(consents, range(20))) == {"code": 1, "refused": 19}


def test_proof_shown_with_a_wrong_secret_of_a_code_is_used_up(app: App) -> None:
    person, award_id = learner(app)
    code = code_for(app, person, award_id, authorization(offered_state(app, award_id)))
    shown = dpop("jeton", at=now(app))
    assert redeemed(app, redemption(code, code_verifier="x" * 43), shown) is WalletRefusal.INVALID_GRANT
    assert redeemed(app, redemption(code), shown) is WalletRefusal.INVALID_DPOP
    assert isinstance(redeemed(app, redemption(code), dpop("jeton", at=now(app))), dict)


def test_code_needs_its_verifier_redirect_and_client_and_ends(app: App) -> None:
    person, award_id = learner(app)

    def code() -> str:
        return code_for(app, person, award_id, authorization(offered_state(app, award_id)))

    held = code()
    for form in (
        redemption(held, code_verifier="x" * 43),
        redemption(held, redirect_uri="openid4vci://ailleurs"),
        redemption(held, client_id="autre"),
        {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": held, "tx_code": ""},
    ):
        assert redeemed(app, form) is WalletRefusal.INVALID_GRANT
    assert redeemed(app, redemption(held), campus=app.other_campus) is WalletRefusal.INVALID_GRANT
    assert isinstance(redeemed(app, redemption(held)), dict)
    assert redeemed(app, redemption(held)) is WalletRefusal.INVALID_GRANT
    late = code()
    app.clock.move(seconds=CONSENT_CODE_LIFE.total_seconds())
    assert redeemed(app, redemption(late)) is WalletRefusal.INVALID_GRANT
    closed = code()
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    assert redeemed(app, redemption(closed)) is WalletRefusal.INVALID_GRANT


def test_secrets_of_the_way_by_consent_open_no_other_step(app: App) -> None:
    person, award_id = learner(app)
    state = offered_state(app, award_id)
    with app.unit_of_work(reading=True) as services:
        pushed = str(services.wallet_consents.push(app.campus, authorization(state), None)["request_uri"])
    for wrong in (state, pushed, pushed.rpartition(":")[2]):
        assert redeemed(app, redemption(wrong)) is WalletRefusal.INVALID_GRANT
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": wrong, "tx_code": ""}
        assert redeemed(app, form) is WalletRefusal.INVALID_GRANT
        assert issued(app, wrong, EMBEDDED) is WalletRefusal.INVALID_TOKEN
    code = code_for(app, person, award_id, authorization(state))
    assert issued(app, code, EMBEDDED) is WalletRefusal.INVALID_TOKEN
    with app.unit_of_work(reading=True) as services:
        consents = services.wallet_consents
        for wrong in (code, pushed):
            asked = consents.read(app.campus, authorization(wrong[:90]))
            with pytest.raises(NotFound):
                consents.badges(app.campus, asked, person)


# --- who may ask for what


def test_unknown_wallet_needs_an_offer_of_the_learner_who_is_signed_in(app: App) -> None:
    person, award_id = learner(app)
    stranger, _theirs = learner(app)
    sent = authorization(offered_state(app, award_id))
    with app.unit_of_work(reading=True) as services:
        consents = services.wallet_consents
        assert (
            refused_by(lambda: consents.read(app.campus, authorization()))
            is AuthorizationRefusal.UNAUTHORIZED_CLIENT
        )
        asked = consents.read(app.campus, sent)
        assert [each.award.id for each in consents.badges(app.campus, asked, person)] == [award_id]
        with pytest.raises(NotFound):
            consents.badges(app.campus, asked, stranger)
        elsewhere = consents.read(app.other_campus, sent)
        with pytest.raises(NotFound):
            consents.badges(app.other_campus, elsewhere, person)
        other = consents.read(app.campus, sent | {"scope": WalletFormat.TOKEN.configuration})
        assert (
            refused_by(lambda: consents.badges(app.campus, other, person))
            is AuthorizationRefusal.INVALID_SCOPE
        )
    app.clock.move(seconds=OFFER_LIFE.total_seconds())
    with app.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.wallet_consents.badges(app.campus, asked, person)


def test_known_wallet_may_ask_for_an_open_badge_of_the_campus(app: App) -> None:
    person, award_id = learner(app)
    _stranger, theirs = learner(app)
    with app.unit_of_work() as services:
        consents = trusting(services)
        asked = consents.read(app.campus, authorization())
        assert [each.award.id for each in consents.badges(app.campus, asked, person)] == [award_id]
        assert not consents.badges(app.other_campus, asked, person)
        for wrong in (theirs, uuid.uuid4(), None):
            with pytest.raises(InvalidInput):
                consents.consent(app.campus, asked, person, wrong, by=BY)
        where = consents.consent(app.campus, asked, person, award_id, by=BY)
    (code,) = parse_qs(urlsplit(where).query)["code"]
    assert isinstance(redeemed(app, redemption(code)), dict)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
        assert not trusting(services).badges(app.campus, asked, person)


def test_closed_badge_of_an_offer_is_not_given(app: App) -> None:
    person, award_id = learner(app)
    sent = authorization(offered_state(app, award_id))
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
        asked = services.wallet_consents.read(app.campus, sent)
        with pytest.raises(Conflict, match="fermée"):
            services.wallet_consents.consent(app.campus, asked, person, award_id, by=BY)


def test_old_offers_and_proofs_are_deleted_in_time(app: App) -> None:
    person, award_id = learner(app)
    code = code_for(app, person, award_id, authorization(offered_state(app, award_id)))
    assert isinstance(redeemed(app, redemption(code), dpop("jeton", at=now(app))), dict)

    def rows() -> tuple[int, int]:
        with app.unit_of_work(reading=True) as services:
            session = services.stores.wallets.session
            mine = select(func.count()).where(col(WalletOffer.award_id) == award_id)
            return session.exec(mine).one(), session.exec(select(func.count(col(UsedProof.digest)))).one()

    assert rows()[0] == 1
    assert rows()[1] > 0
    app.clock.move(days=1, minutes=11)
    Imports().due(app.process)
    assert rows() == (0, 0)


# --- requests that are refused


@for_each(
    ("changes", "refusal"),
    [
        ({"client_id": ""}, AuthorizationRefusal.INVALID_REQUEST),
        ({"redirect_uri": "javascript://%0aalert(1)"}, AuthorizationRefusal.INVALID_REQUEST),
        ({"redirect_uri": ""}, AuthorizationRefusal.INVALID_REQUEST),
        ({"response_type": "token"}, AuthorizationRefusal.UNSUPPORTED_RESPONSE),
        ({"code_challenge_method": "plain"}, AuthorizationRefusal.INVALID_REQUEST),
        ({"code_challenge_method": ""}, AuthorizationRefusal.INVALID_REQUEST),
        ({"code_challenge": "x"}, AuthorizationRefusal.INVALID_REQUEST),
        ({"scope": ""}, AuthorizationRefusal.INVALID_SCOPE),
        ({"scope": "openid"}, AuthorizationRefusal.INVALID_SCOPE),
        ({"scope": "badge-ldp-vc badge-jwt-vc-json"}, AuthorizationRefusal.INVALID_SCOPE),
        ({"resource": "https://ailleurs.exemple.fr"}, AuthorizationRefusal.INVALID_TARGET),
        ({"state": "x" * 501}, AuthorizationRefusal.INVALID_REQUEST),
        ({"request": "x"}, AuthorizationRefusal.INVALID_REQUEST),
        ({"request_uri": "https://ailleurs.exemple.fr"}, AuthorizationRefusal.INVALID_REQUEST),
        ({"dpop_jkt": "x"}, AuthorizationRefusal.INVALID_REQUEST),
        ({"authorization_details": "["}, AuthorizationRefusal.INVALID_DETAILS),
        ({"authorization_details": "[]"}, AuthorizationRefusal.INVALID_DETAILS),
        ({"authorization_details": "[{}]", "scope": ""}, AuthorizationRefusal.INVALID_DETAILS),
        (
            {
                "authorization_details": '[{"type":"openid_credential","credential_configuration_id":"x"}]',
                "scope": "",
            },
            AuthorizationRefusal.INVALID_DETAILS,
        ),
        (
            {
                "authorization_details": '[{"type":"openid_credential","credential_configuration_id":"badge-ldp-vc",'
                '"locations":["https://ailleurs.exemple.fr"]}]',
                "scope": "",
            },
            AuthorizationRefusal.INVALID_DETAILS,
        ),
    ],
)
def test_odd_requests_of_wallets_are_refused(
    app: App, changes: dict[str, str], refusal: AuthorizationRefusal
) -> None:
    sent = authorization("etat-d-une-offre") | changes
    found = refused_by(lambda: read_authorization(sent, issuer=ISSUER, trusted=(), at=app.clock()))
    assert found is refusal


def test_answers_go_to_applications_and_sites_never_to_what_a_browser_executes() -> None:
    good = {
        "https://portefeuille.exemple.fr/retour?a=1": "portefeuille.exemple.fr",
        "http://127.0.0.1:4711/retour": "127.0.0.1",
        "eudi-openid4ci://authorize": "eudi-openid4ci:",
        "fr.exemple.portefeuille://retour": "fr.exemple.portefeuille:",
    }
    assert {url: place_of_redirect(url) for url in good if is_redirect(url)} == good
    odd = (
        *("javascript://%0aalert(1)", "data://text/html,x", "vbscript://x", "file:///etc/passwd", "blob://x"),
        *("view-source://x.fr", "about://blank", "intent://x", "tel://1", "ws://exemple.fr", "x://y"),
        *("http://exemple.fr/retour", "https://exemple", "https://moi@exemple.fr/", "https://exemple.fr/#a"),
        *(
            "https://exemple.fr:0/",
            "https://exemple.fr/\n",
            "https://exemple.fr/ x",
            "//exemple.fr",
            "/retour",
        ),
        *(
            "fr.exemple:retour",
            "https://exemple.fr\\@x.fr/",
            "https://" + "x" * 400 + ".fr/",
            "https://é.fr/",
        ),
    )
    assert [url for url in odd if is_redirect(url)] == []


def test_pushed_requests_belong_to_a_campus_and_a_client_and_end(app: App) -> None:
    sent = authorization("etat")
    with app.unit_of_work(reading=True) as services:
        consents = services.wallet_consents
        uri = str(consents.push(app.campus, sent, None)["request_uri"])
        assert consents.reopen(app.campus, uri).state == "etat"
        for odd in (uri[:-2], uri + "A", uri[:60] + ("A" if uri[60] != "A" else "B") + uri[61:], "urn:x", ""):
            assert (
                refused_by(lambda odd=odd: consents.reopen(app.campus, odd))
                is AuthorizationRefusal.INVALID_REQUEST
            )  # type: ignore[misc]
        refused_by(lambda: consents.reopen(app.other_campus, uri))
        refused_by(lambda: consents.read(app.campus, {"client_id": "autre", "request_uri": uri}))
        refused_by(lambda: consents.read(app.campus, {"request_uri": uri}))
        with pytest.raises(WalletRefused, match="invalid_dpop_proof"):
            consents.push(app.campus, sent, dpop("jeton", at=now(app)))
        refused_by(
            lambda: consents.push(app.campus, sent | {"dpop_jkt": "A" * 43}, dpop("demande", at=now(app)))
        )
    app.clock.move(seconds=OFFER_LIFE.total_seconds())
    with app.unit_of_work(reading=True) as services:
        refused_by(lambda: services.wallet_consents.reopen(app.campus, uri))


def test_odd_dpop_proofs_are_refused(app: App) -> None:
    at, url, token = app.clock(), f"{PLACE}/jeton", "jeton"
    rsa, other = LocalSigningKey.generate(Algorithm.RS256), LocalSigningKey.generate(Algorithm.ES256)

    def made(**changes: Any) -> str:
        return dpop("jeton", at=at.timestamp(), **{"token": token, **changes})

    assert read_dpop(made(), url=url, at=at, token=token).thumbprint == KEY.public.thumbprint()
    assert read_dpop(made(htu=f"{url}?a=b#c"), url=url, at=at, token=token)
    odd = (
        *(
            "",
            "x",
            "a.b.c",
            made(header={"typ": "JWT"}),
            made(header={"jwk": None}),
            made(header={"kid": "x"}),
        ),
        *(
            made(header={"jwk": other.public.to_jwk()}),
            made(header={"jwk": KEY.public.to_jwk() | {"d": "AAAA"}}),
        ),
        *(made(header={"alg": "none"}), made(key=rsa), made(htm="GET"), made(htu=f"{PLACE}/attestation")),
        *(
            made(htu="http://evil.example/jeton"),
            made(htu=None),
            made(jti=None),
            made(jti="x"),
            made(jti="x" * 201),
        ),
        *(made(iat=None), made(iat=True), made(iat=at.timestamp() - 301), made(iat=at.timestamp() + 301)),
        *(made(iat=10**399), made(iat=-(10**399))),
        *(made(exp=at.timestamp() - 301), made(nbf=at.timestamp() + 301), made(exp="now"), made(nbf=10**399)),
        *(made(ath=None), made(ath="x"), made(token=""), made(token="autre")),
    )
    for number, each in enumerate(odd):
        with pytest.raises(WalletRefused) as refused:
            read_dpop(each, url=url, at=at, token=token)
        assert refused.value.refusal is WalletRefusal.INVALID_DPOP, number


def test_stored_rows_reveal_no_secret(app: App) -> None:
    person, award_id = learner(app)
    state = offered_state(app, award_id)
    code = code_for(app, person, award_id, authorization(state))
    with app.unit_of_work(reading=True) as services:
        row = services.stores.wallets.count_try(
            digest_of(code), app.campus.id, needs_consent=True, at=app.clock()
        )
    assert row is not None
    text = " ".join(map(str, row.model_dump().values()))
    assert all(secret not in text for secret in (state, code, VERIFIER))
