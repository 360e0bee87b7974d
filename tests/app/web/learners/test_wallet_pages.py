"""« Portefeuille numérique »: what the learner sees, scans and types, and what the page never claims."""

from __future__ import annotations

import base64
import html
import re
from io import BytesIO
from urllib.parse import unquote

import pytest
import resvg_py
import zxingcpp
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.wallets import WalletFormat, WalletOffer
from tests.support.app import App, send

BY = Actor(label="holder")


@pytest.fixture
def result(app: App):
    return app.award("Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr")


@pytest.fixture
def zoe(app: App, result) -> TestClient:
    client = app.client()
    client.get(app.private_link(result, 0))
    return client


def place(result, position: int = 0) -> str:
    return f"/mes-badges/{result.lines[position].award_id}/partager/portefeuille"


def opened(app: App, result) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(result.lines[0].award_id, Visibility.OPEN, by=BY)


def scanned(page: str) -> str:
    """What a phone reads in the QR code of the page."""
    source = re.search(r'class="qr offer" src="(data:image/svg\+xml[^"]+)"', page)
    assert source is not None
    head, _, content = html.unescape(source[1]).partition(",")
    svg = base64.b64decode(content).decode() if head.endswith("base64") else unquote(content)
    picture = Image.open(BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=4))))
    (found,) = zxingcpp.read_barcodes(picture.convert("RGBA").convert("L"))
    return found.text


def test_sharing_page_leads_to_the_wallet(zoe: TestClient, result) -> None:
    assert place(result) in zoe.get(place(result).rpartition("/")[0]).text


def test_qr_code_link_and_typed_code_are_shown_once(app: App, zoe: TestClient, result) -> None:
    opened(app, result)
    before = zoe.get(place(result)).text
    assert "openid-credential-offer" not in before
    answer = send(zoe, place(result), {})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    text = scanned(answer.text)
    assert text.startswith(
        "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Flocalhost%3A8000%2Fcampus%2Fitip"
    )
    assert 'href="openid-credential-offer://?credential_offer=' in answer.text
    typed = re.search(r'class="big-code">(\d{3}) (\d{3})<', answer.text)
    assert typed is not None
    assert "".join(typed.groups()) not in text
    assert "openid-credential-offer" not in zoe.get(place(result)).text


def test_form_chooses_what_is_offered(app: App, zoe: TestClient, result) -> None:
    opened(app, result)
    for wanted in WalletFormat:
        page = html.unescape(send(zoe, place(result), {"forme": wanted.value}).text)
        assert wanted.configuration in unquote(page)
        assert f'name="forme" value="{wanted.value}"' in page, "another code is for the same form"


def test_closed_and_withdrawn_badges_are_not_offered(app: App, zoe: TestClient, result) -> None:
    page = zoe.get(place(result)).text
    assert "La page de ce badge est fermée" in page
    assert "Préparer le code" not in page
    assert send(zoe, place(result), {}, seen_on=f"/mes-badges/{result.lines[0].award_id}").status_code == 409
    opened(app, result)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, result.lines[0].award_id, "Erreur de date.", by=BY)
    assert "n’entre plus dans un portefeuille" in zoe.get(place(result)).text
    assert send(zoe, place(result), {}, seen_on=f"/mes-badges/{result.lines[0].award_id}").status_code == 409


def test_badge_of_another_person_is_not_offered(zoe: TestClient, result) -> None:
    assert zoe.get(place(result, 1)).status_code == 401


def test_the_page_states_since_when_a_wallet_holds_the_badge(app: App, zoe: TestClient, result) -> None:
    opened(app, result)
    assert "Dans un portefeuille depuis" not in zoe.get(place(result)).text
    send(zoe, place(result), {})
    with app.owner.connect() as connection:
        number = connection.execute(select(WalletOffer.id)).scalar_one()  # type: ignore[call-overload]
    with app.unit_of_work() as services:
        services.stores.wallets.accept(number, 1, at=app.clock())
    assert "Dans un portefeuille depuis le" in zoe.get(place(result)).text


def test_the_page_claims_no_identity_and_no_european_wallet(app: App, zoe: TestClient, result) -> None:
    opened(app, result)
    for language in ("fr", "en", "es"):
        zoe.cookies.set("langue", language)
        main = zoe.get(place(result)).text.partition("<main")[2].partition("</main>")[0].lower()
        for claimed in ("européen", "european", "europea", "identité", "identity", "identidad", "eudi"):
            assert claimed not in main
