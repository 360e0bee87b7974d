"""The home of a campus begins with today: what is under way, what is over without a badge, what comes later."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from tests.support.house import House, send
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
