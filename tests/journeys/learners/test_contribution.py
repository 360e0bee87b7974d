"""A contribution in real browsers: written on a phone with a photo and the keyboard, confirmed by a trainer, shown to the world."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.handed import PHONE as CAMERA
from tests.support.handed import photo
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


def test_from_a_photo_on_a_phone_to_a_line_that_the_world_reads(
    open_app: OpenApp, open_page: OpenPage, tmp_path: Path
):
    taken = tmp_path / "banc.jpg"
    taken.write_bytes(photo("JPEG", (900, 600), sideways=True))
    app = open_app.app
    learner, trainer, employer = open_page(PHONE), open_page(DESKTOP), open_page(PHONE)

    learner.goto(open_app.award("Zoé N’Diaye; zoe@exemple.fr", badge=app.presence).private_link)
    home = learner.url.partition("?")[0]
    learner.goto(f"{home}/journal")
    learner.get_by_role("link", name="Ajouter une contribution").click()
    assert_accessible(learner)
    assert_no_sideways_scroll(learner)
    learner.get_by_label("Ce que j’ai fait, en quelques mots").fill("Le banc d’essai")
    learner.get_by_label("Racontez").fill("J’ai monté le banc d’essai et je l’ai expliqué aux autres.")
    learner.get_by_label("Ce que montrent les photos").fill("Le banc, monté")
    file = learner.locator("#fichiers")
    file.focus()
    expect(file).to_be_focused()
    file.set_input_files(taken)
    learner.get_by_role("button", name="Envoyer au campus").press("Enter")
    expect(learner.get_by_role("status")).to_contain_text("envoyé au campus")
    picture = learner.get_by_role("img", name="Le banc, monté")
    expect(picture).to_be_visible()
    upright = "image => image.decode().then(() => image.naturalHeight > image.naturalWidth)"
    assert picture.evaluate(upright), "upright"
    assert_accessible(learner)

    trainer.goto(open_app.url(app.sign_in_path(app.trainer)))
    trainer.get_by_role("button", name="Se connecter").click()
    trainer.goto(open_app.url("/gestion/itip"))
    trainer.get_by_role("link", name=re.compile("Contribution à confirmer")).click()
    assert_accessible(trainer)
    trainer.get_by_role("link", name=re.compile("Zoé N’Diaye")).click()
    assert_accessible(trainer)
    with trainer.expect_download() as waiting:
        trainer.get_by_role("link", name="banc.jpg").click()
    saved = waiting.value.path().read_bytes()
    assert CAMERA.encode() not in saved
    assert b"Exif" not in saved
    trainer.get_by_label("Pour quel badge").select_option(label=app.role.version.name)
    trainer.get_by_role("button", name="Confirmer la contribution").click()
    expect(trainer.get_by_role("status")).to_contain_text("inscrite au journal")

    given = app.award(
        "Zoé N’Diaye; zoe@exemple.fr", badge=app.role, evidence="A monté le banc, et l’explique."
    )
    learner.goto(open_app.url(app.private_link(given)))
    badge = learner.url.partition("?")[0]
    learner.get_by_role("link", name="Montrer").click()
    learner.get_by_role("button", name="Ouvrir la page").click()
    public = open_app.url(f"/attributions/{badge.rpartition('/')[2]}")
    employer.goto(public)
    expect(employer.get_by_text("une contribution")).not_to_have_count(0)
    expect(employer.get_by_role("img", name="Le banc, monté")).to_have_count(0)
    learner.goto(f"{badge}/journal")
    learner.get_by_label("banc.jpg").select_option("all")
    learner.get_by_role("button", name="Voir avant et après").click()
    assert_accessible(learner)
    expect(learner.get_by_role("heading", level=1)).to_contain_text("avant et après")
    learner.get_by_role("button", name="Confirmer").click()
    expect(learner.get_by_text(app.trainer.name)).not_to_have_count(0)
    app.clock.move(minutes=5)
    employer.reload()
    employer.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    expect(employer.get_by_role("img", name="Le banc, monté")).to_be_visible()
    assert_accessible(employer)
    assert_no_sideways_scroll(employer)
