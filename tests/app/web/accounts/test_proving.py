"""« Confirmez que c'est vous »: asked before sensitive actions; afterwards the person continues with all they typed."""

from __future__ import annotations

import html
import re
import uuid

from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.accounts.sessions import LIFE, SetAside
from tests.app.web.accounts.test_account_pages import GOOD, answered, keeper, press, quick_hashes  # noqa: F401 - a fixture
from tests.app.web.awards.awarding_steps import TABLE
from tests.support.app import BASE_URL, App, send
from tests.support.forms import form_with, forms_of
from tests.support.servers.authenticator import Authenticator

TEAM = "/gestion/itip/equipe"
TYPED = {"adresse": "camille.durand@exemple.fr", "role": ["trainer", "reviewer"], "jours": "7"}


def late_invitation(app: App, client: TestClient) -> Response:
    """An invitation sent half an hour and a bit after signing in."""
    page = client.get(TEAM)
    app.clock.move(minutes=31)
    (form,) = [form for form in forms_of(page) if form.action == f"{TEAM}/invitations"]
    return form.fill(**TYPED).press(client, page)


def resumed(client: TestClient, page: Response) -> Response:
    assert "C’est confirmé" in html.unescape(page.text), page.text
    (form,) = [form for form in forms_of(page) if form.action == f"{TEAM}/invitations"]
    assert {name: form.fields[name] for name in TYPED} == {
        **TYPED,
        "adresse": [TYPED["adresse"]],
        "jours": ["7"],
    }
    return form.press(client, page)


def is_invited(client: TestClient) -> bool:
    return TYPED["adresse"] in client.get(TEAM).text


def test_a_request_is_decided_with_the_key_as_a_badge_is_given(app: App):
    keeper(app, app.admin)
    by_link = app.client(app.admin)
    assert by_link.get("/gestion/itip/demandes").headers["location"].startswith("/confirmer")
    accepted = send(
        by_link, f"/gestion/itip/demandes/{uuid.uuid4()}/accepter", {"raison": "Vu."}, seen_on="/compte"
    )
    assert "/confirmer/cle" in {form.action for form in forms_of(accepted)}


def test_a_passkey_confirms_and_the_typed_form_is_retained(app: App):
    admin, key = keeper(app, app.admin)
    asked = late_invitation(app, admin)
    assert asked.status_code == 403
    assert not is_invited(admin)
    assert all(form.action != "/confirmer/mot-de-passe" for form in forms_of(asked))

    refused = answered(admin, asked, "/confirmer/cle", Authenticator(BASE_URL))
    assert (refused.status_code, "n’est pas enregistrée ici" in refused.text) == (403, True)
    done = resumed(admin, answered(admin, refused, "/confirmer/cle", key))
    assert done.headers["location"] == f"{TEAM}?fait=invitation"
    assert is_invited(admin)


def test_a_password_confirms_for_a_person_without_a_passkey(app: App):
    admin = app.client(app.admin)
    assert send(admin, "/compte/mot-de-passe", {"mot-de-passe": GOOD}).status_code == 303
    asked = late_invitation(app, admin)
    wrong = press(admin, asked, "/confirmer/mot-de-passe", mot_de_passe="pas celui-là du tout")
    assert (wrong.status_code, "pas votre mot de passe" in wrong.text) == (403, True)
    assert "pas celui-là du tout" not in wrong.text
    done = resumed(admin, press(admin, wrong, "/confirmer/mot-de-passe", mot_de_passe=GOOD))
    assert (done.status_code, is_invited(admin)) == (303, True)


def test_a_link_confirms_for_a_person_without_passkey_and_password(app: App):
    admin = app.client(app.admin)
    asked = late_invitation(app, admin)
    sent = press(admin, asked, "/confirmer/lien")
    assert "Un lien est en route" in sent.text
    too_early = press(admin, resume_page(admin, sent), f"{TEAM}/invitations")
    assert too_early.status_code == 403
    found = re.search(r"/connexion/\S+", app.letters.letters[-1].text)
    assert found
    assert send(admin, found[0]).status_code == 303
    done = resumed(admin, resume_page(admin, sent))
    assert (done.status_code, is_invited(admin)) == (303, True)


def resume_page(client: TestClient, sent: Response) -> Response:
    return press(client, sent, "/confirmer/reprendre")


def test_a_page_that_is_only_read_is_shown_after_the_confirmation(app: App):
    _, key = keeper(app, app.trainer)
    trainer, award = app.client(app.trainer), f"/gestion/itip/activites/{app.activity.id}/attribuer"
    led = trainer.get(f"{award}?badge=1")
    assert led.status_code == 303
    asked = trainer.get(led.headers["location"])
    assert answered(trainer, asked, "/confirmer/cle", key).headers["location"] == f"{award}?badge=1"
    assert trainer.get(award).status_code == 200


def test_a_person_without_a_passkey_awards_however_long_ago_they_signed_in(app: App):
    trainer = app.client(app.trainer)
    app.clock.move(minutes=90)
    assert trainer.get(f"/gestion/itip/activites/{app.activity.id}/attribuer").status_code == 200


def test_confirming_leads_to_no_other_site_and_fills_in_no_page_of_ours(app: App):
    trainer, key = keeper(app, app.trainer)
    for foreign in ("https://exemple.fr/", "//exemple.fr", "/\\exemple.fr", "javascript:alert(1)"):
        page = trainer.get("/confirmer", params={"suite": foreign})
        assert answered(trainer, page, "/confirmer/cle", key).headers["location"] == "/gestion"
    page = trainer.get("/confirmer")
    for carried in ("//exemple.fr", "/nulle-part", "invented", ""):
        (form,) = [form for form in forms_of(page) if form.action == "/confirmer/cle"]
        token = form.fields["jeton"][0]
        answer = trainer.post("/confirmer/reprendre", data={"jeton": token, "attente": carried})
        assert answer.headers["location"] == "/gestion"


def late_list(app: App) -> tuple[TestClient, Authenticator, Response]:
    """A list dropped by a trainer who added a passkey elsewhere after the page was opened."""
    trainer, award = app.client(app.trainer), f"/gestion/itip/activites/{app.activity.id}/attribuer"
    page = trainer.get(award)
    _, key = keeper(app, app.trainer)
    form = form_with(page, "badge").fill(badge=str(app.presence.badge.id), qui="liste")
    asked = form.press(trainer, page, files={"fichier": ("liste.csv", TABLE, "text/csv")})
    assert asked.status_code == 403, asked.text
    return trainer, key, asked


def test_a_chosen_file_comes_back_by_itself_and_once(app: App):
    trainer, key, asked = late_list(app)
    page = answered(trainer, asked, "/confirmer/cle", key)
    (form,) = [form for form in forms_of(page) if form.action.endswith("/attribuer")]
    assert "Anne-Gaëlle" in html.unescape(form.press(trainer, page).text)
    assert "Anne-Gaëlle" not in html.unescape(form.press(trainer, page).text)


def test_a_pending_form_is_encrypted_and_opens_only_for_its_author(app: App):
    _, _, asked = late_list(app)
    (token,) = next(form.fields["attente"] for form in forms_of(asked) if "attente" in form.fields)
    with Transaction(app.process.engine) as everything:
        (kept,) = everything.exec(select(SetAside)).all()
        assert (b"MARTIN" in kept.sealed, token.encode() in kept.sealed) == (False, False)
    admin = app.client(app.admin)
    page = admin.get("/confirmer")
    jeton = forms_of(page)[0].fields["jeton"][0]
    stolen = admin.post("/confirmer/reprendre", data={"jeton": jeton, "attente": token})
    assert stolen.headers["location"] == "/gestion"


def test_a_pending_form_expires(app: App):
    _, _, asked = late_list(app)
    assert asked.status_code == 403
    app.clock.move(seconds=LIFE.total_seconds())
    app.client(app.admin)
    with Transaction(app.process.engine) as everything:
        assert everything.exec(select(SetAside)).all() == []


# --- a letter that is read on another device


def codes_of_letter(app: App, client: TestClient, asked: Response) -> tuple[Response, list[str]]:
    """The page after asking for a link, and the code that each link of the letter shows on another device."""
    (by_link,) = [form for form in forms_of(asked) if form.action == "/confirmer/lien"]
    app.letters.letters.clear()
    sent = by_link.press(client, asked)
    phone = app.client()
    links = re.findall(r"http://localhost:8000(/connexion/\S+)", app.letters.letters[-1].text)
    shown = [re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", phone.get(link).text) for link in links]
    return sent, [found[0] for found in shown if found]


def test_the_code_of_a_letter_read_on_another_device_confirms_here(app: App):
    admin = app.client(app.admin)
    with app.unit_of_work() as services:
        services.stores.own_addresses.verify(app.admin, "œuvrard@exemple.fr", at=app.clock())
    sent, (code,) = codes_of_letter(app, admin, late_invitation(app, admin))
    wrong = form_with(sent, "code").fill(code="AAAA-AAAA").press(admin, sent)
    assert (wrong.status_code, "n’est pas celui d’un lien demandé" in wrong.text) == (403, True)
    done = resumed(admin, form_with(wrong, "code").fill(code=code).press(admin, wrong))
    assert done.headers["location"] == f"{TEAM}?fait=invitation"


def test_the_code_of_another_account_at_a_shared_address_confirms_nothing(app: App):
    shared = "partage@exemple.fr"
    with app.unit_of_work() as services:
        for person in (app.admin, app.trainer):
            services.stores.people.add_address(person, shared)
            services.stores.own_addresses.verify(person, shared, at=app.clock())
            services.stores.own_addresses.make_main(person.id, shared)
    trainer = app.client(app.trainer)
    app.clock.move(minutes=31)
    asked = trainer.get(trainer.get("/compte/mot-de-passe").headers["location"])
    sent, codes = codes_of_letter(app, trainer, asked)
    assert len(codes) == 2
    answers = [form_with(sent, "code").fill(code=code).press(trainer, sent).status_code for code in codes]
    assert sorted(answers) == [303, 403]
    assert "Anaïs Le Goff" in trainer.get("/compte").text


# --- passkeys that are lost or no longer wanted


def by_link_again(app: App, client: TestClient, wanted: str) -> Response:
    """The page that asks, a letter to oneself, its link opened in this browser, then the page that was asked for."""
    app.clock.move(minutes=31)
    asked = client.get(client.get(wanted).headers["location"])
    assert asked.status_code == 200, asked.text
    (by_link,) = [form for form in forms_of(asked) if form.action == "/confirmer/lien"]
    app.letters.letters.clear()
    by_link.press(client, asked)
    link = re.search(r"http://localhost:8000(/connexion/\S+)", app.letters.letters[-1].text)
    assert link
    assert send(client, link[1]).status_code == 303
    return client.get(wanted)


def test_a_person_who_removed_their_last_passkey_confirms_without_one(app: App):
    admin, _ = keeper(app, app.admin)
    shown = admin.get("/compte")
    press(admin, shown, next(form.action for form in forms_of(shown) if form.action.endswith("/retirer")))
    assert by_link_again(app, admin, "/compte/mot-de-passe").status_code == 200


def test_a_learner_who_lost_their_only_key_comes_in_by_a_letter_and_takes_it_away(app: App):
    app.award("PETIT Zoé ; zoe@exemple.fr")
    with app.unit_of_work() as services:
        ((zoe, _),) = services.stores.own_addresses.people_at("zoe@exemple.fr")
        services.stores.own_addresses.verify(zoe, "zoe@exemple.fr", at=app.clock())
    learner, _ = keeper(app, zoe)
    assert "attribuer, retirer, exporter" not in learner.get("/compte?fait=cle").text
    assert by_link_again(app, learner, "/compte/mot-de-passe").status_code == 200
    shown = learner.get("/compte")
    (remove,) = [form for form in forms_of(shown) if re.fullmatch(r"/compte/cles/[^/]+/retirer", form.action)]
    assert remove.press(learner, shown).headers["location"] == "/compte?fait=cle-retiree"


def test_a_staff_member_with_a_passkey_can_confirm_only_with_it(app: App):
    trainer, _ = keeper(app, app.trainer)
    app.clock.move(minutes=31)
    asked = trainer.get(trainer.get("/compte/mot-de-passe").headers["location"])
    assert "/confirmer/lien" not in [form.action for form in forms_of(asked)]
    assert "la personne qui gère ce service peut inviter" in asked.text
