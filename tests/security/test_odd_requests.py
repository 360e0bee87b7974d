"""Malformed requests never cause a server error, on both engines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date

import pytest
from annotated_types import Le, Lt
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from app.domain.campus.campus import Label
from app.domain.campus.signed_terms import LabelCategory
from app.domain.people import check_name
from app.domain.trust import label_period
from app.errors import InvalidInput
from app.services.publishing.catalogue import enrolment_link
from app.web.badges.modules import ModuleForm
from tests.app.api import clients
from tests.support.app import App, send

pytestmark = pytest.mark.both_engines

NOBODY = uuid.uuid4()


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


ODD_ADDRESSES = [
    "/campus/%00",
    "/campus/" + "a" * 500,
    "/couleurs/%00.css",
    "/recevoir/%00.x",
    "/gestion/%00",
    "/gestion/itip/activites?q=%00",
    "/gestion/itip/activites?q=%25",
    "/gestion/itip/attributions?badge=%00&avant=%00",
    "/gestion/itip/attributions?avant=00010101T000000.00000000-0000-0000-0000-000000000000",
    f"/badges/{NOBODY}/v99999999999999999999",
    f"/badges/{NOBODY}/v" + "9" * 5000,
    f"/badges/{NOBODY}/v0",
    "/verifier?lien=%00",
    "/verifier?lien=http://[",
    "/verifier?lien=http://localhost:8000/attributions/------------------------------------",
    "/connexion?suite=/%00",
    "/langue/%00",
    "/static/%00",
    "/reseau/%00",
    "/reseau/a%00b/rapport",
    "/gestion/itip/competences/nouvelle?referentiel=%00",
    "/gestion/itip/rapport/annuel/999999999999",
    "/gestion/itip/rapport/annuel/99999999999-99",
    "/gestion/itip/rapport/annuel/" + "9" * 400,
]


def test_odd_urls_cause_no_server_error(app: App, trainer: TestClient):
    for path in ODD_ADDRESSES:
        for accept in ("text/html", "*/*"):
            assert trainer.get(path, headers={"accept": accept}).status_code < 500, path


@pytest.mark.parametrize(
    "link", ["http://[", "https://[::1", "https://a\u2100b.example/", "http://]/attributions/"]
)
def test_invalid_links_cause_no_server_error(app: App, trainer: TestClient, link: str):
    assert send(trainer, "/verifier", {"lien": link}).status_code < 500
    assert trainer.post("/api/v1/verify", json={"url": link}).status_code < 500


@pytest.mark.parametrize("address", ["https://[", "did:web:[", "https://a\u2100b.example/k"])
def test_a_badge_with_invalid_urls_causes_no_server_error(app: App, trainer: TestClient, address: str):
    """Its key, issuer and status list have such a URL."""
    award_id = app.award("MARTIN Zoé; zoe@exemple.fr").lines[0].award_id
    assert award_id
    with app.unit_of_work(reading=True) as services:
        badge = services.publication.award_file(services.awards.record(award_id), "json").body.decode()
    for ours in (app.campus.did, "http://localhost:8000"):
        answer = trainer.post("/api/v1/verify", content=badge.replace(ours, address))
        assert answer.status_code < 500


def test_null_characters_are_removed(app: App, trainer: TestClient):
    fields = {
        "type": "workshop", "titre": "Ate\x00lier", "debut": "2026-11-24", "lieu": "\x00", "public": "\x00",
    }  # fmt: skip
    made = send(trainer, "/gestion/itip/activites/nouvelle", fields)
    assert made.status_code == 303
    shown = trainer.get(made.headers["location"]).text
    assert "Atelier" in shown
    assert "\x00" not in shown


def test_a_campus_listed_twice_is_invited_once(app: App, trainer: TestClient):
    fields = {"titre": "Atelier commun", "debut": "2026-11-24", "campus": ["agt", "agt", "itip"]}
    made = send(trainer, "/gestion/itip/activites/nouvelle", fields)
    assert made.status_code == 303
    with app.unit_of_work(reading=True) as services:
        activity_id = uuid.UUID(made.headers["location"].rpartition("/")[2])
        found = services.activities.page(app.campus, activity_id)
        asked = services.activity_plans.asked(app.other_campus)
    assert [campus.slug for campus in found.campuses] == ["itip"]
    assert len(asked) == 1


def test_a_name_that_is_too_long_after_normalisation_is_refused(app: App, trainer: TestClient):
    """One Arabic ligature normalises to eighteen letters."""
    page = f"/gestion/itip/activites/{app.activity.id}"
    result = send(trainer, f"{page}/participants", {"liste": f"{'ﷺ' * 100}; a@exemple.fr"}, seen_on=page)
    assert "1 ligne à vérifier" in result.text.replace("\u00a0", " ")
    with pytest.raises(InvalidInput, match="trop long"):
        check_name("", "ﷺ" * 100)


def _numbers(dependant: Dependant) -> Iterator[tuple[str, ModelField]]:
    yield from ((each.alias, each) for each in (*dependant.query_params, *dependant.path_params))
    for below in dependant.dependencies:
        yield from _numbers(below)


def test_every_integer_parameter_has_an_upper_bound(app: App):
    unbounded = {
        (each.path, alias)
        for each in iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
        if (dependant := getattr(each, "dependant", None)) is not None
        for alias, field in _numbers(dependant)
        if field.field_info.annotation is int
        and not any(isinstance(bound, Le | Lt) for bound in field.field_info.metadata)
    }
    assert unbounded == {("/ims/ob/v3p0/credentials", "limit")}, (
        "clamped, because the standard defines no maximum"
    )


FAR_DAYS = ("0001-01-01", "9999-12-31", "9999-12-30")


def test_the_first_and_last_days_of_the_calendar_cause_no_server_error(app: App):
    award_id = app.award("MARTIN Zoé; zoe@exemple.fr").lines[0].award_id
    admin = app.client(app.admin)
    page = f"/gestion/itip/attributions/{award_id}"
    for day in FAR_DAYS:
        form = {"motif": "Le temps de vérifier.", "jusquau": day}
        assert send(admin, f"{page}/suspendre", form, seen_on=page).status_code == 422, day
        label = Label(
            category=LabelCategory.STANDARD,
            starts_on=date.fromisoformat(day),
            ends_on=date.fromisoformat(day),
        )
        assert label_period(label)[1]


def test_an_invalid_idempotency_key_causes_no_server_error(app: App, trainer: TestClient):
    page = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    form = {
        "badge": str(app.presence.badge.id), "qui": "liste", "liste": "MARTIN Zoé; zoe@exemple.fr",
        "geste": "attribuer", "cle": "k" * 5000,
    }  # fmt: skip
    assert send(trainer, page, form).status_code < 500


ODD_NUMBERS = ("²", "9" * 20, "9" * 5000, "-1", "1e9", "nan", "\u0663")


def test_odd_numbers_in_forms_cause_no_server_error(app: App, trainer: TestClient):
    admin = app.client(app.admin)
    for odd in ODD_NUMBERS:
        answers = (
            send(admin, "/gestion/itip/activites/nouvelle",
                 {"titre": "Atelier", "debut": "2026-11-24", "heure-debut": odd, "heure-fin": f"12:{odd}"}),
            send(admin, "/gestion/itip/equipe/invitations",
                 {"adresse": "neuf@exemple.fr", "role": "trainer", "jours": odd}, seen_on="/gestion/itip/equipe"),
            send(trainer, "/gestion/itip/rapport/activites", {"debut": odd}, seen_on="/gestion/itip/rapport/activites"),
            send(trainer, f"/mes-badges/parcours/{NOBODY}/version", {"version": odd}, seen_on="/mes-badges"),
        )  # fmt: skip
        assert [each.status_code for each in answers if each.status_code >= 500] == [], odd[:20]
        form = ModuleForm("Module", "", "", "1", "", {str(NOBODY): odd})
        assert form.text().competencies == {NOBODY: 3 if odd == "\u0663" else None}


def test_null_characters_in_api_filters_cause_no_server_error(app: App):
    program = clients.program(app)
    for path in ("activities?external_id=%00", "people?external_id=a%00", "external-ids/people/%00"):
        assert program.get(f"{clients.V1}/{path}").status_code < 500, path


def test_an_invalid_origin_is_refused(app: App):
    browser = app.client()
    for origin in ("http://[", "http://a]", "http://a\u2100b.example".encode()):
        answer = browser.post("/verifier", data={"lien": "x"}, headers={"origin": origin})
        assert answer.status_code == 403, origin


def test_an_invalid_enrolment_link_is_refused():
    for link in ("http://[", "https://[::1", "https://"):
        with pytest.raises(InvalidInput):
            enrolment_link(link)
    assert enrolment_link("https://exemple.fr/inscription") == "https://exemple.fr/inscription"
