"""The home of a campus begins with today: what is under way, what is over without a badge, what comes later."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from sqlmodel import select

from app.domain.activities import Activity, ActivityBadge, ActivityCampus, ActivityKind
from app.domain.people import Membership, Role
from tests.support.house import COMMAND, House, build_house, send
from tests.web.campus.test_desk_of_each_role import desk

FIELDS = {"titre": "Robotique du jour", "type": "workshop", "debut": "2026-11-25", "fin": ""}


def planned(house: House, start: str, end: str) -> str:
    client = house.client(house.trainer)
    made = send(
        client, "/gestion/itip/activites/nouvelle", {**FIELDS, "heure-debut": start, "heure-fin": end}
    )
    assert made.status_code == 303, made.text
    return str(made.headers["location"])


def test_times_of_the_form_stand_in_the_activity_and_in_the_form_again(house: House) -> None:
    path = planned(house, "13:30", "16:30")
    with house.unit_of_work() as services:
        made = next(
            one
            for one in services.campuses.desk(house.campus).activities
            if one[0].title == "Robotique du jour"
        )
        assert (made[0].start_time, made[0].end_time) == (time(13, 30), time(16, 30))
    form = house.client(house.trainer).get(f"{path}/modifier").text
    assert 'type="time" value="13:30"' in form
    assert 'type="time" value="16:30"' in form


def test_times_that_are_out_of_order_are_refused_beside_their_field(house: House) -> None:
    answer = send(
        house.client(house.trainer),
        "/gestion/itip/activites/nouvelle",
        {**FIELDS, "heure-debut": "16:30", "heure-fin": "13:30"},
    )
    assert answer.status_code == 422
    assert "L’activité finirait avant d’avoir commencé." in answer.text


def test_workshop_of_the_afternoon_is_later_in_the_morning_and_under_way_at_its_hour(house: House) -> None:
    path = planned(house, "13:30", "16:30")
    house.clock.now = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    morning = desk(house.client(house.trainer))
    assert f'href="{path}/attribuer"' not in morning
    assert "13 h 30" in morning
    house.clock.now = datetime(2026, 11, 25, 13, tzinfo=UTC)
    under_way = desk(house.client(house.trainer))
    assert f'href="{path}/attribuer"' in under_way
    assert "jusqu’à 16 h 30" in under_way


def test_workshop_with_people_waits_for_its_badge_only_once_it_is_over(house: House) -> None:
    with house.unit_of_work() as services:
        activity = services.activities.get(house.campus, house.activity.id)
        activity.starts_on = activity.ends_on = date(2026, 11, 25)
        activity.start_time, activity.end_time = time(13, 30), time(16, 30)
        services.activities.activities.save(activity)
    house.record("Zoé Martin;zoe@exemple.fr")
    house.clock.now = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    assert "est finie, sans badge" not in desk(house.client(house.trainer))
    house.clock.now = datetime(2026, 11, 25, 15, 31, tzinfo=UTC)
    page = desk(house.client(house.trainer))
    assert "est finie, sans badge" in page
    assert "Finie, sans badge" in page


@pytest.mark.postgres
def test_home_of_a_campus_that_organises_beside_another_shows_the_activity_without_the_other_s_badge(
    postgres_url: str, tmp_path: Path
) -> None:
    """Behind row-level security, a badge of the other campus is not there."""
    house = build_house(postgres_url, tmp_path)
    today = house.clock().date()
    with house.unit_of_work() as services:
        made = Activity(kind=ActivityKind.EVENT, title="Forum commun", starts_on=today, ends_on=today)
        activity = services.activities.create(made, [house.campus, house.other_campus], by=COMMAND)
        session = services.stores.session
        session.add(ActivityBadge(activity_id=activity.id, badge_id=house.presence.badge.id))
        for place in session.exec(select(ActivityCampus).where(ActivityCampus.activity_id == activity.id)):
            place.accepted_at = house.clock()
        since, role = house.clock(), Role.CAMPUS_ADMIN
        session.add(
            Membership(person_id=house.admin.id, campus_id=house.other_campus.id, role=role, since=since)
        )
    admin = house.client(house.admin)
    with_badge, without = (admin.get(f"/gestion/{slug}") for slug in ("itip", "agt"))
    house.close()
    assert (with_badge.status_code, without.status_code) == (200, 200)
    picture = f"/badges/{house.presence.badge.id}/"
    assert picture in with_badge.text
    assert "Forum commun" in without.text
    assert picture not in without.text


def test_a_workshop_that_ended_is_named_so_and_one_without_hours_is_today_s(house: House) -> None:
    planned(house, "08:07", "19:59")
    client = house.client(house.trainer)
    send(client, "/gestion/itip/activites/nouvelle", {**FIELDS, "titre": "Sans horaire"})
    house.clock.now = datetime(2026, 11, 25, 20, 14, tzinfo=UTC)
    page = desk(house.client(house.trainer))
    assert "terminée" in page
    assert "<b>Aujourd" in page
    assert "<b>En cours</b>" not in page
