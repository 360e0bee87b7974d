"""The desk says to each role what it has to do and leads nowhere that the role may not go."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.accounts.permissions import Permission, may
from app.domain.activity_log import LogReview
from app.domain.campus.campus import Campus
from app.domain.people import NameWish, Person, Role
from app.services.learners.requests import RequestOutcome
from tests.support.house import COMMAND, House

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
        told = 'Noms à corriger<span class="vh"> : 1</span>' in desk(
            house.client(hired(house, role, name=role.value))
        )
        assert told is may([role], Permission.CORRECT), role


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
    assert 'Demandes en attente<span class="vh"> : 1</span>' in desk(house.client(first))
    with house.unit_of_work() as services:
        request = services.reviewing.requests.lock(competency_request)
        request.first_reviewer_id = first.id
        services.reviewing.requests.add(request)
    assert "Demandes en attente" not in desk(house.client(first))
    assert 'Demandes en attente<span class="vh"> : 1</span>' in desk(house.client(second))


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
    ("page", "offered", "deed"),
    [
        ("attributions", "puis « Attribuer un badge »", Permission.AWARD),
        ("repertoire", "Inscrivez des personnes à une activité", Permission.WORK),
        ("recommandations", "Demandez-en une à une entreprise", Permission.WORK),
    ],
)
@ROLES
def test_an_empty_list_tells_nobody_to_do_what_they_may_not(
    house: House, role: Role, page: str, offered: str, deed: Permission
):
    client = house.client(hired(house, role, house.other_campus))
    shown = client.get(f"/gestion/agt/{page}").text.replace("\u202f", " ").replace("\xa0", " ")
    assert (offered in shown) is may([role], deed)


@ROLES
def test_a_recommendation_is_asked_for_from_a_badge_by_those_who_may(house: House, role: Role):
    house.award("Zoé Martin;zoe@exemple.fr")
    page = house.client(hired(house, role)).get(f"/gestion/itip/badges/{house.presence.badge.id}").text
    assert ("/recommandations?badge=" in page) is may([role], Permission.WORK)
