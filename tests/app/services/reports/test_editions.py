"""Signed versions of the yearly report on both databases: frozen, counted again, never changed."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from app.container import Services
from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.awards import Award
from app.domain.reports.editions import TEXTS, document_of
from app.domain.reports.facts import Declared
from app.domain.reports.indicators import hidden_rows, public_figures
from app.domain.reports.ledger import (
    ActivityRow,
    AwardTombstone,
    Distinct,
    Ledger,
    ParticipationTombstone,
    Period,
    day_of,
)
from app.errors import Conflict, InvalidInput, NotAllowed
from tests.support.app import COMMAND, App, done_once, listed
from tests.support.databases.engines import on_postgres
from tests.support.running.at_once import done_meanwhile

YEAR = Period.civil(2026)


def save(app: App, *, reviewed: bool = True) -> None:
    with app.unit_of_work() as services:
        typed = {number: (f"Texte {number}", reviewed) for number in TEXTS}
        services.report_editions.save(app.campus, YEAR, typed, [], by=COMMAND)


def publish(app: App) -> str:
    with app.unit_of_work() as services:
        return services.report_editions.publish(app.campus, YEAR, by=COMMAND).token


def test_report_is_not_signed_while_the_year_lasts_at_its_campus(app: App):
    """Papeete has eleven hours of the year left at midnight in Paris."""
    with app.unit_of_work() as services:
        services.campuses.get("itip").time_zone = "Pacific/Tahiti"
        app.campus = services.campuses.get("itip")
    save(app)
    app.clock.now = datetime(2027, 1, 1, 9, 59, tzinfo=UTC)
    with pytest.raises(Conflict, match="pas finie"):
        publish(app)
    app.clock.now = datetime(2027, 1, 1, 10, tzinfo=UTC)
    assert publish(app)


def test_report_is_counted_again_for_its_next_version(app: App):
    app.award("Zoé Martin;zoe@exemple.fr", "Ada Faure;ada@exemple.fr")
    with app.unit_of_work() as services:
        cells = {"effectif": "40", "publics": "33 lycéens, 7 enseignants", "departement": "71"}
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)
    save(app)
    with pytest.raises(Conflict, match="pas finie"):
        publish(app)
    app.clock.move(days=60)
    save(app, reviewed=False)
    with pytest.raises(Conflict, match="Relisez"):
        publish(app)
    save(app)
    first = publish(app)
    with app.unit_of_work(reading=True) as services:
        assert services.report_editions.check(app.campus, first) == []
    with app.unit_of_work() as services:
        services.report_editions.declare(
            app.campus, app.activity.id, Declared.SIZE, "45", "Bilan", by=COMMAND
        )
    with pytest.raises(Conflict):
        publish(app)
    with app.unit_of_work() as services:
        services.report_editions.settle(app.campus, app.activity.id, Declared.SIZE, "45", "", by=COMMAND)
    second = publish(app)
    assert [document_of(each)["edition"] for each in (first, second)] == [1, 2]
    with app.unit_of_work(reading=True) as services:
        assert [each.number for each in services.report_editions.page(app.campus, YEAR).editions] == [2, 1]
        assert services.report_editions.check(app.campus, second) == []
        names = [name for name, _, _ in services.report_editions.check(app.campus, first)]
        assert "participations Participations" in names
        assert services.report_editions.page(app.other_campus, YEAR).editions == []


@done_once
def action(app: App, month: int, size: int, *, partner: bool = False) -> uuid.UUID:
    with app.unit_of_work() as services:
        day = date(2026, month, 9)
        row = Activity(
            kind=ActivityKind.WORKSHOP, title=f"Atelier {month} {size}", starts_on=day, ends_on=day,
            declared_size=size, created_at=services.clock(),
        )  # fmt: skip
        lead = app.other_campus if partner else app.campus
        services.activity_plans.create(lead, row, Plan([app.campus.slug] if partner else []), by=COMMAND)
        if partner:
            services.activity_plans.answer(app.campus, row.id, accepts=True, by=COMMAND)
        return row.id


def document(app: App, period: Period = YEAR) -> dict[str, Any]:
    with app.unit_of_work(reading=True) as services:
        editions = services.report_editions
        return editions.document(app.campus, editions.page(app.campus, period))


def sums_of_people(found: dict[str, Any]) -> dict[str, Any]:
    figures = {each["id"]: each for each in [*found["figures"], *found["lines"]]}
    return {
        key: figures[key]["value"] for key in ("participations", "apprenants-estimes", "3.4", "3.6", "5.2")
    }


def test_civil_and_school_years_do_not_give_a_hidden_activity_back(app: App):
    """Both reports hide a complement of the same half-year; without one, the sums are hidden."""
    for month, size in ((2, 3), (10, 7), (11, 20)):
        action(app, month, size)
    civil, school = document(app), document(app, Period.school(2026))
    assert set(sums_of_people(civil).values()) == {None}
    assert [each["value"] for each in civil["figures"] if each["id"] == "publics"] == [None]
    assert {each["people"] for each in school["actions"]} == {7, 20, 0}
    assert set(sums_of_people(school).values()) == {27}
    action(app, 3, 30)
    civil = document(app)
    assert {each["people"] for each in civil["actions"]} == {None, 7, 20, 0}, "hidden with one of that half"
    assert set(sums_of_people(civil).values()) == {60}


def test_a_joint_activity_that_a_co_organiser_shows_hides_no_other(app: App):
    action(app, 2, 3)
    joint = action(app, 3, 7, partner=True)
    assert set(sums_of_people(document(app)).values()) == {None}
    action(app, 5, 20)
    found = document(app)
    assert {each["title"]: each["people"] for each in found["actions"] if each["people"] != 0} == {
        "Atelier 2 3": None, "Atelier 3 7": 7, "Atelier 5 20": None,
    }  # fmt: skip
    assert set(sums_of_people(found).values()) == {30}
    with app.unit_of_work() as services:
        services.activities.get(app.campus, joint).declared_size = 3
    assert {each["people"] for each in document(app)["actions"]} == {None, 0, 20}


def test_page_of_a_partner_hides_what_the_report_hides(app: App):
    action(app, 2, 3)
    for month, size in ((3, 7), (5, 20)):
        with_partner = action(app, month, size)
        with app.unit_of_work() as services:
            cells = {"organisations": "Ateliers du Morvan (mobilisée, entreprise)"}
            services.report_facts.correct(app.campus, with_partner, cells, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        (partner,) = services.partner_reports.partners(app.campus, YEAR)
        year = services.partner_reports.year(app.campus, partner.key, YEAR)
    assert [each["people"] for each in document(app)["actions"]][:3] == [None, None, 20]
    assert ([each.people for each in year.actions], year.people) == ([None, 20], None)


def test_learners_are_hidden_where_a_half_without_any_makes_the_difference_exact():
    def ledger(period: Period, *halves: range) -> Ledger:
        rows = tuple(
            ActivityRow(
                uuid.uuid4(), "Atelier", ActivityKind.WORKSHOP, day, day, len(some),
                learners=b"".join(uuid.UUID(int=each).bytes for each in some),
            )
            for day, some in zip((period.first, period.last), halves, strict=True)
        )  # fmt: skip
        named = len({each for some in halves for each in some})
        return Ledger(period, period.last, rows, Distinct(learners=named))

    def shown(now: Ledger, before: Ledger | None) -> object:
        return public_figures(now, hidden_rows(now.rows), before)["apprenants"].value

    nobody, some, more, many = range(0), range(20), range(3, 23), range(3, 40)
    civil = ledger(YEAR, nobody, some)
    assert shown(civil, ledger(YEAR.before, nobody, nobody)) == 20
    assert shown(ledger(Period.school(2026), some, more), ledger(Period.school(2025), nobody, nobody)) is None
    assert shown(ledger(Period.school(2026), some, many), ledger(Period.school(2025), nobody, nobody)) == 40
    last = ledger(Period.civil(2027), more, nobody)
    assert shown(last, civil) is None, "the school year of both has shown their sum"


def test_holders_of_a_badge_wait_until_five_more_or_none_hold_it(app: App):
    app.award(*(f"Personne {name};{name}@exemple.fr" for name in ("ana", "eva", "lea", "tom", "zoe", "ali")))
    app.clock.move(days=120)
    app.award("Personne max;max@exemple.fr", "Personne noa;noa@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        reports = services.reports
        assert [held for _, held in reports.top_badges(app.campus, YEAR)] == [6]
        assert reports.top_badges(app.campus, Period.school(2026)) == ()


def test_a_hidden_activity_is_hidden_in_every_sum_that_holds_it(app: App):
    few = [action(app, month, size) for month, size in ((3, 20), (3, 3), (6, 30), (6, 4), (9, 12))][1]
    with app.unit_of_work() as services:
        cells = {"departement": "71", "publics": "3 chercheurs"}
        services.report_facts.correct(app.campus, few, cells, by=COMMAND)
        services.report_editions.declare(app.campus, few, Declared.SIZE, "7", "Bilan", by=COMMAND)
        services.report_editions.settle(app.campus, few, Declared.SIZE, "3", "Vu 3.", by=COMMAND)
    found = document(app)
    months = {each["month"]: each["people"] for each in found["months"]}
    assert (months["2026-03"], months["2026-06"], months["2026-09"]) == (None, None, 12)
    assert {each["people"] for each in found["actions"]} == {20, None, 30, 12, 0}
    assert [each["people"] for each in found["departements"] if "Saône" in each["name"]] == [None]
    (note,) = found["notes"]
    assert (note["held"], note["reason"], {each["value"] for each in note["others"]}) == (None, "", {None})
    lines = {each["id"]: each.get("value") for each in found["lines"]}
    assert lines["3.4"] == 69, "all hidden activities are of these types"


def test_a_line_that_counts_a_part_of_the_hidden_activities_is_hidden(app: App):
    action(app, 3, 20)
    few = action(app, 3, 3)
    action(app, 6, 4)
    with app.unit_of_work() as services:
        services.activities.get(app.campus, few).kind = ActivityKind.EVENT
    lines = {each["id"]: each.get("value", "") for each in document(app)["lines"]}
    assert (lines["3.3"], lines["3.4"], lines["3.6"]) == (None, None, 27)


def test_a_settled_figure_is_the_one_that_is_counted(app: App):
    key = action(app, 3, 30)
    with app.unit_of_work() as services:
        services.report_editions.declare(app.campus, key, Declared.SIZE, "24", "Bilan", by=COMMAND)
        services.report_editions.declare(app.campus, key, Declared.ESTABLISHMENTS, "2", "Bilan", by=COMMAND)
        services.report_editions.declare(app.campus, key, Declared.ESTABLISHMENTS, "4", "Note", by=COMMAND)

    def settle(about: Declared, value: str) -> None:
        with app.unit_of_work() as services:
            services.report_editions.settle(app.campus, key, about, value, "", by=COMMAND)

    def still_open() -> int:
        with app.unit_of_work(reading=True) as services:
            return services.report_editions.page(app.campus, YEAR).open_contradictions

    assert still_open() == 2
    with pytest.raises(InvalidInput, match="chiffres"):
        settle(Declared.SIZE, "vingt")
    with pytest.raises(Conflict, match="Corrigez"):
        settle(Declared.ESTABLISHMENTS, "2")
    settle(Declared.SIZE, "24")
    assert still_open() == 1
    assert 24 in {each["people"] for each in document(app)["actions"]}
    with app.unit_of_work() as services:
        services.report_facts.correct(app.campus, key, {"effectif": "28"}, by=COMMAND)
    assert still_open() == 2


def test_only_the_campus_that_leads_settles(app: App):
    key = action(app, 3, 30, partner=True)
    for change in ("declare", "settle"):
        with app.unit_of_work() as services:
            write = getattr(services.report_editions, change)
            with pytest.raises(NotAllowed):
                write(app.campus, key, Declared.SIZE, "24", "Bilan", by=COMMAND)


def test_a_co_organiser_signs_while_the_leading_campus_has_not_settled(app: App):
    key = action(app, 3, 30, partner=True)
    with app.unit_of_work() as services:
        services.report_editions.declare(app.other_campus, key, Declared.SIZE, "24", "Bilan", by=COMMAND)
    save(app)
    app.clock.move(days=60)
    with app.unit_of_work(reading=True) as services:
        assert services.report_editions.page(app.other_campus, YEAR).open_contradictions == 1
        assert services.report_editions.page(app.campus, YEAR).open_contradictions == 0
    signed = publish(app)
    (note,) = document_of(signed)["notes"]
    assert (note["held"], note["awaits"]) == ("30", app.other_campus.short_name)
    assert [each["value"] for each in note["others"]] == ["24"]
    with app.unit_of_work() as services:
        services.report_editions.settle(app.other_campus, key, Declared.SIZE, "24", "Liste.", by=COMMAND)
    (note,) = document_of(publish(app))["notes"]
    assert (note["held"], note["awaits"], note["reason"]) == ("24", "", "Liste.")
    with app.unit_of_work(reading=True) as services:
        changed = services.report_editions.check(app.campus, signed)
    assert ("participations Participations", 30, 24) in changed


def test_an_activity_of_erased_people_alone_is_deleted_and_their_rows_join_no_campuses(app: App):
    key, partner = action(app, 3, 0), action(app, 6, 40, partner=True)
    app.award("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work() as services:
        zoe = listed("Zoé Martin;zoe@exemple.fr")
        for activity_id in (key, partner):
            services.activities.record(app.campus, activity_id, zoe, by=COMMAND)
    with Session(app.owner) as session:
        person_id = session.exec(select(Award.person_id)).one()
    with app.unit_of_work() as services:
        services.erasures.process_chunk(app.campus, person_id, "Demande.", by=COMMAND)
    with Session(app.owner) as session:
        rows = {row.activity_id: row for row in session.exec(select(ParticipationTombstone))}
        (award,) = session.exec(select(AwardTombstone))
        assert rows[key].holder == award.holder != rows[partner].holder
        assert award.awarded_at == day_of(app.clock())
    with app.unit_of_work() as services:
        services.activity_plans.delete(app.campus, key, by=COMMAND)


def test_the_rows_of_an_erased_person_hold_days_alone():
    at = datetime(2026, 3, 9, 14, 5, 7, tzinfo=UTC)
    assert day_of(at) == datetime(2026, 3, 8, 23, tzinfo=UTC)
    assert day_of(day_of(at)) == day_of(at)


@on_postgres
def test_report_signed_twice_at_once_is_one_version(app: App):
    save(app)
    app.clock.move(days=60)

    def sign(services: Services) -> None:
        services.report_editions.publish(app.campus, YEAR, by=COMMAND)

    assert done_meanwhile(app, sign, sign) == ("", "")
    with app.unit_of_work(reading=True) as services:
        assert [each.number for each in services.report_editions.page(app.campus, YEAR).editions] == [1]


def test_signed_report_is_of_one_snapshot(app: App):
    """Log size and figures agree although more is recorded between two queries."""
    app.record(*(f"Zoé Martin{letter}" for letter in "abcde"))
    save(app)
    app.clock.move(days=60)
    with app.unit_of_work(reading=True) as reading:
        before = reading.reports.ledger(app.campus, YEAR).log_size
        app.record(*(f"Ali Benali{letter}" for letter in "abcde"))
        with app.unit_of_work() as services:
            signed = services.report_editions.publish(
                app.campus, YEAR, by=COMMAND, read=reading.report_editions
            )
    document = document_of(signed.token)
    figures = {each["id"]: each["value"] for each in document["figures"]}
    assert (document["log"]["entries"], figures["participations"]) == (before, 5)
    assert document_of(publish(app))["log"]["entries"] > before


def test_report_read_before_another_was_signed_is_refused(app: App):
    app.record("Zoé Martin", "Ada Faure")
    save(app)
    app.clock.move(days=60)
    with app.unit_of_work(reading=True) as reading:
        reading.reports.ledger(app.campus, YEAR)
        app.record("Ali Benali")
        publish(app)
        with pytest.raises(Conflict, match="entre-temps"), app.unit_of_work() as services:
            services.report_editions.publish(app.campus, YEAR, by=COMMAND, read=reading.report_editions)
