"""Surveys: one answer per device and participant, counted at once, moderated, closed at a date."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import select

from app.domain.messages import Occasion, QueuedMessage
from app.domain.reports.facts import Audience, AudienceCount
from app.domain.reports.surveys import (
    AlreadyAnswered,
    Answer,
    NoSuchSurvey,
    SurveyAnswer,
    SurveyClosed,
    SurveyResults,
    SurveyTurnout,
    most_answers,
    participant_mark,
)
from app.errors import InvalidInput, NotFound
from tests.support.app import COMMAND, App, done_once


def today(app: App) -> date:
    with app.unit_of_work(reading=True) as services:
        return app.campus.day_of(services.clock())


@done_once
def open_survey(app: App) -> str:
    with app.unit_of_work() as services:
        day = app.campus.day_of(services.clock()) + timedelta(days=7)
        return services.surveys.open(app.campus, app.activity.id, closes_on=day, by=COMMAND).code


def answer(app: App, code: str, phone: str, rating: int = 4, sentence: str = "", mark: str = "") -> None:
    with app.unit_of_work() as services:
        services.surveys.answer(code, Answer(rating, rating > 2, sentence), phone=phone, mark=mark)


def results(app: App) -> SurveyResults:
    with app.unit_of_work(reading=True) as services:
        return services.surveys.glance(app.campus, app.activity.id).results


def test_answers_count_once_per_device_and_reach_the_facts_of_the_activity(app: App) -> None:
    code = open_survey(app)
    for number in range(15):
        answer(app, code, f"phone-{number}", 1 if number == 0 else 3 + number % 2)
        with pytest.raises(AlreadyAnswered):
            answer(app, code, f"phone-{number}")
    found = results(app)
    assert (found.answered, found.asked, found.answers) == (15, 0, (1, 0, 7, 7))
    assert found.has_too_many
    assert (found.favourable, found.recommendation) == (93, 93)
    with app.unit_of_work(reading=True) as services:
        survey = services.report_facts.of(app.campus, app.activity.id).facts.survey
    assert survey is not None
    assert (survey.asked, survey.answers, survey.recommends, survey.recommends_not) == (
        found.asked,
        found.answers,
        14,
        1,
    )


def test_shown_figures_change_by_five_answers_at_a_time(app: App) -> None:
    code, shown = open_survey(app), list[SurveyResults]()
    for number in range(17):
        answer(app, code, f"phone-{number}", 1 + number % 4)
        found = results(app)
        assert found.received == number + 1
        shown += [found] if not shown or found.answers != shown[-1].answers else []
        with app.unit_of_work(reading=True) as services:
            fact = services.report_facts.of(app.campus, app.activity.id).facts.survey
        assert (fact.answers if fact else (0, 0, 0, 0)) == found.answers
    assert [each.answered for each in shown] == [0, 5, 10, 15]
    with app.unit_of_work() as services:
        services.surveys.close(app.campus, app.activity.id, by=COMMAND)
    assert results(app).answers == shown[-1].answers, "the last two are told by nobody either"


def test_survey_facts_can_be_saved_again_without_participants(app: App) -> None:
    code = open_survey(app)
    for number in range(5):
        with app.unit_of_work(reading=True) as services:
            assert services.report_facts.of(app.campus, app.activity.id).facts.survey is None, number
        answer(app, code, f"phone-{number}")
    with app.unit_of_work() as services:
        facts = services.report_facts.of(app.campus, app.activity.id).facts
        assert facts.survey is not None
        services.report_facts.write(app.campus, app.activity.id, replace(facts, departement="69"), by=COMMAND)
        wrong = replace(facts, survey=replace(facts.survey, recommends=6))
        with pytest.raises(InvalidInput):
            services.report_facts.write(app.campus, app.activity.id, wrong, by=COMMAND)


def test_a_survey_takes_twice_as_many_answers_as_people_present_and_at_least_thirty(app: App) -> None:
    assert [most_answers(present) for present in (0, 15, 16, 24, 4_000)] == [30, 30, 32, 48, 5_000]
    code = open_survey(app)
    for number in range(30):
        answer(app, code, f"phone-{number}")
    with pytest.raises(SurveyClosed):
        answer(app, code, "phone-30")
    assert (results(app).answered, results(app).asked) == (30, 0)


def turnout(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        return len(services.surveys.store.session.exec(select(SurveyTurnout)).all())


def test_respondents_are_deleted_when_the_survey_closes(app: App) -> None:
    code = open_survey(app)
    answer(app, code, "phone")
    app.clock.move(days=6)
    for days, kept in ((0, 1), (3, 0)):
        app.clock.move(days=days)
        with app.unit_of_work() as services:
            while services.retention.delete_some():
                pass
        assert turnout(app) == kept
    answer(app, open_survey(app), "phone")
    assert turnout(app) == 1
    with app.unit_of_work() as services:
        services.surveys.close(app.campus, app.activity.id, by=COMMAND)
    assert (turnout(app), results(app).received) == (0, 2)


def test_no_percentage_below_ten_answers() -> None:
    assert SurveyResults(9, (0, 0, 0, 9), 9, 0).favourable is None
    assert SurveyResults(10, (0, 0, 0, 10), 10, 0).favourable == 100


def test_the_link_of_a_participant_is_good_for_one_answer_on_any_device(app: App) -> None:
    app.record("Zoé Martin")
    code = open_survey(app)
    with app.unit_of_work(reading=True) as services:
        participation, _ = services.activities.page(app.campus, app.activity.id).participants[0]
        mark = participant_mark(services.surveys.secret, app.activity.id, participation.id)
    answer(app, code, "first", mark=mark)
    for phone, again in (("second", mark), ("first", "")):
        with pytest.raises(AlreadyAnswered):
            answer(app, code, phone, mark=again)
    with pytest.raises(NoSuchSurvey):
        answer(app, code, "third", mark="0" * 24)


def test_a_closed_survey_takes_no_answer_and_can_be_reopened(app: App) -> None:
    code = open_survey(app)
    with app.unit_of_work() as services:
        services.surveys.close(app.campus, app.activity.id, by=COMMAND)
    with pytest.raises(SurveyClosed):
        answer(app, code, "phone")
    assert open_survey(app) == code
    answer(app, code, "phone")
    for days in (-1, 91):
        day = today(app) + timedelta(days=days)
        with app.unit_of_work() as services, pytest.raises(InvalidInput):
            services.surveys.open(app.campus, app.activity.id, closes_on=day, by=COMMAND)


def test_survey_of_minors_refuses_free_text(app: App) -> None:
    code = open_survey(app)
    with app.unit_of_work() as services:
        facts = services.report_facts.of(app.campus, app.activity.id).facts
        pupils = (AudienceCount(Audience.MIDDLE_SCHOOL, 12),)
        services.report_facts.write(app.campus, app.activity.id, replace(facts, audiences=pupils), by=COMMAND)
    with pytest.raises(InvalidInput):
        answer(app, code, "phone", sentence="Je suis au collège des Tilleuls")
    answer(app, code, "phone")


def test_a_sentence_waits_for_moderation_and_another_campus_cannot_read_it(app: App) -> None:
    code = open_survey(app)
    answer(app, code, "phone", sentence="  On a vu  le robot bouger. ")
    with app.unit_of_work(reading=True) as services:
        (one,) = services.surveys.page(app.campus, app.activity.id).sentences
    assert (one.sentence, one.sentence_state.value) == ("On a vu le robot bouger.", "pending")
    with app.unit_of_work() as services:
        with pytest.raises(NotFound):
            services.surveys.page(app.other_campus, app.activity.id)
        with pytest.raises(NotFound):
            services.surveys.moderate(app.campus, app.activity.id, uuid.uuid4(), approved=True, by=COMMAND)
        services.surveys.moderate(app.campus, app.activity.id, one.id, approved=True, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        stored = services.surveys.store.session.exec(select(SurveyAnswer)).one()
    assert stored.sentence_state.value == "approved"


def test_the_request_is_sent_once_to_participants_with_an_address(app: App) -> None:
    app.record("Zoé Martin; zoe@exemple.fr", "Ali Martin")
    open_survey(app)
    with app.unit_of_work() as services:
        sent = services.surveys.send(app.campus, app.activity.id, by=COMMAND)
        assert services.surveys.send(app.campus, app.activity.id, by=COMMAND) == 0
    with app.unit_of_work(reading=True) as services:
        letters = services.surveys.store.session.exec(
            select(QueuedMessage).where(QueuedMessage.occasion == Occasion.SURVEY)
        ).all()
        assert len(letters) == sent > 0
        letter = services.letters.personal.written(letters[0])
    assert letter is not None
    assert "/avis/" in letter.text
    assert letters[0].person_id is not None
    assert str(letters[0].person_id) not in letter.text
