"""Pages of an award under way: each has an address of its own, for one person and one day."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from app.domain.accounts.sessions import MOST_DRAFTS, FormDraft
from tests.app.web.awards.awarding_steps import GIVE, awards_given, counts
from tests.support.app import App
from tests.support.forms import form_with

LIST = "MARTIN Chloé; chloe@exemple.fr"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def award(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}/attribuer"


def submitted(app: App, client: TestClient, award: str, text: str = LIST) -> str:
    """The address that the submitted choice leads to."""
    page = client.get(f"{award}?source=liste")
    form = form_with(page, "badge").fill(badge=str(app.presence.badge.id), liste=text)
    fields = {**form.fields, "geste": ["apercu"]}
    answer = client.post(award, data=fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def is_preview(page: Response) -> bool:
    return page.status_code == 200 and "Prêtes" in counts(page)


def test_preview_has_an_address_that_can_be_opened_again(app: App, trainer: TestClient, award: str):
    address = submitted(app, trainer, award)

    assert all(is_preview(trainer.get(address)) for _ in range(2))
    assert awards_given(app) == 0


def test_the_address_of_a_preview_contains_no_name(app: App, trainer: TestClient, award: str):
    address = submitted(app, trainer, award)

    assert address.startswith(f"{award}/")
    assert not any(word in address.lower() for word in ("chloe", "martin", "exemple"))
    with app.unit_of_work(reading=True) as services:
        (draft,) = services.stores.session.exec(select(FormDraft)).all()
    assert b"martin" not in draft.sealed.lower()


def test_two_tabs_hold_two_drafts(app: App, trainer: TestClient, award: str):
    first, second = submitted(app, trainer, award), submitted(app, trainer, award, "DUPONT Zoé")

    assert "Chloé Martin" in trainer.get(first).text.replace("\u00a0", " ")
    assert "Zoé Dupont" in trainer.get(second).text.replace("\u00a0", " ")


def test_draft_is_not_found_by_a_colleague_elsewhere_or_after_a_day(
    app: App, trainer: TestClient, award: str
):
    address = submitted(app, trainer, award)
    elsewhere = address.replace("/attribuer/", "/participants/liste/")

    admin = app.client(app.admin)
    assert admin.get(award).status_code == 200
    assert admin.get(address).status_code == 404
    assert app.client(app.stranger).get(address).status_code == 404
    assert trainer.get(elsewhere).status_code == 404
    app.clock.move(hours=25)
    assert app.client(app.trainer).get(address).status_code == 404


def test_going_back_to_an_awarded_preview_and_awarding_again_leads_to_the_same_result(
    app: App, trainer: TestClient, award: str
):
    page = trainer.get(submitted(app, trainer, award))
    form = form_with(page, "cle")

    first = form.press(trainer, page, GIVE)
    again = trainer.get(page.url)
    second = form.press(trainer, page, GIVE)

    assert first.headers["location"] == second.headers["location"]
    assert counts(again) == {"Prêtes": 0, "Ont déjà ce badge": 1}
    assert awards_given(app) == 1


def test_opening_an_address_never_awards(app: App, trainer: TestClient, award: str):
    page = trainer.get(submitted(app, trainer, award))
    held_back = form_with(page, "cle").fill(preuve="Autre chose", pretes="7").press(trainer, page, GIVE)

    assert "Rien n’a encore été attribué" in held_back.text
    assert trainer.get(held_back.url).status_code == 200
    assert awards_given(app) == 0


def test_the_oldest_drafts_of_a_person_are_removed(app: App, trainer: TestClient, award: str):
    first = submitted(app, trainer, award)
    for number in range(MOST_DRAFTS):
        app.clock.move(seconds=1)
        last = submitted(app, trainer, award, f"DUPONT Zoé{chr(97 + number % 26)}")

    assert trainer.get(first).status_code == 404
    assert is_preview(trainer.get(last))
    with app.unit_of_work(reading=True) as services:
        assert len(services.stores.session.exec(select(FormDraft)).all()) == MOST_DRAFTS


def test_a_file_is_read_again_from_the_draft(app: App, trainer: TestClient, award: str):
    page = trainer.get(f"{award}?source=liste")
    form = form_with(page, "badge").fill(badge=str(app.presence.badge.id), liste="")
    file = {"fichier": ("liste.csv", "Nom;Prénom\nMartin;Chloé\n".encode(), "text/csv")}
    answer = trainer.post(award, data={**form.fields, "geste": ["apercu"]}, files=file)

    assert counts(trainer.get(answer.headers["location"])) == {"Prêtes": 1}
