"""The team of a campus: roles apply at once, the last administrator stays, an invitation is accepted once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from app.container import Services
from app.domain.campus.audit_log import Actor
from app.domain.campus.team import DeadInvitation, Invitation, LastAdministrator
from app.domain.people import AgeGroup, Person, Role
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.services.accounts.invitations import SignInFirst
from app.services.accounts.sessions import Browser, SignedIn
from tests.support.app import COMMAND, App
from tests.support.databases.engines import on_postgres
from tests.support.running.at_once import done_meanwhile

ADDRESS = "camille.durand@exemple.fr"
FIREFOX = Browser("x" * 43, "Firefox")


def invite(app: App, address: str = ADDRESS, *roles: Role) -> Invitation:
    with app.unit_of_work() as services:
        return services.invitations.invite(
            app.campus, address, roles or [Role.TRAINER], days=14, by=Actor(app.admin.id)
        )


def link(app: App, invitation: Invitation) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.invitations.token_of(invitation)


def accept(
    app: App, token: str, browser: Browser = FIREFOX, *, given: str = "Camille", name: str = "Durand"
) -> None:
    with app.unit_of_work() as services:
        services.invitations.accept(token, browser, given_name=given, family_name=name)


def roles(app: App) -> dict[str, set[Role]]:
    with app.unit_of_work(reading=True) as services:
        return {each.person.name: set(each.roles) for each in services.team.members(app.campus)}


def signed_in(app: App, person: Person) -> SignedIn:
    with app.unit_of_work() as services:
        made = services.sign_in.make_link(person.id, by=COMMAND)
        return services.sessions.signed_in(services.sign_in.by_link(made, FIREFOX).secret)


def history(app: App, noun: str, noun_id: uuid.UUID) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return [entry.action for entry, _ in services.people.history.list_of(noun, noun_id)]


# --- invitations


def test_invited_person_joins_with_every_offered_role(app: App):
    invitation = invite(app, ADDRESS, Role.TRAINER, Role.DESIGNER)
    token = link(app, invitation)
    with app.unit_of_work() as services:
        opened = services.invitations.accept(token, FIREFOX, given_name="Camille", family_name="Durand")
        assert opened is not None
        who = services.sessions.signed_in(opened.secret)
        assert services.people.workplace(who, "itip").roles == {Role.TRAINER, Role.DESIGNER}
        assert services.sign_in.find_staff_at(ADDRESS) is not None
    assert history(app, "invitation", invitation.id) == ["invite", "accept"]


@pytest.mark.both_engines
def test_invitation_accepted_concurrently_is_accepted_once(app: App):
    token = link(app, invite(app))
    together, answers = threading.Barrier(2), []

    def press(name: str) -> None:
        together.wait(timeout=30)
        try:
            accept(app, token, Browser(name * 43), name=name)
            answers.append("in")
        except DeadInvitation:
            answers.append("too late")

    hands = [threading.Thread(target=press, args=[name]) for name in ("A", "B")]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(timeout=60)
    assert sorted(answers) == ["in", "too late"]
    assert sum(name.startswith("Camille") for name in roles(app)) == 1


def test_invitation_to_a_suspended_campus_cannot_be_accepted(app: App):
    token = link(app, invite(app))
    with app.unit_of_work() as services:
        services.operators.suspend(app.campus.slug, by=COMMAND)
    with pytest.raises(NotAllowed, match="suspendu"):
        accept(app, token)
    with app.unit_of_work() as services:
        services.operators.resume(app.campus.slug, by=COMMAND)
    accept(app, token)


def test_expired_invitation_explains_itself_and_can_be_sent_again(app: App):
    invitation = invite(app)
    old = link(app, invitation)
    app.clock.move(days=14)
    with pytest.raises(DeadInvitation, match="Demandez au campus de la renvoyer"):
        accept(app, old)
    with app.unit_of_work() as services:
        services.invitations.resend(app.campus, invitation.id, by=Actor(app.admin.id))
        [waiting] = services.invitations.waiting(app.campus)
    with pytest.raises(DeadInvitation, match="e-mail le plus récent"):
        accept(app, old)
    accept(app, link(app, waiting.invitation))
    assert roles(app)["Camille Durand"] == {Role.TRAINER}


def test_a_withdrawn_invitation_opens_nothing_and_another_may_follow(app: App):
    invitation = invite(app)
    token = link(app, invitation)
    with pytest.raises(Conflict, match="déjà été envoyée"):
        invite(app, "  Camille.DURAND@exemple.fr ")
    with app.unit_of_work() as services:
        services.invitations.withdraw(app.campus, invitation.id, by=Actor(app.admin.id))
        services.invitations.withdraw(app.campus, invitation.id, by=Actor(app.admin.id))
    with pytest.raises(DeadInvitation, match="a retiré"):
        accept(app, token)
    invite(app)
    assert history(app, "invitation", invitation.id) == ["invite", "withdraw"]


def test_staff_of_another_campus_accept_an_invitation_as_themselves(app: App):
    """A forwarded letter gives a role, never the address that it was sent to."""
    stranger = signed_in(app, app.stranger)
    token = link(app, invite(app, ADDRESS, Role.AUDITOR))
    accept(app, token, Browser("y" * 43, here=stranger))
    assert roles(app)["Inès D’Arcy"] == {Role.AUDITOR}
    with app.unit_of_work(reading=True) as services:
        assert services.sign_in.find_staff_at(ADDRESS) is None
        places = services.people.workplaces(
            SignedIn(
                app.stranger,
                stranger.session,
                services.people.people.memberships_of(app.stranger.id),
            )
        )
        assert {place.campus.slug for place in places} == {"itip", "agt"}


def test_an_address_with_an_account_is_invited_like_any_other_and_asks_to_sign_in(app: App):
    known, unknown = invite(app, "darcy@exemple.fr"), invite(app, "personne@exemple.fr")
    assert (known.roles, known.expires_at) == (unknown.roles, unknown.expires_at)
    with pytest.raises(SignInFirst):
        accept(app, link(app, known), name="D’Arcy")


@pytest.mark.both_engines
@pytest.mark.parametrize("is_proved", [True, False])
@pytest.mark.parametrize("name", ["Durand", "Petit"])
def test_a_forwarded_invitation_opens_no_badge_at_its_address(app: App, name: str, is_proved: bool):
    """Otherwise a person with the link could read a learner's badges or merge them with a new record."""
    given = app.award(f"Camille Durand;{ADDRESS}")
    token = link(app, invite(app))
    with app.unit_of_work() as services:
        learner = services.awards.record(given.lines[0].award_id).person
        asking = services.sign_in.make_link(learner.id, by=COMMAND, address=ADDRESS)
        if is_proved:
            services.sign_in.by_link(asking, FIREFOX)
    with pytest.raises(SignInFirst):
        accept(app, token, Browser("y" * 43), name=name)
    assert "Camille Durand" not in roles(app)
    accept(app, token, Browser("y" * 43, here=signed_in(app, learner)))
    assert roles(app)["Camille Durand"] == {Role.TRAINER}


def test_parent_with_the_address_of_a_child_joins_as_another_person(app: App):
    given = app.award(f"Léa Durand;{ADDRESS}")
    token = link(app, invite(app))
    with app.unit_of_work() as services:
        child = services.awards.record(given.lines[0].award_id).person
        services.guardians.set_age_group(app.campus, child.id, AgeGroup.UNDER_15, by=COMMAND)
    with pytest.raises(SignInFirst):
        accept(app, token, Browser("y" * 43), given="Léa", name="Durand")
    accept(app, token, Browser("y" * 43), given="Hélène", name="Durand")
    assert roles(app)["Hélène Durand"] == {Role.TRAINER}
    assert "Léa Durand" not in roles(app)


@pytest.mark.parametrize("cut", [lambda t: t[:-1] + "!", lambda t: t.replace(".0.", ".1."), lambda t: t.partition(".")[0], lambda _: "x.y.z"])  # fmt: skip
def test_a_made_up_link_opens_nothing(app: App, cut):
    token = link(app, invite(app))
    with pytest.raises(NotFound, match="aucune invitation"):
        accept(app, cut(token))


def test_an_invitation_needs_an_address_a_role_and_one_of_three_durations(app: App):
    with app.unit_of_work() as services:
        for address, offered, days in (("pas une adresse", [Role.DPO], 7), (ADDRESS, [], 7), (ADDRESS, [Role.DPO], 400)):  # fmt: skip
            with pytest.raises(InvalidInput):
                services.invitations.invite(app.campus, address, offered, days=days, by=COMMAND)


def test_another_campus_neither_resends_nor_withdraws(app: App):
    invitation = invite(app)
    with app.unit_of_work() as services:
        for action in (services.invitations.resend, services.invitations.withdraw):
            with pytest.raises(NotFound):
                action(app.other_campus, invitation.id, by=COMMAND)


# --- roles


def test_removed_role_is_refused_at_the_next_request_of_an_open_session(app: App):
    who = signed_in(app, app.trainer)
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.AUDITOR], by=Actor(app.admin.id))
    with app.unit_of_work(reading=True) as services:
        again = SignedIn(who.person, who.session, services.people.people.memberships_of(who.person.id))
        assert services.people.workplace(again, "itip").roles == {Role.AUDITOR}


def test_who_is_removed_and_works_nowhere_else_is_signed_out(app: App):
    client = app.client(app.trainer)
    assert client.get("/gestion/itip").status_code == 200
    with app.unit_of_work() as services:
        services.team.remove(app.campus, app.trainer.id, by=Actor(app.admin.id))
    assert client.get("/gestion/itip").status_code == 401
    with app.unit_of_work(reading=True) as services, pytest.raises(NotSignedIn):
        services.sessions.signed_in(client.cookies.get("sid"))


def test_a_role_given_again_begins_anew(app: App):
    for wanted in ([Role.AUDITOR], [Role.TRAINER, Role.AUDITOR], [Role.TRAINER]):
        with app.unit_of_work() as services:
            services.team.set_roles(app.campus, app.trainer.id, wanted, by=COMMAND)
        assert roles(app)["Anaïs Le Goff"] == set(wanted)


def test_the_last_administrator_neither_leaves_nor_loses_the_role(app: App):
    with app.unit_of_work() as services:
        with pytest.raises(LastAdministrator):
            services.team.remove(app.campus, app.admin.id, by=Actor(app.admin.id))
        with pytest.raises(LastAdministrator):
            services.team.set_roles(app.campus, app.admin.id, [Role.TRAINER], by=Actor(app.admin.id))
        services.team.set_roles(app.campus, app.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
        services.team.remove(app.campus, app.admin.id, by=COMMAND)
    assert "Marc Œuvrard" not in roles(app)


@pytest.mark.both_engines
def test_two_administrators_who_remove_each_other_at_once_leave_one(app: App):
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.CAMPUS_ADMIN], by=COMMAND)
    together, refused = threading.Barrier(2), []

    def remove(person: Person, by: Person) -> None:
        together.wait(timeout=30)
        try:
            with app.unit_of_work() as services:
                services.team.remove(app.campus, person.id, by=Actor(by.id))
        except NotAllowed:
            refused.append(person.name)

    pairs = [(app.admin, app.trainer), (app.trainer, app.admin)]
    hands = [threading.Thread(target=remove, args=pair) for pair in pairs]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(timeout=60)
    assert len(refused) == 1
    assert sum(Role.CAMPUS_ADMIN in each for each in roles(app).values()) == 1


@on_postgres
@pytest.mark.parametrize(
    "change",
    [
        lambda app, services, by: services.invitations.invite(
            app.campus, ADDRESS, [Role.CAMPUS_ADMIN], days=7, by=by
        ),
        lambda app, services, by: services.team.set_roles(
            app.campus, app.trainer.id, [Role.TRAINER, Role.CAMPUS_ADMIN], by=by
        ),
        lambda app, services, by: services.team.remove(app.campus, app.trainer.id, by=by),
    ],
    ids=["invites", "gives a role", "removes"],
)
def test_administrator_who_is_removed_meanwhile_changes_the_team_no_more(
    app: App, change: Callable[[App, Services, Actor], object]
) -> None:
    with app.unit_of_work() as services:
        other = services.people.add_staff(
            app.campus, given_name="Léa", family_name="Roux", address="lea@exemple.fr",
            role=Role.CAMPUS_ADMIN, by=COMMAND,
        )  # fmt: skip
    ended = done_meanwhile(
        app,
        lambda services: services.team.remove(app.campus, other.id, by=Actor(app.admin.id)),
        lambda services: change(app, services, Actor(other.id)),
    )
    assert ended == ("", "NotAllowed")


def test_person_of_another_campus_is_not_found(app: App):
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.team.set_roles(app.campus, app.stranger.id, [Role.TRAINER], by=COMMAND)
