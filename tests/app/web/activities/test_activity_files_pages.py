"""Photos of an activity on the trainer's page, in each participant's log, and with a badge where all agreed."""

from __future__ import annotations

import re

from tests.support.app import App, send
from tests.support.handed import PDF, PHONE, photo


def attach(app: App, client, **fields: str):
    where = f"/gestion/itip/activites/{app.activity.id}/pieces"
    files = [
        ("fichiers", (f"{n}.jpg", photo("JPEG", (300, 200), colour=colour)))
        for n, colour in enumerate(("#a33", "#3a3"))
    ]
    return send(
        client,
        where,
        {"photo": "Le tableau", **fields},
        seen_on=where,
        files=[*files, ("fichiers", ("fiche.pdf", PDF))],
    )


def test_photos_sent_at_once_from_a_phone_are_shown_as_previews_and_in_the_journal(app: App):
    trainer = app.client(app.trainer)
    assert attach(app, trainer).status_code == 303
    where = f"/gestion/itip/activites/{app.activity.id}"
    page = trainer.get(f"{where}/pieces").text
    previews = re.findall(rf'src="({where}/pieces/[0-9a-f-]{{36}}/apercu)" alt="Le tableau"', page)
    assert len(previews) == 2
    small = trainer.get(previews[0])
    assert small.headers["content-type"] == "image/jpeg"
    whole = trainer.get(previews[0].removesuffix("/apercu"))
    assert whole.headers["content-disposition"].startswith("attachment")
    assert PHONE.encode() not in small.content + whole.content
    journal = trainer.get(f"{where}/journal").text
    assert journal.count("Photo ou fichier") >= 3
    assert app.client(app.stranger).get(previews[0]).status_code == 404
    assert app.client().get(previews[0]).status_code == 401


def test_a_participant_sees_the_photos_in_their_log_and_who_read_their_record(app: App):
    result = app.award("Zoé Martin;zoe@exemple.fr")
    trainer, zoe = app.client(app.trainer), app.client()
    attach(app, trainer)
    zoe.get(app.private_link(result))
    log = f"/mes-badges/{result.lines[0].award_id}/journal"
    page = zoe.get(log).text
    assert "Personne, depuis un an." in page
    preview = re.search(rf"{log}/pieces/[0-9a-f-]{{36}}/apercu", page)
    assert preview
    assert zoe.get(preview[0]).headers["content-type"] == "image/jpeg"
    other = app.client()
    other.get(app.private_link(app.award("Léa Petit;lea@exemple.fr")))
    assert other.get(preview[0]).status_code == 401
    record = trainer.get(f"/gestion/itip/attributions/{result.lines[0].award_id}")
    assert record.status_code == 200
    answered = zoe.get(log).text
    assert "Un de mes badges, du côté du campus" in answered
    assert app.trainer.name in answered


def test_a_photo_is_shown_to_the_world_once_all_agreed_and_gone_once_removed(app: App):
    result = app.award("Zoé Martin;zoe@exemple.fr")
    award_id = result.lines[0].award_id
    trainer, zoe, anybody = app.client(app.trainer), app.client(), app.client()
    zoe.get(app.private_link(result))
    attach(app, trainer, accord="oui")
    log, public = f"/mes-badges/{award_id}/journal", f"/attributions/{award_id}"
    send(zoe, f"/mes-badges/{award_id}/visibilite", {"vue": "ouvert"}, seen_on=f"/mes-badges/{award_id}")
    assert "/photos/" not in anybody.get(public).text
    number = re.search(r'name="ligne-(\d+)"', zoe.get(log).text)
    assert number
    send(zoe, f"{log}/montrer", {f"ligne-{number[1]}": "all"}, seen_on=log)
    app.clock.move(minutes=5)
    photos = re.findall(
        rf'src="(/preuves/{award_id}/photos/[0-9a-f-]{{36}}/apercu)" alt="Le tableau"',
        anybody.get(public).text,
    )
    assert len(photos) == 2
    assert anybody.get(photos[0]).headers["content-type"] == "image/jpeg"
    piece = photos[0].split("/")[4]
    where = f"/gestion/itip/activites/{app.activity.id}/pieces"
    silent = send(trainer, f"{where}/{piece}/retirer", {"motif": ""}, seen_on=where)
    assert silent.status_code == 422
    assert "pourquoi" in silent.text
    assert (
        send(trainer, f"{where}/{piece}/retirer", {"motif": "À sa demande."}, seen_on=where).status_code
        == 303
    )
    assert anybody.get(photos[0]).status_code == 404
    assert "À sa demande." in trainer.get(f"/gestion/itip/activites/{app.activity.id}/journal").text
