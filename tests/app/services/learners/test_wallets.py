"""Offers of badges to wallets: each secret works once, on both engines, and only for what the learner may take."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.wallets import (
    AUTHORIZATION_CODE,
    BATCH_SIZE,
    KEY_PROOF,
    MOST_TRIES,
    NONCE_LIFE,
    OFFER_LIFE,
    PRE_AUTHORIZED,
    WalletFormat,
    WalletRefusal,
    WalletRefused,
    code_of_reference,
    is_nonce,
    key_proved,
    new_nonce,
)
from app.errors import Conflict, NotFound
from app.services.learners.wallets import DeferredToWallet, IssuedToWallet, OfferShown
from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, encode_base64url
from sceau_credentials.proofs.sd_jwt import parse_sd_jwt, verify_sd_jwt_vc
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.values import JsonObject, dump_json, parse_json_object
from tests.support.app import App, done_once

ISSUER = "http://localhost:8000/campus/itip"
WALLET = LocalSigningKey.generate(Algorithm.ES256)
BY = Actor(label="holder")


@done_once
def open_award(app: App, person: str = "Zoé N’Diaye; zoe@exemple.fr") -> uuid.UUID:
    award_id = app.award(person).lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=BY)
    return award_id


def offered(app: App, award_id: uuid.UUID, wanted: WalletFormat = WalletFormat.SD_JWT) -> OfferShown:
    with app.unit_of_work() as services:
        return services.wallets.offer(services.awards.record(award_id), wanted)


def content_of(offer: OfferShown) -> dict[str, Any]:
    (content,) = parse_qs(urlsplit(offer.by_value).query)["credential_offer"]
    found: dict[str, Any] = json.loads(content)
    return found


def form_of(offer: OfferShown, **changes: str) -> dict[str, str]:
    grant = content_of(offer)["grants"][PRE_AUTHORIZED]
    return {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": grant["pre-authorized_code"],
        "tx_code": offer.typed,
    } | changes


def redeemed(app: App, form: Mapping[str, str]) -> str | WalletRefusal:
    with app.unit_of_work() as services:
        answer = services.wallets.redeem(app.campus, form)
    return answer if isinstance(answer, WalletRefusal) else str(answer["access_token"])


def nonce(app: App) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.wallets.nonce(app.campus)


def proof(app: App, challenge: str, **changes: Any) -> str:
    claims = {"aud": ISSUER, "iat": int(app.clock().timestamp()), "nonce": challenge} | changes
    return signed_proof(claims)


def signed_proof(claims: JsonObject, header: JsonObject | None = None, key: LocalSigningKey = WALLET) -> str:
    head = {"alg": key.public.algorithm.value, "typ": KEY_PROOF, "jwk": key.public.to_jwk()} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    text = f"{encode_base64url(dump_json(head))}.{encode_base64url(dump_json(claims))}"
    return f"{text}.{encode_base64url(key.sign(text.encode()))}"


def request_for(wanted: WalletFormat, *proofs: str) -> JsonObject:
    asked: JsonObject = {"credential_configuration_id": wanted.configuration}
    return asked | ({"proofs": {"jwt": [*proofs]}} if proofs else {})


def issued(app: App, token: str, request: JsonObject) -> IssuedToWallet | DeferredToWallet | WalletRefusal:
    try:
        with app.unit_of_work() as services:
            offer = services.wallets.check_token(app.campus, token)
            return services.wallets.issue(offer, services.wallets.prove(app.campus, offer, request))
    except WalletRefused as error:
        return error.refusal


def keys_of(found: IssuedToWallet) -> list[object]:
    return [parse_sd_jwt(json.loads(each)).jws.payload["cnf"] for each in found.credentials]


def token_for(app: App, award_id: uuid.UUID, wanted: WalletFormat = WalletFormat.SD_JWT) -> str:
    token = redeemed(app, form_of(offered(app, award_id, wanted)))
    assert not isinstance(token, WalletRefusal)
    return token


# --- the three formats


def test_stored_forms_are_handed_out_byte_for_byte(app: App) -> None:
    award_id = open_award(app)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        stored = {form: services.publication.award_file(record, form).body for form in ("json", "jwt")}
    embedded = issued(
        app, token_for(app, award_id, WalletFormat.EMBEDDED), request_for(WalletFormat.EMBEDDED)
    )
    assert isinstance(embedded, IssuedToWallet)
    assert embedded.credentials[0] == stored["json"]
    token = issued(app, token_for(app, award_id, WalletFormat.TOKEN), request_for(WalletFormat.TOKEN))
    assert isinstance(token, IssuedToWallet)
    assert json.loads(token.credentials[0]) == stored["jwt"].decode()


def test_sd_jwt_contains_what_the_learner_discloses_and_is_bound_to_the_wallet(app: App) -> None:
    award_id = open_award(app)
    found = issued(app, token_for(app, award_id), request_for(WalletFormat.SD_JWT, proof(app, nonce(app))))
    assert isinstance(found, IssuedToWallet)
    with app.unit_of_work(reading=True) as services:
        (published,) = services.signing.published_keys(app.campus)
        record = services.awards.record(award_id)
        document = parse_json_object(services.publication.award_file(record, "json").body)
    parsed = parse_sd_jwt(json.loads(found.credentials[0]))
    claims = verify_sd_jwt_vc(parsed, published.key, at=app.clock())
    assert claims["iss"] == ISSUER
    assert claims["cnf"] == {"jwk": WALLET.public.to_jwk()}
    subject, entry = document["credentialSubject"], document["credentialStatus"]
    assert isinstance(subject, dict)
    assert isinstance(entry, dict)
    assert claims["achievement"] == subject["achievement"]
    assert claims.get("identifier") == subject.get("identifier")
    assert claims.get("evidence") == document.get("evidence")
    assert claims["status"] == {
        "status_list": {
            "idx": int(str(entry["statusListIndex"])),
            "uri": f"{entry['statusListCredential']}.statuslist",
        }
    }
    visible = json.dumps(parsed.jws.payload, ensure_ascii=False)
    for private in (str(award_id), "N’Diaye", "urn:uuid"):
        assert private not in visible


# --- each secret once


def test_offer_contains_nothing_about_the_person_or_the_badge(app: App) -> None:
    award_id = open_award(app)
    offer = offered(app, award_id)
    content = content_of(offer)
    assert content.keys() == {"credential_issuer", "credential_configuration_ids", "grants"}
    assert content["grants"][PRE_AUTHORIZED]["tx_code"] == {"input_mode": "numeric", "length": 6}
    everything = offer.by_value + offer.by_reference
    for private in (str(award_id), offer.typed, "Zo%C3%A9", "Diaye", "exemple.fr"):
        assert private not in everything
    (where,) = parse_qs(urlsplit(offer.by_reference).query)["credential_offer_uri"]
    reference = where.rpartition("/")[2]
    with app.unit_of_work(reading=True) as services:
        assert services.wallets.offer_named(app.campus, reference) == content
        with pytest.raises(NotFound):
            services.wallets.offer_named(app.other_campus, reference)
    assert code_of_reference(reference) != reference


@pytest.mark.both_engines
def test_two_hundred_concurrent_redemptions_give_one_credential(app: App) -> None:
    form = form_of(offered(app, open_award(app)))
    with ThreadPoolExecutor(16) as devices:
        found = Counter(
            each if isinstance(each, WalletRefusal) else "token"
            for each in devices.map(lambda _turn: redeemed(app, form), range(200))
        )
    assert found == {"token": 1, WalletRefusal.INVALID_GRANT: 199}


@pytest.mark.both_engines
def test_two_hundred_devices_with_one_code_get_one_credential(app: App) -> None:
    """Each redeems the code, and asks for the badge with what it got."""
    form = form_of(offered(app, open_award(app)))

    def receive(challenge: str) -> type:
        token = redeemed(app, form)
        if isinstance(token, WalletRefusal):
            return WalletRefusal
        return type(issued(app, token, request_for(WalletFormat.SD_JWT, proof(app, challenge))))

    challenges = [nonce(app) for _ in range(200)]
    with ThreadPoolExecutor(16) as devices:
        assert Counter(devices.map(receive, challenges)) == {IssuedToWallet: 1, WalletRefusal: 199}


@pytest.mark.both_engines
def test_fifty_concurrent_credential_requests_give_no_more_than_a_batch(app: App) -> None:
    token = token_for(app, open_award(app))
    requests = [request_for(WalletFormat.SD_JWT, proof(app, nonce(app))) for _ in range(50)]
    with ThreadPoolExecutor(8) as devices:
        found = [*devices.map(lambda request: issued(app, token, request), requests)]
    imported = [each for each in found if isinstance(each, IssuedToWallet)]
    assert len(imported) == BATCH_SIZE
    assert len({each.notification_id for each in imported}) == BATCH_SIZE
    assert {each for each in found if isinstance(each, WalletRefusal)} == {WalletRefusal.INVALID_TOKEN}


@pytest.mark.both_engines
def test_fifty_concurrent_uses_of_one_nonce_give_one_credential(app: App) -> None:
    token = token_for(app, open_award(app))
    request = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    with ThreadPoolExecutor(8) as devices:
        found = Counter(
            each if isinstance(each, WalletRefusal) else "badge"
            for each in devices.map(lambda _turn: issued(app, token, request), range(50))
        )
    assert found == {"badge": 1, WalletRefusal.INVALID_NONCE: 49}


def test_wrong_used_and_expired_codes_are_invalid_grants(app: App) -> None:
    award_id = open_award(app)
    offer = offered(app, award_id)
    wrong = f"{(int(offer.typed) + 1) % 10**6:06}"
    for form in (
        form_of(offer, tx_code=wrong),
        {name: value for name, value in form_of(offer).items() if name != "tx_code"},
        form_of(offer, **{"pre-authorized_code": "x"}),
        form_of(offer, tx_code="é" * 9),
    ):
        assert redeemed(app, form) is WalletRefusal.INVALID_GRANT
    assert not isinstance(redeemed(app, form_of(offer)), WalletRefusal)
    assert redeemed(app, form_of(offer)) is WalletRefusal.INVALID_GRANT
    late = offered(app, award_id)
    app.clock.move(seconds=OFFER_LIFE.total_seconds())
    assert redeemed(app, form_of(late)) is WalletRefusal.INVALID_GRANT
    assert redeemed(app, {"grant_type": "password"}) is WalletRefusal.UNSUPPORTED_GRANT
    for form in ({}, {"grant_type": PRE_AUTHORIZED}, {"grant_type": AUTHORIZATION_CODE}):
        assert redeemed(app, form) is WalletRefusal.INVALID_REQUEST


@pytest.mark.both_engines
def test_transaction_code_has_few_tries_and_a_new_offer_ends_the_last(app: App) -> None:
    award_id = open_award(app)
    offer = offered(app, award_id)
    wrong = f"{(int(offer.typed) + 1) % 10**6:06}"
    with ThreadPoolExecutor(8) as guesses:
        tried = [*guesses.map(lambda _turn: redeemed(app, form_of(offer, tx_code=wrong)), range(20))]
    assert set(tried) == {WalletRefusal.INVALID_GRANT}
    assert redeemed(app, form_of(offer)) is WalletRefusal.INVALID_GRANT, f"more than {MOST_TRIES} tries"
    first, second = offered(app, award_id), offered(app, award_id)
    assert redeemed(app, form_of(first)) is WalletRefusal.INVALID_GRANT
    assert not isinstance(redeemed(app, form_of(second)), WalletRefusal)


@pytest.mark.both_engines
def test_of_offers_made_at_once_one_is_left(app: App) -> None:
    award_id = open_award(app)
    with ThreadPoolExecutor(16) as clicks:
        forms = [form_of(each) for each in clicks.map(lambda _turn: offered(app, award_id), range(32))]
    found = Counter(
        each if isinstance(each, WalletRefusal) else "token"
        for each in (redeemed(app, form) for form in forms)
    )
    assert found == {"token": 1, WalletRefusal.INVALID_GRANT: 31}


def test_new_offer_ends_a_token_that_brought_no_credential(app: App) -> None:
    award_id = open_award(app)
    token = token_for(app, award_id, WalletFormat.EMBEDDED)
    offered(app, award_id)
    asked = request_for(WalletFormat.EMBEDDED)
    assert issued(app, token, asked) is WalletRefusal.INVALID_TOKEN


def test_token_brings_the_badge_again_while_it_lives_and_each_nonce_once(app: App) -> None:
    award_id = open_award(app)
    token, challenge = token_for(app, award_id), nonce(app)
    first = request_for(WalletFormat.SD_JWT, proof(app, challenge))
    found = issued(app, token, first)
    assert isinstance(found, IssuedToWallet)
    assert issued(app, token, first) is WalletRefusal.INVALID_NONCE
    key = LocalSigningKey.generate(Algorithm.ES256)
    claims: JsonObject = {"aud": ISSUER, "iat": int(app.clock().timestamp()), "nonce": nonce(app)}
    for same_or_another in (proof(app, nonce(app)), signed_proof(claims, key=key)):
        assert issued(app, token, first) is WalletRefusal.INVALID_NONCE, "of the first request, still"
        again = issued(app, token, request_for(WalletFormat.SD_JWT, same_or_another))
        assert isinstance(again, IssuedToWallet)
        assert again.notification_id != found.notification_id
    assert keys_of(again) == [{"jwk": key.public.to_jwk()}]
    other = token_for(app, award_id)
    assert issued(app, other, first) is WalletRefusal.INVALID_NONCE
    fresh = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    assert isinstance(issued(app, other, fresh), IssuedToWallet), "a refusal uses nothing up"
    app.clock.move(seconds=OFFER_LIFE.total_seconds())
    after = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    for late in (token, other, ""):
        assert issued(app, late, after) is WalletRefusal.INVALID_TOKEN


@pytest.mark.parametrize("wanted", [WalletFormat.EMBEDDED, WalletFormat.TOKEN])
def test_stored_form_is_brought_as_often_as_a_batch_is_large(app: App, wanted: WalletFormat) -> None:
    token = token_for(app, open_award(app), wanted)
    for _ in range(BATCH_SIZE):
        assert isinstance(issued(app, token, request_for(wanted)), IssuedToWallet)
    assert issued(app, token, request_for(wanted)) is WalletRefusal.INVALID_TOKEN


def test_token_of_a_badge_that_is_withdrawn_brings_no_second_copy(app: App) -> None:
    award_id = open_award(app)
    token = token_for(app, award_id, WalletFormat.EMBEDDED)
    assert isinstance(issued(app, token, request_for(WalletFormat.EMBEDDED)), IssuedToWallet)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    assert issued(app, token, request_for(WalletFormat.EMBEDDED)) is WalletRefusal.DENIED
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    assert issued(app, token, request_for(WalletFormat.EMBEDDED)) is WalletRefusal.DENIED


def test_secrets_of_an_offer_open_nothing_at_another_step(app: App) -> None:
    """Offer code, transaction code, access token and nonce: each for one kind of use."""
    award_id = open_award(app)
    offer, challenge = offered(app, award_id), nonce(app)
    code = form_of(offer)["pre-authorized_code"]
    request = request_for(WalletFormat.SD_JWT, proof(app, challenge))
    for wrong in (code, offer.typed, challenge):
        assert issued(app, wrong, request) is WalletRefusal.INVALID_TOKEN
    token = redeemed(app, form_of(offer))
    assert isinstance(token, str)
    for wrong in (token, code, offer.typed, "", challenge[:-2]):
        asked = request_for(WalletFormat.SD_JWT, proof(app, wrong))
        assert issued(app, token, asked) is WalletRefusal.INVALID_NONCE
    for wrong in (token, challenge):
        assert redeemed(app, form_of(offer, **{"pre-authorized_code": wrong})) is WalletRefusal.INVALID_GRANT
    with app.unit_of_work() as services:
        with pytest.raises(WalletRefused, match="invalid_token"):
            services.wallets.check_token(app.other_campus, token)
        assert services.wallets.redeem(app.other_campus, form_of(offer)) is WalletRefusal.INVALID_GRANT
    assert isinstance(issued(app, token, request), IssuedToWallet)


# --- what may be taken


def test_closed_and_withdrawn_badges_are_refused_at_every_step(app: App) -> None:
    award_id = open_award(app)
    offer, token = offered(app, award_id), ""
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    with pytest.raises(Conflict, match="fermée"):
        offered(app, award_id)
    assert redeemed(app, form_of(offer)) is WalletRefusal.INVALID_GRANT
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=BY)
    token = token_for(app, award_id)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    request = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    assert issued(app, token, request) is WalletRefusal.DENIED
    with pytest.raises(Conflict, match="retiré"):
        offered(app, award_id)


def test_wallet_reports_that_it_holds_the_badge(app: App) -> None:
    award_id = open_award(app)
    token = token_for(app, award_id)

    def notify(notification: object, event: object, named: str = token) -> WalletRefusal | None:
        try:
            with app.unit_of_work() as services:
                services.wallets.notify(
                    services.wallets.check_token(app.campus, named),
                    {"notification_id": notification, "event": event},  # type: ignore[dict-item]
                )
        except WalletRefused as error:
            return error.refusal
        return None

    def held() -> bool:
        with app.unit_of_work(reading=True) as services:
            return services.wallets.accepted_at(services.awards.record(award_id)) is not None

    assert notify("x", "credential_accepted") is WalletRefusal.INVALID_NOTIFICATION_ID
    found = issued(app, token, request_for(WalletFormat.SD_JWT, proof(app, nonce(app))))
    assert isinstance(found, IssuedToWallet)
    assert notify(found.notification_id, "credential_seen") is WalletRefusal.INVALID_NOTIFICATION
    assert notify(None, "credential_accepted") is WalletRefusal.INVALID_NOTIFICATION_ID
    assert notify(found.notification_id, "credential_accepted", "x") is WalletRefusal.INVALID_TOKEN
    assert not held()
    assert notify(found.notification_id, "credential_accepted") is None
    assert held()
    second = issued(app, token, request_for(WalletFormat.SD_JWT, proof(app, nonce(app))))
    assert isinstance(second, IssuedToWallet)
    assert notify(second.notification_id, "credential_failure") is None
    assert held(), "the first copy"
    assert notify(second.notification_id, "credential_accepted") is None
    assert notify(found.notification_id, "credential_deleted") is None
    assert held(), "the second copy"
    number, _, mark = second.notification_id.partition("-")
    for odd in (f"1-{mark}", f"0{number}-{mark}", f"9-{mark}", f"-{mark}", mark, f"²-{mark}", "1-"):
        assert notify(odd, "credential_deleted") is WalletRefusal.INVALID_NOTIFICATION_ID
    assert notify(second.notification_id, "credential_deleted") is None
    assert not held()


# --- requests and proofs that are refused


def test_odd_credential_requests_are_refused(app: App) -> None:
    token = token_for(app, open_award(app))
    good = proof(app, nonce(app))
    for request, refusal in (
        ({}, WalletRefusal.INVALID_CREDENTIAL_REQUEST),
        ({"credential_identifier": "x"}, WalletRefusal.UNKNOWN_IDENTIFIER),
        ({"credential_configuration_id": 3}, WalletRefusal.INVALID_CREDENTIAL_REQUEST),
        ({"credential_configuration_id": "x"}, WalletRefusal.UNKNOWN_CONFIGURATION),
        (request_for(WalletFormat.TOKEN), WalletRefusal.UNKNOWN_CONFIGURATION),
        (request_for(WalletFormat.SD_JWT), WalletRefusal.INVALID_PROOF),
        (request_for(WalletFormat.SD_JWT, good, good), WalletRefusal.INVALID_PROOF),
        (request_for(WalletFormat.SD_JWT) | {"proofs": {"di_vp": [good]}}, WalletRefusal.INVALID_PROOF),
        (request_for(WalletFormat.SD_JWT) | {"proofs": {"ldp": [good]}}, WalletRefusal.INVALID_PROOF),
        (request_for(WalletFormat.SD_JWT) | {"proofs": {"jwt": [3]}}, WalletRefusal.INVALID_PROOF),
        (request_for(WalletFormat.SD_JWT) | {"proofs": []}, WalletRefusal.INVALID_PROOF),
        (
            request_for(WalletFormat.SD_JWT, good) | {"credential_response_encryption": {}},
            WalletRefusal.INVALID_ENCRYPTION,
        ),
    ):
        assert issued(app, token, request) is refusal, request  # type: ignore[arg-type]


def test_proof_names_its_key_in_the_ways_that_need_no_fetch(app: App) -> None:
    claims: JsonObject = {"aud": ISSUER, "iat": int(app.clock().timestamp()), "nonce": "n"}
    jwk = encode_base64url(dump_json(WALLET.public.to_jwk()))
    for header in (
        {},
        {"jwk": None, "kid": f"did:jwk:{jwk}#0"},
        {"jwk": None, "kid": did_key(WALLET.public)},
    ):
        key, challenge = key_proved(signed_proof(claims, header), issuer=ISSUER, at=app.clock())  # type: ignore[arg-type]
        assert (key, challenge) == (WALLET.public, "n")


def test_odd_proofs_are_refused(app: App) -> None:
    at = app.clock()
    claims: JsonObject = {"aud": ISSUER, "iat": int(at.timestamp()), "nonce": "n"}
    other, rsa = LocalSigningKey.generate(Algorithm.ES256), LocalSigningKey.generate(Algorithm.RS256)
    private = WALLET.public.to_jwk() | {"d": "AAAA"}
    odd = (
        "x",
        signed_proof(claims, {"typ": "JWT"}),
        signed_proof(claims, {"jwk": None}),
        signed_proof(claims, {"kid": "x"}),
        signed_proof(claims, {"jwk": None, "kid": "did:web:evil.example#1"}),
        signed_proof(claims, {"jwk": None, "kid": "did:jwk:AAAA"}),
        signed_proof(claims, {"jwk": other.public.to_jwk()}),
        signed_proof(claims, {"jwk": private}),
        signed_proof(claims, {"alg": "none"}),
        signed_proof(claims, key=rsa),
        signed_proof(claims | {"aud": "https://other.example"}),
        signed_proof(claims | {"aud": None}),
        signed_proof(claims | {"iat": int(at.timestamp()) - 301}),
        signed_proof(claims | {"iat": int(at.timestamp()) + 301}),
        signed_proof(claims | {"iat": "now"}),
        signed_proof(claims | {"iat": 10**399}),
        signed_proof(claims | {"exp": int(at.timestamp()) - 301}),
        signed_proof(claims | {"nbf": int(at.timestamp()) + 301}),
        signed_proof(claims | {"exp": None}),
        sign_claims(claims, signer=Signer("did:example:1", WALLET), kind=KEY_PROOF),
    )
    for number, each in enumerate(odd):
        with pytest.raises(WalletRefused) as refused:
            key_proved(each, issuer=ISSUER, at=at)
        assert refused.value.refusal is WalletRefusal.INVALID_PROOF, number


def test_nonce_belongs_to_a_campus_and_ends(app: App) -> None:
    secret, at = b"s" * 32, app.clock()
    challenge = new_nonce(secret, app.campus.id, at=at)
    assert is_nonce(secret, app.campus.id, challenge, at=at + NONCE_LIFE)
    for odd in (
        is_nonce(secret, app.other_campus.id, challenge, at=at),
        is_nonce(b"t" * 32, app.campus.id, challenge, at=at),
        is_nonce(secret, app.campus.id, challenge, at=at + NONCE_LIFE * 2),
        is_nonce(secret, app.campus.id, challenge, at=at - NONCE_LIFE),
        is_nonce(secret, app.campus.id, challenge[:-1] + "é", at=at),
        is_nonce(secret, app.campus.id, "", at=at),
    ):
        assert not odd
