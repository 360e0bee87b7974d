"""Two parents, two addresses of one parent, two children of one: the answer that counts; on both databases."""

from __future__ import annotations

import re
import uuid

import pytest

from app.domain.people import AgeGroup
from app.domain.people.consents import ParentNeeded
from app.errors import Conflict
from tests.app.services.people.test_guardians import (
    OTHER,
    PARENT,
    asked,
    is_open,
    open_it,
    opened_child,
    young,
)
from tests.support.app import COMMAND, App, send

__all__ = ["young"]


def said(app: App, token: str, answer: str) -> str:
    """The page that the parent reads after the answer."""
    app.clock.move(minutes=1)
    parent = app.client()
    send(parent, f"/parent/{token}", {"reponse": answer})
    page = parent.get(f"/parent/{token}?fait={answer}").text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page[page.index("<main") :]))


def is_shown_further(app: App, award_id: uuid.UUID) -> bool:
    """In a portfolio or by search engines."""
    try:
        with app.unit_of_work() as services:
            services.awards.set_findable(award_id, True, by=COMMAND)
    except ParentNeeded:
        return False
    return True


def test_consent_opens_nothing_while_another_parent_refuses(app: App, young: uuid.UUID) -> None:
    first = asked(app, young)
    with app.unit_of_work() as services:
        services.guardians.answer(first, agreed=True)
    app.clock.move(minutes=1)
    second = asked(app, young, OTHER)
    said(app, first, "non")
    page = said(app, second, "oui")
    assert "Elle compte jusqu’au 24 décembre 2026" in page
    assert "Merci" not in page
    with pytest.raises(ParentNeeded):
        open_it(app, young)
    assert "Merci" in said(app, first, "oui"), "who said no changes their mind"
    open_it(app, young)
    assert "La page est fermée" in said(app, second, "non")
    page = said(app, first, "oui")
    assert "Merci" not in page
    assert "Vous aviez dit oui ; un autre parent a dit non depuis." in page
    assert not is_shown_further(app, young)
    assert "Merci" in said(app, second, "oui"), "their no ended a yes, which is no refusal of the first"
    assert is_shown_further(app, young)


def test_a_second_no_of_the_same_parent_counts_from_its_own_day(app: App, young: uuid.UUID) -> None:
    first = asked(app, young)
    said(app, first, "non")
    app.clock.move(days=31)
    second = asked(app, young, OTHER)
    assert "Merci" in said(app, second, "oui")
    said(app, first, "non")
    assert "Merci" not in said(app, second, "oui")


def test_asking_another_parent_takes_no_consent_back(app: App, young: uuid.UUID) -> None:
    first = asked(app, young)
    said(app, first, "oui")
    second = asked(app, young, OTHER)
    open_it(app, young)
    assert is_open(app, young)
    page = app.client().get(f"/parent/{second}").text.replace("'", "’")
    assert "un autre parent a dit oui" in page
    with app.unit_of_work() as services:
        services.wallets.check_may_offer(services.awards.record(young))


@pytest.mark.parametrize("again", [PARENT, PARENT.upper(), PARENT.replace("@", "+badges@")])
def test_a_mailbox_that_is_asked_twice_has_one_link(app: App, young: uuid.UUID, again: str) -> None:
    """Formerly the first link showed that the child had given another address since."""
    first = asked(app, young)
    app.clock.move(minutes=1)
    with app.unit_of_work() as services:
        services.guardians.ask(services.awards.record(young), again, by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    letters = [each for each in app.letters.letters if "/parent/" in each.text]
    assert [each.text.partition("/parent/")[2].split()[0] for each in letters] == [first, first]
    assert "Merci" in said(app, first, "oui")
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.guardians.ask(services.awards.record(young), again, by=COMMAND)


def test_each_link_of_a_parent_of_two_opens_one_badge_of_one_child(app: App, young: uuid.UUID) -> None:
    other = app.award("Lou Petit;lou@exemple.fr").lines[0].award_id
    assert other is not None
    with app.unit_of_work() as services:
        person = services.awards.record(other).person
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    links = [asked(app, each) for each in (young, other)]
    pages = [app.client().get(f"/parent/{each}").text for each in links]
    assert ["Lou" in each for each in pages] == [False, True]
    said(app, links[1], "oui")
    open_it(app, other)
    with pytest.raises(ParentNeeded):
        open_it(app, young)
    said(app, links[0], "non")
    assert is_open(app, other), "each of their children has an answer of its own"


def test_no_letter_goes_to_a_parent_who_is_not_asked_any_more(app: App, young: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        record = services.awards.record(young)
        services.guardians.ask(record, "parrent@exemple.fr", by=COMMAND)
        app.clock.move(minutes=1)
        services.guardians.ask(record, PARENT, by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    assert [each.to for each in app.letters.letters if "/parent/" in each.text] == [PARENT]
    app.clock.move(minutes=1)
    with app.unit_of_work() as services:
        services.guardians.ask(record, OTHER, by=COMMAND)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.FROM_15, by=COMMAND)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    assert [each.to for each in app.letters.letters if "/parent/" in each.text] == [PARENT]


def test_who_turned_15_reads_whom_to_ask(app: App, young: uuid.UUID) -> None:
    page = opened_child(app, young).get(f"/mes-badges/{young}/montrer").text.replace("\u00a0", " ")
    assert "Si tu as eu 15 ans, demande au campus de le noter." in page
