"""After the correction of a wrong e-mail address, all access gained through links sent to it ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.domain.accounts.sign_in import SignInLink, Wish, mailbox_token
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.requests import RequestState
from app.domain.messages import LetterState, QueuedMessage
from app.domain.people import AgeGroup, Role
from app.domain.people.consents import parent_token
from app.domain.trust.organisations import named_token
from app.errors import AppError
from app.services.accounts.sessions import Browser
from app.services.learners.requests import RequestOutcome
from app.services.learners.wallets import WalletFormat
from app.services.trust.endorsement_requests import EndorsementAsked
from app.services.trust.endorsements import ASKED
from tests.app.services.learners.test_requests import NARRATIVE, accepting
from tests.app.services.people.test_corrections import FALSE, RIGHT, awarded, correct, mark_sent, token_of
from tests.app.web.accounts.test_own_addresses import leave
from tests.support.app import COMMAND, App, send


@dataclass(frozen=True)
class Held:
    """URLs held by a stranger who read the wrong mailbox, each with a check whether it still opens."""

    person_id: uuid.UUID
    award_id: uuid.UUID
    request_id: uuid.UUID
    opens: dict[str, Callable[[], bool]]

    def working(self) -> list[str]:
        return [name for name, opens in self.opens.items() if opens()]


def of_stranger(app: App, *, is_child: bool = False) -> Held:
    """Everything that a reader of the wrong mailbox can open, share or request with the private link."""
    app.clock.move(minutes=1)
    person_id, award_id = awarded(app)
    mark_sent(app)
    link, stranger, by = f"/recevoir/{token_of(app, award_id)}", app.client(), Actor(person_id)
    mine = stranger.get(link).headers["location"]
    secret, badge_id = app.process.secret, accepting(app, app.role.badge.id)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.delivery.claim(award_id, by=by)
        if is_child:
            services.guardians.set_age_group(app.campus, person_id, AgeGroup.UNDER_15, by=COMMAND)
            agreement = services.guardians.ask(record, "faux.parent@exemple.fr", by=by)
            services.guardians.answer(parent_token(secret, agreement.id), agreed=True)
            other = services.guardians.ask(record, "autre.faux@exemple.fr", by=by)
        services.awards.set_visibility(award_id, Visibility.OPEN, by=by)
        portfolio = services.portfolios.start(record.person, [award_id])
        services.portfolios.set_open(portfolio, True)
        reader = services.portfolios.reader_link(portfolio, app.clock().date() + timedelta(days=30))
        asking, subject = services.endorsement_asking, services.endorsement_subjects.of_award(record)
        asked = asking.ask(subject, EndorsementAsked("chef@atelier.example", "Atelier"), refused=False, by=by)
        peers = services.peer_recommendations
        shared = peers.link_token(peers.open_link(record, by=by).id)
        proof = peers.prove(shared, "pair@exemple.fr")
        assert proof
        write = peers.write_token(proof.id)
        wanted = RequestOutcome("Chloé", "Martin", FALSE, NARRATIVE)
        request = services.asking.ask(badge_id, wanted, known=services.asking.known(record.person))
        follow = services.asking.token_of(request)
        assert services.archive.ask(record)
        assert services.erasures.ask(record, everywhere=True)
        archive = mailbox_token(secret, award_id, app.clock(), Wish.ARCHIVE)
        erasure = mailbox_token(secret, award_id, app.clock(), Wish.ERASURE_EVERYWHERE)
        services.wallets.offer(services.awards.record(award_id), WalletFormat.EMBEDDED)
    mark_sent(app)
    anyone = app.client()

    def opens(address: str, client: TestClient = anyone, *, sign: str = "") -> Callable[[], bool]:
        def ask() -> bool:
            got = client.get(address)
            return got.status_code < 400 and sign in got.text

        return ask

    holding = {
        "private link": opens(link),
        "browser that opened it": opens(mine, stranger),
        "public page": opens(f"/attributions/{award_id}", sign="Martin"),
        "embed": opens(f"/attributions/{award_id}/integrer", sign="Martin"),
        "portfolio": opens(f"/portfolio/{portfolio.id}", sign="portfolio"),
        "portfolio for one reader": opens(f"/portfolio/{portfolio.id}/pour/{reader}"),
        "organisation asked": opens(f"/recommander/{named_token(secret, ASKED, asked.id)}"),
        "peer link": opens(f"/temoigner/{shared}"),
        "peer's link to write": opens(f"/temoigner/ecrire/{write}"),
        "badge request": opens(f"/demandes/{follow}"),
        "archive": opens(f"/archive/{archive}"),
        "erasure": opens(f"/effacement/{erasure}"),
    }
    if is_child:
        holding["parent who agreed"] = opens(f"/parent/{parent_token(secret, agreement.id)}")
        holding["parent asked"] = opens(f"/parent/{parent_token(secret, other.id)}")
    return Held(person_id, award_id, request.id, holding)


@pytest.mark.parametrize("is_child", [False, True])
@pytest.mark.parametrize("address", [RIGHT, ""])
def test_nothing_from_a_wrong_mailbox_opens_after_the_correction(app: App, address: str, is_child: bool):
    held = of_stranger(app, is_child=is_child)
    assert len(held.working()) >= len(held.opens) - 2

    correct(app, held.person_id, address=address)
    assert held.working() == []


def test_request_of_a_corrected_person_is_answered_to_the_new_address(app: App):
    """Regression: the award went to another person record and to the wrong mailbox."""
    held = of_stranger(app)
    correct(app, held.person_id)
    with app.unit_of_work() as services:
        request = services.stores.requests.get_in_campus(held.request_id, app.campus.id)
        assert (request.address, request.state) == (RIGHT, RequestState.WAITING)
        request.evidence = "Deux ateliers animés."
        award_id = services.reviewing._give(app.campus, request, COMMAND)
        assert services.awards.record(award_id).person.id == held.person_id
        addresses = {letter.address for letter in services.stores.letters.of_awards([award_id])}
        assert addresses <= {RIGHT}


def test_mailbox_named_by_a_stranger_is_not_verified_after_the_correction(app: App):
    """Regression: confirming a request verified a stranger's mailbox for the person's account."""
    badge_id = accepting(app, app.role.badge.id)
    person_id, award_id = awarded(app)
    mark_sent(app)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        asked = RequestOutcome("Chloé", "Martin", "autre@exemple.fr", NARRATIVE)
        request = services.asking.ask(badge_id, asked, known=services.asking.known(person))
        assert request.state is RequestState.UNCONFIRMED
        follow = services.asking.token_of(request)
        # An account with that mailbox takes precedence over the holder of the link.
        services.people.add_staff(
            app.campus, given_name="Autre", family_name="Compte", address="troisieme@exemple.fr",
            role=Role.TRAINER, by=COMMAND,
        )  # fmt: skip
        assert services.sign_in.request("troisieme@exemple.fr", Browser(asking="x"), holder=person)
    correct(app, person_id)
    with app.unit_of_work() as services, pytest.raises(AppError):
        services.asking.confirm(follow)
    leave(app)
    with app.unit_of_work(reading=True) as services:
        assert services.stores.people.all_addresses(person_id) == [RIGHT]
        of_person = select(SignInLink).where(SignInLink.person_id == person_id)
        assert services.stores.session.exec(of_person).all() == []


def test_shared_links_stay_open_if_the_wrong_mailbox_refused_the_mail(app: App):
    held = of_stranger(app)
    with app.unit_of_work() as services:
        for letter in services.stores.session.exec(select(QueuedMessage)):
            if letter.address == FALSE:
                letter.state = LetterState.REFUSED
                services.stores.letters.save(letter)
    correct(app, held.person_id)
    working = held.working()
    assert {"public page", "portfolio for one reader", "organisation asked", "badge request"} <= {*working}
    assert "private link" not in working


def test_private_links_sent_to_a_removed_address_stop_working(app: App):
    """What the person shared from their account stays accessible."""
    person_id, award_id = awarded(app)
    mark_sent(app)
    stranger, link = app.client(), f"/recevoir/{token_of(app, award_id)}"
    mine = stranger.get(link).headers["location"]
    with app.unit_of_work() as services:
        person = services.stores.people.get(person_id)
        services.stores.people.add_address(person, RIGHT)
        services.stores.own_addresses.verify(person, RIGHT, at=app.clock())
        portfolio = services.portfolios.start(person, [award_id])
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(person_id))
        reader = services.portfolios.reader_link(portfolio, app.clock().date() + timedelta(days=30))
    owner = app.client(person)
    assert stranger.get(mine).status_code == 200
    page = "/compte/adresses"
    assert send(owner, f"{page}/retirer", {"adresse": FALSE}, seen_on=page).status_code == 303
    assert app.client().get(link).status_code == 404
    assert stranger.get(mine).status_code == 401
    assert app.client().get(f"/portfolio/{portfolio.id}/pour/{reader}").status_code == 200
    assert app.client().get(f"/attributions/{award_id}").status_code == 200


@pytest.mark.parametrize("way", ["/compte/sessions/fermer-partout", "/compte/sessions/fermer-les-autres"])
def test_signing_out_everywhere_revokes_pending_sign_in_links(app: App, way: str):
    with app.unit_of_work() as services:
        asked = Browser(asking="autre")
        secret = services.sign_in.make_link(app.admin.id, by=COMMAND, browser_digest=asked.digest)
        assert services.sign_in.request(*services.stores.people.all_addresses(app.admin.id), asked)
    assert send(app.client(app.admin), way, seen_on="/compte").status_code == 303
    leave(app)
    with app.unit_of_work() as services, pytest.raises(AppError):
        services.sign_in.by_link(secret, asked)
    with app.unit_of_work(reading=True) as services:
        of_person = select(SignInLink).where(SignInLink.person_id == app.admin.id)
        assert services.stores.session.exec(of_person).all() == []
