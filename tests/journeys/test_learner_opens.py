"""The learner's journey in a real browser: the private link, one button, the files, and the say in who sees it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sceau_credentials.baking import unbake
from sceau_credentials.package import open_package
from tests.support.open_house import OpenHouse, open_house
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)

__all__ = ["open_house"]
pytestmark = pytest.mark.browser

ZOE = "Zoé N’Diaye; zoe@exemple.fr"


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desk"])
def test_from_the_link_to_the_world_and_back(open_house: OpenHouse, open_page: OpenPage, window):
    given = open_house.award(ZOE)
    learner, employer = open_page(window), open_page(window)
    learner.goto(given.private_link)
    assert "recevoir" not in learner.url, "the secret left the address bar"
    expect(learner.get_by_role("heading", level=1)).to_have_text("Zoé, ce badge est à vous")
    assert_accessible(learner)
    assert_no_sideways_scroll(learner)
    employer.goto(given.page)
    expect(employer.get_by_role("heading", level=1)).to_have_text("Page fermée par son titulaire")

    learner.get_by_role("button", name="Ouvrir la page").click()
    expect(learner.get_by_role("status").first).to_contain_text("La page est ouverte")
    assert_accessible(learner)
    link = learner.get_by_label("Adresse de la page").input_value()
    employer.goto(link)
    expect(employer.get_by_role("heading", level=1)).to_have_text("Authentique, en cours de validité")

    learner.get_by_role("button", name="Fermer la page").click()
    employer.reload()
    expect(employer.get_by_role("heading", level=1)).to_have_text("Page fermée par son titulaire")


@pytest.mark.parametrize("javascript", [False, True])
def test_the_files_come_down_with_or_without_scripts(
    open_house: OpenHouse, open_page: OpenPage, javascript: bool
):
    given = open_house.award(ZOE)
    learner = open_page(PHONE)
    learner.goto(given.private_link)
    copying = learner.get_by_role("button", name="Copier le lien")
    expect(copying).to_have_count(1 if javascript else 0)
    links = learner.get_by_role("link", name="Télécharger")
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


def test_the_wish_about_the_name_is_one_tick(open_house: OpenHouse, open_page: OpenPage):
    given = open_house.award(ZOE)
    learner = open_page(PHONE)
    learner.goto(given.private_link)
    wish = learner.get_by_label("Écrire mon nom dans les badges que je recevrai")
    expect(wish).to_be_checked()
    wish.uncheck()
    learner.get_by_role("button", name="Enregistrer").click()
    expect(learner.get_by_role("status").first).to_contain_text("C’est noté")
    expect(learner.get_by_label("Écrire mon nom dans les badges que je recevrai")).not_to_be_checked()
