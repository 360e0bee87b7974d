"""Several people of one name: the author of the list or check-in chooses the right one; the service never guesses."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date

import pytest
from sqlalchemy import event

from app.domain.activities import Activity, ActivityKind
from app.domain.awards import LineOutcome
from app.domain.campus.audit_log import Actor
from app.domain.people.consents import OTHER, ListAnswers, Question, digest_of_list
from app.services.activities.activities import RecordedList
from app.services.activities.participants import Entry
from app.services.campus.dashboard import Start
from app.web.people.record_merge import QuestionView
from tests.app.services.activities.test_rooms import listed_now
from tests.support.app import COMMAND, App, listed

TWO = ("MOREAU Camille", "MOREAU Camille (2)")


def answers_of(text: str, by_line: Mapping[int, str]) -> ListAnswers:
    return ListAnswers(digest_of_list(text), by_line)


def give(app: App, text: str, by_line: Mapping[int, str] | None = None) -> RecordedList:
    """Record a list as the review page does."""
    with app.unit_of_work() as services:
        return services.activities.record(
            app.campus,
            app.activity.id,
            listed(text),
            by=Actor(app.trainer.id),
            answers=answers_of(text, by_line or {}),
        )


def review(app: App, text: str) -> list[tuple[Entry, Question | None]]:
    with app.unit_of_work(reading=True) as services:
        checked = services.participants.check(app.campus, app.activity.id, listed(text), answers_of(text, {}))
    return [(one.entry, one.question) for one in checked]


def hours_noted(app: App) -> dict[str, float | None]:
    """Hours by line key, as both people have the same name."""
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
    return {part.line_key: part.hours for part, _ in page.participants}


def person_at(app: App, line_key: str) -> str:
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
    return next(str(person.id) for part, person in page.participants if part.line_key == line_key)


def earlier_activity(app: App, title: str, *people: str) -> None:
    activity = Activity(
        kind=ActivityKind.WORKSHOP,
        title=title,
        starts_on=date(2026, 3, 12),
        ends_on=date(2026, 3, 12),
    )
    with app.unit_of_work() as services:
        made = services.activities.create(activity, [app.campus], by=COMMAND)
        services.activities.record(app.campus, made.id, listed("\n".join(people)), by=COMMAND)


LIST = "Nom;Prénom;Heures\nMoreau;Camille;3\nKeïta;Moussa;2"


def test_ambiguous_line_is_not_recorded_and_the_others_are(app: App):
    app.record(*TWO)

    recorded = give(app, LIST)

    assert [(line.line, fault.outcome) for line, fault in recorded.refused] == [
        (2, LineOutcome.SEVERAL_OF_NAME)
    ]
    assert hours_noted(app) == {
        "|camille moreau": None, "|camille moreau#2": None, "|keita moussa": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize("key", ["|camille moreau", "|camille moreau#2"])
def test_answer_assigns_the_line_and_the_same_list_does_not_ask_again(app: App, key: str):
    app.record(*TWO)
    [(entry, question), _] = review(app, LIST)
    assert entry is Entry.UNCLEAR
    assert question is not None
    assert len(question.namesakes) == 2

    assert not give(app, LIST, {2: person_at(app, key)}).refused

    after = hours_noted(app)
    assert {each: hours for each, hours in after.items() if hours == 3.0} == {key: 3.0}
    assert [entry for entry, _ in review(app, LIST)] == [Entry.THERE, Entry.THERE]
    again = give(app, LIST)
    assert (again.added, list(again.refused)) == (0, [])
    assert hours_noted(app) == after


def test_answer_does_not_restore_a_merged_record(app: App):
    app.record(*TWO)
    first, second = (person_at(app, key) for key in ("|camille moreau", "|camille moreau#2"))
    give(app, LIST, {2: second})
    with app.unit_of_work() as services:
        services.merging.merge_in_campus(
            app.campus, uuid.UUID(first), uuid.UUID(second), "Deux fois la même.", by=Actor(app.admin.id)
        )
    give(app, LIST)
    assert listed_now(app) == ["Camille Moreau", "Moussa Keïta"]


@pytest.mark.parametrize(
    "lines",
    [TWO, ("MOREAU Camille; a@exemple.fr", "MOREAU Camille; b@exemple.fr")],
    ids=["numbers", "addresses"],
)
def test_same_list_does_not_restore_a_merged_record(app: App, lines: tuple[str, str]):
    app.record(*lines)
    with app.unit_of_work() as services:
        first, second = (
            person.id for _, person in services.activities.page(app.campus, app.activity.id).participants
        )
        services.merging.merge_in_campus(
            app.campus, first, second, "Deux fois la même.", by=Actor(app.admin.id)
        )
    app.record(*lines)
    [there] = listed_now(app)
    assert there.startswith("Camille Moreau")


def test_another_list_with_that_name_asks_again(app: App):
    app.record(*TWO)
    give(app, LIST, {2: person_at(app, "|camille moreau#2")})

    [(entry, _), *_] = review(app, f"{LIST}\nHaddad;Yasmine;1")

    assert entry is Entry.UNCLEAR


def test_one_more_person_of_that_name_gets_a_number_once(app: App):
    app.record(*TWO)
    give(app, LIST, {2: OTHER})
    give(app, LIST)
    assert sorted(hours_noted(app)) == [
        "|camille moreau", "|camille moreau#2", "|camille moreau#3", "|keita moussa",
    ]  # fmt: skip


def test_ambiguous_address_is_given_to_neither_person(app: App):
    app.record(*TWO)
    text = "MOREAU Camille; camille@exemple.fr"
    assert give(app, text).refused
    assert listed_now(app) == ["Camille Moreau", "Camille Moreau"]

    give(app, text, {1: person_at(app, "|camille moreau#2")})

    assert listed_now(app) == ["Camille Moreau", "Camille Moreau camille@exemple.fr"]
    assert [entry for entry, _ in review(app, text)] == [Entry.THERE]


def test_person_without_an_address_gets_neither_of_two(app: App):
    app.record("MOREAU Camille")
    text = "MOREAU Camille; a@exemple.fr\nMOREAU Camille; b@exemple.fr"
    assert [entry for entry, _ in review(app, text)] == [Entry.UNCLEAR, Entry.UNCLEAR]
    assert len(give(app, text).refused) == 2
    give(app, text, {1: OTHER, 2: person_at(app, "|camille moreau")})
    assert listed_now(app) == ["Camille Moreau a@exemple.fr", "Camille Moreau b@exemple.fr"]


def test_name_of_two_people_is_asked_if_only_one_has_an_address(app: App):
    app.record("MOREAU Camille; camille@exemple.fr", "MOREAU Camille")
    assert [entry for entry, _ in review(app, "MOREAU Camille")] == [Entry.UNCLEAR]
    both = "MOREAU Camille\nMOREAU Camille; camille@exemple.fr"
    assert [entry for entry, _ in review(app, both)] == [Entry.THERE, Entry.THERE]


def test_bulk_award_gives_no_badge_for_an_ambiguous_line(app: App):
    app.record(*TWO)

    result = app.award("MOREAU Camille", "KEÏTA Moussa")

    outcomes = {line.family_name: line.outcome for line in result.lines}
    assert outcomes == {"Moreau": LineOutcome.SEVERAL_OF_NAME, "Keïta": LineOutcome.AWARDED}
    assert app.award(*TWO).with_outcome(LineOutcome.AWARDED, LineOutcome.ALREADY_HELD)


def test_person_of_another_activity_is_matched_only_when_chosen(app: App):
    earlier_activity(app, "Robotique", "MOREAU Camille")
    earlier_activity(app, "Éloquence", "MOREAU Camille")
    text = "MOREAU Camille\nKEÏTA Moussa"
    [(entry, question), (_, nothing)] = review(app, text)
    assert entry is Entry.NEW
    assert nothing is None
    assert question is not None
    seen = {each.seen.title: each.person.id for each in question.namesakes if each.seen}
    assert set(seen) == {"Robotique", "Éloquence"}

    give(app, text, {1: str(seen["Éloquence"])})

    assert person_at(app, "|camille moreau") == str(seen["Éloquence"])
    assert [entry for entry, _ in review(app, text)] == [Entry.THERE, Entry.THERE]


def test_unanswered_line_makes_a_new_person(app: App):
    earlier_activity(app, "Robotique", "MOREAU Camille")
    with app.unit_of_work(reading=True) as services:
        known = services.directory.find_people(app.campus, "Camille Moreau", Start(limit=9))
    give(app, "MOREAU Camille")
    assert person_at(app, "|camille moreau") not in {str(person.id) for person in known}


def test_long_list_makes_as_many_queries_as_a_short_one(app: App):
    earlier_activity(app, "Robotique", *(f"Personne{number} Zoé" for number in range(40)))
    asked_of = []

    def count(*_: object) -> None:
        asked_of[-1] += 1

    event.listen(app.process.engine, "before_cursor_execute", count)
    for size in (40, 2_000):
        asked_of.append(0)
        checked = review(app, "\n".join(f"Personne{number} Zoé" for number in range(size)))
        assert sum(question is not None for _, question in checked) == 40
    event.remove(app.process.engine, "before_cursor_execute", count)
    assert asked_of[0] == asked_of[1]


def test_person_who_got_an_address_since_gets_no_other(app: App):
    app.record("MOREAU Camille")
    app.record("MOREAU Camille; camille@exemple.fr")
    app.record("MOREAU Camille; autre@exemple.fr")
    assert listed_now(app) == [
        "Camille Moreau autre@exemple.fr", "Camille Moreau camille@exemple.fr",
    ]  # fmt: skip


def test_two_seen_in_the_same_activity_are_distinguished_by_their_numbers(app: App):
    earlier_activity(app, "Robotique", *TWO)
    [(_, question)] = review(app, "MOREAU Camille")
    assert question is not None
    choices = QuestionView.of(1, "Camille Moreau", question).choices
    assert len({choice.words for choice in choices}) == 3


def test_known_name_with_another_address_or_none_shows_its_last_activity(app: App) -> None:
    earlier_activity(
        app, "Forum", "Léa Martin lea.martin@exemple.fr", "Paul Roux", "Ines Faure ines.faure@exemple.fr"
    )
    earlier_activity(app, "Stand", "Léa Martin lea.martin@exemple.fr")
    app.record("Ines Faure ines.faure@exemple.fr")
    app.award("Odile Garnier odile.garnier@exemple.fr")
    lines = [
        ("Léa", "Martin", "lea.martin@exemple.fr"),
        ("Léa", "MARTIN", "l.martin@exemple.org"),
        ("Lea", "Martin", ""),
        ("Paul", "Roux", "paul.roux@exemple.fr"),
        ("Ines", "Faure", ""),
        ("Ines", "Faure", "i.faure@exemple.org"),
        ("Odile", "Garnier", "o.garnier@exemple.org"),
        ("Inconnue", "Personne", ""),
    ]
    with app.unit_of_work(reading=True) as services:
        found = services.participants.known_beside(app.campus, app.activity.id, lines)
        elsewhere = services.participants.known_beside(app.other_campus, None, lines)
    addresses = {index: [one.address for one in people] for index, people in found.items()}
    lea = ["lea.martin@exemple.fr"]
    assert addresses == {1: lea, 2: lea, 5: ["ines.faure@exemple.fr"], 6: ["odile.garnier@exemple.fr"]}
    assert all(one.seen for people in found.values() for one in people)
    assert elsewhere == {}
