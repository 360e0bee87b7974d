"""Contributions on both sides: written on « Mon journal » with photos, confirmed by staff, shown with the badge."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from tests.support.app import App, send
from tests.support.handed import PDF, PHONE, photo

FIELDS = {
    "titre": "Le banc d’essai", "recit": "J’ai monté le banc d’essai et je l’ai expliqué aux autres.",
    "role": "ressource", "jour": "2026-11-24", "heures": "2,5", "liens": "https://exemple.fr/carnet",
    "photo": "Le banc monté, sur une table",
}  # fmt: skip


@pytest.fixture
def zoe(app: App) -> tuple[TestClient, str]:
    """A learner's browser, and the address of her log."""
    result = app.award("Zoé Martin;zoe@exemple.fr")
    client = app.client()
    client.get(app.private_link(result))
    return client, f"/mes-badges/{result.lines[0].award_id}/journal"


def add(zoe: tuple[TestClient, str], **fields: str) -> str:
    client, log = zoe
    files = [("fichiers", ("banc.jpg", photo("JPEG", (300, 200)))), ("fichiers", ("plan.pdf", PDF))]
    answer = send(
        client, f"{log}/contributions/nouvelle", {**FIELDS, **fields}, seen_on=f"{log}/contributions/nouvelle",
        files=files,
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def waiting(trainer: TestClient) -> str:
    found = re.search(
        r"/gestion/itip/contributions/[0-9a-f-]{36}", trainer.get("/gestion/itip/contributions").text
    )
    assert found
    return found[0]


def test_a_contribution_goes_from_the_learner_to_the_log_and_to_the_page_of_a_badge(app: App, zoe):
    client, log = zoe
    mine = add(zoe)
    page = client.get(mine).text
    assert "En attente du campus" in page
    assert 'alt="Le banc monté, sur une table"' in page
    trainer = app.client(app.trainer)
    assert "Contribution à confirmer" in trainer.get("/gestion/itip").text
    where = waiting(trainer)
    shown = trainer.get(where).text
    assert "Zoé Martin" in shown
    saved, preview = (
        re.search(rf'href="({where}/pieces/[0-9a-f-]{{36}})" download', shown),
        re.search(rf"{where}/pieces/[0-9a-f-]{{36}}/apercu", shown),
    )
    assert saved
    assert preview
    file, small = trainer.get(saved[1]), trainer.get(preview[0])
    assert file.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in file.headers["content-security-policy"]
    assert small.headers["content-type"] == "image/jpeg"
    assert PHONE.encode() not in file.content + small.content
    answer = send(trainer, f"{where}/confirmer", {"mot": "Bravo.", "badge": ""}, seen_on=where)
    assert answer.status_code == 303
    assert "Confirmée, au journal" in client.get(mine).text
    lines = client.get(log).text
    assert "Empreinte SHA-256" in lines
    assert "Le banc d’essai" in lines


def test_what_was_typed_stays_when_a_file_is_refused(zoe):
    client, log = zoe
    where = f"{log}/contributions/nouvelle"
    for name, body, said in (
        ("dessin.svg", b"<svg onload='alert(1)'/>", "ni une photo"),
        ("photo.jpg", photo("JPEG", (300, 200))[:900], "abîmée"),
    ):
        answer = send(client, where, FIELDS, seen_on=where, files=[("fichiers", (name, body))])
        assert answer.status_code == 422
        assert said in answer.text
        assert "J’ai monté le banc d’essai" in answer.text
    both = [("fichiers", ("a.pdf", PDF)), ("fichiers", ("b.svg", b"<svg/>"))]
    answer = send(client, where, FIELDS, seen_on=where, files=both)
    assert answer.status_code == 422
    assert "b.svg" in answer.text
    assert "Aucun des fichiers n’a été gardé" in answer.text


def test_a_question_comes_back_to_the_learner_and_a_refusal_is_shown_to_them_only(app: App, zoe):
    client, _ = zoe
    mine, trainer = add(zoe), app.client(app.trainer)
    where = waiting(trainer)
    empty = send(trainer, f"{where}/demander", {"mot": ""}, seen_on=where)
    assert empty.status_code == 422
    send(trainer, f"{where}/demander", {"mot": "Combien d’élèves ?"}, seen_on=where)
    assert "Combien d’élèves ?" in client.get(mine).text
    answer = send(client, mine, {**FIELDS, "recit": "J’ai monté le banc avec huit élèves."}, seen_on=mine)
    assert answer.status_code == 303
    send(trainer, f"{where}/refuser", {"mot": "C’était un autre groupe."}, seen_on=where)
    assert "C’était un autre groupe." in client.get(mine).text
    late = send(client, mine, FIELDS, seen_on=mine.rpartition("/contributions")[0])
    assert late.status_code == 409


def test_another_learner_s_contribution_is_not_found(app: App, zoe):
    mine = add(zoe)
    result = app.award("Zoé Martin;zoe@exemple.fr", "Léa Petit;lea@exemple.fr")
    lea = app.client()
    lea.get(app.private_link(result, 1))
    hers = f"/mes-badges/{result.lines[1].award_id}/journal/contributions/{mine.rpartition('/')[2]}"
    assert lea.get(hers).status_code == 404
    assert lea.get(mine).status_code == 401
    assert app.client(app.stranger).get(waiting(app.client(app.trainer))).status_code == 404


def test_a_file_is_public_only_when_its_line_is_shown_in_full(app: App):
    app.record("Zoé Martin;zoe@exemple.fr", "Léa Petit;lea@exemple.fr")
    first = app.award("Zoé Martin;zoe@exemple.fr", badge=app.role, evidence="A monté le banc, et l’explique.")
    client = app.client()
    client.get(app.private_link(first))
    add((client, f"/mes-badges/{first.lines[0].award_id}/journal"), activite=str(app.activity.id))
    trainer, anybody = app.client(app.trainer), app.client()
    where = waiting(trainer)
    send(trainer, f"{where}/confirmer", {}, seen_on=where)
    second = app.award("Zoé Martin;zoe@exemple.fr")
    award_id = second.lines[0].award_id
    client.get(app.private_link(second))
    log, public = f"/mes-badges/{award_id}/journal", f"/attributions/{award_id}"
    send(client, f"/mes-badges/{award_id}/visibilite", {"vue": "ouvert"}, seen_on=f"/mes-badges/{award_id}")
    summary = anybody.get(public).text
    assert "S’y ajoute une contribution que le campus a confirmée." in summary
    assert "/pieces/" not in summary
    number = next(
        n
        for n, title in re.findall(r'<label for="ligne-(\d+)">([^<]+)', client.get(log).text)
        if "banc.jpg" in title
    )
    piece = f"/preuves/{award_id}/pieces/{number}"
    assert anybody.get(piece).status_code == 404
    send(client, f"{log}/montrer", {f"ligne-{number}": "all"}, seen_on=log)
    app.clock.move(minutes=5)
    whole = anybody.get(public).text
    assert f'src="{piece}/apercu"' in whole
    assert 'alt="Le banc monté, sur une table"' in whole
    assert anybody.get(piece).headers["content-disposition"].startswith("attachment")
    assert anybody.get(f"{piece}/apercu").headers["content-type"] == "image/jpeg"
    send(client, f"/mes-badges/{award_id}/visibilite", {"vue": "ferme"}, seen_on=f"/mes-badges/{award_id}")
    assert anybody.get(piece).status_code == 403
