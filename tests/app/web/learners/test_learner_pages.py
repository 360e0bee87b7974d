"""The learner's pages: the private link and its limits, opening, closing, downloading."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
import zxingcpp
from fastapi.testclient import TestClient
from lxml import html
from PIL import Image

from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Visibility
from app.domain.badges import Repeat
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup
from app.domain.publishing import short_code
from app.services.awards.awards import AwardRequest
from sceau_credentials.baking import unbake
from tests.support.app import App, listed, send

ZOE, LEO = "Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr"


@pytest.fixture
def result(app: App):
    return app.award(ZOE, LEO)


@pytest.fixture
def zoe(app: App, result) -> TestClient:
    """Zoé's browser, after she opened her private link."""
    client = app.client()
    client.get(app.private_link(result, 0))
    return client


def page_of(result, position: int = 0) -> str:
    return f"/mes-badges/{result.lines[position].award_id}"


def test_the_private_link_leaves_the_address_bar_and_works_again(app: App, result):
    link = app.private_link(result)
    for client in (app.client(), app.client()):
        for _ in range(2):
            answer = client.get(link)
            assert (answer.status_code, answer.headers["location"]) == (303, page_of(result))
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert client.get(page_of(result)).status_code == 200


def test_the_page_shows_the_content_of_the_badge_and_its_signer(zoe: TestClient, result):
    page = zoe.get(page_of(result)).text
    assert "Zoé, ce badge est à vous" in page
    for said in ("Ce qu’il dit", "devant la personne qui l’animait", "Atelier robotique", "Industrie"):
        assert said in page
    assert "Authentique" not in page
    assert "Visible par vous uniquement" in page


def test_a_link_opens_one_badge_and_no_other(app: App, zoe: TestClient, result):
    assert zoe.get(page_of(result, 1)).status_code == 401
    for form in ("png", "svg", "json", "jwt"):
        assert zoe.get(f"{page_of(result, 1)}/badge.{form}").status_code == 401
    answer = send(zoe, f"{page_of(result, 1)}/visibilite", {"vue": "ouvert"}, seen_on=page_of(result))
    assert answer.status_code == 401
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(result.lines[1].award_id).award.visibility is Visibility.CLOSED


@pytest.mark.parametrize("cut", [slice(None, -1), slice(0, 36), slice(5, None)])
def test_an_incomplete_link_opens_nothing(app: App, result, cut: slice):
    token = app.private_link(result).removeprefix("/recevoir/")
    answer = app.client().get("/recevoir/" + token[cut])
    assert answer.status_code == 404
    assert "Ce lien n’ouvre aucun badge" in answer.text


def test_opening_and_closing_are_one_button_each(app: App, zoe: TestClient, result):
    public = f"/attributions/{result.lines[0].award_id}"
    employer = app.client()
    assert employer.get(public).status_code == 403
    answer = send(zoe, page_of(result) + "/visibilite", {"vue": "ouvert"}, seen_on=page_of(result))
    assert answer.status_code == 303
    assert "La page est ouverte" in zoe.get(answer.headers["location"]).text
    assert employer.get(public).status_code == 200
    send(zoe, page_of(result) + "/visibilite", {"vue": "ferme"}, seen_on=page_of(result))
    assert employer.get(public).status_code == 403


@pytest.mark.parametrize("form", ["png", "svg", "json", "jwt"])
def test_the_files_are_the_stored_badge_and_are_served_while_the_page_is_closed(
    app: App, zoe: TestClient, result, form: str
):
    answer = zoe.get(f"{page_of(result)}/badge.{form}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="robotique-pour-tous.{form}"'
    assert answer.headers["cache-control"] == "no-store"
    with app.unit_of_work(reading=True) as services:
        stored = services.awards.awards.document_of(result.lines[0].award_id)
    inside = unbake(answer.content).text if form in ("png", "svg") else answer.text
    assert inside == (stored.token if form == "jwt" else stored.embedded.decode())


def test_the_choice_to_leave_out_the_name_applies_to_later_badges(app: App, zoe: TestClient, result):
    send(zoe, page_of(result) + "/nom", {}, seen_on=page_of(result))
    assert (
        "checked"
        not in re.findall(
            r'<input type="checkbox" name="nom"[^>]*>', zoe.get(f"{page_of(result)}/confidentialite").text
        )[0]
    )
    second = app.award(ZOE, badge=app.role, evidence="A tenu le stand.")
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(second.lines[0].award_id).award.holder_name is None
        assert services.awards.record(result.lines[0].award_id).award.holder_name == "Zoé N’Diaye"


def test_the_reason_of_a_withdrawal_is_shown_to_the_holder(app: App, zoe: TestClient, result):
    with app.unit_of_work() as services:
        services.awards.revoke(
            app.campus, result.lines[0].award_id, "Erreur de séance.", by=Actor(app.admin.id)
        )
    page = zoe.get(page_of(result)).text
    assert "Erreur de séance." in page
    assert "reste valable" not in page
    assert zoe.get(f"{page_of(result)}/partager/cv.png").status_code == 410


def test_a_suspended_badge_is_marked_where_it_is_shared_and_downloaded(app: App, zoe: TestClient, result):
    with app.unit_of_work() as services:
        until = app.clock.now + timedelta(days=30)
        award_id = result.lines[0].award_id
        services.suspensions.suspend(app.campus, award_id, "À vérifier.", until=until, by=Actor(app.admin.id))
    for panel in ("", "/partager", "/telecharger"):
        page = zoe.get(f"{page_of(result)}{panel}").text
        assert "a suspendu ce badge jusqu’au" in page, panel


def test_several_links_fill_my_badges_and_one_button_empties_it(app: App, zoe: TestClient, result):
    second = app.award(ZOE, badge=app.role, evidence="A tenu le stand.")
    zoe.get(app.private_link(second))
    shelf = zoe.get("/mes-badges").text
    assert page_of(result) in shelf
    assert page_of(second) in shelf
    send(zoe, "/mes-badges/quitter", seen_on="/mes-badges")
    assert "Aucun badge n’est ouvert dans ce navigateur" in zoe.get("/mes-badges").text
    assert zoe.get(page_of(result)).status_code == 401


def test_two_badges_of_one_title_are_distinguished_in_the_list_and_in_what_is_to_do(
    app: App, zoe: TestClient, result
) -> None:
    assert "Atelier robotique" not in zoe.get("/mes-badges").text
    with app.unit_of_work() as services:
        services.stores.badges.get(app.presence.badge.id).repeat = Repeat.ONCE_PER_ACTIVITY
        other = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Robots du samedi",
            starts_on=date(2026, 11, 20),
            ends_on=date(2026, 11, 20),
        )
        services.activities.create(other, [app.campus], by=Actor(app.trainer.id))
        request = AwardRequest(app.presence.badge.id, other.id, lines=listed(ZOE))
        again = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
    zoe.get(app.private_link(again))
    page = html.fromstring(zoe.get("/mes-badges").text)
    arrived = [each.text_content() for each in page.xpath("//main//li[contains(., 'est arrivé')]")]
    assert len(set(arrived)) == len(arrived) == 2
    for words in ("Robots du samedi", "Atelier robotique"):
        assert len([each for each in arrived if f"Robotique pour tous, {words}, 24" in each]) == 1
        assert page.xpath(f"//h3/a[contains(., '{words}')]")


def test_without_a_link_my_badges_explains_where_to_find_one(app: App):
    page = app.client().get("/mes-badges").text
    assert "lien privé que le campus vous a donné" in page


def test_a_trainer_who_opens_a_learner_s_link_stays_signed_in(app: App, result):
    trainer = app.client(app.trainer)
    trainer.get(app.private_link(result))
    assert trainer.get(page_of(result)).status_code == 200
    assert trainer.get("/gestion").status_code in (200, 303)


def test_a_day_later_the_link_is_needed_again(app: App, zoe: TestClient, result):
    app.clock.move(hours=25)
    assert zoe.get(page_of(result)).status_code == 401
    assert "ouvrez le lien privé" in zoe.get(page_of(result)).text
    zoe.get(app.private_link(result))
    assert zoe.get(page_of(result)).status_code == 200


def test_cv_picture_has_its_size_on_paper_and_a_code_readable_at_three_centimetres(zoe: TestClient, result):
    answer = zoe.get(f"{page_of(result)}/partager/cv.png")
    picture = Image.open(BytesIO(answer.content))
    assert [round(each) for each in picture.info["dpi"]] == [300, 300]
    millimetres = [side / 300 * 25.4 for side in picture.size]
    assert millimetres == pytest.approx([76, 38], abs=0.1)
    three_centimetres = 30 / 25.4 * 300 / picture.height
    small = picture.convert("L").resize([round(side * three_centimetres) for side in picture.size])
    (code,) = zxingcpp.read_barcodes(small, formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text.rpartition("/")[2] == short_code(result.lines[0].award_id)


@pytest.mark.parametrize("panel", ["montrer", "partager", "partager/code", "telecharger", "confidentialite"])
def test_each_action_is_for_the_holder_only_and_gives_no_verdict(
    app: App, zoe: TestClient, result, panel: str
):
    page = zoe.get(f"{page_of(result)}/{panel}")
    assert page.status_code == 200
    assert "Authentique" not in page.text
    assert app.client().get(f"{page_of(result)}/{panel}").status_code == 401
    assert zoe.get(f"{page_of(result, 1)}/{panel}").status_code == 401


def test_each_file_states_its_purpose(zoe: TestClient, result):
    page = zoe.get(f"{page_of(result)}/telecharger").text
    for use in ("Pour le CV et l’imprimante", "À montrer, à joindre", "nette à toutes les tailles",
                "Pour un portefeuille numérique", "pour le vérifier plus tard sans réseau"):  # fmt: skip
        assert use in page


def test_a_withdrawn_badge_offers_no_image_for_a_cv_and_is_named_as_withdrawn(
    app: App, zoe: TestClient, result
):
    here = page_of(result)
    assert "Image pour le CV" in zoe.get(f"{here}/partager").text
    with app.unit_of_work() as services:
        services.awards.revoke(
            app.campus, result.lines[0].award_id, "Erreur de séance.", by=Actor(app.admin.id)
        )
    assert f'class="btn alt" href="{here}/montrer"' in zoe.get(here).text
    for page in (zoe.get(f"{here}/partager").text, zoe.get(f"{here}/telecharger").text):
        assert "Le campus a retiré ce badge" in page
        assert "pour le CV" not in page


def set_age(app: App, result, group: AgeGroup) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(result.lines[0].award_id).person
        services.age_bands.set_group(person, group, by=Actor.command("tests"))


VOUS = re.compile(r"\b(vous|votre|vos|vôtre|\w+ez)\b", re.IGNORECASE)


@pytest.mark.parametrize("path", ["", "/journal", "/confidentialite"])
def test_the_page_of_a_child_uses_one_form_of_address(app: App, zoe: TestClient, result, path: str):
    set_age(app, result, AgeGroup.UNDER_15)
    with app.unit_of_work() as services:
        services.awards.revoke(
            app.campus, result.lines[0].award_id, "Erreur de séance.", by=Actor(app.admin.id)
        )
    shown = re.search(r"(?s)<main.*?</main>", zoe.get(page_of(result) + path).text)
    assert shown
    words = re.sub(r"<[^>]+>", " ", shown[0])
    assert VOUS.findall(words) in ([], ["assez"]), words


def test_before_18_the_page_offers_neither_full_reading_nor_a_name(app: App, zoe: TestClient, result):
    adult = zoe.get(page_of(result) + "/confidentialite").text
    assert "un résumé, ou tout" in adult
    assert "quel que soit le réglage" not in adult
    set_age(app, result, AgeGroup.FROM_15)
    young = app.award(ZOE, badge=app.role, evidence="A tenu le stand.")
    zoe.get(app.private_link(young))
    shown = zoe.get(page_of(young) + "/confidentialite").text.replace("\xa0", " ")
    assert "un résumé, ou tout" not in shown
    assert "un badge est donné sans nom, quel que soit le réglage" in shown
    assert "pas avant 18 ans" in shown
