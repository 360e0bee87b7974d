"""A badge awarded or decided by its holder is refused or withdrawn, in any order of award, address and merge (T02)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from itertools import permutations

import pytest

from app.domain.accounts.sign_in import address_token
from app.domain.activity_log import CONTRIBUTION
from app.domain.awards import AwardState, LineOutcome
from app.domain.campus.audit_log import Actor
from app.domain.learners.portfolios import ContributionState
from app.domain.people import Person, Role
from app.errors import AppError, Conflict, InvalidInput, NotAllowed
from app.services.accounts.sessions import Browser
from app.services.awards.awards import AwardRequest
from tests.app.services.learners.test_contributions import add
from tests.app.services.learners.test_contributions import confirm as confirm_contribution
from tests.app.services.learners.test_requests import ZOE, a_competency, agree, asked, request_of, reviewer
from tests.support.app import COMMAND, App, listed

SECOND = "perso@exemple.fr"


def award(app: App, name: str) -> None:
    app.award(f"{name}; {SECOND}")


def confirm(app: App, person: Person, address: str = SECOND) -> None:
    with app.unit_of_work() as services:
        secret = services.sign_in.make_link(person.id, by=COMMAND)
        session = services.sign_in.by_link(secret, Browser())
        who = services.sessions.signed_in(session.secret)
        if address in [
            each.address for each in services.own_addresses.list_of(person.id) if each.verified_at
        ]:
            return
        challenge = services.own_addresses.ask(who, address)
        services.own_addresses.confirm(who, address_token(app.process.secret, challenge.id))


def merge(app: App, person: Person) -> None:
    """The campus merges every record at the second address that it may merge."""
    with app.unit_of_work() as services:
        others = [
            each.id for each, _ in services.stores.own_addresses.people_at(SECOND) if each.id != person.id
        ]
    for other in others:
        with app.unit_of_work() as services:
            services.merging.merge_in_campus(
                app.campus, person.id, other, "Deux dossiers d’une personne.", by=Actor(app.admin.id)
            )


def standing(app: App) -> list[uuid.UUID]:
    with app.unit_of_work(reading=True) as services:
        records = services.awards.list_in(app.campus, limit=100)
        return [
            record.award.id
            for record in records
            if record.award.state is AwardState.ISSUED and record.badge.id != app.role.badge.id
        ]


def known_as_learner(app: App) -> None:
    """The campus knows the trainer as a learner too, by a badge that another person gave."""
    request = AwardRequest(
        app.role.badge.id,
        app.activity.id,
        lines=listed("LE GOFF Anaïs; le.goff@exemple.fr"),
        evidence="Anime.",
    )
    with app.unit_of_work() as services:
        services.awards.award(app.campus, request, by=Actor(app.admin.id))


@pytest.mark.parametrize("name", ["LE GOFF Anaïs", "Annie Goff"])
@pytest.mark.parametrize(
    "order", [*permutations(["award", "confirm"]), *permutations(["award", "merge"]),
              *permutations(["award", "confirm", "merge"])], ids="-".join,
)  # fmt: skip
def test_no_order_of_events_leaves_a_self_awarded_badge(app: App, name: str, order: tuple[str, ...]):
    known_as_learner(app)
    for event in order:
        match event:
            case "award":
                award(app, name)
            case "confirm":
                confirm(app, app.trainer)
            case _:
                merge(app, app.trainer)
    merged_after = order.index("merge") > order.index("award") if "merge" in order else False
    assert ("confirm" not in order and not merged_after) or standing(app) == []


def test_a_withdrawn_self_award_is_in_the_status_list_and_the_history_and_may_be_given_by_another(
    app: App,
):
    award(app, "LE GOFF Anaïs")
    (award_id,) = standing(app)
    confirm(app, app.trainer)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        assert record.award.revoked_reason.startswith("Ce badge a été attribué ou examiné par la personne")
        assert services.verification.verify_award(record).report.verdict.value == "invalid"
        (entry,) = [
            each for each in services.awards.history_of(app.campus, award_id) if each.action == "revoke"
        ]
        assert "rule on self-awards" in (entry.actor or "")
    with app.unit_of_work() as services:
        services.awards.award(
            app.campus, app_request(app, f"LE GOFF Anaïs; {SECOND}"), by=Actor(app.admin.id)
        )
    assert len(standing(app)) == 1


@pytest.mark.parametrize("event", ["confirm", "merge"])
def test_contribution_confirmed_by_its_author_needs_another_confirmation(app: App, event: str) -> None:
    known_as_learner(app)
    award(app, "LE GOFF Anaïs")
    with app.unit_of_work(reading=True) as services:
        ((second, _),) = [
            each for each in services.stores.own_addresses.people_at(SECOND) if each[0].id != app.trainer.id
        ]
    made = add(app, second, pieces=False)
    confirm_contribution(app, made)
    if event == "confirm":
        confirm(app, app.trainer)
    else:
        merge(app, app.trainer)
    with app.unit_of_work(reading=True) as services:
        contribution = services.contributions.look(app.campus, made).contribution
        assert (contribution.state, contribution.decided_by) == (ContributionState.WAITING, None)
        lines = {
            each.number: each.facts["confirmed"]
            for person_id in (second.id, contribution.person_id)
            for each in services.activity_log.store.payloads_about(person_id)
            if each.noun == CONTRIBUTION
        }
        assert [lines[number] for number in sorted(lines)] == [True, False]
    with app.unit_of_work() as services:
        services.contributions.confirm(app.campus, made, by=Actor(app.admin.id))


def app_request(app: App, line: str):
    return AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(line))


def test_an_address_of_two_people_withdraws_nothing_that_a_third_gave(app: App):
    app.award(f"Zoé N’Diaye; {SECOND}")
    confirm(app, app.admin)
    assert len(standing(app)) == 1


def address_of(app: App, person_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.people.people.addresses_of([person_id])[person_id]


@pytest.mark.parametrize("order", list(permutations(["first", "second", "confirm"])), ids="-".join)
def test_two_reviewers_are_two_people_in_every_order(app: App, order: tuple[str, ...]):
    token = asked(app, a_competency(app))
    nora, paul = reviewer(app, "Nora"), reviewer(app, "Paul")
    with app.unit_of_work(reading=True) as services:
        person = services.people.people.get(nora.person_id)
    for event in order:
        try:
            match event:
                case "first":
                    agree(app, token, nora)
                case "second":
                    agree(app, token, paul)
                case _:
                    confirm(app, person, address_of(app, paul.person_id))
        except Conflict:
            assert event in ("first", "second")
    assert standing(app) == []


def test_a_reviewer_does_not_decide_their_own_request_under_another_record(app: App):
    token = asked(app, a_competency(app))
    nora = reviewer(app, "Nora")
    with app.unit_of_work(reading=True) as services:
        person = services.people.people.get(nora.person_id)
    confirm(app, person, "zoe@exemple.fr")
    with pytest.raises(NotAllowed, match="votre propre demande"):
        agree(app, token, nora)
    assert request_of(app, token).request.award_id is None


def test_an_administrator_gives_themselves_no_role(app: App):
    by = Actor(app.admin.id)
    with app.unit_of_work() as services, pytest.raises(Conflict, match="à soi-même"):
        services.team.set_roles(app.campus, app.admin.id, [Role.CAMPUS_ADMIN, Role.DPO], by=by)
    with app.unit_of_work() as services:
        made = services.invitations.invite(app.campus, SECOND, [Role.DPO], days=30, by=by)
        token = services.invitations.token_of(made)
        link = services.sign_in.make_link(app.admin.id, by=COMMAND)
    with app.unit_of_work() as services:
        here = services.sessions.signed_in(services.sign_in.by_link(link, Browser()).secret)
        with pytest.raises(InvalidInput, match="à soi-même"):
            services.invitations.accept(token, Browser(here=here))


def test_an_administrator_takes_no_role_by_another_spelling_of_their_mailbox(app: App):
    with app.unit_of_work(reading=True) as services:
        name, _, host = services.people.people.all_addresses(app.admin.id)[0].partition("@")
    with app.unit_of_work() as services:
        made = services.invitations.invite(
            app.campus, f"{name}+dpo@{host}", [Role.DPO], days=30, by=Actor(app.admin.id)
        )
        token = services.invitations.token_of(made)
        with pytest.raises(InvalidInput, match="à soi-même"):
            services.invitations.accept(token, Browser(), given_name="Autre", family_name="Nom")


def test_second_record_of_an_administrator_protects_no_data_after_a_merge(app: App):
    with app.unit_of_work() as services:
        made = services.invitations.invite(app.campus, SECOND, [Role.DPO], days=30, by=Actor(app.admin.id))
        services.invitations.accept(
            services.invitations.token_of(made), Browser(), given_name="Autre", family_name="Nom"
        )
    assert Role.DPO in roles(app)
    try:
        confirm(app, app.admin)
    except AppError as error:
        pytest.fail(str(error))
    assert Role.DPO not in roles(app)


def roles(app: App) -> set[Role]:
    with app.unit_of_work(reading=True) as services:
        return {role for member in services.team.members(app.campus) for role in member.roles}


def test_another_spelling_of_their_mailbox_makes_no_other_person_of_a_trainer(app: App):
    confirm(app, app.trainer, address_of(app, app.trainer.id))
    name, _, host = address_of(app, app.trainer.id).partition("@")
    lines = app.award(f"Jeanne Autre; {name}+x@{host}", f"Zoé Martin; x{name}@{host}").lines
    assert {line.given_name: line.outcome for line in lines} == {
        "Jeanne": LineOutcome.ONESELF,
        "Zoé": LineOutcome.AWARDED,
    }


def test_a_reviewer_does_not_decide_a_request_at_another_spelling_of_their_mailbox(app: App):
    other = replace(ZOE, given_name="Jeanne", family_name="Autre", address="nora+x@exemple.fr")
    token = asked(app, a_competency(app), other)
    with pytest.raises(NotAllowed, match="votre propre demande"):
        agree(app, token, reviewer(app, "Nora"))
