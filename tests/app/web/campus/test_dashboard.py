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
from tests.support.app import COMMAND, App, build_app, send
from tests.support.content.networks import label as give
from tests.support.content.networks import network_of
from tests.support.forms import form_with

DOORS = {
    Role.DESIGNER: {"badges/nouveau"},
    Role.REVIEWER: {"demandes"},
    Role.AUDITOR: {"historique", "audit/journal"},
    Role.DPO: {"donnees"},
    Role.TRAINER: {"activites/nouvelle"},
    Role.CAMPUS_ADMIN: {"activites/nouvelle"},
}
ROLES = pytest.mark.parametrize("role", list(Role))


def hired(app: App, role: Role, campus: Campus | None = None, name: str = "Nour") -> Person:
    with app.unit_of_work() as services:
        return services.people.add_staff(
            campus or app.campus,
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
def test_no_link_of_the_dashboard_is_refused(app: App, role: Role, slug: str):
    app.award("Zoé Martin;zoe@exemple.fr")
    client = app.client(hired(app, role, app.campus if slug == "itip" else app.other_campus))
    links = set(re.findall(r'<a[^>]*href="(/gestion[^"#]*)', client.get(f"/gestion/{slug}").text))
    assert len(links) > 5
    assert {link: answer for link in links if (answer := client.get(link).status_code) >= 400} == {}


@ROLES
def test_the_main_action_of_a_role_is_explained_at_the_top(app: App, role: Role):
    top, _, rest = desk(app.client(hired(app, role))).partition("Ce qui attend")
    buttons = set(re.findall(r'class="btn[^"]*" href="/gestion/itip/([^"]+)"', top))
    today = {
        f"activites/{app.activity.id}/{way}"
        for way in ("attribuer", "attribuer?source=liste", "salle", "presences")
    }
    assert buttons - today == DOORS[role]
    assert (buttons & today == today) is may([role], Permission.AWARD)
    assert "Votre rôle ici" in top
    (awaited,) = re.findall(r"Ce qui a besoin de vous apparaîtra ici, par exemple ([^<]+)", rest)
    assert ("un e-mail refusé" in awaited) is may([role], Permission.WORK)
    assert ("un nom à corriger" in awaited) is may([role], Permission.CORRECT)


def test_a_requested_name_is_pending_for_those_who_correct_names(app: App):
    result = app.award("Zoe Martin;zoe@exemple.fr")
    award_id = result.lines[0].award_id
    assert award_id
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.names.names.add(
            NameWish(
                person_id=person.id, campus_id=app.campus.id, given_name="Zoé", family_name="Durand",
                reason="Nom d’usage.", asked_at=services.clock(),
            )
        )  # fmt: skip
    for role in Role:
        answered = 'Nom à corriger<span class="vh"> : 1</span>' in desk(
            app.client(hired(app, role, name=role.value))
        )
        assert answered is may([role], Permission.CORRECT), role


def test_a_log_that_failed_its_audit_is_reported_to_those_who_audit(app: App):
    app.award("Zoé Martin;zoe@exemple.fr")
    auditor, trainer = app.client(hired(app, Role.AUDITOR)), app.client(app.trainer)
    sentence = "Le journal d’activité n’est plus tel qu’il a été écrit"
    assert sentence not in desk(auditor)
    with app.unit_of_work() as services:
        log = services.log_watch.audit(app.campus).log
        assert log is not None
        at = services.clock()
        found = LogReview(log_id=log.id, asked_at=at, asked_by="tests", done_at=at, size=1, faults=[["leaf"]])
        services.log_watch.watch.add(found)
    assert sentence in desk(auditor)
    assert sentence not in desk(trainer)


def test_a_request_is_not_pending_for_the_reviewer_who_already_agreed(app: App, competency_request):
    first, second = hired(app, Role.REVIEWER), hired(app, Role.REVIEWER, name="Lou")
    assert 'Demande en attente<span class="vh"> : 1</span>' in desk(app.client(first))
    with app.unit_of_work() as services:
        request = services.reviewing.requests.lock(competency_request)
        request.first_reviewer_id = first.id
        services.reviewing.requests.add(request)
    assert "Demandes en attente" not in desk(app.client(first))
    assert 'Demande en attente<span class="vh"> : 1</span>' in desk(app.client(second))


@pytest.fixture
def competency_request(app: App):
    with app.unit_of_work() as services:
        badge = services.badges.badges.get(app.role.badge.id)
        badge.accepts_requests = True
        services.badges.badges.add(badge)
        typed = RequestOutcome(
            "Zoé", "Martin", "zoe@exemple.fr", "J’ai tenu le stand pendant deux jours entiers.", ""
        )
        asked = services.asking.ask(badge.id, typed)
        services.asking.confirm(services.asking.token_of(asked))
        return asked.id


def test_a_page_of_another_role_links_back(app: App):
    refused = app.client(hired(app, Role.DESIGNER)).get("/gestion/itip/historique")
    assert refused.status_code == 403
    assert '<a href="/gestion">Revenir à votre espace de travail</a>' in refused.text
    assert "Revenir à votre espace" not in app.client().get("/nulle-part").text


def test_an_operator_finds_their_pages_in_the_navigation(app: App):
    with app.unit_of_work() as services:
        operator = services.operators.add("Odile", "Marchandeau", "exploitation@exemple.fr", by=COMMAND)
    assert 'href="/gestion"' in app.client(operator).get("/aide").text


@pytest.mark.parametrize(
    ("page", "offered", "action"),
    [
        ("attributions", "puis « Attribuer un badge »", Permission.AWARD),
        ("repertoire", "Inscrivez des personnes à une activité", Permission.WORK),
        ("recommandations", "Demandez-en une à une entreprise", Permission.WORK),
    ],
)
@ROLES
def test_an_empty_list_suggests_no_action_that_the_reader_may_not_do(
    app: App, role: Role, page: str, offered: str, action: Permission
):
    client = app.client(hired(app, role, app.other_campus))
    shown = client.get(f"/gestion/agt/{page}").text.replace("\u202f", " ").replace("\xa0", " ")
    assert (offered in shown) is may([role], action)


@ROLES
def test_a_recommendation_is_asked_for_from_a_badge_by_those_who_may(app: App, role: Role):
    app.award("Zoé Martin;zoe@exemple.fr")
    page = app.client(hired(app, role)).get(f"/gestion/itip/badges/{app.presence.badge.id}").text
    assert ("/recommandations?badge=" in page) is may([role], Permission.WORK)


# --- today

FIELDS = {"titre": "Robotique du jour", "type": "workshop", "debut": "2026-11-25", "fin": ""}


def planned(app: App, start: str, end: str) -> str:
    client = app.client(app.trainer)
    made = send(
        client, "/gestion/itip/activites/nouvelle", {**FIELDS, "heure-debut": start, "heure-fin": end}
    )
    assert made.status_code == 303, made.text
    return str(made.headers["location"])


def test_times_of_the_form_stand_in_the_activity_and_in_the_form_again(app: App) -> None:
    path = planned(app, "13:30", "16:30")
    with app.unit_of_work() as services:
        made = next(
            one
            for one in services.campuses.desk(app.campus).activities
            if one[0].title == "Robotique du jour"
        )
        assert (made[0].start_time, made[0].end_time) == (time(13, 30), time(16, 30))
    form = app.client(app.trainer).get(f"{path}/modifier").text
    assert 'type="time" value="13:30"' in form
    assert 'type="time" value="16:30"' in form


def test_times_that_are_out_of_order_are_refused_beside_their_field(app: App) -> None:
    answer = send(
        app.client(app.trainer),
        "/gestion/itip/activites/nouvelle",
        {**FIELDS, "heure-debut": "16:30", "heure-fin": "13:30"},
    )
    assert answer.status_code == 422
    assert "L’activité finirait avant d’avoir commencé." in answer.text


def test_workshop_of_the_afternoon_is_later_in_the_morning_and_under_way_at_its_hour(app: App) -> None:
    path = planned(app, "13:30", "16:30")
    app.clock.now = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    morning = desk(app.client(app.trainer))
    assert f'href="{path}/attribuer"' not in morning
    assert "13 h 30" in morning
    app.clock.now = datetime(2026, 11, 25, 13, tzinfo=UTC)
    under_way = desk(app.client(app.trainer))
    assert f'href="{path}/attribuer"' in under_way
    assert "jusqu’à 16 h 30" in under_way


def test_workshop_with_people_waits_for_its_badge_only_once_it_is_over(app: App) -> None:
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        activity.starts_on = activity.ends_on = date(2026, 11, 25)
        activity.start_time, activity.end_time = time(13, 30), time(16, 30)
        services.activities.activities.save(activity)
    app.record("Zoé Martin;zoe@exemple.fr")
    app.clock.now = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    assert "est finie, sans badge" not in desk(app.client(app.trainer))
    app.clock.now = datetime(2026, 11, 25, 15, 31, tzinfo=UTC)
    page = desk(app.client(app.trainer))
    assert "est finie, sans badge" in page
    assert "Finie, sans badge" in page


@pytest.mark.postgres
def test_home_of_a_campus_that_organises_beside_another_shows_the_activity_without_the_other_s_badge(
    postgres_url: str, tmp_path: Path
) -> None:
    """Behind row-level security, a badge of the other campus is not there."""
    app = build_app(postgres_url, tmp_path)
    today = app.clock().date()
    with app.unit_of_work() as services:
        made = Activity(kind=ActivityKind.EVENT, title="Forum commun", starts_on=today, ends_on=today)
        activity = services.activities.create(made, [app.campus, app.other_campus], by=COMMAND)
        session = services.stores.session
        session.add(ActivityBadge(activity_id=activity.id, badge_id=app.presence.badge.id))
        for place in session.exec(select(ActivityCampus).where(ActivityCampus.activity_id == activity.id)):
            place.accepted_at = app.clock()
        since, role = app.clock(), Role.CAMPUS_ADMIN
        session.add(Membership(person_id=app.admin.id, campus_id=app.other_campus.id, role=role, since=since))
    admin = app.client(app.admin)
    with_badge, without = (admin.get(f"/gestion/{slug}") for slug in ("itip", "agt"))
    app.close()
    assert (with_badge.status_code, without.status_code) == (200, 200)
    picture = f"/badges/{app.presence.badge.id}/"
    assert picture in with_badge.text
    assert "Forum commun" in without.text
    assert picture not in without.text


def test_a_workshop_that_ended_is_named_so_and_one_without_hours_is_today_s(app: App) -> None:
    planned(app, "08:07", "19:59")
    client = app.client(app.trainer)
    send(client, "/gestion/itip/activites/nouvelle", {**FIELDS, "titre": "Sans horaire"})
    app.clock.now = datetime(2026, 11, 25, 20, 14, tzinfo=UTC)
    page = desk(app.client(app.trainer))
    assert "terminée" in page
    assert "<b>Aujourd" in page
    assert "<b>En cours</b>" not in page


# --- the label of the campus


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(-30, "Le label du campus a pris fin le"), (30, "Le label du campus prend fin le")],
)
def test_a_label_is_reported_by_where_its_end_lies(app: App, days: int, sentence: str) -> None:
    today = app.clock.now.date()
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        give(services, network, app.campus, today - timedelta(days=900), today + timedelta(days=days))
    page = app.client(app.admin).get("/gestion/itip").text
    assert sentence in page


# --- an empty campus


def new_campus(app: App) -> TestClient:
    """The administrator of a campus with no badge and no activity."""
    with app.unit_of_work() as services:
        admin = services.people.add_staff(
            app.other_campus,
            given_name="Noé",
            family_name="Garde",
            address="noe@exemple.fr",
            role=Role.CAMPUS_ADMIN,
            by=COMMAND,
        )
    return app.client(admin)


def test_empty_campus_shows_three_steps_and_an_example_to_throw_away(app: App) -> None:
    admin = new_campus(app)
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


def test_campus_at_work_shows_no_steps(app: App) -> None:
    assert "trois étapes" not in app.client(app.trainer).get("/gestion/itip").text


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
def test_menu_holds_the_parts_of_the_role_on_each_of_them(app: App, role: Role) -> None:
    client = app.client(hired(app, role))
    for path in PARTS[role]:
        answer = client.get(f"/gestion/itip{path}")
        assert (answer.status_code, menus(answer.text)) == (200, [PARTS[role], PARTS[role]]), path
        here = f'<a href="/gestion/itip{path}" aria-current="page">'
        assert answer.text.count(here) == 2, path


def test_pages_below_a_part_and_refused_addresses_have_the_menu(app: App) -> None:
    client = app.client(hired(app, Role.TRAINER))
    below = client.get(f"/gestion/itip/activites/{app.activity.id}/attribuer").text
    assert below.count('<a href="/gestion/itip/activites" aria-current="page">') == 2
    designs = app.client(hired(app, Role.DESIGNER)).get("/gestion/itip/modules").text
    assert designs.count('<a href="/gestion/itip/competences" aria-current="page">') == 2
    pictures = app.client(app.admin).get("/gestion/itip/images").text
    assert pictures.count('<a href="/gestion/itip/reglages" aria-current="page">') == 2
    missing = client.get("/gestion/itip/historique?avant=0")
    assert (missing.status_code, menus(missing.text)) == (403, [EVERYONE, EVERYONE])


def test_menu_finds_people_without_a_script(app: App) -> None:
    app.award("Zoé Martin;zoe@exemple.fr")
    client = app.client(hired(app, Role.TRAINER))
    page = client.get("/gestion/itip/badges").text
    form = re.search(r'action="(/gestion/itip/recherche)".*?name="([^"]+)" value="([^"]+)"', page, re.DOTALL)
    assert form is not None
    sent = client.post(form[1], data={form[2]: form[3], "mots": "zoé"})
    found = client.get(sent.headers["location"])
    assert "Zoé Martin" in found.text


def test_a_count_that_stops_is_marked_in_the_menu_as_on_the_desk(
    app: App, competency_request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.workplaces.MOST_COUNTED", 0)
    reviewer = app.client(hired(app, Role.REVIEWER, name="Nadia"))
    page = reviewer.get("/gestion/itip").text
    assert re.findall(r'class="count">([^<]+)', page) == ["0+", "0+"]
    assert "<b>0+</b>" in page


def test_requests_stand_with_their_number(app: App, competency_request) -> None:
    reviewer = app.client(hired(app, Role.REVIEWER, name="Nadia"))
    assert re.findall(r'class="count">(\d+)', reviewer.get("/gestion/itip/badges").text) == ["1", "1"]


def test_public_pages_carry_neither_menu_nor_its_styles(app: App) -> None:
    page = app.client(hired(app, Role.TRAINER)).get("/verifier").text
    assert menus(page) == []
    assert "workspace" not in page
