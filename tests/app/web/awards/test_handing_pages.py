"""Delivery of badges on the web: status, other letters, slips, codes, new links, the large screen."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterDelayed, LetterRefused, Reason, message_key
from app.services.awards.awards import AwardRequest
from tests.support.app import App, listed, send
from tests.support.forms import form_with
from tests.support.letters import awarded, letters_of
from tests.support.servers.post_office import report

ZOE, LUCAS = "Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr"


@pytest.fixture
def ids(app: App):
    return awarded(app, ZOE, LUCAS)


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def refuse(app: App, award_id, trouble=None) -> None:
    envelope = letters_of(app, award_id)[0].envelope
    with app.unit_of_work() as services:
        assert services.letters.take(envelope)
        services.letters.not_sent(
            envelope, trouble or LetterRefused(Reason.UNKNOWN_ADDRESS, "550 No such user")
        )


def activity(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}"


def award(award_id) -> str:
    return f"/gestion/itip/attributions/{award_id}"


def test_the_activity_shows_the_delivery_status_of_every_badge(app: App, trainer: TestClient, ids):
    refuse(app, ids[0])
    refuse(app, ids[1], LetterDelayed(Reason.MAILBOX_FULL, "452 full"))
    app.award("Yasmine Haddad")
    for path in (activity(app), f"{activity(app)}/remise", "/gestion/itip/attributions"):
        page = trainer.get(path).text
        for words in ("E-mail refusé", "ne connaît pas cette adresse", "boîte de la personne est pleine",
                      "Elle repart d’elle-même", "À remettre en main propre"):  # fmt: skip
            assert words in page, (path, words)


def test_a_refused_letter_is_shown_until_another_one_is_enqueued(app: App, trainer: TestClient, ids):
    assert "Tout est arrivé" in trainer.get("/gestion/itip/lettres").text
    refuse(app, ids[0])
    assert 'E-mail non distribué<span class="vh"> : 1</span>' in trainer.get("/gestion/itip").text.replace(
        "\u00a0", " "
    )
    assert "Zoé Martin" in trainer.get("/gestion/itip/lettres").text
    page = trainer.get(f"{award(ids[0])}/remise")
    assert "550 No such user" in page.text
    again = form_with(page, "adresse").fill(adresse="pas une adresse").press(trainer, page)
    assert again.status_code == 422
    assert 'value="pas une adresse"' in again.text, "nothing typed is lost"
    answer = form_with(again, "adresse").fill(adresse="zoe.martin@exemple.fr").press(trainer, again)
    assert answer.status_code == 303
    assert "Envoi en cours" in trainer.get(answer.headers["location"]).text
    assert "Tout est arrivé" in trainer.get("/gestion/itip/lettres").text
    assert "E-mails non distribués" not in trainer.get("/gestion/itip").text


def test_slips_come_as_one_file_for_those_ticked_or_for_all_who_wait(app: App, trainer: TestClient, ids):
    where = f"{activity(app)}/bulletins"
    for fields, name in (
        ({}, "bulletins-2.pdf"),
        ({"attribution": str(ids[0]), "langue": "en"}, "bulletins-1.pdf"),
    ):
        answer = send(trainer, where, fields, seen_on=f"{activity(app)}/remise")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert name in answer.headers["content-disposition"]
        assert answer.headers["cache-control"] == "no-store"
    one = send(trainer, f"{award(ids[1])}/bulletin", {}, seen_on=f"{award(ids[1])}/remise")
    assert one.content.startswith(b"%PDF")
    with app.unit_of_work() as services:
        for award_id in ids:
            services.delivery.claim(award_id, by=Actor(label="tests"))
    answer = send(trainer, where, {}, seen_on="/verifier")
    assert answer.status_code == 409
    assert "Aucun bulletin à imprimer" in answer.text


def test_a_code_is_shown_once_and_opens_the_badge_without_an_account(app: App, trainer: TestClient, ids):
    shown = send(trainer, f"{award(ids[0])}/code", {}, seen_on=f"{award(ids[0])}/remise")
    code = re.search(r"Code\W+([0-9A-Z]{4}-[0-9A-Z]{4})<", shown.text)
    assert code, "the answer contains the code"
    assert code[1] not in trainer.get(f"{award(ids[0])}/remise").text
    learner = app.client()
    answer = send(learner, "/recuperer", {"code": code[1].lower().replace("-", " ")})
    assert answer.headers["location"] == f"/mes-badges/{ids[0]}?fait=recu"
    assert "le badge est là" in learner.get(answer.headers["location"]).text
    assert "Reçu par la personne" in trainer.get(f"{activity(app)}/remise").text


def test_used_replaced_and_invented_codes_get_the_same_answer(app: App, trainer: TestClient, ids):
    with app.unit_of_work() as services:
        codes = services.delivery.codes_for([services.awards.record(award_id) for award_id in ids])
        used, replaced = (codes[award_id].code for award_id in ids)
        services.delivery.claim_by_code(used)
        services.delivery.renew_link(app.campus, ids[1], by=Actor(app.trainer.id))
    learner, answers = app.client(), []
    for code in (used, replaced, "00000000"):
        answer = send(learner, "/recuperer", {"code": code})
        assert answer.status_code == 404
        answers.append(re.search(r'id="code-erreur">.*?</p>', answer.text, re.S)[0])  # type: ignore[index]
    assert len(set(answers)) == 1
    typo = send(learner, "/recuperer", {"code": used[:-1] + ("0" if used[-1] != "0" else "1")})
    assert typo.status_code == 422
    assert "faute de frappe" in typo.text


def test_a_renewed_link_asks_for_a_yes_and_closes_the_old_one(app: App, trainer: TestClient):
    result = app.award(ZOE)
    award_id, old = result.lines[0].award_id, app.private_link(result)
    learner = app.client()
    learner.get(old)
    page = trainer.get(f"{award(award_id)}/remise")
    form = form_with(page, "sur")
    assert form.press(trainer, page).status_code == 422
    assert learner.get(old).status_code == 303
    answer = form.fill(sur="oui").press(trainer, page)
    assert "n’ouvrent plus rien" in trainer.get(answer.headers["location"]).text
    assert learner.get(old).status_code == 404


def test_nothing_is_handed_over_while_the_award_may_be_undone(app: App, trainer: TestClient):
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(ZOE))
    with app.unit_of_work() as services:
        batch = services.awards.give(
            app.campus, request, by=Actor(app.trainer.id), undo_for=app.process.undo_for
        )
        award_id = services.award_batches.result(app.campus, batch.id).lines[0].award_id
    page = trainer.get(f"{award(award_id)}/remise").text
    assert "Aucun message n’a encore été envoyé" in page
    assert "/recevoir/" not in page
    for action, fields in (
        ("lettre", {"adresse": "z@exemple.fr"}),
        ("lien", {"sur": "oui"}),
        ("bulletin", {}),
    ):
        answer = send(trainer, f"{award(award_id)}/{action}", fields, seen_on="/verifier")
        assert answer.status_code == 409, action
    result = trainer.get(f"/gestion/itip/activites/{app.activity.id}/remise").text
    assert f"/gestion/itip/resultats/{batch.id}" in result, "one button there delivers them now"
    assert "Préparer le PDF" not in result
    app.clock.now += app.process.undo_for
    assert "/recevoir/" in trainer.get(f"{award(award_id)}/remise").text


def test_the_screen_shows_what_was_chosen_and_nothing_else(app: App, trainer: TestClient, ids):
    choose = trainer.get(f"{activity(app)}/projection").text
    assert choose.count('name="sans"') == 2
    screen = f"{activity(app)}/projection/ecran"
    first = trainer.get(f"{screen}?sans={ids[1]}&noms=initiale").text
    assert "Zoé M." in first
    for private in ("Martin", "zoe@exemple.fr", "Lucas", "/recevoir/", str(app.trainer.family_name)):
        assert private not in first, private
    assert "Zoé Martin" in trainer.get(f"{screen}?sans={ids[1]}&noms=entiers").text
    both = trainer.get(screen).text
    assert "Lucas B." in both
    onward = re.search(r'rel="next" href="([^"]+)"', both)
    assert onward
    second = trainer.get(onward[1].replace("&amp;", "&")).text
    assert "Zoé M." in second
    assert 'rel="prev"' in second
    last = trainer.get(f"{screen}?n=3").text.replace("\u00a0", " ")
    assert "2 badges remis" in last
    assert "localhost:8000/recuperer?vers=portefeuille" in last, "the same for the whole audience"
    for private in (*map(str, ids), "/recevoir/", "openid-credential-offer", "Martin"):
        assert private not in last, private


def test_code_of_a_slip_leads_to_the_wallet_page_of_its_badge(app: App, trainer: TestClient, ids):
    """No second secret: the code is valid once, and the offer is made on the learner's own page."""
    with app.unit_of_work() as services:
        code = services.delivery.codes_for([services.awards.record(ids[0])])[ids[0]].code
    learner = app.client()
    asked = learner.get("/recuperer?vers=portefeuille").text
    assert 'name="vers" value="portefeuille"' in asked
    assert 'name="vers"' not in learner.get("/recuperer?vers=https://ailleurs.exemple.fr").text
    form = {"code": code, "vers": "portefeuille"}
    answer = send(learner, "/recuperer", form, seen_on="/recuperer?vers=portefeuille")
    assert answer.headers["location"] == f"/mes-badges/{ids[0]}/partager/portefeuille"
    shown = learner.get(answer.headers["location"])
    assert "Portefeuille numérique" in shown.text
    assert "openid-credential-offer" not in shown.text, "the page is closed until its learner opens it"
    again = send(app.client(), "/recuperer", form, seen_on="/recuperer?vers=portefeuille")
    assert again.status_code == 404


def test_opening_the_link_and_receiving_are_reported_to_the_campus(app: App, trainer: TestClient):
    result = app.award(ZOE)
    award_id, learner = result.lines[0].award_id, app.client()
    learner.get(app.private_link(result))
    assert "Lien ouvert" in trainer.get(f"{activity(app)}/remise").text
    assert "ce badge est à vous" in learner.get(f"/mes-badges/{award_id}").text
    assert "La garder fermée" in learner.get(f"/mes-badges/{award_id}/montrer").text
    kept = {"vue": "ferme"}
    answer = send(learner, f"/mes-badges/{award_id}/visibilite", kept, seen_on=f"/mes-badges/{award_id}")
    received = learner.get(answer.headers["location"]).text
    assert "La page est fermée" in received
    assert "ce badge est à vous" not in received
    assert "Reçu par la personne" in trainer.get(f"{activity(app)}/remise").text


def test_opening_the_page_receives_the_badge_too(app: App, trainer: TestClient):
    result = app.award(ZOE)
    award_id, learner = result.lines[0].award_id, app.client()
    learner.get(app.private_link(result))
    send(learner, f"/mes-badges/{award_id}/visibilite", {"vue": "ouvert"}, seen_on=f"/mes-badges/{award_id}")
    assert "Reçu par la personne" in trainer.get(f"{activity(app)}/remise").text


def test_awards_that_rest_on_no_activity_are_printed_from_their_result(app: App, trainer: TestClient):
    request = AwardRequest(
        app.role.badge.id,
        lines=listed("MARTIN Zoé;zoe@exemple.fr", "PETIT Léo;leo@exemple.fr"),
        evidence="Ont tenu le stand du campus.",
        tells=False,
    )
    with app.unit_of_work() as services:
        given = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
    assert given.batch is not None
    result = f"/gestion/itip/resultats/{given.batch.id}"
    answer = send(trainer, f"{result}/bulletins", {"langue": "fr"}, seen_on=result)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"%PDF-")
    assert 'filename="bulletins-2.pdf"' in answer.headers["content-disposition"]
    for line in given.lines:
        assert line.award_id is not None
        with app.unit_of_work() as services:
            services.awards.revoke(app.campus, line.award_id, "Erreur de liste.", by=Actor(app.trainer.id))
    none = send(trainer, f"{result}/bulletins", {}, seen_on=result)
    assert none.status_code == 409
    assert "Aucun bulletin à imprimer" in none.text


def test_of_two_people_of_one_name_each_is_known_by_their_number_where_badges_are_handed_over(app: App):
    app.award("MOREAU Camille", "MOREAU Camille (2)")
    trainer, admin = app.client(app.trainer), app.client(app.admin)
    activity = f"/gestion/itip/activites/{app.activity.id}"
    assert "Camille Moreau (2)" in trainer.get(f"{activity}/remise").text
    assert "Camille Moreau (2)" in trainer.get(f"{activity}/projection").text
    withdrawing = admin.get(f"/gestion/itip/retraits/nouveau?activite={app.activity.id}")
    assert "Camille Moreau (2)" in withdrawing.text
    with app.unit_of_work() as services:
        records = services.awards.list_in(app.campus, activity_id=app.activity.id, limit=9)
        sheet = services.slips.prepare(
            app.campus,
            [record.award.id for record in records],
            language="fr",
            day=lambda each, _zone: str(each),
            by=Actor(app.trainer.id),
        )
    assert sorted(slip.name for slip in sheet.slips) == ["Camille Moreau", "Camille Moreau (2)"]


@pytest.mark.parametrize(
    ("status", "reason", "advice"),
    [
        ("5.1.1", "ne connaît pas cette adresse", "Corrigez l’adresse et renvoyez"),
        ("5.2.2", "La boîte de la personne est pleine", "dans quelques jours"),
        ("5.7.1", "n’accepte pas les e-mails de ce service", "prévenez l’administration"),
        ("5.6.0", "a refusé l’e-mail", "à une autre adresse"),
    ],
)
def test_the_page_of_a_badge_explains_a_returned_message_and_what_to_do(
    app: App, trainer: TestClient, ids, status: str, reason: str, advice: str
):
    letter = letters_of(app, ids[0])[0]
    with app.unit_of_work() as services:
        services.letters.take(letter.envelope)
        services.letters.sent(letter.envelope)
    page = trainer.get(f"{award(ids[0])}/remise").text
    assert "pas arrivé" not in page
    app.clock.move(minutes=30)
    with app.unit_of_work() as services:
        key = message_key(app.process.secret, letter.id)
        services.letters.note_bounces(report(key, "zoe@exemple.fr", status=status, said="smtp; refused"))
    page = trainer.get(f"{award(ids[0])}/remise").text
    for words in ("L’e-mail n’est pas arrivé", "il est revenu le", reason, advice, "E-mail revenu"):
        assert words in page, words
    assert "zoe@exemple.fr" in trainer.get("/gestion/itip/lettres").text


def test_letter_to_an_address_typed_wrong_waits_for_an_answer(app: App):
    award_id = app.award("MARTIN Zoé").lines[0].award_id
    trainer, here = app.client(app.trainer), f"/gestion/itip/attributions/{award_id}"
    page = send(trainer, f"{here}/lettre", {"adresse": "zoe@gmial.com"}, seen_on=f"{here}/remise")
    assert (page.status_code, "zoe@gmail.com" in page.text) == (422, True)
    (take,) = (each for each in form_with(page, "adresse").buttons if each[1].startswith("corriger"))
    done = form_with(page, "adresse").press(trainer, page, take)
    assert done.headers["location"] == f"{here}/remise?fait=lettre"
    assert "zoe@gmail.com" in trainer.get(f"{here}/remise").text
