"""The learner's journey in a real browser: the private link, one button, the files, and the say in who sees it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.domain.badges import BadgeKind
from app.services.badges import Wording
from sceau_credentials.baking import unbake
from sceau_credentials.package import open_package
from tests.support.app import COMMAND
from tests.support.open_app import OpenApp, open_app
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)

__all__ = ["open_app"]
pytestmark = pytest.mark.browser

ZOE = "Zoé N’Diaye; zoe@exemple.fr"


MOST_PIXELS, MOST_CONTROLS = 2_400, 14
_CONTROLS = """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")]
  .filter((each) => each.checkVisibility() && each.type !== "hidden").length"""


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desk"])
def test_from_the_link_to_the_world_and_back(open_app: OpenApp, open_page: OpenPage, window):
    given = open_app.award(ZOE)
    learner, employer = open_page(window), open_page(window)
    learner.goto(given.private_link)
    assert "recevoir" not in learner.url, "the secret left the address bar"
    expect(learner.get_by_role("heading", level=1)).to_have_text("Robotique pour tous")
    expect(learner.get_by_text("Zoé, ce badge est à vous")).to_be_visible()
    assert_accessible(learner)
    assert_no_sideways_scroll(learner)
    employer.goto(given.page)
    expect(employer.get_by_role("heading", level=1)).to_have_text("Page fermée par son titulaire")

    learner.get_by_role("link", name="Montrer").click()
    expect(learner.get_by_role("region", name="Une fois la page ouverte")).to_contain_text("Zoé N’Diaye")
    expect(learner.get_by_text("Authentique")).to_have_count(0)
    assert_accessible(learner)
    learner.get_by_role("button", name="Ouvrir la page").click()
    expect(learner.get_by_role("status").first).to_contain_text("La page est ouverte")
    expect(learner.get_by_text("Visible par toute personne qui a le lien")).to_be_visible()
    assert_accessible(learner)
    learner.get_by_role("link", name="Partager").click()
    link = learner.get_by_label("Adresse courte").input_value()
    employer.goto(f"http://{link}")
    expect(employer.get_by_role("heading", level=1)).to_have_text("Authentique, en cours de validité")

    learner.get_by_role("link", name="Revenir au badge").click()
    learner.get_by_role("link", name="Refermer").click()
    learner.get_by_role("button", name="Fermer la page").click()
    employer.reload()
    expect(employer.get_by_role("heading", level=1)).to_have_text("Page fermée par son titulaire")


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
def test_own_badge_fits_a_phone(open_app: OpenApp, open_page: OpenPage, is_open: bool):
    given = open_app.award(ZOE, is_open=is_open)
    learner = open_page(PHONE)
    learner.goto(given.private_link)
    assert learner.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS
    assert learner.evaluate(_CONTROLS) <= MOST_CONTROLS
    for name in ("Refermer" if is_open else "Montrer", "Partager", "Télécharger", "Confidentialité"):
        box = learner.get_by_role("link", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"], f"{name} is below the first screen"
    expect(learner.get_by_text("Authentique")).to_have_count(0)


LONG_TITLE = "Concevoir, régler et entretenir une cellule robotisée de soudage en équipe"
LONG_REASON = ("Deux relevés de la bride de maintien ne concordent pas avec ceux de l’atelier. " * 6).strip()
DAY = timedelta(days=1)


@pytest.mark.parametrize("visitor_locale", ["fr-FR", "en-GB", "es-ES"])
@pytest.mark.parametrize("state", ["valid", "suspended", "withdrawn", "expired", "renewed"])
def test_own_badge_in_every_state_has_its_actions_on_a_phone_s_first_screen(
    open_app: OpenApp, open_page: OpenPage, state: str
):
    """With a long title, and the longest reason that a campus can write."""
    app = open_app.app
    with app.unit_of_work() as services:
        wording = Wording(
            BadgeKind.PARTICIPATION, LONG_TITLE, "Tient la cellule.", "La personne a tenu la cellule.",
            validity_days=30,
        )  # fmt: skip
        badge = services.badges.create(app.campus, wording, slug="cellule", by=COMMAND)
    given = open_app.award(ZOE, is_open=True, badge=badge)
    award_id = uuid.UUID(given.page.rpartition("/")[2])
    if state in ("expired", "renewed"):
        app.clock.now += 29 * DAY
    with app.unit_of_work() as services:
        if state == "suspended":
            until = app.clock() + 5 * DAY
            services.suspensions.suspend(app.campus, award_id, LONG_REASON, until=until, by=COMMAND)
        elif state == "withdrawn":
            services.awards.revoke(app.campus, award_id, LONG_REASON, by=COMMAND)
        elif state == "renewed":
            services.awards.renew_held(app.campus, award_id, "Geste refait devant le jury.", by=COMMAND)
    if state == "expired":
        app.clock.now += 3 * DAY
    learner = open_page(PHONE)
    learner.goto(given.private_link)
    assert learner.locator(".own .ended").count() == (state in ("suspended", "withdrawn", "expired"))
    assert learner.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS
    assert learner.evaluate(_CONTROLS) <= MOST_CONTROLS
    actions = learner.locator("nav.acts a").all()
    assert len(actions) == 4
    for each in actions:
        box = each.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"], each.inner_text()


@pytest.mark.parametrize("javascript", [False, True])
def test_share_panel_offers_each_way_with_and_without_scripts(
    open_app: OpenApp, open_page: OpenPage, javascript: bool
):
    given = open_app.award(ZOE, is_open=True)
    learner = open_page(PHONE)
    learner.add_init_script("navigator.share = (data) => { window.shared = data; return Promise.resolve(); }")
    learner.goto(given.private_link)
    learner.get_by_role("link", name="Partager").click()
    for way in ("Image pour le CV", "Ligne pour le CV", "LinkedIn, sur le profil", "LinkedIn, une publication",
                "Sur un site", "Europass"):  # fmt: skip
        expect(learner.locator("summary").filter(has_text=way)).to_be_visible()
    mail = learner.get_by_role("link", name="Par e-mail").get_attribute("href")
    assert mail.startswith("mailto:?subject=Badge%20")
    device = learner.get_by_role("button", name="Partager avec cet appareil")
    if javascript:
        device.click()
        assert learner.evaluate("window.shared.url") == given.page
    else:
        expect(device).to_be_hidden()
    learner.get_by_role("link", name="Code QR en plein écran").click()
    expect(learner.get_by_role("img", name="Code QR de la page")).to_be_visible()
    if javascript:
        assert_accessible(learner)


@pytest.mark.parametrize("javascript", [False, True])
def test_the_files_come_down_with_or_without_scripts(
    open_app: OpenApp, open_page: OpenPage, javascript: bool
):
    given = open_app.award(ZOE)
    learner = open_page(PHONE)
    learner.goto(given.private_link)
    learner.get_by_role("link", name="Télécharger").click()
    links = learner.locator("main a[download]")
    expect(links).to_have_count(6)
    got = {}
    for number in range(6):
        with learner.expect_download() as waiting:
            links.nth(number).click()
        got[waiting.value.suggested_filename] = waiting.value.path().read_bytes()
    package = next(got.pop(name) for name in list(got) if name.endswith(".zip"))
    assert open_package(package).badge == given.files["json"]
    certificate = next(got.pop(name) for name in list(got) if name.endswith(".pdf"))
    assert unbake(certificate).text.encode() == given.files["json"]
    assert got == {f"robotique-pour-tous.{form}": body for form, body in given.files.items()}


def test_the_wish_about_the_name_is_one_tick(open_app: OpenApp, open_page: OpenPage):
    given = open_app.award(ZOE)
    learner = open_page(PHONE)
    learner.goto(given.private_link)
    learner.get_by_role("link", name="Confidentialité").click()
    fold = learner.locator("summary").filter(has_text="Mon nom dans les prochains badges")
    fold.click()
    wish = learner.get_by_label("Écrire mon nom dans les badges que je recevrai")
    expect(wish).to_be_checked()
    wish.uncheck()
    learner.get_by_role("button", name="Enregistrer").click()
    expect(learner.get_by_role("status").first).to_contain_text("C’est noté")
    fold.click()
    expect(learner.get_by_label("Écrire mon nom dans les badges que je recevrai")).not_to_be_checked()


def test_back_to_a_refused_code_shows_the_form_again(open_app: OpenApp, page_phone: Page) -> None:
    page_phone.goto(open_app.url("/recuperer"))
    page_phone.locator("input[name=code]").fill("AAAA-BBBB")
    page_phone.get_by_role("button", name="Recevoir mon badge").click()
    expect(page_phone.locator("#code-erreur")).to_contain_text("Relisez-le signe par signe")

    page_phone.get_by_role("link", name="Aide", exact=True).click()
    expect(page_phone.get_by_role("heading", level=1)).to_have_text("Aide")
    page_phone.go_back()

    expect(page_phone.get_by_role("button", name="Recevoir mon badge")).to_be_visible()
