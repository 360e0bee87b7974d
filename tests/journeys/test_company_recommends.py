"""A company, or a person who worked with the learner, recommends a badge in real browsers: asked, signed or written, read, taken back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.open_app import OpenApp, open_app
from tests.support.running.examples import IS_LONG
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
BOSS = "lea.roy@atelier-roy.example"
WORDS = "Zoé règle nos robots seule depuis mars, et l’explique aux autres."


def link_in_letters(app: OpenApp, path: str, to: str) -> str:
    """Once what was promised has left: the newest link to `path` in a letter to somebody."""
    post = app.app.process.post
    for envelope in post.due():
        post.send(envelope)
    texts = [letter.text for letter in app.app.letters.letters if letter.to == to]
    found = [link for text in texts for link in re.findall(rf"\S+{path}\S+", text)]
    assert found, f"no link to {path} went to {to}"
    return str(found[-1])


def looked_at(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    if folder := os.environ.get("SCEAU_SHOTS"):
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desk"])
def test_from_the_question_to_the_employer_and_back(open_app: OpenApp, open_page: OpenPage, window):
    given = open_app.award(ZOE, is_open=True)
    learner, company, employer = open_page(window), open_page(window), open_page(window)

    learner.goto(given.private_link)
    learner.locator("summary", has_text="Recommandations").click()
    learner.get_by_role("link", name="Demander une recommandation à une entreprise").click()
    learner.get_by_label("Nom de l’entreprise").fill("Atelier Roy")
    learner.get_by_label("Adresse e-mail de la personne").fill(BOSS)
    learner.get_by_label("Un mot pour elle").fill("Vous m’avez vue régler le bras du robot.")
    looked_at(learner, "learner-asks")
    learner.get_by_role("button", name="Envoyer la demande").click()
    expect(learner.get_by_role("status")).to_contain_text("la personne reçoit un e-mail")

    company.goto(link_in_letters(open_app, "/recommander/", BOSS))
    expect(company.get_by_role("heading", level=1)).to_contain_text("Zoé N’Diaye vous demande")
    company.get_by_label("Ce que ce badge vaut pour vous").fill(WORDS)
    company.get_by_label("Votre rôle").fill("cheffe d’atelier")
    looked_at(company, "company-writes")
    company.get_by_role("button", name="Voir avant de signer").click()
    expect(company.get_by_role("heading", level=2).first).to_contain_text("Recommandé par Atelier Roy")
    looked_at(company, "company-looks")
    employer.goto(given.page)
    expect(employer.get_by_text(WORDS)).to_have_count(0)

    company.get_by_role("button", name="Signer et publier").click()
    expect(company.get_by_role("status")).to_contain_text("C’est signé")
    looked_at(company, "company-signed")
    employer.goto(given.page)
    said = employer.locator("#recommandations")
    expect(said).to_contain_text(WORDS)
    expect(said).to_contain_text("Domaine atelier-roy.example vérifié par e-mail le 24 novembre 2026")
    expect(employer.get_by_role("heading", level=1)).to_have_text("Authentique, en cours de validité")
    looked_at(employer, "employer-reads")
    said.get_by_role("link", name="Atelier Roy").click()
    expect(employer.get_by_text("La signature est celle de l’organisation")).to_be_visible()
    looked_at(employer, "employer-checks")
    employer.get_by_role("link", name="Atelier Roy").click()
    expect(employer.get_by_text(WORDS)).to_be_visible()
    looked_at(employer, "employer-organisation")

    learner.reload()
    looked_at(learner, "learner-has")
    learner.get_by_role("button", name="Ne plus la montrer").click()
    employer.goto(given.page)
    expect(employer.get_by_text(WORDS)).to_have_count(0)
    learner.get_by_role("button", name="La montrer avec le badge").click()

    company.goto(link_in_letters(open_app, "/recommandations/retirer/", BOSS))
    company.get_by_role("button", name="Retirer ma recommandation").click()
    expect(company.get_by_role("status")).to_contain_text("La recommandation est retirée")
    looked_at(company, "company-withdrew")
    employer.goto(given.page)
    expect(employer.get_by_text(WORDS)).to_have_count(0)
    expect(employer.get_by_role("heading", level=1)).to_have_text("Authentique, en cours de validité")


def test_a_campus_asks_about_a_badge_and_sets_an_answer_aside(open_app: OpenApp, open_page: OpenPage):
    given = open_app.award(ZOE, is_open=True)
    admin, company, employer = open_page(DESKTOP), open_page(DESKTOP), open_page(DESKTOP)
    admin.goto(open_app.url(open_app.app.sign_in_path(open_app.app.admin)))
    admin.get_by_role("button").first.click()
    admin.goto(open_app.url("/gestion/itip/recommandations"))
    admin.get_by_label("Nom de l’entreprise").fill("Atelier Roy")
    admin.get_by_label("Adresse e-mail de la personne").fill("lea.roy@gmail.com")
    admin.get_by_role("button", name="Envoyer la demande").click()
    expect(admin.get_by_role("status")).to_contain_text("la personne reçoit un e-mail")
    looked_at(admin, "campus-asked")

    company.goto(link_in_letters(open_app, "/recommander/", "lea.roy@gmail.com"))
    company.get_by_label("Ce que ce badge vaut pour vous").fill(WORDS)
    company.get_by_label("Votre rôle").fill("cheffe d’atelier")
    company.get_by_role("button", name="Voir avant de signer").click()
    company.get_by_role("button", name="Signer et publier").click()
    employer.goto(given.page)
    expect(employer.get_by_text("Adresse personnelle (gmail.com), domaine non rattaché")).to_be_visible()

    admin.reload()
    admin.get_by_text("Ne plus la montrer").first.click()
    admin.get_by_label("Motif").fill("Ces mots parlent d’une autre formation.")
    looked_at(admin, "campus-sets-aside")
    admin.get_by_role("button", name="Ne plus la montrer").click()
    expect(admin.get_by_text("Écartée par le campus")).to_be_visible()
    employer.goto(given.page)
    expect(employer.get_by_text(WORDS)).to_have_count(0)


LINES = "Elle a monté le bras du robot, et l’a expliqué à tous."
PEER = "karim@exemple.fr"
LOOKS = [(PHONE, "light"), (DESKTOP, "dark")]
if IS_LONG:
    LOOKS += [(PHONE, "dark"), (DESKTOP, "light")]


@pytest.mark.parametrize(
    ("window", "theme"), LOOKS, ids=[f"{window['width']}-{theme}" for window, theme in LOOKS]
)
def test_a_person_who_worked_with_the_learner_writes_two_lines(
    open_app: OpenApp, open_page: OpenPage, window, theme: Literal["light", "dark"]
):
    given = open_app.award(ZOE, is_open=True)
    learner, peer, employer = open_page(window), open_page(window), open_page(window)
    for each in (learner, peer, employer):
        each.emulate_media(color_scheme=theme)

    learner.goto(given.private_link)
    learner.locator("summary", has_text="Recommandations").click()
    learner.get_by_role("link", name="Demander deux lignes à une personne").click()
    learner.get_by_role("button", name="Créer plutôt un lien à partager").click()
    link = learner.get_by_label("Ou un lien à partager").input_value()
    looked_at(learner, f"peer-learner-asks-{theme}")

    peer.goto(link)
    looked_at(peer, f"peer-start-{theme}")
    peer.get_by_label("Votre adresse e-mail").fill(PEER)
    peer.get_by_role("button", name="Recevoir mon lien").click()
    expect(peer.get_by_role("status")).to_contain_text("Regardez vos e-mails")
    looked_at(peer, f"peer-sent-{theme}")
    peer.goto(link_in_letters(open_app, "/temoigner/ecrire/", PEER))
    looked_at(peer, f"peer-writes-{theme}")
    peer.get_by_label("Ce que vous avez vu").fill(LINES)
    peer.get_by_label("Votre signature").fill("Karim, même équipe")
    peer.get_by_role("button", name="Voir avant d’envoyer").click()
    expect(peer.get_by_role("heading", level=1)).to_have_text("Voilà ce qui serait public")
    looked_at(peer, f"peer-looks-{theme}")
    peer.get_by_role("button", name="Envoyer à Zoé N’Diaye").click()
    expect(peer.get_by_role("status")).to_contain_text("Rien n’est public avant l’accord")
    looked_at(peer, f"peer-done-{theme}")
    employer.goto(given.page)
    expect(employer.get_by_text(LINES)).to_have_count(0)

    learner.reload()
    looked_at(learner, f"peer-learner-reads-{theme}")
    learner.get_by_role("button", name="Montrer avec le badge").click()
    expect(learner.get_by_role("status").first).to_contain_text("ces lignes s’affichent avec le badge")
    employer.goto(given.page)
    employer.get_by_text("Par une personne qui a travaillé avec Zoé N’Diaye").click()
    expect(employer.locator("#personnes")).to_contain_text(LINES)
    expect(employer.locator("#personnes")).to_contain_text("Adresse vérifiée, identité non vérifiée")
    looked_at(employer, f"peer-employer-reads-{theme}")

    peer.goto(link_in_letters(open_app, "/temoigner/retirer/", PEER))
    peer.get_by_role("button", name="Retirer mes deux lignes").click()
    expect(peer.get_by_role("status")).to_contain_text("C’est retiré")
    looked_at(peer, f"peer-withdrew-{theme}")
    employer.goto(given.page)
    expect(employer.get_by_text(LINES)).to_have_count(0)
    expect(employer.get_by_role("heading", level=1)).to_have_text("Authentique, en cours de validité")
