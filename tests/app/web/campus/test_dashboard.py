"""The dashboard of a campus: for each role, today, its label, an empty campus, and the navigation."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.domain.accounts.permissions import Permission, may
from app.domain.activities import Activity, ActivityBadge, ActivityCampus, ActivityKind
from app.domain.activity_log import LogReview
from app.domain.campus.campus import Campus
from app.domain.people import Membership, NameWish, Person, Role
from app.services.learners.requests import RequestOutcome
from tests.support.content.networks import label as give
from tests.support.content.networks import network_of
from tests.support.forms import form_with
from tests.support.house import COMMAND, House, build_house, send

DOORS = {
    Role.DESIGNER: {"badges/nouveau"},
    Role.REVIEWER: {"demandes"},
    Role.AUDITOR: {"historique", "audit/journal"},
    Role.DPO: {"donnees"},
    Role.TRAINER: {"activites/nouvelle"},
    Role.CAMPUS_ADMIN: {"activites/nouvelle"},
}
ROLES = pytest.mark.parametrize("role", list(Role))


def hired(house: House, role: Role, campus: Campus | None = None, name: str = "Nour") -> Person:
    with house.unit_of_work() as services:
        return services.people.add_staff(
            campus or house.campus,
            given_name=name,
            family_name="Vasseur",
            address=f"{name.lower()}@exemple.fr",
            role=role,
            by=COMMAND,
        )


def desk(client: TestClient, slug: str = "itip") -> str:
    page = client.get(f"/gestion/{slug}").text
    return page[page.index("<main") : page.index("</main")].replace("\u202f", " ").replace("\xa0", " ")


@ROLES
@pytest.mark.parametrize("slug", ["itip", "agt"], ids=["busy", "empty"])
def test_no_link_of_the_desk_is_refused(house: House, role: Role, slug: str):
    house.award("Zoé Martin;zoe@exemple.fr")
    client = house.client(hired(house, role, house.campus if slug == "itip" else house.other_campus))
    links = set(re.findall(r'<a[^>]*href="(/gestion[^"#]*)', client.get(f"/gestion/{slug}").text))
    assert len(links) > 5
    assert {link: answer for link in links if (answer := client.get(link).status_code) >= 400} == {}


@ROLES
def test_what_a_role_is_for_is_said_and_stands_at_the_top(house: House, role: Role):
    top, _, rest = desk(house.client(hired(house, role))).partition("Ce qui attend")
    buttons = set(re.findall(r'class="btn[^"]*" href="/gestion/itip/([^"]+)"', top))
    today = {
        f"activites/{house.activity.id}/{way}"
        for way in ("attribuer", "attribuer?source=liste", "salle", "presences")
    }
    assert buttons - today == DOORS[role]
    assert (buttons & today == today) is may([role], Permission.AWARD)
    assert "Votre rôle ici" in top
    (awaited,) = re.findall(r"Ce qui a besoin de vous apparaîtra ici : ([^<]+)", rest)
    assert ("un e-mail refusé" in awaited) is may([role], Permission.WORK)
    assert ("un nom à corriger" in awaited) is may([role], Permission.CORRECT)


def test_a_name_that_somebody_asks_for_waits_for_those_who_correct_names(house: House):
    result = house.award("Zoe Martin;zoe@exemple.fr")
    award_id = result.lines[0].award_id
    assert award_id
    with house.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.names.names.add(
            NameWish(
                person_id=person.id, campus_id=house.campus.id, given_name="Zoé", family_name="Durand",
                reason="Nom d’usage.", asked_at=services.clock(),
            )
        )  # fmt: skip
    for role in Role:
        answered = 'Nom à corriger<span class="vh"> : 1</span>' in desk(
            house.client(hired(house, role, name=role.value))
        )
        assert answered is may([role], Permission.CORRECT), role


def test_a_log_that_was_found_other_than_written_is_told_to_those_who_audit(house: House):
    house.award("Zoé Martin;zoe@exemple.fr")
    auditor, trainer = house.client(hired(house, Role.AUDITOR)), house.client(house.trainer)
    sentence = "Le journal d’activité n’est plus tel qu’il a été écrit"
    assert sentence not in desk(auditor)
    with house.unit_of_work() as services:
        log = services.log_watch.audit(house.campus).log
        assert log is not None
        at = services.clock()
        found = LogReview(log_id=log.id, asked_at=at, asked_by="tests", done_at=at, size=1, faults=[["leaf"]])
        services.log_watch.watch.add(found)
    assert sentence in desk(auditor)
    assert sentence not in desk(trainer)


def test_a_request_does_not_wait_for_whoever_agreed_to_it_already(house: House, competency_request):
    first, second = hired(house, Role.REVIEWER), hired(house, Role.REVIEWER, name="Lou")
    assert 'Demande en attente<span class="vh"> : 1</span>' in desk(house.client(first))
    with house.unit_of_work() as services:
        request = services.reviewing.requests.lock(competency_request)
        request.first_reviewer_id = first.id
        services.reviewing.requests.add(request)
    assert "Demandes en attente" not in desk(house.client(first))
    assert 'Demande en attente<span class="vh"> : 1</span>' in desk(house.client(second))


@pytest.fixture
def competency_request(house: House):
    with house.unit_of_work() as services:
        badge = services.badges.badges.get(house.role.badge.id)
        badge.accepts_requests = True
        services.badges.badges.add(badge)
        typed = RequestOutcome(
            "Zoé", "Martin", "zoe@exemple.fr", "J’ai tenu le stand pendant deux jours entiers.", ""
        )
        asked = services.asking.ask(badge.id, typed)
        services.asking.confirm(services.asking.token_of(asked))
        return asked.id


def test_who_meets_a_page_of_another_role_finds_the_way_back(house: House):
    refused = house.client(hired(house, Role.DESIGNER)).get("/gestion/itip/historique")
    assert refused.status_code == 403
    assert '<a href="/gestion">Revenir à votre espace de travail</a>' in refused.text
    assert "Revenir à votre espace" not in house.client().get("/nulle-part").text


def test_whoever_runs_the_service_finds_their_pages_in_the_navigation(house: House):
    with house.unit_of_work() as services:
        operator = services.operators.add("Odile", "Marchandeau", "exploitation@exemple.fr", by=COMMAND)
    assert 'href="/gestion"' in house.client(operator).get("/aide").text


@pytest.mark.parametrize(
    ("page", "offered", "action"),
    [
        ("attributions", "puis « Attribuer un badge »", Permission.AWARD),
        ("repertoire", "Inscrivez des personnes à une activité", Permission.WORK),
        ("recommandations", "Demandez-en une à une entreprise", Permission.WORK),
    ],
)
@ROLES
def test_an_empty_list_tells_nobody_to_do_what_they_may_not(
    house: House, role: Role, page: str, offered: str, action: Permission
):
    client = house.client(hired(house, role, house.other_campus))
    shown = client.get(f"/gestion/agt/{page}").text.replace("\u202f", " ").replace("\xa0", " ")
    assert (offered in shown) is may([role], action)


@ROLES
def test_a_recommendation_is_asked_for_from_a_badge_by_those_who_may(house: House, role: Role):
    house.award("Zoé Martin;zoe@exemple.fr")
    page = house.client(hired(house, role)).get(f"/gestion/itip/badges/{house.presence.badge.id}").text
    assert ("/recommandations?badge=" in page) is may([role], Permission.WORK)


# --- today

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


# --- the label of the campus


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(-30, "Le label du campus a pris fin le"), (30, "Le label du campus prend fin le")],
)
def test_a_label_is_told_by_where_its_end_lies(house: House, days: int, sentence: str) -> None:
    today = house.clock.now.date()
    with house.unit_of_work() as services:
        network = network_of(services, house.campus)
        give(services, network, house.campus, today - timedelta(days=900), today + timedelta(days=days))
    page = house.client(house.admin).get("/gestion/itip").text
    assert sentence in page


# --- an empty campus


def new_campus(house: House) -> TestClient:
    """The administrator of a campus with no badge and no activity."""
    with house.unit_of_work() as services:
        admin = services.people.add_staff(
            house.other_campus,
            given_name="Noé",
            family_name="Garde",
            address="noe@exemple.fr",
            role=Role.CAMPUS_ADMIN,
            by=COMMAND,
        )
    return house.client(admin)


def test_empty_campus_shows_three_steps_and_an_example_to_throw_away(house: House) -> None:
    admin = new_campus(house)
    home = admin.get("/gestion/agt")
    assert "Pour commencer, trois étapes" in home.text.replace("\xa0", " ")
    assert 'href="/aide/administration"' in home.text
    made = form_with(home, "geste").press(admin, home, ("geste", "preparer"))
    assert made.status_code == 303
    assert "Léa Démo" in admin.get(made.headers["location"]).text

    home = admin.get("/gestion/agt")
    assert "Un exemple est prêt" in home.text
    assert "Exemple : atelier" in home.text.replace("\xa0", " ")
    assert form_with(home, "geste").press(admin, home, ("geste", "jeter")).status_code == 303
    home = admin.get("/gestion/agt")
    assert "Préparer un exemple" in home.text
    assert "Exemple : atelier" not in home.text.replace("\xa0", " ")
    assert admin.get(made.headers["location"]).status_code == 404


def test_campus_at_work_shows_no_steps(house: House) -> None:
    assert "trois étapes" not in house.client(house.trainer).get("/gestion/itip").text


# --- the navigation

__all__ = ["competency_request"]
_FIRST = ["", "/activites", "/badges", "/competences", "/repertoire"]
EVERYONE = [*_FIRST, "/rapport"]
PARTS = {
    Role.CAMPUS_ADMIN: [*_FIRST, "/demandes", "/rapport", "/historique", "/reglages"],
    Role.TRAINER: EVERYONE,
    Role.DESIGNER: EVERYONE,
    Role.REVIEWER: [*_FIRST, "/demandes", "/rapport"],
    Role.AUDITOR: [*EVERYONE, "/historique"],
    Role.DPO: [*EVERYONE, "/donnees"],
}
_MENUS = re.compile(
    r'<nav (?:class="campus-parts" )?aria-label="(?:Campus|Campus, menu)">.*?</nav>', re.DOTALL
)


def menus(page: str) -> list[list[str]]:
    return [re.findall(r'href="/gestion/itip([^"]*)"', menu) for menu in _MENUS.findall(page)]


@pytest.mark.parametrize("role", list(Role))
def test_menu_holds_the_parts_of_the_role_on_each_of_them(house: House, role: Role) -> None:
    client = house.client(hired(house, role))
    for path in PARTS[role]:
        answer = client.get(f"/gestion/itip{path}")
        assert (answer.status_code, menus(answer.text)) == (200, [PARTS[role], PARTS[role]]), path
        here = f'<a href="/gestion/itip{path}" aria-current="page">'
        assert answer.text.count(here) == 2, path


def test_pages_below_a_part_and_refused_addresses_have_the_menu(house: House) -> None:
    client = house.client(hired(house, Role.TRAINER))
    below = client.get(f"/gestion/itip/activites/{house.activity.id}/attribuer").text
    assert below.count('<a href="/gestion/itip/activites" aria-current="page">') == 2
    designs = house.client(hired(house, Role.DESIGNER)).get("/gestion/itip/modules").text
    assert designs.count('<a href="/gestion/itip/competences" aria-current="page">') == 2
    pictures = house.client(house.admin).get("/gestion/itip/images").text
    assert pictures.count('<a href="/gestion/itip/reglages" aria-current="page">') == 2
    missing = client.get("/gestion/itip/historique?avant=0")
    assert (missing.status_code, menus(missing.text)) == (403, [EVERYONE, EVERYONE])


def test_menu_finds_people_without_a_script(house: House) -> None:
    house.award("Zoé Martin;zoe@exemple.fr")
    client = house.client(hired(house, Role.TRAINER))
    page = client.get("/gestion/itip/badges").text
    form = re.search(r'action="(/gestion/itip/recherche)".*?name="([^"]+)" value="([^"]+)"', page, re.DOTALL)
    assert form is not None
    sent = client.post(form[1], data={form[2]: form[3], "mots": "zoé"})
    found = client.get(sent.headers["location"])
    assert "Zoé Martin" in found.text


def test_a_count_that_stops_is_marked_in_the_menu_as_on_the_desk(
    house: House, competency_request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.workplaces.MOST_COUNTED", 0)
    reviewer = house.client(hired(house, Role.REVIEWER, name="Nadia"))
    page = reviewer.get("/gestion/itip").text
    assert re.findall(r'class="count">([^<]+)', page) == ["0+", "0+"]
    assert "<b>0+</b>" in page


def test_requests_stand_with_their_number(house: House, competency_request) -> None:
    reviewer = house.client(hired(house, Role.REVIEWER, name="Nadia"))
    assert re.findall(r'class="count">(\d+)', reviewer.get("/gestion/itip/badges").text) == ["1", "1"]


def test_public_pages_carry_neither_menu_nor_its_styles(house: House) -> None:
    page = house.client(hired(house, Role.TRAINER)).get("/verifier").text
    assert menus(page) == []
    assert "workspace" not in page
