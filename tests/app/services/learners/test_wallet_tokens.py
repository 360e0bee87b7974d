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
from tests.support.app import COMMAND, App, done_once, listed

DAYS = 90


@done_once
def badge_with_end(app: App) -> tuple[uuid.UUID, uuid.UUID]:
    """An open badge for ninety days, and the kind of badge that it is."""
    wording = Wording(
        BadgeKind.ENGAGEMENT, "Secours", "Tient le poste.", "La personne a tenu le poste.", validity_days=DAYS
    )
    with app.unit_of_work() as services:
        badge = services.badges.create(app.campus, wording, slug="secours", by=COMMAND).badge
    accepting(app, badge.id)
    request = AwardRequest(
        badge.id, app.activity.id, lines=listed("Zoé Martin;zoe@exemple.fr"), evidence="A tenu le poste."
    )
    with app.unit_of_work() as services:
        (line,) = services.awards.award(app.campus, request, by=COMMAND).lines
        assert line.award_id
        services.awards.set_visibility(line.award_id, Visibility.OPEN, by=BY)
    return line.award_id, badge.id


def answer_of(app: App, award_id: uuid.UUID, wanted: WalletFormat = WalletFormat.EMBEDDED) -> JsonObject:
    """The token response for a new offer."""
    form = form_of(offered(app, award_id, wanted))
    with app.unit_of_work() as services:
        answer = services.wallets.redeem(app.campus, form)
    assert isinstance(answer, dict)
    return answer


def refreshed(
    app: App, secret: object, proved: str | None = None, **changes: str
) -> JsonObject | WalletRefusal:
    form = {"grant_type": REFRESH_TOKEN, "refresh_token": str(secret)} | changes
    return consents.redeemed(app, form, proved)


def document(found: object) -> JsonObject:
    assert isinstance(found, IssuedToWallet), found
    return parse_json_object(found.credentials[0])


def renew(app: App, badge_id: uuid.UUID) -> None:
    assert agree(app, asked(app, badge_id, ASKS), reviewer(app, "Paul"), "A tenu le poste encore.")


# --- refresh tokens


def test_wallet_gets_the_renewed_badge_under_the_same_identifier(app: App) -> None:
    award_id, badge_id = badge_with_end(app)
    answer = answer_of(app, award_id)
    first = document(issued(app, str(answer["access_token"]), consents.EMBEDDED))
    app.clock.move(days=DAYS - 5)
    renew(app, badge_id)
    again = refreshed(app, answer["refresh_token"])
    assert isinstance(again, dict)
    token = str(again["access_token"])
    second = document(issued(app, token, consents.EMBEDDED))
    assert (second["id"], second["credentialStatus"]) == (first["id"], first["credentialStatus"])
    assert str(second["validUntil"]) > str(first["validUntil"])
    with app.unit_of_work(reading=True) as services:
        stored = services.publication.award_file(services.awards.record(award_id), "json").body
    assert parse_json_object(stored) == second
    assert document(issued(app, token, consents.EMBEDDED)) == second, "while the token lives"
    assert "refreshService" not in first
    assert str(again["refresh_token"]) not in json.dumps(second)


def test_wallet_binds_the_renewed_badge_to_the_key_that_it_proves_then(app: App) -> None:
    award_id, badge_id = badge_with_end(app)
    answer = answer_of(app, award_id, WalletFormat.SD_JWT)
    wanted = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    assert isinstance(issued(app, str(answer["access_token"]), wanted), IssuedToWallet)
    app.clock.move(days=DAYS - 5)
    renew(app, badge_id)
    again = refreshed(app, answer["refresh_token"])
    assert isinstance(again, dict)
    token = str(again["access_token"])
    fresh = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    got = issued(app, token, fresh)
    assert isinstance(got, IssuedToWallet)
    ends = parse_sd_jwt(json.loads(got.credentials[0])).jws.payload["exp"]
    assert isinstance(ends, int)
    assert ends > app.clock().timestamp()


def test_badge_without_an_end_has_no_refresh_token(app: App) -> None:
    answer = answer_of(app, open_award(app))
    assert "refresh_token" not in answer


def test_refresh_token_is_used_once_and_its_second_use_ends_both(app: App) -> None:
    award_id, _ = badge_with_end(app)
    first = answer_of(app, award_id)
    second = refreshed(app, first["refresh_token"])
    assert isinstance(second, dict)
    assert second["refresh_token"] != first["refresh_token"]
    assert issued(app, str(first["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert refreshed(app, first["refresh_token"]) is WalletRefusal.INVALID_GRANT
    assert refreshed(app, second["refresh_token"]) is WalletRefusal.INVALID_GRANT
    assert issued(app, str(second["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN


@pytest.mark.both_engines
def test_concurrent_uses_of_a_refresh_token_give_one_token_at_most(app: App) -> None:
    award_id, _ = badge_with_end(app)
    secret = answer_of(app, award_id)["refresh_token"]
    with ThreadPoolExecutor(8) as wallets:
        found = [*wallets.map(lambda _turn: refreshed(app, secret), range(16))]
    (given,) = [each for each in found if isinstance(each, dict)]
    assert {each for each in found if each is not given} == {WalletRefusal.INVALID_GRANT}
    assert refreshed(app, given["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_refresh_waits_for_a_closed_or_suspended_badge_and_ends_with_a_withdrawn_one(app: App) -> None:
    award_id, _ = badge_with_end(app)
    answer = answer_of(app, award_id)
    document(issued(app, str(answer["access_token"]), consents.EMBEDDED))
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    closed = refreshed(app, answer["refresh_token"])
    assert isinstance(closed, dict)
    assert issued(app, str(closed["access_token"]), consents.EMBEDDED) is WalletRefusal.DENIED
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=BY)
    document(issued(app, str(closed["access_token"]), consents.EMBEDDED))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=COMMAND)
    assert refreshed(app, closed["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_refresh_token_is_bound_to_the_key_of_the_first_token(app: App) -> None:
    award_id, _ = badge_with_end(app)
    form = form_of(offered(app, award_id, WalletFormat.EMBEDDED))
    first = consents.redeemed(app, form, consents.dpop("jeton", at=consents.now(app)))
    assert isinstance(first, dict)
    other = LocalSigningKey.generate(Algorithm.ES256)
    for wrong in (None, consents.dpop("jeton", at=consents.now(app), key=other)):
        assert refreshed(app, first["refresh_token"], wrong) is WalletRefusal.INVALID_DPOP
    shown = consents.dpop("jeton", at=consents.now(app))
    again = refreshed(app, first["refresh_token"], shown)
    assert isinstance(again, dict)
    assert again["token_type"] == "DPoP"
    assert refreshed(app, again["refresh_token"], shown) is WalletRefusal.INVALID_DPOP, "a proof counts once"


def test_refresh_token_is_good_at_its_campus_and_for_its_client_until_it_ends(app: App) -> None:
    award_id, _ = badge_with_end(app)
    answer = answer_of(app, award_id)
    secret = answer["refresh_token"]
    form = {"grant_type": REFRESH_TOKEN, "refresh_token": str(secret)}
    assert consents.redeemed(app, form, campus=app.other_campus) is WalletRefusal.INVALID_GRANT
    assert refreshed(app, answer["access_token"]) is WalletRefusal.INVALID_GRANT
    assert issued(app, str(secret), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert consents.redeemed(app, {"grant_type": REFRESH_TOKEN}) is WalletRefusal.INVALID_REQUEST
    app.clock.move(days=DAYS)
    app.clock.move(seconds=REFRESH_LIFE.total_seconds() - 1)
    Imports().due(app.process)
    kept = refreshed(app, secret)
    assert isinstance(kept, dict), "until half a year after the end of the badge"
    app.clock.move(seconds=REFRESH_LIFE.total_seconds())
    assert refreshed(app, kept["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_wallet_that_named_itself_with_a_pre_authorized_code_refreshes_by_that_name(app: App) -> None:
    award_id, _ = badge_with_end(app)
    first = consents.redeemed(
        app, form_of(offered(app, award_id, WalletFormat.EMBEDDED)) | {"client_id": "w"}
    )
    assert isinstance(first, dict)
    assert refreshed(app, first["refresh_token"], client_id="autre") is WalletRefusal.INVALID_GRANT
    second = refreshed(app, first["refresh_token"], client_id="w")
    assert isinstance(second, dict)
    assert isinstance(refreshed(app, second["refresh_token"]), dict)


def test_nameless_wallet_may_name_itself_when_it_refreshes(app: App) -> None:
    award_id, _ = badge_with_end(app)
    secret = answer_of(app, award_id)["refresh_token"]
    assert isinstance(refreshed(app, secret, client_id="w"), dict)


def test_client_id_that_no_client_has_is_refused_before_anything_is_counted(app: App) -> None:
    award_id, _ = badge_with_end(app)
    form = form_of(offered(app, award_id, WalletFormat.EMBEDDED))
    for odd in ("a b", "\x00", "é", "x" * 401):
        assert consents.redeemed(app, form | {"client_id": odd}) is WalletRefusal.INVALID_REQUEST
    assert isinstance(consents.redeemed(app, form), dict)


def test_new_offer_leaves_the_wallet_that_has_the_badge_its_refresh_token(app: App) -> None:
    award_id, _ = badge_with_end(app)
    answer = answer_of(app, award_id)
    document(issued(app, str(answer["access_token"]), consents.EMBEDDED))
    again = refreshed(app, answer["refresh_token"])
    assert isinstance(again, dict)
    offered(app, award_id)
    document(issued(app, str(again["access_token"]), consents.EMBEDDED))


def test_wallet_that_deletes_the_copy_before_keeps_the_refresh_token_of_the_renewed_one(app: App) -> None:
    award_id, _ = badge_with_end(app)
    answer = answer_of(app, award_id)
    before = issued(app, str(answer["access_token"]), consents.EMBEDDED)
    again = refreshed(app, answer["refresh_token"])
    assert isinstance(again, dict)
    token = str(again["access_token"])
    renewed = issued(app, token, consents.EMBEDDED)
    assert isinstance(before, IssuedToWallet)
    assert isinstance(renewed, IssuedToWallet)

    def report(of: IssuedToWallet, event: str) -> None:
        with app.unit_of_work() as services:
            result: JsonObject = {"notification_id": of.notification_id, "event": event}
            services.wallets.notify(services.wallets.check_token(app.campus, token), result)

    report(renewed, "credential_accepted")
    report(before, "credential_deleted")
    last = refreshed(app, again["refresh_token"])
    assert isinstance(last, dict)
    token = str(last["access_token"])
    report(renewed, "credential_deleted")
    assert refreshed(app, last["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_wallet_that_deleted_the_badge_refreshes_it_no_more(app: App) -> None:
    award_id, _ = badge_with_end(app)
    answer = answer_of(app, award_id)
    token = str(answer["access_token"])
    got = issued(app, token, consents.EMBEDDED)
    assert isinstance(got, IssuedToWallet)
    with app.unit_of_work() as services:
        report: JsonObject = {"notification_id": got.notification_id, "event": "credential_deleted"}
        services.wallets.notify(services.wallets.check_token(app.campus, token), report)
    assert refreshed(app, answer["refresh_token"]) is WalletRefusal.INVALID_GRANT


def test_stored_refresh_tokens_reveal_no_secret(app: App) -> None:
    award_id, _ = badge_with_end(app)
    first = answer_of(app, award_id)
    second = refreshed(app, first["refresh_token"])
    assert isinstance(second, dict)
    with app.unit_of_work(reading=True) as services:
        row = services.wallets.check_token(app.campus, str(second["access_token"]))
    text = " ".join(map(str, row.model_dump().values()))
    for secret in (first["refresh_token"], second["refresh_token"], second["access_token"]):
        assert str(secret) not in text
        assert secret == first["refresh_token"] or digest_of(str(secret)) in text


# --- authorization codes that come again


def test_replayed_authorization_code_ends_the_tokens_issued_for_it(app: App) -> None:
    person, award_id = consents.learner(app)
    sent = consents.authorization(consents.offered_state(app, award_id))
    form = consents.redemption(consents.code_for(app, person, award_id, sent))
    got = consents.redeemed(app, form)
    assert isinstance(got, dict)
    for unproved in (form | {"code_verifier": "x" * 43}, form | {"client_id": "autre"}):
        assert consents.redeemed(app, unproved) is WalletRefusal.INVALID_GRANT
    assert consents.redeemed(app, form, campus=app.other_campus) is WalletRefusal.INVALID_GRANT
    with app.unit_of_work(reading=True) as services:
        services.wallets.check_token(app.campus, str(got["access_token"]))
    assert consents.redeemed(app, form) is WalletRefusal.INVALID_GRANT
    assert issued(app, str(got["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN


@pytest.mark.both_engines
def test_authorization_code_redeemed_by_two_at_once_leaves_no_token(app: App) -> None:
    for _ in range(4):
        person, award_id = consents.learner(app)
        sent = consents.authorization(consents.offered_state(app, award_id))
        form = consents.redemption(consents.code_for(app, person, award_id, sent))
        with ThreadPoolExecutor(2) as wallets:
            found = [*wallets.map(lambda _turn, form=form: consents.redeemed(app, form), range(2))]
        (got,) = [each for each in found if isinstance(each, dict)]
        assert Counter(map(str, found))["invalid_grant"] == 1
        assert issued(app, str(got["access_token"]), consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN


# --- deferred badges


def hold_back(app: App, award_id: uuid.UUID) -> None:
    """The state between a learner's choice and the next signature."""
    with app.unit_of_work() as services:
        services.awards.record(award_id).award.align_due_at = app.clock()


def later(app: App, token: str, transaction: object) -> IssuedToWallet | DeferredToWallet | WalletRefusal:
    try:
        with app.unit_of_work() as services:
            offer = services.wallets.check_token(app.campus, token)
            return services.wallets.issue_deferred(offer, {"transaction_id": transaction})  # type: ignore[dict-item]
    except WalletRefused as error:
        return error.refusal


@pytest.mark.both_engines
def test_badge_that_is_being_signed_is_issued_later_for_the_same_keys(app: App) -> None:
    award_id = open_award(app)
    token = token_for(app, award_id)
    other = token_for(app, open_award(app, "Léo Martin; leo@exemple.fr"))
    hold_back(app, award_id)
    request = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    waiting = issued(app, token, request)
    assert isinstance(waiting, DeferredToWallet)
    again = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    assert issued(app, token, again) is WalletRefusal.INVALID_TOKEN
    app.clock.move(seconds=DEFERRED_INTERVAL)
    assert later(app, token, waiting.transaction_id) == waiting
    for wrong in ("x", None, token, 3):
        assert later(app, token, wrong) is WalletRefusal.INVALID_TRANSACTION_ID
    assert later(app, other, waiting.transaction_id) is WalletRefusal.INVALID_TRANSACTION_ID
    app.process.align_award(award_id)
    app.clock.move(seconds=DEFERRED_INTERVAL)
    with ThreadPoolExecutor(8) as devices:
        found = [*devices.map(lambda _turn: later(app, token, waiting.transaction_id), range(20))]
    (badge,) = [each for each in found if isinstance(each, IssuedToWallet)]
    assert keys_of(badge) == [{"jwk": WALLET.public.to_jwk()}]
    refused = {each for each in found if isinstance(each, WalletRefusal)}
    assert refused <= {
        WalletRefusal.SLOW_DOWN,
        WalletRefusal.INVALID_TOKEN,
        WalletRefusal.INVALID_TRANSACTION_ID,
    }
    assert later(app, token, waiting.transaction_id) is WalletRefusal.INVALID_TRANSACTION_ID


def test_badge_withdrawn_while_it_was_being_signed_is_not_issued(app: App) -> None:
    award_id = open_award(app)
    offer = offered(app, award_id, WalletFormat.EMBEDDED)
    hold_back(app, award_id)
    token = redeemed(app, form_of(offer))
    assert isinstance(token, str)
    waiting = issued(app, token, request_for(WalletFormat.EMBEDDED))
    assert isinstance(waiting, DeferredToWallet)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=COMMAND)
    app.clock.move(seconds=DEFERRED_INTERVAL)
    assert later(app, token, waiting.transaction_id) is WalletRefusal.DENIED


@pytest.mark.both_engines
def test_deferred_badge_is_asked_for_no_faster_than_the_interval(app: App) -> None:
    award_id = open_award(app)
    token = token_for(app, award_id, WalletFormat.EMBEDDED)
    hold_back(app, award_id)
    waiting = issued(app, token, consents.EMBEDDED)
    assert isinstance(waiting, DeferredToWallet)
    assert later(app, token, waiting.transaction_id) is WalletRefusal.SLOW_DOWN
    app.clock.move(seconds=DEFERRED_INTERVAL)
    with ThreadPoolExecutor(4) as devices:
        found = Counter(
            str(each) if isinstance(each, WalletRefusal) else "waits"
            for each in devices.map(lambda _turn: later(app, token, waiting.transaction_id), range(8))
        )
    assert found == {"waits": 1, "slow_down": 7}
    app.process.align_award(award_id)
    assert later(app, token, waiting.transaction_id) is WalletRefusal.SLOW_DOWN
    app.clock.move(seconds=DEFERRED_INTERVAL)
    assert isinstance(later(app, token, waiting.transaction_id), IssuedToWallet)


# --- requests that were answered


def test_pushed_request_is_used_up_once_it_is_answered(app: App) -> None:
    for answers in ("refusal", "consent"):
        person, award_id = consents.learner(app)
        sent = consents.authorization(consents.offered_state(app, award_id))
        with app.unit_of_work(reading=True) as services:
            uri = str(services.wallet_consents.push(app.campus, sent, None)["request_uri"])
            named = {"client_id": consents.CLIENT, "request_uri": uri}
            request = services.wallet_consents.read(app.campus, named)
            assert services.wallet_consents.read(app.campus, named) == request, "shown again before"
            sealed = services.wallet_consents.seal(app.campus, request)
        with app.unit_of_work() as services:
            if answers == "refusal":
                assert "error=access_denied" in services.wallet_consents.refuse(app.campus, request)
            else:
                services.wallet_consents.consent(app.campus, request, person, award_id, by=consents.BY)
        with app.unit_of_work() as services:
            for act in (
                lambda: services.wallet_consents.read(app.campus, named),  # noqa: B023
                lambda: services.wallet_consents.reopen(app.campus, sealed),  # noqa: B023
                lambda: services.wallet_consents.refuse(app.campus, request),  # noqa: B023
            ):
                with pytest.raises(NotFound, match="déjà reçu une réponse"):
                    act()


def test_bound_token_is_unknown_to_a_program_that_takes_it_for_a_bearer_token(app: App) -> None:
    """An older process during an upgrade searches for the digest of the token alone."""
    form = form_of(offered(app, open_award(app), WalletFormat.EMBEDDED))
    got = consents.redeemed(app, form, consents.dpop("jeton", at=consents.now(app)))
    assert isinstance(got, dict)
    token = str(got["access_token"])
    with app.unit_of_work(reading=True) as services:
        store = services.stores.wallets
        assert store.find_by_token(digest_of(token), app.campus.id, at=app.clock()) is None
        with pytest.raises(WalletRefused):
            services.wallets.check_token(app.campus, token)


# --- many offers


def test_offers_of_many_badges_take_as_many_statements_as_of_one(app: App) -> None:
    awards = [open_award(app, f"Zoé{n} Martin; zoe{n}@exemple.fr") for n in range(12)]

    def prepare(ids: list[uuid.UUID]) -> None:
        with app.unit_of_work() as services:
            records = services.stores.awards.records_among(ids, app.campus.id)
            offers = services.wallets.offers(records, WalletFormat.SD_JWT)
        assert len({each.by_reference for each in offers}) == len(ids)
        assert all(each.expires_at > app.clock() + timedelta(minutes=9) for each in offers)

    sent: list[str] = []
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: sent.append(result[2]))
    prepare(awards[:1])
    one = len(sent)
    prepare(awards[1:])
    assert 2 * one == len(sent) > 0


def test_badge_for_many_keys_takes_as_many_statements_as_for_one(app: App) -> None:
    award_id, keys = open_award(app), [LocalSigningKey.generate(Algorithm.ES256) for _ in range(BATCH_SIZE)]

    def receive(used: list[LocalSigningKey]) -> int:
        token, challenge = token_for(app, award_id), nonce(app)
        at = int(app.clock().timestamp())
        claims: JsonObject = {"aud": ISSUER, "iat": at, "nonce": challenge}
        request = request_for(WalletFormat.SD_JWT, *(signed_proof(claims, key=key) for key in used))
        sent.clear()
        found = issued(app, token, request)
        assert isinstance(found, IssuedToWallet)
        assert keys_of(found) == [{"jwk": key.public.to_jwk()} for key in used]
        return len(sent)

    sent: list[str] = []
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: sent.append(result[2]))
    assert receive(keys[:1]) == receive(keys) > 0


# --- the private link is enough to make an offer: what it made ends with it


def link_replaced(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.delivery.renew_link(app.campus, award_id, by=COMMAND)


def address_corrected(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        names = person.given_name, person.family_name
        services.corrections.correct(app.campus, person.id, *names, "autre@exemple.fr", by=COMMAND)
        # The correction closes the page: a reader of the false mailbox may have opened it. Its holder opens it again.
        assert services.awards.record(award_id).award.visibility is Visibility.CLOSED
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)


def links_refused(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        secret = services.sign_in.make_link(person.id, by=COMMAND)
        session = services.sign_in.by_link(secret, Browser())
        services.sessions.accept_links(services.sessions.signed_in(session.secret), False)


@pytest.mark.both_engines
@pytest.mark.parametrize("end", [link_replaced, address_corrected, links_refused])
def test_what_a_private_link_gave_a_wallet_ends_with_the_link(
    app: App, end: Callable[[App, uuid.UUID], None]
) -> None:
    award_id, _ = badge_with_end(app)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    answer = answer_of(app, award_id)
    token = str(answer["access_token"])
    assert isinstance(issued(app, token, consents.EMBEDDED), IssuedToWallet)
    state = consents.offered_state(app, award_id)
    own = consents.code_for(app, person, award_id, consents.authorization(state))
    end(app, award_id)
    assert issued(app, token, consents.EMBEDDED) is WalletRefusal.INVALID_TOKEN
    assert refreshed(app, answer["refresh_token"]) is WalletRefusal.INVALID_GRANT
    mine = consents.redeemed(app, consents.redemption(own))
    assert isinstance(mine, dict), "its holder gave it, signed in"
