"""Tokens of wallets: refreshed for a badge that is renewed, ended by a replay, and not asked for too often."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.domain.accounts.sessions import digest_of
from app.domain.awards import Visibility
from app.domain.badges import BadgeKind
from app.domain.learners.wallets import (
    BATCH_SIZE,
    DEFERRED_INTERVAL,
    REFRESH_LIFE,
    REFRESH_TOKEN,
    WalletFormat,
    WalletRefusal,
    WalletRefused,
)
from app.errors import NotFound
from app.jobs.kinds import Imports
from app.services.accounts.sessions import Browser
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.learners.wallets import DeferredToWallet, IssuedToWallet
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.proofs.sd_jwt import parse_sd_jwt
from sceau_credentials.values import JsonObject, parse_json_object
from tests.app.services.learners import test_wallet_consents as consents
from tests.app.services.learners.test_renewals import ASKS
from tests.app.services.learners.test_requests import accepting, agree, asked, reviewer
from tests.app.services.learners.test_wallets import (
    BY,
    ISSUER,
    WALLET,
    form_of,
    issued,
    keys_of,
    nonce,
    offered,
    open_award,
    proof,
    redeemed,
    request_for,
    signed_proof,
    token_for,
)
from tests.support.house import COMMAND, House, done_once, listed

DAYS = 90


@done_once
def badge_with_end(house: House) -> tuple[uuid.UUID, uuid.UUID]:
    """An open badge for ninety days, and the kind of badge that it is."""
    wording = Wording(
        BadgeKind.ENGAGEMENT, "Secours", "Tient le poste.", "La personne a tenu le poste.", validity_days=DAYS
    )
    with house.unit_of_work() as services:
        badge = services.badges.create(house.campus, wording, slug="secours", by=COMMAND).badge
    accepting(house, badge.id)
    request = AwardRequest(
        badge.id, house.activity.id, lines=listed("Zoé Martin;zoe@exemple.fr"), evidence="A tenu le poste."
    )
    with house.unit_of_work() as services:
        (line,) = services.awards.award(house.campus, request, by=COMMAND).lines
        assert line.award_id
        services.awards.set_visibility(line.award_id, Visibility.OPEN, by=BY)
    return line.award_id, badge.id


def answer_of(house: House, award_id: uuid.UUID, wanted: WalletFormat = WalletFormat.EMBEDDED) -> JsonObject:
    """The token response for a new offer."""
    form = form_of(offered(house, award_id, wanted))
    with house.unit_of_work() as services:
        answer = services.wallets.redeem(house.campus, form)
    assert isinstance(answer, dict)
    return answer


def refreshed(
    house: House, secret: object, proved: str | None = None, **changes: str
) -> JsonObject | WalletRefusal:
    form = {"grant_type": REFRESH_TOKEN, "refresh_token": str(secret)} | changes
    return consents.redeemed(house, form, proved)


def document(found: object) -> JsonObject:
    assert isinstance(found, IssuedToWallet), found
    return parse_json_object(found.credentials[0])


def renew(house: House, badge_id: uuid.UUID) -> None:
    assert agree(house, asked(house, badge_id, ASKS), reviewer(house, "Paul"), "A tenu le poste encore.")


# --- refresh tokens


def test_wallet_gets_the_renewed_badge_under_the_same_identifier(house: House) -> None:
    award_id, badge_id = badge_with_end(house)
    answer = answer_of(house, award_id)
    first = document(issued(house, str(answer["access_token"]), consents.EMBEDDED))
    house.clock.move(days=DAYS - 5)
    renew(house, badge_id)
    again = refreshed(house, answer["refresh_token"])
    assert isinstance(again, dict)
    token = str(again["access_token"])
    second = document(issued(house, token, consents.EMBEDDED))
    assert (second["id"], second["credentialStatus"]) == (first["id"], first["credentialStatus"])
    assert str(second["validUntil"]) > str(first["validUntil"])
    with house.unit_of_work(reading=True) as services:
        stored = services.publication.award_file(services.awards.record(award_id), "json").body
    assert parse_json_object(stored) == second
    assert document(issued(house, token, consents.EMBEDDED)) == second, "while the token lives"
    assert "refreshService" not in first
    assert str(again["refresh_token"]) not in json.dumps(second)


def test_wallet_binds_the_renewed_badge_to_the_key_that_it_proves_then(house: House) -> None:
    award_id, badge_id = badge_with_end(house)
    answer = answer_of(house, award_id, WalletFormat.SD_JWT)
    wanted = request_for(WalletFormat.SD_JWT, proof(house, nonce(house)))
    assert isinstance(issued(house, str(answer["access_token"]), wanted), IssuedToWallet)
    house.clock.move(days=DAYS - 5)
    renew(house, badge_id)
    again = refreshed(house, answer["refresh_token"])
    assert isinstance(again, dict)
    token = str(again["access_token"])
    fresh = request_for(WalletFormat.SD_JWT, proof(house, nonce(house)))
    got = issued(house, token, fresh)
    assert isinstance(got, IssuedToWallet)
    ends = parse_sd_jwt(json.loads(got.credentials[0])).jws.payload["exp"]
    assert isinstance(ends, int)
    assert ends > house.clock().timestamp()


def test_badge_without_an_end_has_no_refresh_token(house: House) -> None:
    answer = answer_of(house, open_award(house))
    assert "refresh_token" not in answer


def test_refresh_token_is_used_once_and_its_second_use_ends_both(house: House) -> None:
    award_id, _ = badge_with_end(house)
    first = answer_of(house, award_id)
    second = refreshed(house, first["refresh_token"])
    assert isinstance(second, dict)
    assert second["refresh_token"] != first["refresh_token"]
    assert issued(house, str(first["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert refreshed(house, first["refresh_token"]) is WalletRefusal.INVALID_GRANT
    assert refreshed(house, second["refresh_token"]) is WalletRefusal.INVALID_GRANT
    assert issued(house, str(second["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN


@pytest.mark.both_engines
def test_concurrent_uses_of_a_refresh_token_give_one_token_at_most(house: House) -> None:
    award_id, _ = badge_with_end(house)
    secret = answer_of(house, award_id)["refresh_token"]
    with ThreadPoolExecutor(8) as wallets:
        found = [*wallets.map(lambda _turn: refreshed(house, secret), range(16))]
    (given,) = [each for each in found if isinstance(each, dict)]
    assert {each for each in found if each is not given} == {WalletRefusal.INVALID_GRANT}
    assert refreshed(house, given["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_refresh_waits_for_a_closed_or_suspended_badge_and_ends_with_a_withdrawn_one(house: House) -> None:
    award_id, _ = badge_with_end(house)
    answer = answer_of(house, award_id)
    document(issued(house, str(answer["access_token"]), consents.EMBEDDED))
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    closed = refreshed(house, answer["refresh_token"])
    assert isinstance(closed, dict)
    assert issued(house, str(closed["access_token"]), consents.EMBEDDED) is WalletRefusal.DENIED
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=BY)
    document(issued(house, str(closed["access_token"]), consents.EMBEDDED))
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, award_id, "Erreur de date.", by=COMMAND)
    assert refreshed(house, closed["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_refresh_token_is_bound_to_the_key_of_the_first_token(house: House) -> None:
    award_id, _ = badge_with_end(house)
    form = form_of(offered(house, award_id, WalletFormat.EMBEDDED))
    first = consents.redeemed(house, form, consents.dpop("jeton", at=consents.now(house)))
    assert isinstance(first, dict)
    other = LocalSigningKey.generate(Algorithm.ES256)
    for wrong in (None, consents.dpop("jeton", at=consents.now(house), key=other)):
        assert refreshed(house, first["refresh_token"], wrong) is WalletRefusal.INVALID_DPOP
    shown = consents.dpop("jeton", at=consents.now(house))
    again = refreshed(house, first["refresh_token"], shown)
    assert isinstance(again, dict)
    assert again["token_type"] == "DPoP"
    assert refreshed(house, again["refresh_token"], shown) is WalletRefusal.INVALID_DPOP, (
        "a proof counts once"
    )


def test_refresh_token_is_good_at_its_campus_and_for_its_client_until_it_ends(house: House) -> None:
    award_id, _ = badge_with_end(house)
    answer = answer_of(house, award_id)
    secret = answer["refresh_token"]
    form = {"grant_type": REFRESH_TOKEN, "refresh_token": str(secret)}
    assert consents.redeemed(house, form, campus=house.other_campus) is WalletRefusal.INVALID_GRANT
    assert refreshed(house, answer["access_token"]) is WalletRefusal.INVALID_GRANT
    assert issued(house, str(secret), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert consents.redeemed(house, {"grant_type": REFRESH_TOKEN}) is WalletRefusal.INVALID_REQUEST
    house.clock.move(days=DAYS)
    house.clock.move(seconds=REFRESH_LIFE.total_seconds() - 1)
    Imports().due(house.process)
    kept = refreshed(house, secret)
    assert isinstance(kept, dict), "until half a year after the end of the badge"
    house.clock.move(seconds=REFRESH_LIFE.total_seconds())
    assert refreshed(house, kept["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_wallet_that_named_itself_with_a_pre_authorized_code_refreshes_by_that_name(house: House) -> None:
    award_id, _ = badge_with_end(house)
    first = consents.redeemed(
        house, form_of(offered(house, award_id, WalletFormat.EMBEDDED)) | {"client_id": "w"}
    )
    assert isinstance(first, dict)
    assert refreshed(house, first["refresh_token"], client_id="autre") is WalletRefusal.INVALID_GRANT
    second = refreshed(house, first["refresh_token"], client_id="w")
    assert isinstance(second, dict)
    assert isinstance(refreshed(house, second["refresh_token"]), dict)


def test_nameless_wallet_may_name_itself_when_it_refreshes(house: House) -> None:
    award_id, _ = badge_with_end(house)
    secret = answer_of(house, award_id)["refresh_token"]
    assert isinstance(refreshed(house, secret, client_id="w"), dict)


def test_client_id_that_no_client_has_is_refused_before_anything_is_counted(house: House) -> None:
    award_id, _ = badge_with_end(house)
    form = form_of(offered(house, award_id, WalletFormat.EMBEDDED))
    for odd in ("a b", "\x00", "é", "x" * 401):
        assert consents.redeemed(house, form | {"client_id": odd}) is WalletRefusal.INVALID_REQUEST
    assert isinstance(consents.redeemed(house, form), dict)


def test_new_offer_leaves_the_wallet_that_has_the_badge_its_refresh_token(house: House) -> None:
    award_id, _ = badge_with_end(house)
    answer = answer_of(house, award_id)
    document(issued(house, str(answer["access_token"]), consents.EMBEDDED))
    again = refreshed(house, answer["refresh_token"])
    assert isinstance(again, dict)
    offered(house, award_id)
    document(issued(house, str(again["access_token"]), consents.EMBEDDED))


def test_wallet_that_deletes_the_copy_before_keeps_the_refresh_token_of_the_renewed_one(house: House) -> None:
    award_id, _ = badge_with_end(house)
    answer = answer_of(house, award_id)
    before = issued(house, str(answer["access_token"]), consents.EMBEDDED)
    again = refreshed(house, answer["refresh_token"])
    assert isinstance(again, dict)
    token = str(again["access_token"])
    renewed = issued(house, token, consents.EMBEDDED)
    assert isinstance(before, IssuedToWallet)
    assert isinstance(renewed, IssuedToWallet)

    def report(of: IssuedToWallet, event: str) -> None:
        with house.unit_of_work() as services:
            result: JsonObject = {"notification_id": of.notification_id, "event": event}
            services.wallets.notify(services.wallets.check_token(house.campus, token), result)

    report(renewed, "credential_accepted")
    report(before, "credential_deleted")
    last = refreshed(house, again["refresh_token"])
    assert isinstance(last, dict)
    token = str(last["access_token"])
    report(renewed, "credential_deleted")
    assert refreshed(house, last["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_wallet_that_deleted_the_badge_refreshes_it_no_more(house: House) -> None:
    award_id, _ = badge_with_end(house)
    answer = answer_of(house, award_id)
    token = str(answer["access_token"])
    got = issued(house, token, consents.EMBEDDED)
    assert isinstance(got, IssuedToWallet)
    with house.unit_of_work() as services:
        report: JsonObject = {"notification_id": got.notification_id, "event": "credential_deleted"}
        services.wallets.notify(services.wallets.check_token(house.campus, token), report)
    assert refreshed(house, answer["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_stored_refresh_tokens_reveal_no_secret(house: House) -> None:
    award_id, _ = badge_with_end(house)
    first = answer_of(house, award_id)
    second = refreshed(house, first["refresh_token"])
    assert isinstance(second, dict)
    with house.unit_of_work(reading=True) as services:
        row = services.wallets.check_token(house.campus, str(second["access_token"]))
    text = " ".join(map(str, row.model_dump().values()))
    for secret in (first["refresh_token"], second["refresh_token"], second["access_token"]):
        assert str(secret) not in text
        assert secret == first["refresh_token"] or digest_of(str(secret)) in text


# --- authorization codes that come again


def test_replayed_authorization_code_ends_the_tokens_issued_for_it(house: House) -> None:
    person, award_id = consents.learner(house)
    sent = consents.authorization(consents.offered_state(house, award_id))
    form = consents.redemption(consents.code_for(house, person, award_id, sent))
    got = consents.redeemed(house, form)
    assert isinstance(got, dict)
    for unproved in (form | {"code_verifier": "x" * 43}, form | {"client_id": "autre"}):
        assert consents.redeemed(house, unproved) is WalletRefusal.INVALID_GRANT
    assert consents.redeemed(house, form, campus=house.other_campus) is WalletRefusal.INVALID_GRANT
    with house.unit_of_work(reading=True) as services:
        services.wallets.check_token(house.campus, str(got["access_token"]))
    assert consents.redeemed(house, form) is WalletRefusal.INVALID_GRANT
    assert issued(house, str(got["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN


@pytest.mark.both_engines
def test_authorization_code_redeemed_by_two_at_once_leaves_no_token(house: House) -> None:
    for _ in range(4):
        person, award_id = consents.learner(house)
        sent = consents.authorization(consents.offered_state(house, award_id))
        form = consents.redemption(consents.code_for(house, person, award_id, sent))
        with ThreadPoolExecutor(2) as wallets:
            found = [*wallets.map(lambda _turn, form=form: consents.redeemed(house, form), range(2))]
        (got,) = [each for each in found if isinstance(each, dict)]
        assert Counter(map(str, found))["invalid_grant"] == 1
        assert issued(house, str(got["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN


# --- deferred badges


def hold_back(house: House, award_id: uuid.UUID) -> None:
    """As between a learner's choice and the signature that follows it."""
    with house.unit_of_work() as services:
        services.awards.record(award_id).award.align_due_at = house.clock()


def later(house: House, token: str, transaction: object) -> IssuedToWallet | DeferredToWallet | WalletRefusal:
    try:
        with house.unit_of_work() as services:
            offer = services.wallets.check_token(house.campus, token)
            return services.wallets.issue_deferred(offer, {"transaction_id": transaction})  # type: ignore[dict-item]
    except WalletRefused as error:
        return error.refusal


@pytest.mark.both_engines
def test_badge_that_is_being_signed_is_issued_later_for_the_same_keys(house: House) -> None:
    award_id = open_award(house)
    token = token_for(house, award_id)
    other = token_for(house, open_award(house, "Léo Martin; leo@exemple.fr"))
    hold_back(house, award_id)
    request = request_for(WalletFormat.SD_JWT, proof(house, nonce(house)))
    waiting = issued(house, token, request)
    assert isinstance(waiting, DeferredToWallet)
    again = request_for(WalletFormat.SD_JWT, proof(house, nonce(house)))
    assert issued(house, token, again) is WalletRefusal.INVALID_TOKEN
    house.clock.move(seconds=DEFERRED_INTERVAL)
    assert later(house, token, waiting.transaction_id) == waiting
    for wrong in ("x", None, token, 3):
        assert later(house, token, wrong) is WalletRefusal.INVALID_TRANSACTION_ID
    assert later(house, other, waiting.transaction_id) is WalletRefusal.INVALID_TRANSACTION_ID
    house.process.align_award(award_id)
    house.clock.move(seconds=DEFERRED_INTERVAL)
    with ThreadPoolExecutor(8) as devices:
        found = [*devices.map(lambda _turn: later(house, token, waiting.transaction_id), range(20))]
    (badge,) = [each for each in found if isinstance(each, IssuedToWallet)]
    assert keys_of(badge) == [{"jwk": WALLET.public.to_jwk()}]
    refused = {each for each in found if isinstance(each, WalletRefusal)}
    assert refused <= {
        WalletRefusal.SLOW_DOWN,
        WalletRefusal.INVALID_TOKEN,
        WalletRefusal.INVALID_TRANSACTION_ID,
    }
    assert later(house, token, waiting.transaction_id) is WalletRefusal.INVALID_TRANSACTION_ID


def test_badge_withdrawn_while_it_was_being_signed_is_not_issued(house: House) -> None:
    award_id = open_award(house)
    offer = offered(house, award_id, WalletFormat.EMBEDDED)
    hold_back(house, award_id)
    token = redeemed(house, form_of(offer))
    assert isinstance(token, str)
    waiting = issued(house, token, request_for(WalletFormat.EMBEDDED))
    assert isinstance(waiting, DeferredToWallet)
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, award_id, "Erreur de date.", by=COMMAND)
    house.clock.move(seconds=DEFERRED_INTERVAL)
    assert later(house, token, waiting.transaction_id) is WalletRefusal.DENIED


@pytest.mark.both_engines
def test_deferred_badge_is_asked_for_no_faster_than_the_interval(house: House) -> None:
    award_id = open_award(house)
    token = token_for(house, award_id, WalletFormat.EMBEDDED)
    hold_back(house, award_id)
    waiting = issued(house, token, consents.EMBEDDED)
    assert isinstance(waiting, DeferredToWallet)
    assert later(house, token, waiting.transaction_id) is WalletRefusal.SLOW_DOWN
    house.clock.move(seconds=DEFERRED_INTERVAL)
    with ThreadPoolExecutor(4) as devices:
        found = Counter(
            str(each) if isinstance(each, WalletRefusal) else "waits"
            for each in devices.map(lambda _turn: later(house, token, waiting.transaction_id), range(8))
        )
    assert found == {"waits": 1, "slow_down": 7}
    house.process.align_award(award_id)
    assert later(house, token, waiting.transaction_id) is WalletRefusal.SLOW_DOWN
    house.clock.move(seconds=DEFERRED_INTERVAL)
    assert isinstance(later(house, token, waiting.transaction_id), IssuedToWallet)


# --- requests that were answered


def test_pushed_request_is_used_up_once_it_is_answered(house: House) -> None:
    for answers in ("refusal", "consent"):
        person, award_id = consents.learner(house)
        sent = consents.authorization(consents.offered_state(house, award_id))
        with house.unit_of_work(reading=True) as services:
            uri = str(services.wallet_consents.push(house.campus, sent, None)["request_uri"])
            named = {"client_id": consents.CLIENT, "request_uri": uri}
            request = services.wallet_consents.read(house.campus, named)
            assert services.wallet_consents.read(house.campus, named) == request, "shown again before"
            sealed = services.wallet_consents.seal(house.campus, request)
        with house.unit_of_work() as services:
            if answers == "refusal":
                assert "error=access_denied" in services.wallet_consents.refuse(house.campus, request)
            else:
                services.wallet_consents.consent(house.campus, request, person, award_id, by=consents.BY)
        with house.unit_of_work() as services:
            for act in (
                lambda: services.wallet_consents.read(house.campus, named),  # noqa: B023
                lambda: services.wallet_consents.reopen(house.campus, sealed),  # noqa: B023
                lambda: services.wallet_consents.refuse(house.campus, request),  # noqa: B023
            ):
                with pytest.raises(NotFound, match="déjà reçu une réponse"):
                    act()


def test_bound_token_is_unknown_to_a_program_that_takes_it_for_a_bearer_token(house: House) -> None:
    """As an older process does during an upgrade: it looks for the digest of the token alone."""
    form = form_of(offered(house, open_award(house), WalletFormat.EMBEDDED))
    got = consents.redeemed(house, form, consents.dpop("jeton", at=consents.now(house)))
    assert isinstance(got, dict)
    token = str(got["access_token"])
    with house.unit_of_work(reading=True) as services:
        store = services.stores.wallets
        assert store.find_by_token(digest_of(token), house.campus.id, at=house.clock()) is None
        with pytest.raises(WalletRefused):
            services.wallets.check_token(house.campus, token)


# --- many offers


def test_offers_of_many_badges_take_as_many_statements_as_of_one(house: House) -> None:
    awards = [open_award(house, f"Zoé{n} Martin; zoe{n}@exemple.fr") for n in range(12)]

    def prepare(ids: list[uuid.UUID]) -> None:
        with house.unit_of_work() as services:
            records = services.stores.awards.records_among(ids, house.campus.id)
            offers = services.wallets.offers(records, WalletFormat.SD_JWT)
        assert len({each.by_reference for each in offers}) == len(ids)
        assert all(each.expires_at > house.clock() + timedelta(minutes=9) for each in offers)

    sent: list[str] = []
    event.listen(house.process.engine, "before_cursor_execute", lambda *result: sent.append(result[2]))
    prepare(awards[:1])
    one = len(sent)
    prepare(awards[1:])
    assert 2 * one == len(sent) > 0


def test_badge_for_many_keys_takes_as_many_statements_as_for_one(house: House) -> None:
    award_id, keys = open_award(house), [LocalSigningKey.generate(Algorithm.ES256) for _ in range(BATCH_SIZE)]

    def receive(used: list[LocalSigningKey]) -> int:
        token, challenge = token_for(house, award_id), nonce(house)
        at = int(house.clock().timestamp())
        claims: JsonObject = {"aud": ISSUER, "iat": at, "nonce": challenge}
        request = request_for(WalletFormat.SD_JWT, *(signed_proof(claims, key=key) for key in used))
        sent.clear()
        found = issued(house, token, request)
        assert isinstance(found, IssuedToWallet)
        assert keys_of(found) == [{"jwk": key.public.to_jwk()} for key in used]
        return len(sent)

    sent: list[str] = []
    event.listen(house.process.engine, "before_cursor_execute", lambda *result: sent.append(result[2]))
    assert receive(keys[:1]) == receive(keys) > 0


# --- the private link is enough to make an offer: what it made ends with it


def link_replaced(house: House, award_id: uuid.UUID) -> None:
    with house.unit_of_work() as services:
        services.delivery.renew_link(house.campus, award_id, by=COMMAND)


def address_corrected(house: House, award_id: uuid.UUID) -> None:
    with house.unit_of_work() as services:
        person = services.awards.record(award_id).person
        names = person.given_name, person.family_name
        services.corrections.correct(house.campus, person.id, *names, "autre@exemple.fr", by=COMMAND)


def links_refused(house: House, award_id: uuid.UUID) -> None:
    with house.unit_of_work() as services:
        person = services.awards.record(award_id).person
        secret = services.sign_in.make_link(person.id, by=COMMAND)
        session = services.sign_in.by_link(secret, Browser())
        services.sessions.accept_links(services.sessions.signed_in(session.secret), False)


@pytest.mark.both_engines
@pytest.mark.parametrize("end", [link_replaced, address_corrected, links_refused])
def test_what_a_private_link_gave_a_wallet_ends_with_the_link(
    house: House, end: Callable[[House, uuid.UUID], None]
) -> None:
    award_id, _ = badge_with_end(house)
    with house.unit_of_work() as services:
        person = services.awards.record(award_id).person
    for envelope in house.process.post.due():
        house.process.post.send(envelope)
    answer = answer_of(house, award_id)
    token = str(answer["access_token"])
    assert isinstance(issued(house, token, consents.EMBEDDED), IssuedToWallet)
    state = consents.offered_state(house, award_id)
    own = consents.code_for(house, person, award_id, consents.authorization(state))
    end(house, award_id)
    assert issued(house, token, consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert refreshed(house, answer["refresh_token"]) is WalletRefusal.INVALID_GRANT
    mine = consents.redeemed(house, consents.redemption(own))
    assert isinstance(mine, dict), "its holder gave it, signed in"
