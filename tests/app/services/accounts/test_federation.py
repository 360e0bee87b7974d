"""An external account opens what its person may open here, and is never linked to another person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.accounts.sessions import Proof, Session
from app.domain.accounts.sign_in import AWAY, FederatedAccount
from app.domain.campus.audit_log import HistoryEntry
from app.domain.people import Role
from app.services.accounts.sessions import Browser
from tests.support.app import BASE_URL, COMMAND, send
from tests.support.forms import forms_of
from tests.support.servers.authenticator import Authenticator
from tests.support.servers.openid_service import ENTER, PROVE, Elsewhere, Member, app_with_service

OURS = '"exemple.fr"'


@pytest.fixture
def elsewhere(database_url: str, tmp_path: Path) -> Iterator[Elsewhere]:
    with app_with_service(database_url, tmp_path, domains=OURS) as built:
        yield built


def accounts(elsewhere: Elsewhere) -> list[FederatedAccount]:
    with Transaction(elsewhere.app.owner) as everything:
        return list(everything.exec(select(FederatedAccount)).all())


def sessions(elsewhere: Elsewhere) -> list[Session]:
    with Transaction(elsewhere.app.owner) as everything:
        return list(everything.exec(select(Session)).all())


def name_in(client: TestClient) -> str:
    shown = client.get("/compte")
    return next((name for name in ("Anaïs Le Goff", "Marc Œuvrard", "Inès D’Arcy") if name in shown.text), "")


def test_verified_address_of_a_trusted_domain_links_a_person_for_good(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    assert elsewhere.enter(client).headers["location"] == "/gestion"
    assert name_in(client) == "Anaïs Le Goff"
    (account,) = accounts(elsewhere)
    assert (account.subject, account.person_id) == ("u-1789", elsewhere.app.trainer.id)

    elsewhere.service.member = Member("u-1789", "une.autre@ailleurs.example", is_verified=False)
    again = elsewhere.app.client()
    elsewhere.enter(again)
    assert name_in(again) == "Anaïs Le Goff"


def test_address_of_a_linked_person_is_refused_with_another_subject(elsewhere: Elsewhere):
    elsewhere.enter(elsewhere.app.client())
    elsewhere.service.member = Member("u-2000")
    client = elsewhere.app.client()
    refused = elsewhere.enter(client)
    assert (refused.status_code, "déjà relié à cette personne" in refused.text) == (409, True)
    assert name_in(client) == ""


@pytest.mark.parametrize(
    "member",
    [
        Member(is_verified=False),
        Member(address=""),
        Member(address="le.goff@exemple.fr.ailleurs.example"),
        Member(address="personne@exemple.fr"),
    ],
    ids=["not verified", "no address", "another domain", "nobody here"],
)
def test_unknown_account_is_refused_with_advice(elsewhere: Elsewhere, member: Member):
    elsewhere.service.member = member
    client = elsewhere.app.client()
    refused = elsewhere.enter(client)
    assert refused.status_code == 401
    assert "Mon compte" in refused.text or "Demandez une invitation" in refused.text
    assert (name_in(client), accounts(elsewhere)) == ("", [])


def test_service_without_a_trusted_domain_links_only_a_signed_in_person(database_url: str, tmp_path: Path):
    with app_with_service(database_url, tmp_path) as elsewhere:
        assert elsewhere.enter(elsewhere.app.client()).status_code == 401
        client = elsewhere.app.client(elsewhere.app.admin)
        assert elsewhere.link(client).headers["location"] == "/compte?fait=service"
        assert "Compte relié le" in client.get("/compte").text
        other = elsewhere.app.client()
        elsewhere.enter(other)
        assert name_in(other) == "Marc Œuvrard"

        assert elsewhere.link(client).headers["location"] == "/compte?fait=service"
        stranger = elsewhere.app.client(elsewhere.app.stranger)
        refused = elsewhere.link(stranger)
        assert (refused.status_code, "relié à une autre personne" in refused.text) == (409, True)

        (unlink,) = [form for form in forms_of(client.get("/compte")) if form.action.endswith("/delier")]
        shown = stranger.get("/compte")
        token = forms_of(shown)[-1].fields["jeton"][0]
        assert stranger.post(unlink.action, data={"jeton": token}).status_code == 404
        assert unlink.press(client, shown).headers["location"] == "/compte?fait=service-delie"
        assert elsewhere.enter(elsewhere.app.client()).status_code == 401


@pytest.mark.both_engines
def test_history_has_linked_and_unlinked_accounts(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    elsewhere.enter(client)
    (unlink,) = [form for form in forms_of(client.get("/compte")) if form.action.endswith("/delier")]
    assert unlink.press(client, client.get("/compte")).status_code == 303
    with Transaction(elsewhere.app.owner) as everything:
        query = select(HistoryEntry.action).where(HistoryEntry.noun == "federated_account")
        assert sorted(everything.exec(query).all()) == ["link", "unlink"]


def test_response_is_valid_once_in_time_and_in_the_browser_that_asked(elsewhere: Elsewhere):
    client, other = elsewhere.app.client(), elsewhere.app.client()
    back = elsewhere.back(elsewhere.leave(client, ENTER, seen_on="/connexion"))
    other.get("/connexion")
    stolen = other.get(back)
    assert (stolen.status_code, "a expiré ou a déjà servi" in stolen.text) == (401, True)
    assert client.get(back).status_code == 303
    again = elsewhere.app.client()
    assert again.get(back).status_code == 401

    late = elsewhere.back(elsewhere.leave(again, ENTER, seen_on="/connexion"))
    elsewhere.app.clock.move(seconds=AWAY.total_seconds())
    assert again.get(late).status_code == 401


def test_invited_person_reaches_the_invitation_by_the_service(elsewhere: Elsewhere):
    app = elsewhere.app
    with app.unit_of_work() as services:
        services.invitations.invite(
            app.campus, "nadia.ferrand@exemple.fr", [Role.TRAINER], days=7, by=COMMAND
        )
    elsewhere.service.member = Member("u-3", "nadia.ferrand@exemple.fr")
    client = app.client()
    page = elsewhere.enter(client).headers["location"]
    accepted = send(client, page, {"prenom": "Nadia", "nom": "Ferrand"})
    assert accepted.headers["location"] == "/gestion/itip"
    assert elsewhere.enter(app.client()).headers["location"] == "/gestion"


def test_age_of_the_proof_is_the_auth_time_of_the_service(elsewhere: Elsewhere):
    """A session there since this morning is not a fresh proof here."""
    elsewhere.service.signed_in_at -= 3 * 3600
    client = elsewhere.app.client()
    elsewhere.enter(client)
    asked = client.get("/compte/mot-de-passe")
    assert asked.headers["location"].startswith("/confirmer")

    elsewhere.service.faults.claims = {"auth_time": None}
    silent = elsewhere.app.client()
    elsewhere.enter(silent)
    assert silent.get("/compte/mot-de-passe").status_code == 303


def prove(elsewhere: Elsewhere, client: TestClient, wanted: str = "/compte/mot-de-passe"):
    where = elsewhere.leave(client, PROVE, seen_on=f"/confirmer?suite={wanted}", attente=wanted)
    return client.get(elsewhere.back(where))


def test_only_a_new_sign_in_at_the_service_confirms(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    elsewhere.enter(client)
    elsewhere.app.clock.move(minutes=40)
    elsewhere.service.faults.signs_in_anew = False
    refused = prove(elsewhere, client)
    assert (refused.status_code, "identifier de nouveau" in refused.text) == (403, True)
    elsewhere.service.faults.claims = {"auth_time": None}
    assert prove(elsewhere, client).status_code == 403

    elsewhere.service.faults.claims, elsewhere.service.faults.signs_in_anew = {}, True
    assert prove(elsewhere, client).headers["location"] == "/compte/mot-de-passe"
    assert client.get("/compte/mot-de-passe").status_code == 200
    last = elsewhere.service.asked[-1]
    assert (last["prompt"], last["max_age"]) == ("login", "0")
    (session,) = [each for each in sessions(elsewhere) if each.proved_by is Proof.OIDC]
    assert session.proved_at == elsewhere.app.clock.now


def test_confirmation_with_the_account_of_another_person_is_refused(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    elsewhere.enter(client)
    elsewhere.app.clock.move(minutes=40)
    elsewhere.service.member = Member("u-7", "oeuvrard@exemple.fr")
    refused = prove(elsewhere, client)
    assert (refused.status_code, "pas relié à vous" in refused.text) == (403, True)
    assert client.get("/compte/mot-de-passe").status_code == 303


def test_service_does_not_replace_a_passkey(elsewhere: Elsewhere):
    app, key = elsewhere.app, Authenticator(BASE_URL)
    client = app.client()
    elsewhere.enter(client)
    with app.unit_of_work() as services:
        who = services.sessions.signed_in(client.cookies["sid"].partition(".")[0])
        asked = services.passkeys.ask_for_new(who)
        services.passkeys.enrol(who, "Téléphone", key.create(asked), Browser())
    again = app.client()
    elsewhere.enter(again)
    asked = again.get(f"/gestion/itip/activites/{app.activity.id}/attribuer")
    assert asked.headers["location"].startswith("/confirmer")
    assert PROVE not in again.get(asked.headers["location"]).text


def test_sign_out_page_links_to_sign_out_at_the_service(elsewhere: Elsewhere):
    client = elsewhere.app.client()
    elsewhere.enter(client)
    left = send(client, "/deconnexion", seen_on="/compte")
    assert (left.status_code, elsewhere.service.issuer + "/logout?client_id=sceau" in left.text) == (
        200,
        True,
    )
    assert name_in(client) == ""
