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
from tests.support.house import COMMAND, House, done_once


def today(house: House) -> date:
    with house.unit_of_work(reading=True) as services:
        return services.surveys.today(house.campus)


@done_once
def open_survey(house: House) -> str:
    with house.unit_of_work() as services:
        day = services.surveys.today(house.campus) + timedelta(days=7)
        return services.surveys.open(house.campus, house.activity.id, closes_on=day, by=COMMAND).code


def answer(house: House, code: str, phone: str, rating: int = 4, sentence: str = "", mark: str = "") -> None:
    with house.unit_of_work() as services:
        services.surveys.answer(code, Answer(rating, rating > 2, sentence), phone=phone, mark=mark)


def results(house: House) -> SurveyResults:
    with house.unit_of_work(reading=True) as services:
        return services.surveys.glance(house.campus, house.activity.id).results


def test_answers_count_once_per_device_and_reach_the_facts_of_the_activity(house: House) -> None:
    code = open_survey(house)
    for number in range(15):
        answer(house, code, f"phone-{number}", 1 if number == 0 else 3 + number % 2)
        with pytest.raises(AlreadyAnswered):
            answer(house, code, f"phone-{number}")
    found = results(house)
    assert (found.answered, found.asked, found.answers) == (15, 0, (1, 0, 7, 7))
    assert found.has_too_many
    assert (found.favourable, found.recommendation) == (93, 93)
    with house.unit_of_work(reading=True) as services:
        survey = services.report_facts.of(house.campus, house.activity.id).facts.survey
    assert survey is not None
    assert (survey.asked, survey.answers, survey.recommends, survey.recommends_not) == (
        found.asked,
        found.answers,
        14,
        1,
    )


def test_what_is_shown_grows_by_five_answers_so_that_no_reading_tells_one_of_them(house: House) -> None:
    code, shown = open_survey(house), list[SurveyResults]()
    for number in range(17):
        answer(house, code, f"phone-{number}", 1 + number % 4)
        found = results(house)
        assert found.received == number + 1
        shown += [found] if not shown or found.answers != shown[-1].answers else []
        with house.unit_of_work(reading=True) as services:
            fact = services.report_facts.of(house.campus, house.activity.id).facts.survey
        assert (fact.answers if fact else (0, 0, 0, 0)) == found.answers
    assert [each.answered for each in shown] == [0, 5, 10, 15]
    with house.unit_of_work() as services:
        services.surveys.close(house.campus, house.activity.id, by=COMMAND)
    assert results(house).answers == shown[-1].answers, "the last two are told by nobody either"


def test_five_answers_are_a_fact_that_can_be_written_again_though_nobody_was_present(house: House) -> None:
    code = open_survey(house)
    for number in range(5):
        with house.unit_of_work(reading=True) as services:
            assert services.report_facts.of(house.campus, house.activity.id).facts.survey is None, number
        answer(house, code, f"phone-{number}")
    with house.unit_of_work() as services:
        facts = services.report_facts.of(house.campus, house.activity.id).facts
        assert facts.survey is not None
        services.report_facts.write(
            house.campus, house.activity.id, replace(facts, departement="69"), by=COMMAND
        )
        wrong = replace(facts, survey=replace(facts.survey, recommends=6))
        with pytest.raises(InvalidInput):
            services.report_facts.write(house.campus, house.activity.id, wrong, by=COMMAND)


def test_a_survey_takes_twice_as_many_answers_as_people_present_and_at_least_thirty(house: House) -> None:
    assert [most_answers(present) for present in (0, 15, 16, 24, 4_000)] == [30, 30, 32, 48, 5_000]
    code = open_survey(house)
    for number in range(30):
        answer(house, code, f"phone-{number}")
    with pytest.raises(SurveyClosed):
        answer(house, code, "phone-30")
    assert (results(house).answered, results(house).asked) == (30, 0)


def turnout(house: House) -> int:
    with house.unit_of_work(reading=True) as services:
        return len(services.surveys.store.session.exec(select(SurveyTurnout)).all())


def test_who_has_answered_is_forgotten_when_the_survey_closes(house: House) -> None:
    code = open_survey(house)
    answer(house, code, "phone")
    house.clock.move(days=6)
    for days, kept in ((0, 1), (3, 0)):
        house.clock.move(days=days)
        with house.unit_of_work() as services:
            while services.retention.delete_some():
                pass
        assert turnout(house) == kept
    answer(house, open_survey(house), "phone")
    assert turnout(house) == 1
    with house.unit_of_work() as services:
        services.surveys.close(house.campus, house.activity.id, by=COMMAND)
    assert (turnout(house), results(house).received) == (0, 2)


def test_no_percentage_below_ten_answers() -> None:
    assert SurveyResults(9, (0, 0, 0, 9), 9, 0).favourable is None
    assert SurveyResults(10, (0, 0, 0, 10), 10, 0).favourable == 100


def test_the_link_of_a_participant_is_good_for_one_answer_on_any_device(house: House) -> None:
    house.record("Zoé Martin")
    code = open_survey(house)
    with house.unit_of_work(reading=True) as services:
        participation, _ = services.activities.page(house.campus, house.activity.id).participants[0]
        mark = participant_mark(services.surveys.secret, house.activity.id, participation.id)
    answer(house, code, "first", mark=mark)
    for phone, again in (("second", mark), ("first", "")):
        with pytest.raises(AlreadyAnswered):
            answer(house, code, phone, mark=again)
    with pytest.raises(NoSuchSurvey):
        answer(house, code, "third", mark="0" * 24)


def test_a_closed_survey_takes_no_answer_and_can_be_reopened(house: House) -> None:
    code = open_survey(house)
    with house.unit_of_work() as services:
        services.surveys.close(house.campus, house.activity.id, by=COMMAND)
    with pytest.raises(SurveyClosed):
        answer(house, code, "phone")
    assert open_survey(house) == code
    answer(house, code, "phone")
    for days in (-1, 91):
        day = today(house) + timedelta(days=days)
        with house.unit_of_work() as services, pytest.raises(InvalidInput):
            services.surveys.open(house.campus, house.activity.id, closes_on=day, by=COMMAND)


def test_nothing_in_their_own_words_is_asked_of_minors(house: House) -> None:
    code = open_survey(house)
    with house.unit_of_work() as services:
        facts = services.report_facts.of(house.campus, house.activity.id).facts
        pupils = (AudienceCount(Audience.MIDDLE_SCHOOL, 12),)
        services.report_facts.write(
            house.campus, house.activity.id, replace(facts, audiences=pupils), by=COMMAND
        )
    with pytest.raises(InvalidInput):
        answer(house, code, "phone", sentence="Je suis au collège des Tilleuls")
    answer(house, code, "phone")


def test_a_sentence_waits_for_moderation_and_another_campus_cannot_read_it(house: House) -> None:
    code = open_survey(house)
    answer(house, code, "phone", sentence="  On a vu  le robot bouger. ")
    with house.unit_of_work(reading=True) as services:
        (one,) = services.surveys.page(house.campus, house.activity.id).sentences
    assert (one.sentence, one.sentence_state.value) == ("On a vu le robot bouger.", "pending")
    with house.unit_of_work() as services:
        with pytest.raises(NotFound):
            services.surveys.page(house.other_campus, house.activity.id)
        with pytest.raises(NotFound):
            services.surveys.moderate(
                house.campus, house.activity.id, uuid.uuid4(), approved=True, by=COMMAND
            )
        services.surveys.moderate(house.campus, house.activity.id, one.id, approved=True, by=COMMAND)
    with house.unit_of_work(reading=True) as services:
        stored = services.surveys.store.session.exec(select(SurveyAnswer)).one()
    assert stored.sentence_state.value == "approved"


def test_the_request_is_sent_once_to_participants_with_an_address(house: House) -> None:
    house.record("Zoé Martin; zoe@exemple.fr", "Ali Martin")
    open_survey(house)
    with house.unit_of_work() as services:
        sent = services.surveys.send(house.campus, house.activity.id, by=COMMAND)
        assert services.surveys.send(house.campus, house.activity.id, by=COMMAND) == 0
    with house.unit_of_work(reading=True) as services:
        letters = services.surveys.store.session.exec(
            select(QueuedMessage).where(QueuedMessage.occasion == Occasion.SURVEY)
        ).all()
        assert len(letters) == sent > 0
        letter = services.letters.personal.written(letters[0])
    assert letter is not None
    assert "/avis/" in letter.text
    assert letters[0].person_id is not None
    assert str(letters[0].person_id) not in letter.text
