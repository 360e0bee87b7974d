"""Launches from a course platform: what is refused, what a launch opens, and accounts linked by signing in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.campus.lti import learns, teaches
from tests.support.app import BASE_URL, App, send
from tests.support.forms import form_with, forms_of
from tests.support.servers.lti_platform import (
    CLAIM,
    CLIENT_ID,
    COURSE_ROLE,
    LABEL,
    LEARNER,
    TEACHER,
    LtiTestPlatform,
    registered,
)

COURSE = "/lti/itip/cours"


@pytest.fixture
def platform(app: App) -> Iterator[LtiTestPlatform]:
    running = LtiTestPlatform(app.clock)
    registered(app, running)
    yield running
    running.close()


def linked_browser(app: App, platform: LtiTestPlatform) -> TestClient:
    """The trainer, who linked their account, then comes back without being signed in."""
    browser = app.client(app.trainer)
    platform.launch(browser)
    assert send(browser, f"{COURSE}/relier", seen_on=COURSE).status_code == 303
    again = app.client()
    assert platform.launch(again).status_code == 303
    return again


def test_the_chosen_activity_stays_selected_after_a_fault(app: App, platform: LtiTestPlatform):
    linked = linked_browser(app, platform)
    send(linked, f"{COURSE}/activite", {"activite": "nouvelle"}, seen_on=COURSE)
    browser = app.client()
    platform.launch(browser, **{f"{CLAIM}context": {"id": "c-42", "title": "???"}})
    page = browser.get(COURSE)
    assert 'value="nouvelle" selected' not in page.text, "the activity of the course is"
    refused = form_with(page, "activite").fill(activite="nouvelle").press(browser, page)
    assert refused.status_code == 422
    assert 'value="nouvelle" selected' in refused.text


def last_letter(app: App) -> str:
    """Its subject, and the platform that it names."""
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    letter = app.letters.letters[-1]
    assert LABEL in letter.text
    return letter.subject


def test_login_leads_to_the_platform_with_state_and_nonce_of_their_own(app: App, platform: LtiTestPlatform):
    first, second = (platform.log_in(app.client()) for _ in range(2))
    assert first["response_mode"] == "form_post"
    assert first["redirect_uri"] == f"{BASE_URL}/lti/itip/lancement"
    assert (first["login_hint"], first["lti_message_hint"]) == ("7", "h")
    assert first["state"] != second["state"]
    assert first["nonce"] != second["nonce"]
    assert first["state"] not in first["nonce"]


def test_login_finds_the_only_platform_of_an_issuer_without_client_id(app: App, platform: LtiTestPlatform):
    assert platform.log_in(app.client(), client_id="")["client_id"] == CLIENT_ID


@pytest.mark.parametrize("replaced", [{"iss": "https://ailleurs.exemple"}, {"client_id": "autre"}])
def test_login_of_an_unknown_platform_is_refused(
    app: App, platform: LtiTestPlatform, replaced: dict[str, str]
):
    form = {"iss": platform.issuer, "client_id": CLIENT_ID, "login_hint": "7"} | replaced
    assert app.client().post("/lti/itip/connexion", data=form).status_code == 404


def test_launch_opens_the_course_and_no_account(app: App, platform: LtiTestPlatform):
    browser = app.client()
    answer = platform.launch(browser)
    assert answer.status_code == 303
    assert answer.headers["location"] == COURSE
    assert "Fabrication additive" in browser.get(COURSE).text
    # The ID token has the address of the trainer: an address opens nothing.
    assert browser.cookies.get("sid") is None
    assert browser.get("/gestion/itip").status_code == 401
    assert browser.get("/compte").status_code == 401
    assert "Relier votre compte" in browser.get(COURSE).text


def test_state_is_good_once(app: App, platform: LtiTestPlatform):
    browser = app.client()
    asked = platform.log_in(browser)
    cookie = browser.cookies.get("ouverture")
    form = {"state": asked["state"], "id_token": platform.id_token(asked["nonce"])}
    assert browser.post("/lti/itip/lancement", data=form).status_code == 303
    browser.cookies.set("ouverture", cookie or "")
    assert browser.post("/lti/itip/lancement", data=form).status_code == 401


def test_state_is_good_in_the_browser_that_began_alone(app: App, platform: LtiTestPlatform):
    asked = platform.log_in(app.client())
    form = {"state": asked["state"], "id_token": platform.id_token(asked["nonce"])}
    other = app.client()
    assert other.post("/lti/itip/lancement", data=form).status_code == 401
    platform.log_in(other)
    assert other.post("/lti/itip/lancement", data=form).status_code == 401


def test_state_ends_after_ten_minutes(app: App, platform: LtiTestPlatform):
    browser = app.client()
    asked = platform.log_in(browser)
    app.clock.move(minutes=11)
    form = {"state": asked["state"], "id_token": platform.id_token(asked["nonce"])}
    assert browser.post("/lti/itip/lancement", data=form).status_code == 401


_SECOND = 1_000_000_000


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another client"]},
        {"azp": "another client"},
        {"iss": "https://ailleurs.exemple"},
        {"nonce": "another nonce"},
        {"nonce": None},
        {"exp": _SECOND},
        {"iat": _SECOND},
        {"iat": 9_000_000_000},
        {"sub": ""},
        {"sub": "x" * 300},
        {f"{CLAIM}deployment_id": "2"},
        {f"{CLAIM}deployment_id": None},
        {f"{CLAIM}version": "1.1"},
        {f"{CLAIM}message_type": "LtiSubmissionReviewRequest"},
    ],
)
def test_launch_with_a_wrong_claim_is_refused(app: App, platform: LtiTestPlatform, claims: dict[str, Any]):
    platform.faults.claims = claims
    browser = app.client()
    assert platform.launch(browser).status_code == 401
    assert browser.get(COURSE).status_code == 401


def test_launch_for_several_audiences_names_us_as_authorised_party(app: App, platform: LtiTestPlatform):
    platform.faults.claims = {"aud": [CLIENT_ID, "another client"], "azp": CLIENT_ID}
    assert platform.launch(app.client()).status_code == 303


def test_launch_within_the_skew_of_two_clocks_is_accepted(app: App, platform: LtiTestPlatform):
    platform.clock = lambda: app.clock() + timedelta(seconds=30)
    assert platform.launch(app.client()).status_code == 303


@pytest.mark.parametrize(
    "fault", [{"foreign_key": True}, {"small_key": True}, {"algorithm": "none"}, {"algorithm": "RS384"}]
)
def test_launch_with_another_signature_is_refused(app: App, platform: LtiTestPlatform, fault: dict[str, Any]):
    """RS256 by a published key of at least 2,048 bits."""
    for name, value in fault.items():
        setattr(platform.faults, name, value)
    assert platform.launch(app.client()).status_code == 401


def test_a_launch_gets_503_while_the_keys_of_the_platform_are_unreadable(app: App, platform: LtiTestPlatform):
    browser = app.client()
    asked = platform.log_in(browser)
    platform.faults.down = True
    form = {"state": asked["state"], "id_token": platform.id_token(asked["nonce"])}
    assert browser.post("/lti/itip/lancement", data=form).status_code == 503


def test_launch_ends_after_two_hours(app: App, platform: LtiTestPlatform):
    browser = app.client()
    platform.launch(browser)
    app.clock.move(hours=2, seconds=1)
    assert browser.get(COURSE).status_code == 401


def test_launch_opens_nothing_at_another_campus(app: App, platform: LtiTestPlatform):
    browser = app.client()
    platform.launch(browser)
    assert browser.get("/lti/agt/cours").status_code == 401


def test_unlinked_teacher_takes_no_roster(app: App, platform: LtiTestPlatform):
    browser = app.client()
    platform.launch(browser)
    for path in ("activite", "liste"):
        data = {"activite": "nouvelle"}
        assert send(browser, f"{COURSE}/{path}", data, seen_on=COURSE).status_code == 403
    assert platform.granted == []


def test_linking_needs_a_sign_in(app: App, platform: LtiTestPlatform):
    browser = app.client()
    platform.launch(browser)
    answer = send(browser, f"{COURSE}/relier", seen_on=COURSE)
    assert answer.headers["location"] == "/connexion?suite=%2Flti%2Fitip%2Fcours"


def test_linked_teacher_is_known_at_the_next_launch_without_an_account(app: App, platform: LtiTestPlatform):
    browser = linked_browser(app, platform)
    assert "Ce cours vous reconnaît" in browser.get(COURSE).text
    assert browser.get("/gestion/itip").status_code == 401
    assert browser.get("/compte").status_code == 401


def test_the_email_about_a_linked_course_does_not_state_that_it_opens_the_account(
    app: App, platform: LtiTestPlatform
):
    linked_browser(app, platform)
    last_letter(app)
    letter = app.letters.letters[-1].text
    assert "ouvre votre compte ici" not in letter
    assert "Il n’ouvre pas votre compte." in letter


def test_person_of_another_campus_links_nothing(app: App, platform: LtiTestPlatform):
    browser = app.client(app.stranger)
    platform.launch(browser)
    assert send(browser, f"{COURSE}/relier", seen_on=COURSE).status_code == 403


@pytest.mark.parametrize(
    "role",
    [
        LEARNER,
        f"{COURSE_ROLE}Learner",
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor",
    ],
)
def test_learner_of_the_course_links_nothing(app: App, platform: LtiTestPlatform, role: str):
    browser = app.client(app.trainer)
    platform.launch(browser, subject="eleve-1", roles=(role,))
    page = browser.get(COURSE).text
    assert "Relier votre compte" not in page
    assert "Voir mes badges" in page
    assert send(browser, f"{COURSE}/relier", seen_on="/verifier").status_code == 403


def test_learner_role_of_a_linked_teacher_does_not_teach(app: App, platform: LtiTestPlatform):
    linked_browser(app, platform)
    browser = app.client()
    platform.launch(browser, roles=(LEARNER,))
    data = {"activite": "nouvelle"}
    assert send(browser, f"{COURSE}/activite", data, seen_on="/verifier").status_code == 403


def test_account_of_the_course_is_linked_to_one_person(app: App, platform: LtiTestPlatform):
    linked_browser(app, platform)
    browser = app.client(app.admin)
    platform.launch(browser)
    assert send(browser, f"{COURSE}/relier", seen_on="/verifier").status_code == 409


def test_person_who_left_the_campus_does_nothing_more(app: App, platform: LtiTestPlatform):
    browser = linked_browser(app, platform)
    with app.unit_of_work() as services:
        for membership, _ in services.people.people.memberships_of(app.trainer.id):
            membership.until = app.clock()
    assert (
        send(browser, f"{COURSE}/activite", {"activite": "nouvelle"}, seen_on="/verifier").status_code == 403
    )


def test_link_ends_with_a_click(app: App, platform: LtiTestPlatform):
    browser = linked_browser(app, platform)
    assert send(browser, f"{COURSE}/delier", seen_on=COURSE).status_code == 303
    assert browser.get(COURSE).status_code == 401
    platform.launch(browser)
    assert "Relier votre compte" in browser.get(COURSE).text


def test_person_sees_and_ends_the_link_in_their_account(app: App, platform: LtiTestPlatform):
    browser = linked_browser(app, platform)
    assert "Des cours vous reconnaissent" in last_letter(app)
    account = app.client(app.trainer)
    (path,) = re.findall(r'action="(/compte/cours/[^"]+/delier)"', account.get("/compte").text)
    other = app.client(app.admin)
    assert "/compte/cours/" not in other.get("/compte").text
    assert send(other, path, seen_on="/compte").status_code == 404
    done = send(account, path, seen_on="/compte")
    assert done.status_code == 303
    said = account.get(done.headers["location"]).text
    assert "ce cours ne vous reconnaît plus" in said
    assert "déconnectés" not in said, "neither this account nor another browser was signed out"
    assert "Des cours ne vous reconnaissent plus" in last_letter(app)
    assert browser.get(COURSE).status_code == 401
    platform.launch(browser)
    assert "Relier votre compte" in browser.get(COURSE).text


@pytest.mark.parametrize("which", ["fermer-les-autres", "fermer-partout"])
def test_launches_end_with_the_sessions_of_the_person(app: App, platform: LtiTestPlatform, which: str):
    browser = linked_browser(app, platform)
    learner = app.client()
    platform.launch(learner, subject="eleve-1", roles=(LEARNER,))
    account = app.client(app.trainer)
    assert send(account, f"/compte/sessions/{which}", seen_on="/compte").status_code == 303
    assert browser.get(COURSE).status_code == 401
    assert learner.get(COURSE).status_code == 200


def test_removed_platform_opens_nothing_and_forgets_its_links(app: App, platform: LtiTestPlatform):
    browser = linked_browser(app, platform)
    admin = app.client(app.admin)
    with app.unit_of_work(reading=True) as services:
        (row,) = services.lti.platforms(app.campus)
    removed = send(admin, f"/gestion/itip/cours/{row.id}/retirer", seen_on="/gestion/itip/cours")
    assert removed.status_code == 303
    assert browser.get(COURSE).status_code == 401
    registered(app, platform)
    platform.launch(browser)
    assert "Relier votre compte" in browser.get(COURSE).text


def test_teaching_roles_are_those_of_the_course():
    assert teaches([TEACHER])
    assert teaches(["Instructor"])
    assert not teaches(["Mentor", f"{COURSE_ROLE}Mentor", f"{COURSE_ROLE}Learner"]), "a parent who observes"
    assert not teaches(["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"])
    assert learns([LEARNER])
    assert not learns([TEACHER])


def pressed_on(browser: TestClient, page: Response, path: str, **typed: str) -> int:
    """The status of one form of a course's page."""
    (form,) = [each for each in forms_of(page) if each.action == f"{COURSE}/{path}"]
    return form.fill(**typed).press(browser, page).status_code


def test_page_of_a_course_acts_on_no_other_course_opened_since(app: App, platform: LtiTestPlatform):
    linked_browser(app, platform)
    browser = app.client(app.trainer)
    platform.launch(browser)
    page = browser.get(COURSE)
    platform.launch(browser)
    assert pressed_on(browser, page, "activite", activite=str(app.activity.id)) == 303, "the same course"
    page, results = browser.get(COURSE), browser.get(f"{COURSE}/resultats")
    platform.launch(browser, **{f"{CLAIM}context": {"id": "c-43", "title": "Soudure"}})
    for path in ("activite", "liste", "delier"):
        assert pressed_on(browser, page, path) == 409, path
    assert pressed_on(browser, results, "resultats") == 409
    assert f'value="{app.activity.id}" selected' not in browser.get(COURSE).text


def test_a_badge_goes_only_to_the_course_of_the_current_launch(app: App, platform: LtiTestPlatform):
    linked_browser(app, platform)
    browser = app.client(app.trainer)
    pages = []
    for data in ("opaque-7", "opaque-8"):
        platform.launch(browser, **platform.deep_linking(data=data))
        pages.append(browser.get(COURSE))
    assert [pressed_on(browser, page, "badge") for page in pages] == [409, 200]


@pytest.mark.parametrize("host", ["localhost.ailleurs.exemple", "localhost@ailleurs.exemple"])
def test_badge_returns_to_no_host_that_only_begins_like_this_machine(
    app: App, platform: LtiTestPlatform, host: str
):
    result = platform.deep_linking(deep_link_return_url=f"http://{host}/return")
    assert platform.launch(app.client(), **result).status_code == 401
