"""Under 15 a parent agrees before a badge page opens; awards never wait; agreements are stored; on both databases."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.domain.activities import Activity, ActivityKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.learners.portfolios import Grouping, Naming
from app.domain.people import AgeGroup
from app.domain.people.consents import WORDINGS, About, By, ParentNeeded, ParentRefused, parent_token
from app.errors import Conflict, Gone, InvalidInput, NotFound
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.learners.portfolios import Wishes
from tests.support.app import COMMAND, App, done_once, send

ZOE = "Martin Zoé;zoe@exemple.fr"
PARENT = "parent@exemple.fr"
OTHER = "autre.parent@exemple.fr"


@pytest.fixture
@done_once
def young(app: App) -> uuid.UUID:
    """The badge of a person whom the campus noted as under 15 afterwards."""
    award_id = app.award(ZOE).lines[0].award_id
    assert award_id
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(person.id))
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    return award_id


def is_open(app: App, award_id: uuid.UUID) -> bool:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).award.visibility is Visibility.OPEN


def open_it(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)


def asked(app: App, award_id: uuid.UUID, address: str = PARENT) -> str:
    with app.unit_of_work() as services:
        agreement = services.guardians.ask(services.awards.record(award_id), address, by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    letter = app.letters.letters[-1]
    assert letter.to == address
    token = letter.text.partition("/parent/")[2].split()[0]
    assert token.startswith(str(agreement.id))
    return token


def test_page_closes_at_once_and_opens_only_when_a_parent_agrees(app: App, young: uuid.UUID) -> None:
    assert not is_open(app, young)
    with pytest.raises(ParentNeeded):
        open_it(app, young)
    token = asked(app, young)
    with pytest.raises(ParentNeeded):
        open_it(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
    assert not is_open(app, young), "it is the child who opens"
    open_it(app, young)
    assert is_open(app, young)


def test_parent_who_withdraws_consent_closes_the_page(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    for agreed in (True, False):
        with app.unit_of_work() as services:
            services.guardians.answer(token, agreed=agreed)
        if agreed:
            open_it(app, young)
    assert not is_open(app, young)
    with pytest.raises(ParentNeeded):
        open_it(app, young)


def test_awards_do_not_wait_for_a_parent_and_others_need_none(app: App, young: uuid.UUID) -> None:
    again = app.award(ZOE, "Sow Awa;awa@exemple.fr", badge=app.role, evidence="A tenu la table.")
    assert all(line.award_id for line in again.lines)
    assert again.lines[1].award_id
    open_it(app, again.lines[1].award_id)
    with pytest.raises(ParentNeeded):
        open_it(app, again.lines[0].award_id)


def test_at_15_nothing_is_asked_any_more(app: App, young: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(young).person
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.FROM_15, by=COMMAND)
    open_it(app, young)
    assert is_open(app, young)


def test_from_15_on_a_parents_link_neither_shows_nor_closes_anything(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        person = services.awards.record(young).person
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.FROM_15, by=COMMAND)
    open_it(app, young)
    for action in ("asked", "answer"):
        with app.unit_of_work() as services, pytest.raises(Gone):
            services.guardians.asked(token) if action == "asked" else services.guardians.answer(
                token, agreed=False
            )
    assert is_open(app, young)
    assert app.client().get(f"/parent/{token}").status_code == 410


def test_the_link_sent_to_a_wrong_address_shows_nothing_once_another_was_given(
    app: App, young: uuid.UUID
) -> None:
    wrong = asked(app, young, "parrent@exemple.fr")
    app.clock.move(minutes=1)
    right = asked(app, young)
    with app.unit_of_work() as services:
        with pytest.raises(Gone):
            services.guardians.answer(wrong, agreed=True)
        services.guardians.answer(right, agreed=True)
    assert [app.client().get(f"/parent/{each}/page").status_code for each in (wrong, right)] == [410, 200]
    app.clock.move(minutes=1)
    asked(app, young, OTHER)
    with app.unit_of_work() as services:
        services.guardians.answer(
            right, agreed=False
        )  # A parent who answered may change their mind for years.


@pytest.mark.parametrize(
    "address", ["", "parent", "zoe@exemple.fr", " ZOE@exemple.fr ", "zoe+papa@exemple.fr"]
)
def test_own_address_is_refused_as_that_of_a_parent(app: App, young: uuid.UUID, address: str) -> None:
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.guardians.ask(services.awards.record(young), address, by=COMMAND)


def test_answer_with_an_invalid_parent_token_is_refused(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    for bad in ("", "rien", token[:-1], f"{uuid.uuid4()}.{token.partition('.')[2]}"):
        with app.unit_of_work() as services, pytest.raises(NotFound):
            services.guardians.answer(bad, agreed=True)


def test_each_consent_is_stored_with_its_wording(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        person = services.awards.record(young).person
        services.people.allow_name(person.id, False, by=COMMAND)
        services.reminders.set_for_person(person, False)
    with app.unit_of_work(reading=True) as services:
        kept = services.stores.consents.of_person(person.id)
    said = {(each.about, each.by, each.given) for each in kept}
    assert said == {
        (About.PUBLICATION, By.SELF, True),
        (About.PARENT, By.PARENT, True),
        (About.NAME, By.SELF, False),
        (About.REMINDERS, By.SELF, False),
    }
    assert all(1 <= each.wording <= len(WORDINGS[each.about]) for each in kept)


def wishes(*, found: bool) -> Wishes:
    return Wishes(line="", naming=Naming.SHORT, grouping=Grouping.NONE, is_findable=found)


def test_portfolio_and_indexing_wait_for_a_parent_too(app: App, young: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        kept = services.portfolios.start(services.awards.record(young).person, [young])
        for action in (
            lambda: services.portfolios.set_open(kept, True),
            lambda: services.portfolios.wish(kept, wishes(found=True)),
            lambda: services.awards.set_findable(young, True, by=COMMAND),
        ):
            with pytest.raises(ParentNeeded):
                action()
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        services.awards.set_findable(young, True, by=COMMAND)
        kept = services.portfolios.get(kept.id)
        services.portfolios.wish(kept, wishes(found=True))
        services.portfolios.set_open(kept, True)
    app.clock.now += timedelta(minutes=1)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
    with app.unit_of_work(reading=True) as services:
        assert not services.portfolios.get(kept.id).is_open, "nothing is left that a parent agreed to"
        assert services.portfolios.found_by_search(limit=9) == []
        assert services.awards.found_by_search(limit=9) == []


def test_consent_to_the_page_alone_covers_nothing_else(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        person = services.awards.record(young).person
        (result,) = (
            each for each in services.stores.consents.of_person(person.id) if each.about is About.PARENT
        )
        result.wording = 1
        kept = services.portfolios.start(person, [young])
        with pytest.raises(ParentNeeded):
            services.portfolios.set_open(kept, True)
    open_it(app, young)
    assert is_open(app, young)


def agreed_to_an_older_wording(app: App, award_id: uuid.UUID, number: int = 1) -> str:
    """The parent's link."""
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        person = services.awards.record(award_id).person
        (result,) = (
            each for each in services.stores.consents.of_person(person.id) if each.about is About.PARENT
        )
        result.wording = number
    app.letters.letters.clear()
    return token


def test_the_parent_is_asked_again_by_the_same_link_and_their_yes_then_goes_further(
    app: App, young: uuid.UUID
) -> None:
    token = agreed_to_an_older_wording(app, young)
    app.clock.move(days=30)
    with app.unit_of_work() as services:
        state = services.guardians.state_of(services.awards.record(young))
        assert (state.may_open, state.is_older, state.is_asked_again) == (True, True, False)
        services.guardians.ask_again(services.awards.record(young), by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    (letter,) = app.letters.letters
    assert letter.to == PARENT
    assert f"/parent/{token}" in letter.text
    assert "votre accord reste ce qu’il était" in letter.text
    open_it(app, young)
    assert is_open(app, young), "while they are asked, their yes is worth what it was"
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.guardians.ask_again(services.awards.record(young), by=COMMAND)
    app.clock.move(days=1)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        services.awards.set_findable(young, True, by=COMMAND)
        assert not services.guardians.state_of(services.awards.record(young)).is_older
        with pytest.raises(Conflict):
            services.guardians.ask_again(services.awards.record(young), by=COMMAND)


def show(app: App, award_id: uuid.UUID, level: DisclosedContent) -> None:
    with app.unit_of_work() as services:
        row = services.evidence.find(award_id)
        assert row is not None
        services.log_disputes.show(app.campus, award_id, dict.fromkeys(row.entries, level), by=COMMAND)


def test_a_child_shows_no_more_than_their_parent_read(app: App, young: uuid.UUID) -> None:
    """Formerly a child could add dates, hours and role after a parent agreed to a page without them."""
    token = agreed_to_an_older_wording(app, young, 2)
    with pytest.raises(ParentNeeded, match="redemande-lui"):
        show(app, young, DisclosedContent.SUMMARY)
    show(app, young, DisclosedContent.EXISTENCE)
    with app.unit_of_work() as services:
        with pytest.raises(ParentNeeded):  # a recommendation
            services.guardians.check_may_add(services.awards.record(young))
        services.awards.set_visibility(young, Visibility.OPEN, by=COMMAND)
        services.awards.set_findable(young, True, by=COMMAND)
        assert services.guardians.state_of(services.awards.record(young)).may_be_found
        services.guardians.ask_again(services.awards.record(young), by=COMMAND)
    app.clock.move(days=1)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
    show(app, young, DisclosedContent.SUMMARY)


def addable(app: App, award_id: uuid.UUID) -> str:
    page = app.client().get(f"/parent/{asked(app, award_id)}").text
    added = page.partition("Ce que votre enfant peut y ajouter")[2].partition("</dl>")[0]
    return added.replace("\u00a0", " ")


def test_a_parent_reads_what_their_child_may_add(app: App, young: uuid.UUID) -> None:
    assert "24 novembre 2026" in addable(app, young)
    show(app, young, DisclosedContent.SUMMARY)
    added = addable(app, young)
    assert "24 novembre 2026" not in added, "it stands above, with what everybody would read"
    assert "Recommandation" in added


def test_a_parent_who_does_not_answer_may_be_reminded_after_a_week(app: App, young: uuid.UUID) -> None:
    agreed_to_an_older_wording(app, young)
    for _ in range(2):
        app.clock.move(days=8)
        with app.unit_of_work() as services:
            services.guardians.ask_again(services.awards.record(young), by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    assert [letter.to for letter in app.letters.letters] == [PARENT] * 2


def test_an_agreement_of_today_is_not_asked_for_again(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        assert not services.guardians.state_of(services.awards.record(young)).is_older
        with pytest.raises(Conflict):
            services.guardians.ask_again(services.awards.record(young), by=COMMAND)


def test_portfolio_closes_when_its_owner_is_noted_as_under_15(app: App) -> None:
    award_id = app.award(ZOE).lines[0].award_id
    assert award_id
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        kept = services.portfolios.start(person, [award_id])
        services.portfolios.set_open(kept, True)
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
        assert not services.portfolios.get(kept.id).is_open


@pytest.mark.parametrize("typed", ["moins de 15 ans", "Moins de 15"])
def test_list_with_the_age_group_closes_the_page_too(app: App, typed: str) -> None:
    award_id = app.award(ZOE).lines[0].award_id
    assert award_id
    open_it(app, award_id)
    app.record(f"{ZOE};{typed}")
    assert not is_open(app, award_id)
    app.record(f"{ZOE};15-17 ans")
    open_it(app, award_id)
    assert is_open(app, award_id)


def test_refusal_of_the_parent_asked_first_closes_what_another_agreed_to(app: App, young: uuid.UUID) -> None:
    first = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(first, agreed=False)
    app.clock.move(days=31)
    with app.unit_of_work() as services:
        record = services.awards.record(young)
        agreement = services.guardians.ask(record, "autre.parent@exemple.fr", by=COMMAND)
        second = parent_token(services.guardians.secret, agreement.id)
    with app.unit_of_work() as services:
        services.guardians.answer(second, agreed=True)
    open_it(app, young)
    assert is_open(app, young)
    page = app.client().get(f"/parent/{first}").text
    assert "un autre parent a dit oui depuis" in page
    assert 'value="non"' in page
    with app.unit_of_work() as services:
        services.guardians.answer(first, agreed=False)
    assert not is_open(app, young)
    with pytest.raises(ParentNeeded):
        open_it(app, young)


def opened_child(app: App, award_id: uuid.UUID) -> TestClient:
    """By the private link of that badge."""
    browser = app.client()
    with app.unit_of_work(reading=True) as services:
        token = services.people.private_link_token(
            award_id, services.awards.record(award_id).award.link_generation
        )
    assert browser.get(f"/recevoir/{token}").status_code == 303
    return browser


def ask_another(app: App, award_id: uuid.UUID, address: str = OTHER) -> None:
    with app.unit_of_work() as services:
        services.guardians.ask(services.awards.record(award_id), address, by=COMMAND)


def test_child_cannot_ask_another_parent_for_a_month_after_a_refusal(app: App, young: uuid.UUID) -> None:
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
    page = opened_child(app, young).get(f"/mes-badges/{young}/montrer").text
    assert "nous n’écrivons pas à une autre adresse" in page
    assert 'name="parent"' not in page
    app.clock.move(days=29)
    for address in (OTHER, PARENT):
        with pytest.raises(ParentRefused):
            ask_another(app, young, address)
    with app.unit_of_work() as services:
        assert services.guardians.state_of(services.awards.record(young)).closed_until
        # The parent who refused may agree at any time; withdrawing that starts another month.
        services.guardians.answer(token, agreed=True)
    ask_another(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
    app.clock.move(days=29)
    with pytest.raises(ParentRefused):
        ask_another(app, young)
    app.clock.move(days=1)
    ask_another(app, young)


def test_after_a_refusal_another_badge_is_asked_of_the_same_parent_alone(app: App, young: uuid.UUID) -> None:
    """For a badge of any campus."""
    token = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
        person = services.awards.record(young).person
        wording = Wording(BadgeKind.PARTICIPATION, "Présence", "Être là.", "La personne était là.")
        badge = services.badges.create(app.other_campus, wording, slug="la", by=COMMAND).badge
        line = ListedPerson(1, person.given_name, person.family_name, "zoe@exemple.fr")
        answered = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Atelier",
            starts_on=app.clock.now.date(),
            ends_on=app.clock.now.date(),
            created_at=app.clock.now,
        )
        activity = services.activities.create(answered, [app.other_campus], by=COMMAND)
        result = services.awards.award(
            app.other_campus, AwardRequest(badge.id, activity.id, lines=(line,)), by=COMMAND
        )
        (another,) = [each.award_id for each in result.lines]
        assert another is not None
        assert services.awards.record(another).person.id == person.id
    with app.unit_of_work() as services:
        services.enter(app.other_campus.id, None)
        record = services.awards.record(another)
        with pytest.raises(ParentRefused):
            services.guardians.ask(record, OTHER, by=COMMAND)
        services.guardians.ask(record, PARENT.replace("@", "+badges@"), by=COMMAND)


def test_child_reads_that_no_other_parent_is_asked(app: App, young: uuid.UUID) -> None:
    child, path = opened_child(app, young), f"/mes-badges/{young}"
    with app.unit_of_work() as services:
        agreement = services.guardians.ask(services.awards.record(young), PARENT, by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=False)
    answer = send(child, f"{path}/parent", {"parent": OTHER}, seen_on="/mes-badges")
    assert answer.status_code == 409
    assert "Parlez-en ensemble" in answer.text


# --- a refusal from a mailbox of another person


WRONG = "parrent@exemple.fr"


def refused_from(app: App, award_id: uuid.UUID, address: str = WRONG) -> tuple[str, uuid.UUID]:
    """Refuse from that mailbox; its link and the refusal."""
    with app.unit_of_work() as services:
        agreement = services.guardians.ask(services.awards.record(award_id), address, by=COMMAND)
        token = parent_token(services.guardians.secret, agreement.id)
        services.guardians.answer(token, agreed=False)
    return token, agreement.id


def correct(app: App, award_id: uuid.UUID, refusal_id: uuid.UUID, address: str = PARENT) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.guardians.correct_address(app.campus, person.id, refusal_id, address, by=Actor(app.admin.id))


def test_refusal_from_a_mistyped_address_counts_no_more_once_it_is_corrected(
    app: App, young: uuid.UUID
) -> None:
    token, refusal_id = refused_from(app, young)
    correct(app, young, refusal_id)
    assert app.client().get(f"/parent/{token}").status_code == 404, "the stranger sees nothing of the child"
    with app.unit_of_work() as services:
        state = services.guardians.state_of(services.awards.record(young))
        assert state.agreement is not None
        assert (state.agreement.address, state.agreement.agreed, state.closed_until) == (PARENT, None, None)
        entries = [each for each, _ in services.stores.history.list_of("award", young)]
        services.guardians.answer(parent_token(services.guardians.secret, state.agreement.id), agreed=True)
    noted = [(each.action, each.actor_id) for each in entries]
    assert {("correct_parent", app.admin.id), ("ask_parent", app.admin.id)} <= {*noted}
    assert all(PARENT not in str(each.facts) for each in entries)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    assert [each.to for each in app.letters.letters if "/parent/" in each.text] == [PARENT]
    open_it(app, young)
    assert is_open(app, young)


def test_consent_from_a_wrong_mailbox_for_another_badge_ends(app: App, young: uuid.UUID) -> None:
    other = app.award(ZOE, badge=app.role, evidence="A tenu la caisse.").lines[0].award_id
    assert other is not None
    with app.unit_of_work() as services:
        agreement = services.guardians.ask(services.awards.record(other), WRONG, by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=True)
    open_it(app, other)
    _, refusal_id = refused_from(app, young, WRONG.replace("@", "+x@"))
    correct(app, young, refusal_id)
    assert not is_open(app, other)
    with pytest.raises(ParentNeeded):
        open_it(app, other)


def test_correction_of_a_parents_address_leaves_other_refusals_and_other_campuses(
    app: App, young: uuid.UUID
) -> None:
    token, refusal_id = refused_from(app, young)
    with app.unit_of_work() as services:
        person = services.awards.record(young).person
    own = "jean.admin@exemple.fr"
    with app.unit_of_work() as services:
        services.people.people.add_address(services.people.people.get(app.admin.id), own)
    for address, error in (
        ("pas une", InvalidInput),
        ("zoe+maman@exemple.fr", InvalidInput),
        (own.replace("@", "+x@"), InvalidInput),
        (WRONG.upper(), InvalidInput),
    ):
        with pytest.raises(error):
            correct(app, young, refusal_id, address)
    for campus, person_id, about in (
        (app.other_campus, person.id, refusal_id),
        (app.campus, app.trainer.id, refusal_id),
        (app.campus, person.id, uuid.uuid4()),
    ):
        with pytest.raises(NotFound), app.unit_of_work() as services:
            services.guardians.correct_address(campus, person_id, about, PARENT, by=Actor(app.admin.id))
    app.clock.move(days=31)
    with pytest.raises(NotFound):
        correct(app, young, refusal_id)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
    refused_from(app, young, "vrai.parent@exemple.fr")
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
    with pytest.raises(ParentRefused):
        correct(app, young, refusal_id)
    assert app.client().get(f"/parent/{token}").status_code == 200, "nothing was done"


def test_administration_corrects_a_parents_address_on_the_page_of_the_child(
    app: App, young: uuid.UUID
) -> None:
    _, refusal_id = refused_from(app, young)
    with app.unit_of_work() as services:
        person = services.awards.record(young).person
    where = f"/gestion/itip/repertoire/{person.id}"
    assert "Un parent a dit non" not in app.client(app.trainer).get(where).text
    admin = app.client(app.admin)
    page = admin.get(where).text
    assert "p•••@exemple.fr" in page
    assert WRONG not in page
    form = {"refus": str(refusal_id), "parent": "pas une"}
    again = send(admin, f"{where}/parent", form, seen_on=where)
    assert again.status_code == 422
    assert 'value="pas une"' in again.text
    assert send(app.client(app.trainer), f"{where}/parent", form, seen_on=where).status_code == 403
    done = send(admin, f"{where}/parent", form | {"parent": PARENT}, seen_on=where)
    assert done.status_code == 303
    page = admin.get(done.headers["location"]).text
    assert "la demande lui est envoyée" in page
    assert "Un parent a dit non" not in page
    assert send(admin, f"{where}/parent", form, seen_on=where).status_code == 404
