"""Pages of a recommendation by a peer: requested, proved, previewed, moderated, withdrawn; and their rate limits."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS
from app.domain.awards import Visibility
from tests.support.app import COMMAND, App, build_app, send
from tests.support.badges.endorsed import endorsed, recommended_by_peer
from tests.support.forms import Form, form_with, forms_of

KARIM = "karim@exemple.fr"
WORDS = "Elle a monté le bras du robot."
FILLED = {"lignes": WORDS, "signature": "Karim, même équipe"}


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path) -> Iterator[App]:
    """With the limits on."""
    built = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key of the tests"))
    yield built
    built.close()


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    found = app.award("MARTIN Zoé;zoe@exemple.fr").lines[0].award_id
    assert found
    with app.unit_of_work() as services:
        services.awards.set_visibility(found, Visibility.OPEN, by=COMMAND)
    return found


@pytest.fixture
def zoe(app: App, award_id: uuid.UUID) -> TestClient:
    client = app.client()
    with app.unit_of_work(reading=True) as services:
        token = services.people.private_link_token(award_id, 0)
    client.get(f"/recevoir/{token}")
    return client


def form_with_action(page: Response, ending: str) -> Form:
    return next(form for form in forms_of(page) if form.action.endswith(ending))


def text(page: str) -> str:
    return html.unescape(page).replace("\xa0", " ").replace("\u202f", " ").replace("'", "’")


def link_in(app: App, path: str) -> str:
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    links = [letter.text.partition(path)[2].split() for letter in app.letters.letters]
    return path + [words[0] for words in links if words][-1]


def test_from_the_question_to_the_page_and_back(app: App, award_id: uuid.UUID, zoe: TestClient):
    mine, peer, stranger = f"/mes-badges/{award_id}/recommandations", app.client(), app.client()
    page = zoe.get(mine)
    asked = form_with(page, "adresse-personne").fill(**{"adresse-personne": KARIM}).press(zoe, page)
    assert asked.headers["location"].startswith(f"{mine}?fait=demandee")
    here = link_in(app, "/temoigner/ecrire/")

    shown = peer.get(here)
    assert "Deux lignes sur Zoé Martin" in text(shown.text)
    form = form_with(shown, "lignes").fill(**FILLED)
    preview = form.press(peer, shown, ("geste", "apercu"))
    assert "Adresse vérifiée, identité non vérifiée" in text(preview.text)
    assert "Voilà ce qui serait public" in text(preview.text)
    done = form_with(preview, "lignes").press(peer, preview, ("geste", "envoyer"))
    back = done.headers["location"].partition("?")[0]
    assert back.startswith("/temoigner/retirer/")
    assert "Rien n’est public avant l’accord" in text(peer.get(done.headers["location"]).text)
    assert peer.get(here).status_code == 404, "the link is used"
    assert WORDS not in stranger.get(f"/attributions/{award_id}").text

    assert "1 à relire" in text(zoe.get(f"/mes-badges/{award_id}").text)
    assert "Une personne a écrit au sujet de" in text(zoe.get("/mes-badges").text)
    page = zoe.get(mine)
    assert KARIM in page.text
    accepted = form_with(page, "lignes").press(zoe, page, ("geste", "accepter"))
    assert "fait=acceptees" in accepted.headers["location"]
    public = stranger.get(f"/attributions/{award_id}").text
    assert WORDS in public
    assert "Par une personne qui a travaillé avec Zoé Martin" in text(public)
    assert KARIM not in public

    assert link_in(app, "/temoigner/retirer/") == back, "the e-mail holds the same link"
    shown = peer.get(back)
    gone = form_with_action(shown, back).press(peer, shown)
    assert "C’est retiré" in text(peer.get(gone.headers["location"]).text)
    assert WORDS not in stranger.get(f"/attributions/{award_id}").text
    assert "À relire" not in text(zoe.get(mine).text)


def test_whatever_is_refused_comes_back_as_it_was_typed(app: App, award_id: uuid.UUID, zoe: TestClient):
    page = zoe.get(f"/mes-badges/{award_id}/recommandations")
    typed = {"adresse-personne": "zoe@exemple.fr", "mot-personne": "Tu te souviens ?"}
    refused = form_with(page, "adresse-personne").fill(**typed).press(zoe, page)
    assert refused.status_code == 422
    assert "C’est votre propre adresse" in text(refused.text)
    assert "Tu te souviens ?" in text(refused.text)
    for field in ("adresse-personne", "adresse"):
        asked = form_with(page, field).fill(**{field: "karim@gmial.com"}).press(zoe, page)
        assert (asked.status_code, f"{field}-relu" in asked.text) == (422, True)
    form_with(refused, "adresse-personne").fill(**{"adresse-personne": KARIM}).press(zoe, refused)
    peer, here = app.client(), link_in(app, "/temoigner/ecrire/")
    shown = peer.get(here)
    form = form_with(shown, "lignes").fill(lignes=f"{WORDS} <b>Bravo</b>", signature="Karim")
    bad = form.fill(geste="envoyer").press(peer, shown)
    assert bad.status_code == 422
    assert "&lt;b&gt;Bravo&lt;/b&gt;" in bad.text
    assert "pas de balise" in text(bad.text)
    assert peer.get(here).status_code == 200, "nothing was sent: the link is not used"


def shared_link(app: App, award_id: uuid.UUID, zoe: TestClient) -> str:
    send(
        zoe, f"/mes-badges/{award_id}/recommandations/personnes/lien", {"geste": "ouvrir"},
        seen_on=f"/mes-badges/{award_id}/recommandations",
    )  # fmt: skip
    page = zoe.get(f"/mes-badges/{award_id}/recommandations").text
    return "/temoigner/" + page.partition("/temoigner/")[2].partition('"')[0]


def test_a_shared_link_does_not_reveal_the_owner_of_an_address(
    app: App, award_id: uuid.UUID, zoe: TestClient
):
    link, peer = shared_link(app, award_id, zoe), app.client()
    answers = [
        re.sub(r'name="jeton" value="[^"]+"', "", send(peer, link, {"adresse": address}).text).replace(
            address, ""
        )
        for address in ("zoe@exemple.fr", KARIM)
    ]
    assert answers[0] == answers[1]
    assert "Regardez vos e-mails" in text(answers[0])
    assert peer.get(link_in(app, "/temoigner/ecrire/")).status_code == 200
    assert {letter.to for letter in app.letters.letters} == {KARIM}


def test_a_learner_and_a_network_ask_only_so_often(app: App, award_id: uuid.UUID, zoe: TestClient):
    link, peer = shared_link(app, award_id, zoe), app.client()
    most = LIMITS["proofs at a link"].amount
    answers = [send(peer, link, {"adresse": f"p{number}@exemple.fr"}).status_code for number in range(most)]
    assert answers == [200] * most
    assert send(peer, link, {"adresse": "p@exemple.fr"}).status_code == 429
    page = zoe.get(f"/mes-badges/{award_id}/recommandations")
    asked = form_with(page, "adresse-personne").fill(**{"adresse-personne": KARIM}).press(zoe, page)
    assert asked.status_code == 303, "readers of the link use up nothing of the learner's"
    left = LIMITS["peers from a network"].amount - most - 3
    for _ in range(left):
        send(peer, link, {"adresse": "pas une adresse"})
    assert send(peer, link, {"adresse": "pas une adresse"}).status_code == 429


def test_all_spellings_of_a_mailbox_are_counted_together(app: App, award_id: uuid.UUID, zoe: TestClient):
    link, peer = shared_link(app, award_id, zoe), app.client()
    most = LIMITS["endorsement to an address"].amount
    answers = [
        send(peer, link, {"adresse": f"karim+{number}@exemple.fr"}).status_code for number in range(most + 1)
    ]
    assert answers == [200] * most + [429]


def test_the_campus_sees_what_is_public_and_answers_for_its_pages(
    app: App, award_id: uuid.UUID, zoe: TestClient
):
    with app.unit_of_work() as services:
        row = recommended_by_peer(services, services.awards.record(award_id))
    admin, home = app.client(app.admin), f"/gestion/{app.campus.slug}/recommandations"
    page = admin.get(home)
    asked = form_with(page, "organisation").fill(adresse="karim@gmial.com").press(admin, page)
    assert (asked.status_code, "karim@gmail.com" in asked.text) == (422, True)
    page = admin.get(home)
    assert WORDS in page.text
    assert KARIM not in page.text
    short = form_with_action(page, f"/personnes/{row}").fill(motif="N").press(admin, page)
    assert form_with_action(short, f"/personnes/{row}").fields["motif"] == ["N"]
    done = (
        form_with_action(page, f"/personnes/{row}")
        .fill(motif="Ces mots visent quelqu’un d’autre.")
        .press(admin, page)
    )
    assert "fait=ecartee" in done.headers["location"]
    assert WORDS not in app.client().get(f"/attributions/{award_id}").text
    assert "Ces mots visent" in text(zoe.get(f"/mes-badges/{award_id}/recommandations").text)


def test_list_of_an_organisation_is_sent_to_one_mailbox_few_times(app: App, award_id: uuid.UUID):
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        organisation_id = endorsed(services, record.campus, award=record).organisation_id
    reader, most = app.client(), LIMITS["endorsement to an address"].amount
    spellings = [
        "boss@exemple.fr",
        "ｂoss@exemple.fr",
        "boss+a@exemple.fr",
        " BOSS@exemple.fr ",
        "b\uff4fss@exemple.fr",
    ]
    path = f"/organisations/{organisation_id}"
    statuses = [
        send(reader, f"{path}/lien", {"adresse": each}, seen_on=path).status_code for each in spellings
    ]
    assert statuses == [303] * most + [429] * (len(spellings) - most)


def test_child_is_offered_no_request_that_would_be_refused(app: App, award_id: uuid.UUID, zoe: TestClient):
    page = f"/mes-badges/{award_id}/recommandations"
    assert 'name="organisation"' in zoe.get(page).text
    with app.unit_of_work() as services:
        services.age_bands.note(services.awards.record(award_id).person, under_15=True, by=COMMAND)
    shown = zoe.get(page).text
    assert 'name="organisation"' not in shown
    assert 'name="adresse-personne"' not in shown
    assert shown.count(f'href="/mes-badges/{award_id}/montrer"') == 2
