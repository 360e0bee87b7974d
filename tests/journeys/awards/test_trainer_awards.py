"""The end of a workshop: thirty people in the room, a phone, and everybody badged before they leave."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Page, expect

from app.domain.activities import Plan
from app.domain.campus.audit_log import Actor
from tests.support.app import App, build_app
from tests.support.servers.browser import (
    PHONE,
    OpenPage,
    assert_good_at_both_widths,
    judged_width,
)
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser

FAMILIES = [
    (start + end).upper()
    for start in ("Ker", "Mor", "Bel", "Val", "Lan", "Tré")
    for end in ("gall", "vern", "oust", "mont", "nec")
]
PEOPLE = [f"{family} Zoé; zoe{number}@exemple.fr" for number, family in enumerate(FAMILIES[:28])]
THIRTY = "\n".join(f"{family} Zoé" for family in FAMILIES)
LIST = "\n".join([*PEOPLE, "JAOUEN-PELTIER Nolwenn; nolwenn.jaouen@exemple,fr", "KEÏTA Moussa"])


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


def sign_in(page: Page, server: LiveServer, app: App) -> None:
    page.goto(server.url(app.sign_in_path(app.trainer)))
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()


class Fingers:
    """Counts what a trainer does between opening the activity and reading the result."""

    def __init__(self) -> None:
        self.count = 0

    def tap(self, target) -> None:
        self.count += 1
        target.click()

    def paste(self, target, text: str) -> None:
        self.count += 1
        target.fill(text)


@pytest.mark.parametrize("javascript", [False])
def test_thirty_pasted_names_are_badged_in_four_gestures_and_under_a_minute(
    app: App, server: LiveServer, open_page: OpenPage, javascript: bool
):
    """From the page of the activity, which says what badge it can lead to, to « 30 »."""
    with app.unit_of_work() as services:
        plan = Plan(badges={app.presence.badge.id})
        services.activity_plans.amend(
            app.campus, app.activity.id, app.activity, plan, by=Actor(app.trainer.id)
        )
    page = open_page(PHONE)
    sign_in(page, server, app)
    page.goto(server.url(f"/gestion/itip/activites/{app.activity.id}"))

    began, fingers = monotonic(), Fingers()
    fingers.tap(page.get_by_role("link", name="Attribuer un badge"))
    fingers.paste(page.get_by_label("Une personne par ligne"), THIRTY)
    fingers.tap(page.get_by_role("button", name="Voir l’aperçu"))
    fingers.tap(page.get_by_role("button", name="Attribuer aux 30"))

    assert page.get_by_role("heading", level=1).inner_text().startswith("30")
    assert fingers.count <= 4
    assert monotonic() - began < 60
    with app.unit_of_work(reading=True) as services:
        assert len(services.awards.list_in(app.campus, limit=100)) == 30


@pytest.mark.parametrize("javascript", [False])
def test_thirty_people_are_badged_from_a_phone_in_four_taps_once_the_list_is_there(
    app: App, server: LiveServer, open_page: OpenPage, javascript: bool
):
    page = open_page(PHONE)
    sign_in(page, server, app)
    page.get_by_role("link", name="Atelier robotique", exact=True).first.click()
    page.get_by_label("Une personne par ligne").fill(LIST)
    page.get_by_role("button", name="Lire la liste").click()
    page.get_by_role("button", name="Inscrire 29 personnes").click()

    assert page.get_by_label("Une personne par ligne").input_value().startswith("JAOUEN-PELTIER")
    fingers = Fingers()
    fingers.tap(page.get_by_role("link", name="Attribuer un badge"))
    fingers.count += 1
    choose_badge(page, "Robotique pour tous")
    fingers.tap(page.get_by_role("button", name="Voir l’aperçu"))
    fingers.tap(page.get_by_role("button", name=re.compile(r"Attribuer aux 29")))

    assert fingers.count <= 4
    assert page.get_by_role("heading", level=1).inner_text().startswith("29")
    page.get_by_role("button", name=re.compile("(Envoyer|Remettre) maintenant")).click()
    page.get_by_text("Les liens privés, un par un").click()
    links = page.get_by_role("textbox", name=re.compile("Lien privé"))
    expect(links).to_have_count(29)
    page.goto(links.first.input_value())
    assert "Robotique pour tous" in page.content()


@pytest.mark.parametrize("javascript", [False])
def test_a_dropped_file_is_corrected_line_by_line_and_dropped_again_gives_nothing(
    app: App, server: LiveServer, open_page: OpenPage, javascript: bool, tmp_path: Path
):
    table = tmp_path / "liste.csv"
    table.write_bytes(
        "Nom;Prénom;Courriel\r\nLE BŒUF;Anne-Gaëlle;ag@exemple.fr\r\nJAOUEN;Nolwenn;nolwenn@exemple,fr\r\n".encode(
            "cp1252"
        )
    )
    page = open_page(PHONE)
    sign_in(page, server, app)

    def preview_of_the_file() -> None:
        page.goto(server.url(f"/gestion/itip/activites/{app.activity.id}/attribuer"))
        page.get_by_role("link", name="Une liste").click()
        choose_badge(page, "Robotique pour tous")
        page.get_by_label("Ou un fichier", exact=True).set_input_files(table)
        page.get_by_role("button", name="Voir l’aperçu").click()

    preview_of_the_file()
    page.get_by_role("button", name="Mettre nolwenn@exemple.fr").click()
    page.get_by_role("button", name=re.compile("Attribuer aux 2")).click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("2")

    preview_of_the_file()
    page.get_by_role("button", name="Mettre nolwenn@exemple.fr").click()
    expect(page.get_by_role("heading", name=re.compile("Ont déjà ce badge"))).to_be_visible()
    page.wait_for_load_state()
    expect(page.get_by_role("button", name=re.compile("^Attribuer"))).to_have_count(0)


def test_back_from_the_result_shows_the_preview_then_the_choice(
    app: App, server: LiveServer, open_page: OpenPage
):
    page = open_page(PHONE)
    sign_in(page, server, app)
    choice = server.url(f"/gestion/itip/activites/{app.activity.id}/attribuer?source=liste")
    page.goto(choice)
    choose_badge(page, "Robotique pour tous")
    page.get_by_label("Une personne par ligne").fill("MARTIN Chloé; chloe@exemple.fr")
    page.get_by_role("button", name="Voir l’aperçu").click()
    preview = page.url
    page.get_by_role("button", name="Attribuer à la personne prête").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("1")
    result = page.url

    answers = [page.go_back(), page.go_back()]
    assert all(answer is not None and answer.ok for answer in answers)
    assert page.url == choice
    page.go_forward()
    assert page.url == preview
    assert page.get_by_role("heading", name=re.compile("Ont déjà ce badge")).is_visible()
    page.go_forward()
    assert page.url == result


def test_counter_of_the_result_moves_when_a_badge_is_claimed(
    app: App, server: LiveServer, open_page: OpenPage
):
    result = app.award("MARTIN Chloé; chloe@exemple.fr", "HADDAD Yasmine")
    page = open_page()
    sign_in(page, server, app)
    page.goto(server.url(f"/gestion/itip/resultats/{result.batch.id}"))
    tally = page.locator(".tally .big")
    expect(tally).to_have_text(re.compile(r"^0\s"))

    with app.unit_of_work() as services:
        award_id = result.lines[0].award_id
        assert award_id
        services.delivery.claim(award_id, by=Actor(app.trainer.id))

    expect(tally).to_have_text(re.compile(r"^1\s"), timeout=15_000)


@pytest.mark.parametrize("visitor_locale", ["fr-FR", "en-GB"])
def test_every_page_of_a_trainer_is_accessible_and_fits(
    app: App, server: LiveServer, open_page: OpenPage, visitor_locale: str
):
    app.record("Nom;Prénom;Courriel", "Martin;Chloé;chloe@exemple.fr", "Izarn;Théodore;")
    result = app.award("HADDAD Yasmine; y.haddad@exemple.fr", "JAOUEN Nolwenn; nolwenn@exemple,fr")
    award_id = result.lines[0].award_id
    home = f"/gestion/itip/activites/{app.activity.id}"
    page = open_page(judged_width(visitor_locale))
    seen = [
        "/connexion",
        app.sign_in_path(app.admin),
        "/gestion/itip",
        "/gestion/itip/activites",
        "/gestion/itip/activites/nouvelle",
        home,
        f"{home}/modifier",
        f"{home}/salle",
        f"{home}/salle/ecran",
        f"{home}/attribuer",
        f"/gestion/itip/resultats/{result.batch.id}",
        f"/gestion/itip/repertoire/participants/{app.activity.id}/{result.lines[0].person_id}",
        "/gestion/itip/attributions",
        f"/gestion/itip/attributions/{award_id}",
        f"/gestion/itip/attributions/{award_id}/retirer",
    ]
    for path in seen:
        answer = page.goto(server.url(path))
        assert answer is not None
        assert answer.ok, path
        if path.startswith("/connexion/"):
            assert_good_at_both_widths(page)
            page.locator("main form button").click()
        assert_good_at_both_widths(page)
    page.goto(server.url(f"{home}/attribuer"))
    page.locator("select[name=badge]").select_option(index=1)
    page.locator(".act button").click()
    expect(page.locator("input[name^=contribution]")).to_have_count(3)
    assert_good_at_both_widths(page)
    page.goto(server.url(f"{home}/attribuer?source=liste"))
    page.locator("select[name=badge]").select_option(index=1)
    page.locator("textarea[name=liste]").fill(
        "Nom;Prénom;Mail;Présent\nMarchand;Louise;louise@exemple.fr;x\nFabre;Jules;jules@gmial.com;x\nColin;Emma;;\nTotal;3;;"
    )
    page.locator(".act button").click()
    expect(page.locator("input[name^=t-nom-]")).to_have_count(3)
    assert_good_at_both_widths(page)


def choose_badge(page: Page, name: str) -> None:
    select = page.get_by_label("Badge du campus")
    option = select.locator("option", has_text=name).first.get_attribute("value")
    select.select_option(option)
