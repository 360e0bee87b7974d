"""Ten people take out their phones in the same minute; the trainer watches the list grow and shuts it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain.campus.audit_log import Actor
from tests.support.app import App, build_app
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser

NAMES = [
    "Zoé Martin", "Moussa Keïta", "Élif Çelik", "Anne-Gaëlle Le Bœuf", "Inès D’Arcy", "Hương Đặng",
    "Théodore Izarn", "Yasmine Haddad", "Loïc Bérenger", "Zoé Martin",
]  # fmt: skip


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


PROJECTORS = [(1024, 768), (1280, 720), (1920, 1080)]


def test_projected_code_takes_two_thirds_of_any_projector_and_nothing_scrolls(
    app: App, server: LiveServer, open_page: OpenPage
):
    trainer = open_page(DESKTOP)
    trainer.goto(server.url(app.sign_in_path(app.trainer)))
    trainer.get_by_role("button", name="Se connecter").click()
    trainer.goto(server.url(f"/gestion/itip/activites/{app.activity.id}/salle"))
    trainer.get_by_role("button", name="Ouvrir et projeter").click()
    expect(trainer.get_by_role("heading", level=1)).to_have_text("Signez votre présence")
    trainer.wait_for_load_state()
    for width, height in PROJECTORS:
        trainer.set_viewport_size({"width": width, "height": height})
        code = trainer.locator(".code-big").bounding_box()
        address = trainer.locator(".addr").bounding_box()
        assert code is not None
        assert address is not None
        assert code["height"] >= 0.6 * height, (width, height)
        quiet = 4 * code["height"] / 29
        assert address["x"] >= code["x"] + code["width"] + quiet - 1, "beside it, outside its margin"
        assert code["x"] >= quiet - 1
        assert trainer.evaluate("document.documentElement.scrollHeight <= innerHeight"), (width, height)
        assert_no_sideways_scroll(trainer)
    trainer.get_by_role("button", name="Fermer la liste").click()
    expect(trainer.get_by_role("heading", level=1)).to_have_text("La liste est fermée")


def fill(page: Page, name: str) -> None:
    given, _, family = name.partition(" ")
    page.get_by_label("Prénom").fill(given)
    page.get_by_label("Nom de famille", exact=True).fill(family)
    page.get_by_label("18 ans ou plus").check()
    page.get_by_label(re.compile("J’accepte")).check()


def test_ten_phones_at_once_sign_in_and_the_trainer_sees_them_come(
    app: App, server: LiveServer, open_page: OpenPage
):
    trainer = open_page(DESKTOP)
    trainer.goto(server.url(app.sign_in_path(app.trainer)))
    trainer.get_by_role("button", name="Se connecter").click()
    trainer.goto(server.url(f"/gestion/itip/activites/{app.activity.id}"))
    trainer.get_by_role("link", name="Émargement par code QR").click()
    trainer.get_by_role("button", name="Ouvrir sans projeter").click()
    with trainer.context.expect_page() as opened:
        trainer.get_by_role("link", name="Projeter le code").click()
    wall = opened.value
    code = wall.locator(".turning").inner_text()
    assert_accessible(wall)

    phones = [open_page(PHONE) for _ in NAMES]
    for phone, name in zip(phones, NAMES, strict=True):
        phone.goto(server.url(f"/presence/{code}"))
        fill(phone, name)
    assert_accessible(phones[0])
    assert_no_sideways_scroll(phones[0])
    for phone in phones:
        phone.get_by_role("button", name="Signer ma présence").click(no_wait_after=True)
    answered = re.compile("C’est noté|Est-ce vous")
    for phone in phones:
        expect(phone.locator("main")).to_contain_text(answered)
    asked = [phone for phone in phones if "Est-ce vous" in phone.locator("main").inner_text()]
    # The two of one name: whoever came second says that they are somebody else.
    assert len(asked) == 1
    asked[0].get_by_role("button", name="Non, nous avons le même nom").click()
    for phone in phones:
        expect(phone.get_by_role("heading", level=1)).to_contain_text("C’est noté")

    # Nobody has loaded a page again.
    expect(trainer.get_by_role("heading", name="10 personnes ont signé")).to_be_visible(timeout=15_000)
    expect(wall.locator(".live")).to_contain_text("10")
    trainer.get_by_role("button", name="Décocher Yasmine Haddad").click()
    assert_accessible(trainer)
    trainer.get_by_role("button", name="Fermer la liste").click()
    expect(wall.get_by_role("heading", level=1)).to_have_text("La liste est fermée")

    late = open_page(PHONE)
    late.goto(server.url(f"/presence/{code}"))
    expect(late.locator("main")).to_contain_text("Ce code n’est plus affiché")
    with app.unit_of_work(reading=True) as services:
        there = [
            person.name for _, person in services.activities.page(app.campus, app.activity.id).participants
        ]
    assert sorted(there) == sorted(name for name in NAMES if name != "Yasmine Haddad")


def test_signature_without_network_is_stored_and_sent_when_it_returns(
    app: App, server: LiveServer, open_page: OpenPage
):
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=Actor(app.trainer.id))
        code = services.rooms.glance(app.campus, app.activity.id).code
    phone = open_page(PHONE)
    phone.goto(server.url(f"/s/{code}"))
    assert phone.evaluate("document.fonts.check('1rem \"Sceau Sans\"')")
    fill(phone, "Zoé Martin")
    phone.get_by_label(re.compile("Ce téléphone est à moi")).check()
    phone.wait_for_function(
        "async () => Boolean((await navigator.serviceWorker.getRegistration('/presence'))?.active)"
    )
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Signer ma présence").click()
    expect(phone.get_by_text("Votre signature est gardée sur ce téléphone.")).to_be_visible()
    expect(phone.locator("[data-until]")).to_have_text(re.compile(r"\d\d:\d\d"))
    assert_accessible(phone)
    assert_no_sideways_scroll(phone)
    app.clock.move(minutes=5)
    with app.unit_of_work() as services:
        services.rooms.close(app.campus, app.activity.id, by=Actor(app.trainer.id))
    app.clock.move(minutes=30)

    # The page is closed and opened again before there is a network: what was typed is still there.
    phone.reload()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Pas de réseau")
    expect(phone.get_by_text("Votre signature est gardée sur ce téléphone.")).to_be_visible()
    assert phone.evaluate("document.fonts.check('1rem \"Sceau Sans\"')")
    assert_accessible(phone)
    phone.context.set_offline(False)
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("C’est noté, Zoé Martin")
    assert phone.evaluate("localStorage.length") == 0
    with app.unit_of_work(reading=True) as services:
        (entry, _, person), *more = services.rooms.page(app.campus, app.activity.id).entries
    assert (person.name, more) == ("Zoé Martin", [])
    assert entry.received_at == app.clock.now
    assert entry.signed_at < entry.received_at


def test_stored_signature_can_be_deleted_from_the_phone(app: App, server: LiveServer, open_page: OpenPage):
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=Actor(app.trainer.id))
        code = services.rooms.glance(app.campus, app.activity.id).code
    phone = open_page(PHONE)
    phone.goto(server.url(f"/s/{code}"))
    fill(phone, "Zoé Martin")
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Signer ma présence").click()
    phone.get_by_role("button", name="Effacer de ce téléphone").click()
    expect(phone.get_by_label("Prénom")).to_have_value("Zoé")
    assert phone.evaluate("localStorage.length") == 0
