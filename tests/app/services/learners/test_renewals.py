"""A badge that expires: its holder is reminded, asks, and gets the renewed one at the same address; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest

from app.adapters.mail import SmtpMailer
from app.domain.awards import Award, NewerDocument, last_moment, may_renew
from app.domain.badges import BadgeKind
from app.errors import Conflict
from app.language import day
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.learners.requests import RequestOutcome
from app.services.verification.verdicts import HeadlineKind, headline
from sceau_credentials.values import JsonObject, format_timestamp, parse_json_object
from tests.app.cli.conftest import Operator
from tests.app.services.activity_log.test_integrity import checked
from tests.app.services.learners.test_requests import accepting, agree, asked, request_of, reviewer
from tests.support.app import COMMAND, App, listed
from tests.support.app import send as post
from tests.support.letters import text_in
from tests.support.servers.post_office import PostOffice

ZOE = "Zoé Martin;zoe@exemple.fr"
ASKS = RequestOutcome("Zoé", "Martin", "zoe@exemple.fr", "J’ai tenu le poste trois fois cette année.")
DAYS = 90


@pytest.fixture
def office(app: App) -> Iterator[PostOffice]:
    office = PostOffice()
    office.start()
    app.process.mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="sceau@exemple.fr")
    yield office
    app.process.mailer.close()
    office.stop()


@pytest.fixture
def award_id(app: App, office: PostOffice) -> UUID:
    """A badge for ninety days, announced by e-mail."""
    with app.unit_of_work() as services:
        wording = Wording(
            BadgeKind.ENGAGEMENT, "Secours", "Tient le poste.", "La personne a tenu le poste de secours.",
            validity_days=DAYS,
        )  # fmt: skip
        badge = services.badges.create(app.campus, wording, slug="secours", by=COMMAND)
    accepting(app, badge.badge.id)
    return award(app, badge.badge.id)


def award(app: App, badge_id: UUID) -> UUID:
    request = AwardRequest(
        badge_id, app.activity.id, lines=listed(ZOE), evidence="A tenu le poste de secours."
    )
    with app.unit_of_work() as services:
        (line,) = services.awards.award(app.campus, request, by=COMMAND).lines
    assert line.award_id
    app.clock.move(minutes=10)
    send(app)
    return line.award_id


def send(app: App) -> None:
    for envelope in app.process.post.due():
        app.process.post.send(envelope)


def remind(app: App) -> None:
    with app.unit_of_work() as services:
        for campus_id in services.reminders.campuses_due():
            services.reminders.enqueue(campus_id)
    send(app)


def row(app: App, award_id: UUID) -> Award:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).award


def document(app: App, award_id: UUID) -> JsonObject:
    with app.unit_of_work(reading=True) as services:
        return parse_json_object(services.awards.awards.document_of(award_id).embedded)


def end_of(app: App, award_id: UUID) -> datetime:
    end = row(app, award_id).valid_until
    assert end
    return end


def test_reminders_leave_thirty_seven_and_one_day_before_the_end(app: App, office, award_id: UUID):
    before = len(office.received)
    left = []
    awarded_at = app.clock.now
    for passed in (*range(0, DAYS - 33, 6), *range(DAYS - 33, DAYS + 3)):
        app.clock.now = awarded_at + timedelta(days=passed)
        remind(app)
        left += [DAYS - passed] * (len(office.received) - before - len(left))
    endings = [each for each in office.received[before:] if "arrive à sa fin" in str(each["Subject"])]
    assert len(endings) == 3
    days = [each for each, message in zip(left, office.received[before:], strict=True) if message in endings]
    assert days == [30, 7, 1]
    text = text_in(endings[0])
    assert "Secours" in text
    assert "demandez son renouvellement" in text
    assert f"/recevoir/{award_id}." in text


def test_person_who_stopped_reminders_gets_none_of_an_expiry(app: App, office, award_id: UUID):
    with app.unit_of_work() as services:
        services.reminders.set_for_person(services.awards.record(award_id).person, wanted=False)
    app.clock.move(days=DAYS - 5)
    before = len(office.received)
    remind(app)
    assert len(office.received) == before


@pytest.mark.parametrize("after", [DAYS - 30, DAYS + 40])
def test_an_accepted_request_renews_the_badge_at_its_address(app: App, office, award_id: UUID, after: int):
    first, end = document(app, award_id), end_of(app, award_id)
    app.clock.move(days=after)
    agreed_at = app.clock.now
    token = asked(app, row(app, award_id).badge_id, ASKS)
    assert agree(app, token, reviewer(app, "Paul"), "A tenu le poste trois fois.")
    assert request_of(app, token).request.award_id == award_id

    renewed = row(app, award_id)
    later = end_of(app, award_id)
    assert later == last_moment(max(end, agreed_at), DAYS, app.campus.time_zone)
    assert renewed.evidence == "A tenu le poste de secours.\nA tenu le poste trois fois."
    now = document(app, award_id)
    assert (now["id"], now["awardedDate"]) == (first["id"], first["awardedDate"])
    assert now["credentialStatus"] == first["credentialStatus"]
    assert now["validUntil"] == format_timestamp(later)
    assert str(now["validFrom"]) > str(first["validFrom"])
    send(app)
    assert "est renouvelé" in str(office.received[-1]["Subject"])


@pytest.mark.both_engines
def test_old_file_leads_to_the_renewed_badge_and_stored_data_agree(app: App, office, award_id: UUID):
    with app.unit_of_work(reading=True) as services:
        old = bytes(services.awards.awards.document_of(award_id).embedded)
    app.clock.move(days=DAYS - 30)
    agree(app, asked(app, row(app, award_id).badge_id, ASKS), reviewer(app, "Paul"))
    app.clock.move(minutes=1)
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify_document(old)
        newest = services.awards.awards.document_of(award_id)
    assert isinstance(newest.row, NewerDocument)
    assert answer.replaced_at == newest.signed_at
    for days in (1, 30):  # before and after the end of the old file
        app.clock.move(days=days)
        with app.unit_of_work(reading=True) as services:
            now = headline(services.verification.verify_document(old))
        assert now.kind is HeadlineKind.RENEWED
        assert day(end_of(app, award_id)).replace("\u00a0", " ") in now.text()
        assert "à la même adresse" in now.text()
    assert checked(app) == []


@pytest.mark.parametrize(
    ("language", "title", "link"),
    [
        ("fr", "Authentique, et renouvelé depuis", "Voir la version actuelle"),
        ("en", "Genuine, and renewed since", "See the current version"),
        ("es", "Auténtica, y renovada desde entonces", "Ver la versión actual"),
    ],
)
def test_an_employer_with_the_ended_file_is_informed_of_the_renewal_by_page_api_and_command(
    app: App,
    office,
    award_id: UUID,
    language: str,
    title: str,
    link: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    """Each shows the new end of the badge and its address, which is in the file."""
    with app.unit_of_work(reading=True) as services:
        old = bytes(services.awards.awards.document_of(award_id).embedded)
    app.clock.move(days=DAYS - 30)
    agree(app, asked(app, row(app, award_id).badge_id, ASKS), reviewer(app, "Paul"))
    app.clock.move(days=31)
    until, address = format_timestamp(end_of(app, award_id)), parse_json_object(old)["id"]
    browser = app.client()
    browser.headers["accept-language"] = language

    result = browser.post("/api/v1/verify", content=old).json()
    assert (result["headline"], result["renewed_until"], result["document"]["id"]) == (title, until, address)
    assert result["replaced_at"] is not None
    assert {each["id"]: each["reason"] for each in result["checks"]}["validity"] == "expired"

    page = unescape(post(browser, "/verifier", {"texte": old.decode()}).text)
    assert title in page
    assert link in page
    assert f'href="{address}"' in page

    (tmp_path / "old.json").write_bytes(old)
    operator = Operator(monkeypatch, capfd)
    operator.sets(SCEAU_LOCALE=language)
    monkeypatch.setattr("app.cli.verify._local_process", lambda: app.process)
    said = json.loads(operator.types("verify", "--json", tmp_path / "old.json").out)
    assert (said["headline"], said["renewedUntil"]) == (title, until)
    assert said["replacedAt"]
    assert title in operator.types("verify", tmp_path / "old.json").out


def test_a_second_request_within_the_new_period_finds_the_badge_held(app: App, office, award_id: UUID):
    app.clock.move(days=DAYS - 30)
    badge_id = row(app, award_id).badge_id
    agree(app, asked(app, badge_id, ASKS), reviewer(app, "Paul"))
    assert not may_renew(row(app, award_id), days=DAYS, at=app.clock.now)
    with pytest.raises(Conflict, match="déjà ce badge"):
        asked(app, badge_id, ASKS)


def test_badge_far_from_its_end_is_not_renewed(app: App, office, award_id: UUID):
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.awards.renew(app.campus, row(app, award_id), "Encore.", by=COMMAND)


def test_a_renewed_badge_is_reminded_of_again(app: App, office, award_id: UUID):
    app.clock.move(days=DAYS - 30)
    remind(app)
    agree(app, asked(app, row(app, award_id).badge_id, ASKS), reviewer(app, "Paul"))
    send(app)
    before = len(office.received)
    app.clock.move(days=DAYS + 1)
    remind(app)
    assert [str(each["Subject"]) for each in office.received[before:]] == [
        "Votre badge « Secours » arrive à sa fin"
    ]


def test_staff_renew_a_badge_from_its_page_with_a_reason(app: App, office, award_id: UUID):
    page = f"/gestion/itip/attributions/{award_id}"
    trainer = app.client(app.trainer)
    assert "/renouveler" not in trainer.get(page).text
    app.clock.move(days=DAYS - 30)
    trainer = app.client(app.trainer)
    assert "Renouveler ce badge" in trainer.get(page).text

    refused = post(trainer, f"{page}/renouveler", {"depuis": ""}, seen_on=page)
    assert refused.status_code == 422
    assert "Dites en une phrase ce que la personne a fait depuis" in refused.text
    assert row(app, award_id).edition == 1

    done = post(trainer, f"{page}/renouveler", {"depuis": "A tenu le poste en mai."}, seen_on=page)
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert row(app, award_id).evidence.endswith("\nA tenu le poste en mai.")
    send(app)
    assert "est renouvelé" in str(office.received[-1]["Subject"])
    again = post(trainer, f"{page}/renouveler", {"depuis": "Encore une fois."}, seen_on=page)
    assert again.status_code == 409
    assert row(app, award_id).edition == 2


def test_no_later_email_goes_to_an_address_that_was_corrected(app: App, office, award_id: UUID):
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.corrections.correct(app.campus, person.id, "Zoé", "Martin", "zoe.m@exemple.fr", by=COMMAND)
    send(app)
    app.clock.move(days=DAYS - 25)
    before = len(office.received)
    remind(app)
    with app.unit_of_work() as services:
        services.awards.renew_held(app.campus, award_id, "A tenu le poste en mai.", by=COMMAND)
    send(app)
    to = {each["To"].addresses[0].addr_spec for each in office.received[before:]}
    assert to == {"zoe.m@exemple.fr"}


@pytest.mark.parametrize(
    ("passed", "said", "asks"),
    [(0, "Valable jusqu’au", False), (DAYS - 20, "Valable jusqu’au", True), (DAYS + 3, "a expiré le", True)],
)
def test_pages_of_the_holder_name_the_end_and_lead_to_asking_again(
    app: App, office, award_id: UUID, passed: int, said: str, asks: bool
):
    app.clock.move(days=passed)
    browser = app.client()
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        token = services.people.private_link_token(award_id, record.award.link_generation)
    browser.get(f"/recevoir/{token}")
    end = day(end_of(app, award_id), app.campus.time_zone)
    shown = unescape(browser.get(f"/mes-badges/{award_id}").text)
    assert f"{said} {end}" in shown
    assert (f"/badges/{record.badge.id}/demande" in shown) is asks
    is_over = said == "a expiré le"
    assert ('data-stamp="Expiré"' in shown) is is_over
    for panel in ("partager", "telecharger"):
        assert ("a expiré le" in browser.get(f"/mes-badges/{award_id}/{panel}").text) is is_over, panel
    assert (f"{said} {end}".lower() in browser.get("/mes-badges").text.lower()) is asks
