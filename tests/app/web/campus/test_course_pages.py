"""The pages of a course: roster into participants, results into participations, a badge into the course; and the
campus's registrations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from app.adapters.lti import LtiClient
from app.adapters.secrets import Kek, KeyVault
from app.adapters.web_documents import WebDocuments
from app.container import Process, Services
from app.domain.activities import Activity, PartKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.integration import NamedKind
from app.domain.campus.lti import LtiRegistration
from app.domain.people import Person
from app.errors import InvalidInput
from tests.app.web.campus.test_course_launches import COURSE, linked_browser, platform
from tests.support.app import BASE_URL, App, listed, send
from tests.support.forms import form_with
from tests.support.servers.lti_platform import (
    CLAIM,
    CLIENT_ID,
    DEPLOYMENT,
    LABEL,
    LEARNER,
    LINKS,
    LtiTestPlatform,
)

__all__ = ["platform"]
SETTINGS = "/gestion/itip/cours"


def with_activity(app: App, platform: LtiTestPlatform) -> tuple[TestClient, Activity]:
    browser = linked_browser(app, platform)
    answer = send(browser, f"{COURSE}/activite", {"activite": "nouvelle"}, seen_on=COURSE)
    assert answer.headers["location"] == f"{COURSE}?fait=activite"
    with app.unit_of_work(reading=True) as services:
        (found,) = [each for each, _ in services.activities.list_in(app.campus, words="Fabrication additive")]
    return browser, found


def participants(app: App, activity: Activity) -> dict[str, str]:
    """The contribution of each person, by name."""
    with app.unit_of_work(reading=True) as services:
        listed_there = services.activities.page(app.campus, activity.id).participants
        return {person.name: part.contribution for part, person in listed_there}


def test_thirty_lines_make_thirty_participants_and_none_the_second_time(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    first = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert first.headers["location"] == f"{COURSE}?fait=liste&nouveaux=30"
    assert len(participants(app, activity)) == 30
    again = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert again.headers["location"] == f"{COURSE}?fait=liste&nouveaux=0"
    assert len(participants(app, activity)) == 30
    # Two pages of twenty lines each time; the teacher is no participant.
    assert platform.asked.count("/members") == 4
    assert "Paul Roux" not in participants(app, activity)
    with app.unit_of_work(reading=True) as services:
        people = [person.id for _, person in services.activities.page(app.campus, activity.id).participants]
        names = services.external_ids.names_of(app.campus, NamedKind.PERSON, people)
    assert len({each[0] for each in names.values()}) == 30


def test_a_person_renamed_on_the_platform_stays_one_participant(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    platform.members[0] |= {"family_name": "Bonnet", "email": "autre@lycee.exemple.fr"}
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert len(participants(app, activity)) == 30


def test_inactive_members_and_members_without_a_learner_role_are_left_out(
    app: App, platform: LtiTestPlatform
):
    browser, activity = with_activity(app, platform)
    platform.members = platform.members[:3]
    platform.members[1]["status"] = "Inactive"
    platform.members[2]["roles"] = []
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert list(participants(app, activity)) == ["Élodieaa Garnieraa"]


def test_member_without_a_name_is_refused_with_a_reason_and_the_others_are_recorded(
    app: App, platform: LtiTestPlatform
):
    browser, activity = with_activity(app, platform)
    platform.members = [*platform.members[:2], {"user_id": "x", "roles": [LEARNER]}]
    answer = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert answer.status_code == 422
    assert re.search(r"2\s+personnes sont importées", unescape(answer.text))
    assert "Sans nom" in answer.text
    assert len(participants(app, activity)) == 2


@pytest.mark.parametrize(
    ("claims", "options", "chosen"),
    [
        ({"given_name": "Martin", "family_name": "Chloé"}, 2, "Chloé Martin"),
        ({"family_name": "Martin Chloé"}, 2, "Chloé Martin"),
        ({"given_name": "Mme Chloé", "family_name": "Martin"}, 2, "Chloé Martin"),
        ({"name": "Jean Pierre Martin"}, 2, "Jean Pierre Martin"),
        ({"name": "cmartin"}, 1, "Cmartin"),
        ({"given_name": "Chloé"}, 1, "Chloé"),
    ],
)
def test_doubtful_name_of_a_roster_is_asked_about_once(
    app: App, platform: LtiTestPlatform, claims: dict[str, str], options: int, chosen: str
):
    browser, activity = with_activity(app, platform)
    platform.members = [*platform.members[:1], {"user_id": "x", "roles": [LEARNER], **claims}]
    asked = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert asked.status_code == 422
    assert len(participants(app, activity)) == 1
    values = re.findall(r'name="(nom-[0-9a-f]+)" value="([0-9a-f]+)"', asked.text)
    assert len(values) == options
    answer = send(browser, f"{COURSE}/liste", dict([values[-1]]), seen_on=COURSE)
    assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux=1"
    assert chosen in participants(app, activity)
    again = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert again.headers["location"] == f"{COURSE}?fait=liste&nouveaux=0"


@pytest.mark.parametrize(
    "claims",
    [
        {"name": "Martin Chloé"},
        {"name": "Mme Chloé Martin"},
        {"name": "Martin, Chloé"},
        {"family_name": "Martin", "name": "Chloé Martin"},
        {"given_name": "Chloé", "name": "Martin Chloé"},
        {"given_name": "CHLOÉ", "family_name": "MARTIN"},
    ],
)
def test_whole_name_of_a_roster_is_split_where_it_is_certain(
    app: App, platform: LtiTestPlatform, claims: dict[str, str]
):
    browser, activity = with_activity(app, platform)
    platform.members = [{"user_id": "x", "roles": [LEARNER], **claims}]
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    with app.unit_of_work(reading=True) as services:
        ((_, person),) = services.activities.page(app.campus, activity.id).participants
    assert (person.given_name, person.family_name) == ("Chloé", "Martin")


def test_too_long_a_half_of_a_name_is_refused_and_not_left_out(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    platform.members = [
        {"user_id": "x", "roles": [LEARNER], "given_name": "C" * 130, "family_name": "Martin"}
    ]
    answer = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert (answer.status_code, participants(app, activity)) == (422, {})


def test_answer_about_a_name_stays_while_a_known_person_is_asked_about(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    with app.unit_of_work() as services:
        line = listed("Chloé Martin;chloe@ancienne.exemple.fr")
        services.activities.record(app.campus, app.activity.id, line, by=linked_by(app))
    claims = {"given_name": "Martin", "family_name": "Chloé", "email": "chloe@lycee.exemple.fr"}
    platform.members = [{"user_id": "x", "roles": [LEARNER], **claims}]
    answers: dict[str, str] = {}
    for question in ("nom", "connue"):
        asked = send(browser, f"{COURSE}/liste", answers, seen_on=COURSE)
        answers = dict(re.findall(r'type="hidden" name="(nom-[0-9a-f]+)" value="([0-9a-f]+)"', asked.text))
        field, value = re.findall(
            rf'type="radio" name="({question}-[0-9a-f]+)" value="([0-9a-f]+|autre)"', asked.text
        )[-1]
        answers[field] = value
    answer = send(browser, f"{COURSE}/liste", answers, seen_on=COURSE)
    assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux=1"
    assert list(participants(app, activity)) == ["Chloé Martin"]


def test_known_name_is_asked_about_and_the_answer_holds(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    with app.unit_of_work() as services:
        line = listed("Nora Petitjean;nora@ancienne.exemple.fr")
        services.activities.record(app.campus, app.activity.id, line, by=linked_by(app))
    platform.members = [
        {
            "user_id": "n-1",
            "roles": [LEARNER],
            "given_name": "Nora",
            "family_name": "Petitjean",
            "email": "nora@lycee.exemple.fr",
        }
    ]
    asked = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert asked.status_code == 422
    assert participants(app, activity) == {}
    (field,) = set(re.findall(r'name="(connue-[0-9a-f]+)"', asked.text))
    answer = send(browser, f"{COURSE}/liste", {field: "meme"}, seen_on=COURSE)
    assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux=1"
    assert list(participants(app, activity)) == ["Nora Petitjean"]
    with app.unit_of_work(reading=True) as services:
        ((_, here),) = services.activities.page(app.campus, activity.id).participants
        there = services.activities.page(app.campus, app.activity.id).participants
    assert here.id in {person.id for _, person in there}


def petitjean(subject: str, address: str = "") -> dict[str, object]:
    result = {"user_id": subject, "roles": [LEARNER], "given_name": "Nora", "family_name": "Petitjean"}
    return result | ({"email": address} if address else {})


def known_by_name(app: App, activity: Activity) -> Person:
    with app.unit_of_work() as services:
        services.activities.record(app.campus, activity.id, listed("Nora Petitjean"), by=linked_by(app))
        ((_, person),) = services.activities.page(app.campus, activity.id).participants
    return person


@pytest.mark.parametrize("address", ["", "choisie@ailleurs.exemple"])
def test_participant_known_by_name_alone_gets_nothing_of_a_roster_without_an_answer(
    app: App, platform: LtiTestPlatform, address: str
):
    """An LMS user chooses their name and e-mail."""
    browser, activity = with_activity(app, platform)
    person = known_by_name(app, activity)
    platform.members = [petitjean("n-1", address)]
    asked = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert asked.status_code == 422
    (field,) = set(re.findall(r'name="(connue-[0-9a-f]+)"', asked.text))
    with app.unit_of_work(reading=True) as services:
        assert services.people.people.addresses_of([person.id]) == {}
        assert not services.external_ids.names_of(app.campus, NamedKind.PERSON, [person.id]).get(person.id)
    answer = send(browser, f"{COURSE}/liste", {field: "meme"}, seen_on=COURSE)
    assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux=0"
    with app.unit_of_work(reading=True) as services:
        assert services.people.people.addresses_of([person.id]).get(person.id, "") == address
        assert services.external_ids.names_of(app.campus, NamedKind.PERSON, [person.id])[person.id]


@pytest.mark.parametrize("address", ["", "choisie@ailleurs.exemple"])
def test_other_person_of_a_known_name_becomes_another_participant(
    app: App, platform: LtiTestPlatform, address: str
):
    browser, activity = with_activity(app, platform)
    person = known_by_name(app, activity)
    platform.members = [petitjean("n-1", address)]
    asked = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    (field,) = set(re.findall(r'name="(connue-[0-9a-f]+)"', asked.text))
    for new in ("1", "0"):
        answer = send(browser, f"{COURSE}/liste", {field: "autre"}, seen_on=COURSE)
        assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux={new}"
    with app.unit_of_work(reading=True) as services:
        assert len(services.activities.page(app.campus, activity.id).participants) == 2
        assert services.people.people.addresses_of([person.id]) == {}


def test_two_users_of_one_name_without_addresses_are_two_participants(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    platform.members = [petitjean("n-1"), petitjean("n-2")]
    for new in ("2", "0"):
        answer = send(browser, f"{COURSE}/liste", seen_on=COURSE)
        assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux={new}"
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, activity.id).participants
        names = services.external_ids.names_of(app.campus, NamedKind.PERSON, [who.id for _, who in there])
    assert sorted(len(each) for each in names.values()) == [1, 1]


def test_second_account_of_one_person_is_refused_with_what_to_do(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    platform.members = [platform.members[0], {**platform.members[0], "user_id": "eleve-0-bis"}]
    answer = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert (answer.status_code, len(participants(app, activity))) == (422, 1)
    assert "a déjà ce nom et cette adresse" in unescape(answer.text)
    assert "lti:" not in answer.text


def test_roster_leaves_what_staff_recorded(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    platform.members = platform.members[:2]
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    with app.unit_of_work() as services:
        ids = [part.id for part, _ in services.activities.page(app.campus, activity.id).participants]
        absent, written = (
            services.activities.participation(app.campus, activity.id, each)[0] for each in ids
        )
        absent.is_present = False
        written.part, written.contribution = PartKind.RESOURCE, "A réglé l’imprimante seul."
    platform.results["quiz"] = [
        {"userId": f"eleve-{number}", "resultScore": 12, "resultMaximum": 20} for number in range(2)
    ]
    values = re.findall(r'name="note" value="([0-9a-f]+)"', browser.get(f"{COURSE}/resultats").text)
    answer = send(browser, f"{COURSE}/resultats", {"note": values}, seen_on=f"{COURSE}/resultats")
    assert answer.status_code == 303
    with app.unit_of_work(reading=True) as services:
        first, second = (services.activities.participation(app.campus, activity.id, each)[0] for each in ids)
        assert (first.is_present, first.contribution) == (False, "")
        assert (second.part, second.contribution) == (PartKind.RESOURCE, "A réglé l’imprimante seul.")


def linked_by(app: App) -> Actor:
    return Actor(app.trainer.id)


def test_person_with_an_identifier_of_the_school_gets_one_of_the_platform_too(
    app: App, platform: LtiTestPlatform
):
    browser, activity = with_activity(app, platform)
    platform.members = platform.members[:1]
    member = platform.members[0]
    with app.unit_of_work() as services:
        line = listed(f"{member['given_name']} {member['family_name']};{member['email']}")
        services.activities.record(app.campus, app.activity.id, line, by=linked_by(app))
        ((_, person),) = services.activities.page(app.campus, app.activity.id).participants
        services.external_ids.give(app.campus, NamedKind.PERSON, "E-2026-1", person.id)
    answer = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux=1"
    with app.unit_of_work(reading=True) as services:
        ((_, there),) = services.activities.page(app.campus, activity.id).participants
        names = services.external_ids.names_of(app.campus, NamedKind.PERSON, [person.id])[person.id]
    assert there.id == person.id
    assert [each.partition(":")[0] for each in names] == ["E-2026-1", "lti"]


def test_chosen_results_enter_the_participation_and_a_correction_follows(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    platform.members = platform.members[:2]
    platform.results["quiz"] = [
        {"userId": "eleve-0", "resultScore": 15.5, "resultMaximum": 20},
        {"userId": "eleve-1", "resultMaximum": 20},
        {"userId": "prof-1", "resultScore": 20, "resultMaximum": 20},
    ]
    platform.results["projet"] = [{"userId": "eleve-0", "resultScore": 9, "resultMaximum": 10}]
    page = browser.get(f"{COURSE}/resultats").text
    values = re.findall(r'name="note" value="([0-9a-f]+)"', page)
    assert len(values) == 2
    answer = send(browser, f"{COURSE}/resultats", {"note": values}, seen_on=f"{COURSE}/resultats")
    assert answer.headers["location"] == f"{COURSE}?fait=liste&nouveaux=2"
    result = f"Résultats ({LABEL}) : Quiz sur les capteurs 15,5/20 ; Projet 9/10"
    assert participants(app, activity) == {"Élodieaa Garnieraa": result, "Élodieab Garnierab": ""}
    # The roster alone takes no result away; a changed result is a correction.
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert participants(app, activity)["Élodieaa Garnieraa"] == result
    platform.results["quiz"][0]["resultScore"] = 17
    send(browser, f"{COURSE}/resultats", {"note": values[:1]}, seen_on=f"{COURSE}/resultats")
    assert (
        participants(app, activity)["Élodieaa Garnieraa"]
        == f"Résultats ({LABEL}) : Quiz sur les capteurs 17/20"
    )


def test_platform_is_asked_outside_any_transaction(
    app: App, platform: LtiTestPlatform, monkeypatch: pytest.MonkeyPatch
):
    browser, activity = with_activity(app, platform)
    platform.members = platform.members[:1]
    original, answer, open_ones, seen = app.process.visit, platform.answer, list[int](), list[int]()

    @contextmanager
    def visit(**result: Any) -> Iterator[Services]:
        open_ones.append(1)
        try:
            with original(**result) as services:
                yield services
        finally:
            open_ones.pop()

    def answered(*result: Any) -> None:
        seen.append(len(open_ones))
        answer(*result)

    monkeypatch.setattr(app.process, "visit", visit)
    monkeypatch.setattr(platform, "answer", answered)
    page = browser.get(f"{COURSE}/resultats").text
    values = re.findall(r'name="note" value="([0-9a-f]+)"', page)
    send(browser, f"{COURSE}/resultats", {"note": values}, seen_on=f"{COURSE}/resultats")
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert len(seen) >= 8
    assert set(seen) == {0}
    assert len(participants(app, activity)) == 1


def test_platforms_use_no_connection_slots_of_verifications(app: App):
    process = Process(app.process.settings.model_copy(update={"fetch": True}), clock=app.clock)
    assert isinstance(process.lti, LtiClient)
    assert isinstance(process.beyond, WebDocuments)
    assert process.lti.documents is not None
    assert process.lti.documents is not process.beyond


def test_suspended_campus_shows_its_keys_alone(app: App, platform: LtiTestPlatform):
    browser, _ = with_activity(app, platform)
    with app.unit_of_work() as services:
        services.campuses.get("itip").suspended_at = app.clock()
    asked = len(platform.asked)
    assert browser.get(COURSE).status_code == 403
    for path in ("liste", "relier", "delier", "activite", "badge"):
        assert send(browser, f"{COURSE}/{path}", seen_on="/verifier").status_code == 403
    form = {"iss": platform.issuer, "client_id": CLIENT_ID, "login_hint": "7"}
    assert app.client().post("/lti/itip/connexion", data=form).status_code == 403
    assert app.client().post("/lti/itip/lancement", data={"state": "x", "id_token": "y"}).status_code == 403
    assert app.client().get("/lti/itip/cles.json").status_code == 200
    assert len(platform.asked) == asked


def test_chosen_results_are_sent_again_after_an_outage(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    platform.results["quiz"] = [{"userId": "eleve-0", "resultScore": 15, "resultMaximum": 20}]
    value = re.findall(r'name="note" value="([0-9a-f]+)"', browser.get(f"{COURSE}/resultats").text)[0]
    platform.faults.token_status = 503
    down = send(browser, f"{COURSE}/resultats", {"note": value}, seen_on=COURSE)
    platform.faults.token_status = 200
    assert form_with(down, "note").press(browser, down).status_code == 303
    assert f"Résultats ({LABEL}) : Quiz sur les capteurs 15/20" in participants(app, activity).values()


def test_no_result_is_taken_without_a_choice(app: App, platform: LtiTestPlatform):
    browser, activity = with_activity(app, platform)
    answer = send(browser, f"{COURSE}/resultats", seen_on=f"{COURSE}/resultats")
    assert answer.status_code == 422
    assert participants(app, activity) == {}


@pytest.mark.parametrize(
    ("fault", "status", "sentence"), [(400, 409, "a refusé"), (503, 503, "ne répond pas")]
)
def test_platform_that_gives_no_token_is_shown_with_its_fault(
    app: App, platform: LtiTestPlatform, fault: int, status: int, sentence: str
):
    browser, activity = with_activity(app, platform)
    platform.faults.token_status = fault
    answer = send(browser, f"{COURSE}/liste", seen_on=COURSE)
    assert answer.status_code == status
    assert sentence in answer.text
    assert participants(app, activity) == {}
    assert f"status {fault}" in app.client(app.admin).get(SETTINGS).text


def test_age_of_the_token_is_shown(app: App, platform: LtiTestPlatform):
    admin = app.client(app.admin)
    assert "Aucun encore" in admin.get(SETTINGS).text
    with app.unit_of_work(reading=True) as services:
        (row,) = services.lti.platforms(app.campus)
    assert send(admin, f"{SETTINGS}/{row.id}/essayer", seen_on=SETTINGS).status_code == 303
    app.clock.move(days=12)
    page = app.client(app.admin).get(SETTINGS).text
    page = unescape(page)
    assert re.search(r"il y a 12\s+jours", page)
    assert re.search(r"Votre clé pour les plateformes a 12\s+jours", page)


def test_no_access_token_is_stored(app: App, platform: LtiTestPlatform):
    browser, _ = with_activity(app, platform)
    send(browser, f"{COURSE}/liste", seen_on=COURSE)
    (secret,) = platform.granted
    with app.owner.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM lti_platform").all()
    assert secret not in str(rows)


def test_badge_is_put_into_the_course_by_a_signed_answer(app: App, platform: LtiTestPlatform):
    linked_browser(app, platform)
    browser = app.client()
    platform.launch(browser, **platform.deep_linking())
    badge = app.presence.badge
    answer = send(browser, f"{COURSE}/badge", {"badge": str(badge.id)}, seen_on=COURSE)
    assert answer.status_code == 200
    assert f'action="{platform.issuer}/return"' in answer.text
    assert f"form-action {platform.issuer}" in answer.headers["content-security-policy"]
    found = re.search(r'name="JWT" value="([^"]+)"', answer.text)
    assert found
    published = app.client().get("/lti/itip/cles.json").json()
    header = jwt.get_unverified_header(found[1])
    (key,) = [each for each in published["keys"] if each["kid"] == header["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        found[1], jwt.PyJWK(key), algorithms=["RS256"], audience=platform.issuer, options=options
    )
    assert claims["iss"] == CLIENT_ID
    assert claims[f"{CLAIM}deployment_id"] == DEPLOYMENT
    assert claims[f"{CLAIM}message_type"] == "LtiDeepLinkingResponse"
    assert claims[f"{LINKS}data"] == "opaque-7"
    (item,) = claims[f"{LINKS}content_items"]
    assert item["type"] == "ltiResourceLink"
    assert item["custom"] == {"badge": str(badge.id)}
    assert item["url"] == f"{BASE_URL}/lti/itip/lancement"
    # The launch has served.
    assert browser.get(COURSE).status_code == 401


def test_learner_opens_the_badge_of_the_course(app: App, platform: LtiTestPlatform):
    browser = app.client()
    custom = {f"{CLAIM}custom": {"badge": str(app.presence.badge.id)}}
    platform.launch(browser, subject="eleve-1", roles=(LEARNER,), **custom)
    page = unescape(browser.get(COURSE).text)
    assert app.presence.version.name in page
    assert f"/badges/{app.presence.badge.id}" in page


def test_badge_of_another_campus_is_not_shown(app: App, platform: LtiTestPlatform):
    browser = app.client()
    custom = {f"{CLAIM}custom": {"badge": "11111111-2222-4333-8444-555555555555"}}
    platform.launch(browser, subject="eleve-1", roles=(LEARNER,), **custom)
    assert "/badges/" not in browser.get(COURSE).text.replace("/mes-badges", "")


def test_key_renewed_stays_published_for_a_month(app: App, platform: LtiTestPlatform):
    admin = app.client(app.admin)
    app.clock.move(minutes=1)
    ids = [{each["kid"] for each in app.client().get("/lti/itip/cles.json").json()["keys"]}]
    assert send(admin, f"{SETTINGS}/cle", seen_on=SETTINGS).status_code == 303
    ids.append({each["kid"] for each in app.client().get("/lti/itip/cles.json").json()["keys"]})
    assert ids[0] < ids[1]
    app.clock.now += timedelta(days=31)
    ids.append({each["kid"] for each in app.client().get("/lti/itip/cles.json").json()["keys"]})
    assert ids[2] == ids[1] - ids[0]


def test_published_keys_hold_nothing_private(app: App, platform: LtiTestPlatform):
    (key,) = app.client().get("/lti/itip/cles.json").json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}


FORM = {
    "nom": "Moodle",
    "emetteur": "https://moodle.lycee.exemple",
    "client": "abc123",
    "deploiements": "1, 2",
    "cles": "https://moodle.lycee.exemple/mod/lti/certs.php",
    "jetons": "https://moodle.lycee.exemple/mod/lti/token.php",
    "autorisation": "https://moodle.lycee.exemple/mod/lti/auth.php",
}


def test_administrator_registers_a_platform_once(app: App):
    admin = app.client(app.admin)
    page = admin.get(SETTINGS).text
    assert f"{BASE_URL}/lti/itip/connexion" in page
    assert f"{BASE_URL}/lti/itip/cles.json" in page
    assert send(admin, SETTINGS, FORM).status_code == 303
    with app.unit_of_work(reading=True) as services:
        (row,) = services.lti.platforms(app.campus)
    assert row.deployments == ["1", "2"]
    again = send(admin, SETTINGS, FORM)
    assert again.status_code == 409
    assert 'value="abc123"' in again.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("emetteur", "moodle.lycee.exemple"),
        ("cles", "http://moodle.lycee.exemple/certs"),
        ("cles", "http://localhost.ailleurs.exemple/certs"),
        ("cles", "http://localhost@ailleurs.exemple/certs"),
        ("cles", "http://127.0.0.1.ailleurs.exemple/certs"),
        ("cles", "https://"),
        ("cles", "https://moodle.lycee.exemple:x/certs"),
        ("jetons", "https://moodle.lycee.exemple/ jeton"),
        ("client", ""),
        ("client", "é"),
        ("deploiements", ""),
        ("nom", ""),
        ("nom", "x" * 121),
    ],
)
def test_registration_that_no_platform_has_is_refused(app: App, field: str, value: str):
    admin = app.client(app.admin)
    assert send(admin, SETTINGS, FORM | {field: value}).status_code == 422
    with app.unit_of_work(reading=True) as services:
        assert not services.lti.platforms(app.campus)


def test_address_of_this_machine_is_for_development_alone():
    local = LtiRegistration("Moodle", *["http://localhost:8080"] * 2, ("1",), *["http://localhost:8080"] * 3)
    local.check(allows_local=True)
    with pytest.raises(InvalidInput):
        local.check(allows_local=False)


def test_key_set_is_sealed_anew_under_another_master_key(app: App, platform: LtiTestPlatform):
    before = app.process.vault
    other = KeyVault(Kek(b"k" * 32), others=[before.kek])
    app.process.vault = other
    with app.unit_of_work() as services:
        services.signing.rewrap()
        assert services.lti.rewrap() == 1
        assert services.lti.rewrap() == 0
    app.process.vault = KeyVault(other.kek)
    admin = app.client(app.admin)
    with app.unit_of_work(reading=True) as services:
        (row,) = services.lti.platforms(app.campus)
    assert send(admin, f"{SETTINGS}/{row.id}/essayer", seen_on=SETTINGS).status_code == 303
