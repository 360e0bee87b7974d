"""The test browser detects forbidden behaviour of pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.support.servers.browser import OpenPage, Visit, assert_accessible, assert_no_sideways_scroll

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="fr"><head><title>Essai</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>
<body><main><h1>Essai</h1>{body}</main></body></html>"""


def page_with(body: str = "", head: str = "") -> str:
    return PAGE.format(body=body, head=head)


def test_an_accessible_page_passes(page_phone: Page):
    page_phone.set_content(page_with("<p>Bonjour</p>"))
    assert_accessible(page_phone)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "image-alt"),
        ('<p style="color: #bbb; background: #fff">Pâle</p>', "color-contrast"),
        ('<label>Nom</label><input name="nom">', "label"),
        ('<h4>Trop bas</h4>', "heading-order"),
        ('<a href="/a" style="position:absolute;left:9px;top:200px;width:9px;height:9px">a</a>'
         '<a href="/b" style="position:absolute;left:19px;top:200px;width:9px;height:9px">b</a>', "target-size"),
    ],
)  # fmt: skip
def test_an_inaccessible_page_fails(page_phone: Page, body: str, rule: str):
    page_phone.set_content(page_with(body))
    with pytest.raises(AssertionError, match=rf"\] {rule}: "):
        assert_accessible(page_phone)


def test_a_page_wider_than_its_window_fails(page_phone: Page):
    page_phone.set_content(page_with('<div style="width: 900px">large</div>'))
    with pytest.raises(AssertionError, match="pixels across"):
        assert_no_sideways_scroll(page_phone)


@pytest.mark.parametrize(
    ("body", "head", "fault"),
    [
        ('<img alt="" src="http://elsewhere.example/a.png">', "", "another host: http://elsewhere.example/a.png"),
        ("<script>throw new Error('oups')</script>", "", "script error: oups"),
        ("<script>1</script>", '<meta http-equiv="Content-Security-Policy" content="script-src \'self\'">', "own policy"),
    ],
)  # fmt: skip
def test_external_requests_and_script_errors_are_recorded(browser: Browser, body: str, head: str, fault: str):
    context = browser.new_context()
    visit = Visit(context, context.new_page())
    visit.watch()

    visit.page.set_content(page_with(body, head))
    visit.page.wait_for_load_state("networkidle")
    context.close()

    assert [noted for noted in visit.faults if fault in noted]


@pytest.mark.parametrize("visitor_locale", ["fr-FR", "en-GB"])
def test_visitor_locale_sets_the_browser_language(page_desktop: Page, visitor_locale: str):
    assert page_desktop.evaluate("navigator.language") == visitor_locale


@pytest.mark.parametrize("javascript", [False])
def test_scripts_can_be_turned_off(open_page: OpenPage, javascript: bool):
    page = open_page()
    page.set_content(
        page_with("<p>sans</p><script>document.querySelector('p').textContent = 'avec'</script>")
    )
    assert page.locator("p").inner_text() == "sans"
