"""The appearance of pages: legible in every campus's colours, on a phone, in dark mode, on paper, and accessible."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from threading import Thread

import pytest
import uvicorn

from app.domain.campus.campus import MOST_LIVELY, CampusColours, contrast
from app.http import static_files
from tests.app.http.pages.small_site import small_site
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)

NARROWEST = {"width": 320, "height": 640}
VERDICTS = ("ok", "past", "bad", "unk", "shut")


def tokens(*, dark: bool) -> dict[str, str]:
    """Custom properties of the stylesheet that are colours, in one colour scheme."""
    styles = (static_files.FOLDER / "css/tokens.css").read_text("utf-8")
    light_part, dark_part = styles.split("@media screen and (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", light_part))
    if dark:
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", dark_part))
    return {
        name: value if len(value) == 7 else "#" + "".join(c * 2 for c in value[1:])
        for name, value in found.items()
    }


def pairs_that_meet() -> Iterator[tuple[str, str, float]]:
    """(what is drawn, its background, required contrast): 4.5 for text, 3 for borders, icons and focus (WCAG 1.4.3, 1.4.11)."""
    for ground in ("paper", "surface", "sunk"):
        yield from (
            (("ink"), ground, 7.0),
            ("ink2", ground, 4.5),
            ("line2", ground, 3.0),
            ("focus", ground, 3.0),
        )
    for ground in ("paper", "surface", "accent-tint"):
        yield "accent", ground, 4.5
    yield from (("on-accent", "accent", 4.5), ("on-accent", "accent-deep", 4.5), ("ink", "accent-tint", 7.0))
    for verdict in VERDICTS:
        ground = f"{verdict}-bg"
        yield from ((verdict, ground, 4.5), (verdict, "surface", 4.5), (verdict, "paper", 4.5))
        yield from (
            ("ink", ground, 7.0),
            ("ink2", ground, 4.5),
            ("accent", ground, 4.5),
            ("focus", ground, 3.0),
        )


def too_faint(palette: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (one, other)
        for one, other, least in pairs_that_meet()
        if contrast(palette[one], palette[other]) < least
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_drawn_contrasts_with_its_background(dark):
    assert too_faint(tokens(dark=dark)) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_colour_of_a_campus_makes_a_page_hard_to_read(dark):
    ours = tokens(dark=dark)
    for hue in range(0, 360, 5):
        for liveliness in (0.0, MOST_LIVELY / 2, MOST_LIVELY):
            colours = CampusColours.of(hue, liveliness, dark=dark)
            theirs = {
                "accent": colours.accent,
                "accent-deep": colours.accent_deep,
                "accent-line": colours.accent_line,
                "accent-tint": colours.accent_tint,
            }
            assert too_faint(ours | theirs) == [], (hue, liveliness)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The small site on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(small_site(), log_level="error"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


PAGES = [
    "/",
    "/composants",
    "/aide",
    "/accessibilite",
    "/problemes",
    "/donnees-personnelles",
    "/mentions-legales",
    "/nulle-part",
]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("visitor_locale", "viewport", "light"),
    [
        pytest.param("fr-FR", PHONE, "light", id="fr-phone-light"),
        pytest.param("fr-FR", DESKTOP, "dark", id="fr-desktop-dark"),
        pytest.param("en-GB", PHONE, "dark", id="en-phone-dark"),
        pytest.param("en-GB", DESKTOP, "light", id="en-desktop-light"),
    ],
)
def test_pages_are_accessible(site: str, open_page: OpenPage, viewport, light):
    page = open_page(viewport)
    page.emulate_media(color_scheme=light)
    for path in PAGES:
        page.goto(site + path)
        assert_accessible(page)
        assert_no_sideways_scroll(page)


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_nothing_scrolls_sideways_on_the_narrowest_phone(site: str, open_page: OpenPage, path):
    page = open_page(NARROWEST)
    page.goto(site + path)
    assert_no_sideways_scroll(page)


@pytest.mark.browser
@pytest.mark.parametrize("javascript", [False])
def test_the_keyboard_reaches_the_content_first_and_the_menu_on_a_phone(site: str, open_page: OpenPage):
    page = open_page(PHONE)
    page.goto(site + "/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Aller au contenu"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#contenu")
    page.get_by_role("link", name="Menu").click()
    page.wait_for_url("**/#menu")
    page.locator("#menu").get_by_role("link", name="Vérifier un badge").click()
    page.wait_for_url("**/verifier")


@pytest.mark.browser
def test_fonts_styles_and_pictures_all_come_from_this_site(site: str, open_page: OpenPage):
    page = open_page(DESKTOP)
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.goto(site + "/composants", wait_until="networkidle")
    assert failed == []
    assert page.evaluate(
        "document.fonts.check('16px \"Sceau Sans\"') && document.fonts.check('16px \"Sceau Serif\"')"
    )
    assert page.evaluate("[...document.images].every(image => image.complete || image.loading === 'lazy')")


@pytest.mark.browser
def test_a_printed_page_has_the_content_without_interactive_elements(site: str, open_page: OpenPage):
    page = open_page(DESKTOP)
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(site + "/composants")
    assert page.get_by_role("button", name="Annuler").count() == 0
    assert page.locator(".act").is_hidden()
    assert page.locator(".verdict").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
