"""« Confirmez que c'est vous »: asked for where it matters, after which one goes on where one was, with all one typed."""

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
from tests.support.forms import form_with, forms_of
from tests.support.house import BASE_URL, House, send
from tests.support.servers.authenticator import Authenticator

TEAM = "/gestion/itip/equipe"
TYPED = {"adresse": "camille.durand@exemple.fr", "role": ["trainer", "reviewer"], "jours": "7"}


def late_invitation(house: House, client: TestClient) -> Response:
    """Half an hour and a bit after signing in."""
    page = client.get(TEAM)
    house.clock.move(minutes=31)
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


def test_a_request_is_decided_with_the_key_as_a_badge_is_given(house: House):
    keeper(house, house.admin)
    by_link = house.client(house.admin)
    assert by_link.get("/gestion/itip/demandes").headers["location"].startswith("/confirmer")
    accepted = send(
        by_link, f"/gestion/itip/demandes/{uuid.uuid4()}/accepter", {"raison": "Vu."}, seen_on="/compte"
    )
    assert "/confirmer/cle" in {form.action for form in forms_of(accepted)}


def test_whoever_has_a_key_confirms_with_it_and_nothing_typed_is_lost(house: House):
    admin, key = keeper(house, house.admin)
    asked = late_invitation(house, admin)
    assert asked.status_code == 403
    assert not is_invited(admin)
    assert all(form.action != "/confirmer/mot-de-passe" for form in forms_of(asked))

    refused = answered(admin, asked, "/confirmer/cle", Authenticator(BASE_URL))
    assert (refused.status_code, "n’est pas enregistrée ici" in refused.text) == (403, True)
    done = resumed(admin, answered(admin, refused, "/confirmer/cle", key))
    assert done.headers["location"] == f"{TEAM}?fait=invitation"
    assert is_invited(admin)


def test_a_password_confirms_for_whoever_has_no_key(house: House):
    admin = house.client(house.admin)
    assert send(admin, "/compte/mot-de-passe", {"mot-de-passe": GOOD}).status_code == 303
    asked = late_invitation(house, admin)
    wrong = press(admin, asked, "/confirmer/mot-de-passe", mot_de_passe="pas celui-là du tout")
    assert (wrong.status_code, "pas votre mot de passe" in wrong.text) == (403, True)
    assert "pas celui-là du tout" not in wrong.text
    done = resumed(admin, press(admin, wrong, "/confirmer/mot-de-passe", mot_de_passe=GOOD))
    assert (done.status_code, is_invited(admin)) == (303, True)


def test_a_link_confirms_for_whoever_has_neither(house: House):
    admin = house.client(house.admin)
    asked = late_invitation(house, admin)
    sent = press(admin, asked, "/confirmer/lien")
    assert "Un lien est en route" in sent.text
    too_early = press(admin, resume_page(admin, sent), f"{TEAM}/invitations")
    assert too_early.status_code == 403
    found = re.search(r"/connexion/\S+", house.letters.letters[-1].text)
    assert found
    assert send(admin, found[0]).status_code == 303
    done = resumed(admin, resume_page(admin, sent))
    assert (done.status_code, is_invited(admin)) == (303, True)


def resume_page(client: TestClient, sent: Response) -> Response:
    return press(client, sent, "/confirmer/reprendre")


def test_a_page_to_look_at_is_shown_after_the_proof(house: House):
    _, key = keeper(house, house.trainer)
    trainer, award = house.client(house.trainer), f"/gestion/itip/activites/{house.activity.id}/attribuer"
    led = trainer.get(f"{award}?badge=1")
    assert led.status_code == 303
    asked = trainer.get(led.headers["location"])
    assert answered(trainer, asked, "/confirmer/cle", key).headers["location"] == f"{award}?badge=1"
    assert trainer.get(award).status_code == 200


def test_whoever_has_no_key_awards_as_before_however_long_ago_they_signed_in(house: House):
    trainer = house.client(house.trainer)
    house.clock.move(minutes=90)
    assert trainer.get(f"/gestion/itip/activites/{house.activity.id}/attribuer").status_code == 200


def test_confirming_leads_to_no_other_site_and_fills_in_no_page_of_ours(house: House):
    trainer, key = keeper(house, house.trainer)
    for foreign in ("https://exemple.fr/", "//exemple.fr", "/\\exemple.fr", "javascript:alert(1)"):
        page = trainer.get("/confirmer", params={"suite": foreign})
        assert answered(trainer, page, "/confirmer/cle", key).headers["location"] == "/gestion"
    page = trainer.get("/confirmer")
    for carried in ("//exemple.fr", "/nulle-part", "invented", ""):
        (form,) = [form for form in forms_of(page) if form.action == "/confirmer/cle"]
        token = form.fields["jeton"][0]
        answer = trainer.post("/confirmer/reprendre", data={"jeton": token, "attente": carried})
        assert answer.headers["location"] == "/gestion"


def late_list(house: House) -> tuple[TestClient, Authenticator, Response]:
    """A list dropped by somebody who got a passkey elsewhere since the page was opened."""
    trainer, award = house.client(house.trainer), f"/gestion/itip/activites/{house.activity.id}/attribuer"
    page = trainer.get(award)
    _, key = keeper(house, house.trainer)
    form = form_with(page, "badge").fill(badge=str(house.presence.badge.id), qui="liste")
    asked = form.press(trainer, page, files={"fichier": ("liste.csv", TABLE, "text/csv")})
    assert asked.status_code == 403, asked.text
    return trainer, key, asked


def test_a_chosen_file_comes_back_by_itself_and_once(house: House):
    trainer, key, asked = late_list(house)
    page = answered(trainer, asked, "/confirmer/cle", key)
    (form,) = [form for form in forms_of(page) if form.action.endswith("/attribuer")]
    assert "Anne-Gaëlle" in html.unescape(form.press(trainer, page).text)
    assert "Anne-Gaëlle" not in html.unescape(form.press(trainer, page).text)


def test_what_waits_is_sealed_and_opens_for_nobody_else(house: House):
    _, _, asked = late_list(house)
    (token,) = next(form.fields["attente"] for form in forms_of(asked) if "attente" in form.fields)
    with Transaction(house.process.engine) as everything:
        (kept,) = everything.exec(select(SetAside)).all()
        assert (b"MARTIN" in kept.sealed, token.encode() in kept.sealed) == (False, False)
    admin = house.client(house.admin)
    page = admin.get("/confirmer")
    jeton = forms_of(page)[0].fields["jeton"][0]
    stolen = admin.post("/confirmer/reprendre", data={"jeton": jeton, "attente": token})
    assert stolen.headers["location"] == "/gestion"


def test_what_waits_is_forgotten(house: House):
    _, _, asked = late_list(house)
    assert asked.status_code == 403
    house.clock.move(seconds=LIFE.total_seconds())
    house.client(house.admin)
    with Transaction(house.process.engine) as everything:
        assert everything.exec(select(SetAside)).all() == []


# --- a letter that is read elsewhere


def codes_of_letter(house: House, client: TestClient, asked: Response) -> tuple[Response, list[str]]:
    """The page after asking for a link, and the code that each link of the letter shows on another device."""
    (by_link,) = [form for form in forms_of(asked) if form.action == "/confirmer/lien"]
    house.letters.letters.clear()
    sent = by_link.press(client, asked)
    phone = house.client()
    links = re.findall(r"http://localhost:8000(/connexion/\S+)", house.letters.letters[-1].text)
    shown = [re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", phone.get(link).text) for link in links]
    return sent, [found[0] for found in shown if found]


def test_whoever_reads_the_letter_on_another_device_types_its_code_and_goes_on(house: House):
    admin = house.client(house.admin)
    with house.unit_of_work() as services:
        services.stores.own_addresses.verify(house.admin, "œuvrard@exemple.fr", at=house.clock())
    sent, (code,) = codes_of_letter(house, admin, late_invitation(house, admin))
    wrong = form_with(sent, "code").fill(code="AAAA-AAAA").press(admin, sent)
    assert (wrong.status_code, "n’est pas celui d’un lien demandé" in wrong.text) == (403, True)
    done = resumed(admin, form_with(wrong, "code").fill(code=code).press(admin, wrong))
    assert done.headers["location"] == f"{TEAM}?fait=invitation"


def test_the_code_of_somebody_at_the_same_address_confirms_nobody_else(house: House):
    shared = "partage@exemple.fr"
    with house.unit_of_work() as services:
        for person in (house.admin, house.trainer):
            services.stores.people.add_address(person, shared)
            services.stores.own_addresses.verify(person, shared, at=house.clock())
            services.stores.own_addresses.make_main(person.id, shared)
    trainer = house.client(house.trainer)
    house.clock.move(minutes=31)
    asked = trainer.get(trainer.get("/compte/mot-de-passe").headers["location"])
    sent, codes = codes_of_letter(house, trainer, asked)
    assert len(codes) == 2
    answers = [form_with(sent, "code").fill(code=code).press(trainer, sent).status_code for code in codes]
    assert sorted(answers) == [303, 403]
    assert "Anaïs Le Goff" in trainer.get("/compte").text


# --- keys that are lost, or wanted no more


def by_link_again(house: House, client: TestClient, wanted: str) -> Response:
    """The page that asks, a letter to oneself, its link opened in this browser, and back to where one was going."""
    house.clock.move(minutes=31)
    asked = client.get(client.get(wanted).headers["location"])
    assert asked.status_code == 200, asked.text
    (by_link,) = [form for form in forms_of(asked) if form.action == "/confirmer/lien"]
    house.letters.letters.clear()
    by_link.press(client, asked)
    link = re.search(r"http://localhost:8000(/connexion/\S+)", house.letters.letters[-1].text)
    assert link
    assert send(client, link[1]).status_code == 303
    return client.get(wanted)


def test_whoever_took_their_last_key_away_confirms_as_if_there_had_been_none(house: House):
    admin, _ = keeper(house, house.admin)
    shown = admin.get("/compte")
    press(admin, shown, next(form.action for form in forms_of(shown) if form.action.endswith("/retirer")))
    assert by_link_again(house, admin, "/compte/mot-de-passe").status_code == 200


def test_a_learner_who_lost_their_only_key_comes_in_by_a_letter_and_takes_it_away(house: House):
    house.award("PETIT Zoé ; zoe@exemple.fr")
    with house.unit_of_work() as services:
        ((zoe, _),) = services.stores.own_addresses.people_at("zoe@exemple.fr")
        services.stores.own_addresses.verify(zoe, "zoe@exemple.fr", at=house.clock())
    learner, _ = keeper(house, zoe)
    assert "attribuer, retirer, exporter" not in learner.get("/compte?fait=cle").text
    assert by_link_again(house, learner, "/compte/mot-de-passe").status_code == 200
    shown = learner.get("/compte")
    (remove,) = [form for form in forms_of(shown) if re.fullmatch(r"/compte/cles/[^/]+/retirer", form.action)]
    assert remove.press(learner, shown).headers["location"] == "/compte?fait=cle-retiree"


def test_whoever_works_for_a_campus_confirms_with_the_key_alone(house: House):
    trainer, _ = keeper(house, house.trainer)
    house.clock.move(minutes=31)
    asked = trainer.get(trainer.get("/compte/mot-de-passe").headers["location"])
    assert "/confirmer/lien" not in [form.action for form in forms_of(asked)]
    assert "la personne qui gère ce service peut inviter" in asked.text
