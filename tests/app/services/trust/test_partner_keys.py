"""Replaced or stolen keys of networks and organisations: labels, lists and endorsements stay valid."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date, datetime, timedelta

import pytest

from app.container import Process
from app.domain.campus.campus import KeyMoveRefused
from app.errors import InvalidInput, NotFound
from app.jobs.kinds import FOLLOWED_LISTS
from app.services.verification.verdicts import label_message
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import PinnedNetwork, TrustListRefused, read_trust_list
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.app.services.trust.test_endorsements import (
    WORDS,
    asked,
    award_id,
    judged_by_a_stranger,
    shown_with,
    signed,
)
from tests.app.services.trust.test_network_register import judged
from tests.support.app import COMMAND, App
from tests.support.badges.documents import Documents
from tests.support.content.networks import NETWORK, label, network_of

pytestmark = pytest.mark.both_engines

__all__ = ["award_id"]
WHY = "Le relais de chaque année."


def listed(app: App) -> bytes:
    with app.unit_of_work(reading=True) as services:
        return services.network_documents.trust_list(NETWORK).body


def key_now(app: App) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.register.page(NETWORK).key


def rotate(app: App, *, stolen_since: datetime | None = None, method_id: str = "") -> None:
    with app.unit_of_work() as services:
        services.partner_keys.retire_of_network(
            services.register.network(NETWORK),
            reason=WHY,
            method_id=method_id,
            stolen_since=stolen_since,
            by=COMMAND,
        )


def is_read_under(app: App, key: str) -> bool:
    pinned = PinnedNetwork(VerificationKey.from_multikey(key))
    try:
        read_trust_list(listed(app), pinned, at=app.clock())
    except TrustListRefused:
        return False
    return True


def methods(app: App) -> dict[str, dict[str, str]]:
    document = app.client().get(f"/reseau/{NETWORK}/did.json").json()
    return {each["id"]: each for each in document["verificationMethod"]}


@pytest.fixture
def network(app: App) -> str:
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label(services, network, app.campus, date(2026, 1, 1), date(2029, 1, 1))
    return key_now(app)


def test_replaced_network_key_signs_beside_the_next_for_ninety_days(app: App, network: str):
    rotate(app)
    new = key_now(app)
    assert new != network
    assert is_read_under(app, network)
    assert is_read_under(app, new)
    assert label_message(judged(app)).word == "Vérifié"
    assert not any("revoked" in each for each in methods(app).values())
    app.clock.move(days=91)
    with app.unit_of_work() as services:
        services.register.publish(services.register.network(NETWORK))
    assert not is_read_under(app, network)
    assert is_read_under(app, new)
    assert label_message(judged(app)).word == "Vérifié", "a label is not signed again for that"


def test_concurrent_renewal_of_the_list_does_not_sign_with_the_replaced_key(app: App, network: str):
    app.clock.move(days=2)

    def renew() -> None:
        with app.unit_of_work() as services:
            services.register.renew(services.register.network(NETWORK).id)

    with ThreadPoolExecutor(1) as worker:
        with app.unit_of_work() as services:
            services.partner_keys.retire_of_network(
                services.register.network(NETWORK), reason=WHY, stolen_since=app.clock.now, by=COMMAND
            )
            renewing = worker.submit(renew)
            wait([renewing], timeout=1)
        renewing.result(timeout=30)
    assert is_read_under(app, key_now(app))
    assert not is_read_under(app, network)


def test_organisation_is_locked_while_its_key_is_replaced(app: App, award_id: uuid.UUID) -> None:
    said = signed(app, asked(app, award_id))

    def held() -> uuid.UUID:
        with app.unit_of_work() as services:
            return services.organisations.known_as(str(said.organisation_id)).id

    with ThreadPoolExecutor(1) as other:
        with app.unit_of_work() as services:
            services.organisations.known_as(str(said.organisation_id))
            asking = other.submit(held)
            wait([asking], timeout=1)
            assert not asking.done()
        assert asking.result(timeout=30) == said.organisation_id


def test_stolen_network_key_list_and_labels_are_signed_again_and_copies_invalid(app: App, network: str):
    copy = judged(app).label.embedded
    app.clock.move(days=1)
    rotate(app, stolen_since=app.clock.now - timedelta(hours=1))
    assert not is_read_under(app, network)
    assert is_read_under(app, key_now(app))
    after = judged(app)
    assert label_message(after).word == "Vérifié"
    assert after.label.embedded != copy
    with app.unit_of_work(reading=True) as services:
        documents = services.verification.documents
        old = verify_endorsement(copy.decode(), documents=documents, at=app.clock(), about=app.campus.did)
    assert old.reason == "key_revoked"
    assert [each["revoked"] for each in methods(app).values() if "revoked" in each]
    page = app.client().get(f"/reseau/{NETWORK}").text
    assert "Volée depuis le" in page


def test_ended_label_of_a_stolen_key_is_not_reported_as_forged(app: App, network: str):
    app.clock.move(days=365 * 3)
    rotate(app, stolen_since=app.clock.now - timedelta(hours=1))
    result = label_message(judged(app))
    assert result.word == "Terminé"
    assert "a été retirée depuis" in result.beside.text()


def test_replaced_key_may_become_stolen_and_a_stolen_one_stays_stolen(app: App, network: str):
    old = next(iter(methods(app)))
    old = old.removesuffix("-jwk")
    app.clock.move(days=1)
    rotate(app)
    with pytest.raises(KeyMoveRefused):
        rotate(app, method_id=old)
    new = key_now(app)
    rotate(app, method_id=old, stolen_since=app.clock.now)
    assert key_now(app) == new
    assert not is_read_under(app, network)
    assert label_message(judged(app)).word == "Vérifié"
    with pytest.raises(KeyMoveRefused):
        rotate(app, method_id=old, stolen_since=app.clock.now)
    with pytest.raises(NotFound):
        rotate(app, method_id="did:web:ailleurs#x")
    with pytest.raises(InvalidInput):
        rotate(app, stolen_since=app.clock.now + timedelta(days=1))


def followed(app: App) -> tuple[Process, Documents, uuid.UUID, str]:
    """Another service that follows the list of this one's network."""
    url, beyond = "https://ailleurs.example/liste.json", Documents({})
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    with process.unit_of_work() as services:
        row = services.followed_lists.follow(url, key_now(app), by=COMMAND)
    return process, beyond, row.id, url


def test_follower_accepts_an_announced_key_and_no_other(app: App, network: str):
    process, beyond, row_id, url = followed(app)

    def reads() -> tuple[str, str]:
        beyond.held[url] = listed(app)
        FOLLOWED_LISTS.perform(process, row_id)
        with process.unit_of_work(reading=True) as services:
            row = services.followed_lists.list_all()[0]
            return row.key, row.trouble

    assert reads() == (network, "")
    rotate(app)
    second = key_now(app)
    assert reads() == (second, "")
    app.clock.move(days=1)
    rotate(app, stolen_since=app.clock.now)
    assert reads() == (second, "not_signed_by_the_network")


def retire_of(app: App, organisation_id: uuid.UUID, *, stolen_since: datetime | None = None) -> None:
    with app.unit_of_work() as services:
        services.search_everywhere()
        services.partner_keys.retire_of_organisation(
            services.organisations.get(organisation_id), reason=WHY, stolen_since=stolen_since, by=COMMAND
        )


def test_endorsement_under_a_replaced_key_stays_valid(app: App, award_id: uuid.UUID) -> None:
    said = signed(app, asked(app, award_id))
    retire_of(app, said.organisation_id)
    assert shown_with(app, award_id) == [WORDS.signed]
    with app.unit_of_work(reading=True) as services:
        kept = services.stores.endorsements.get(said.id)
        assert kept.written == said.written


def test_endorsement_under_a_stolen_key_is_signed_again_and_its_copy_invalid(
    app: App, award_id: uuid.UUID
) -> None:
    said = signed(app, asked(app, award_id))
    app.clock.move(days=1)
    retire_of(app, said.organisation_id, stolen_since=app.clock.now - timedelta(hours=1))
    assert shown_with(app, award_id) == [WORDS.signed]
    with app.unit_of_work(reading=True) as services:
        kept = services.stores.endorsements.get(said.id)
        old, new = said.written, kept.written
        assert (kept.signed_at, kept.changes) == (said.signed_at, said.changes + 1)
    assert judged_by_a_stranger(app, new, said.subject).value == "passed"
    assert judged_by_a_stranger(app, old, said.subject).value == "failed"


def test_an_organisation_is_named_by_its_domain_or_its_number(app: App, award_id: uuid.UUID) -> None:
    said = signed(app, asked(app, award_id))
    with app.unit_of_work(reading=True) as services:
        for named in ("atelier-roy.example", str(said.organisation_id)):
            assert services.organisations.known_as(named).id == said.organisation_id
        with pytest.raises(NotFound):
            services.organisations.known_as("ailleurs.example")
