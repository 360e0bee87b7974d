"""Definitions of a network, from its administrator's page to the badges of two campuses, and back."""

from __future__ import annotations

import re
import uuid

import pytest
from httpx import Response

from app.domain.campus.campus import Network
from app.domain.people import Person
from tests.support.app import COMMAND, App, send
from tests.support.content.networks import network_of
from tests.support.forms import form_with

HERE = "/reseau/bfc/gestion"
BADGE = {
    "geste": "garder",
    "type": "engagement",
    "nom": "Tenir un stand",
    "description": "Accueillir le public d’un forum et lui parler des métiers.",
    "criteres": "- accueille\n- présente une machine\n- répond aux questions",
    "jugement": "Par la personne qui anime le stand.",
    "mots": "accueil",
    "langue": "fr",
    "validite": "",
}


@pytest.fixture
def network(app: App) -> Network:
    with app.unit_of_work() as services:
        return network_of(services, app.campus, app.other_campus)


@pytest.fixture
def leader(app: App, network: Network) -> Person:
    """Administers the network, and works at no campus."""
    with app.unit_of_work() as services:
        return services.network_team.appoint(network, "Odile", "Perrin", "perrin@exemple.fr", by=COMMAND)


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ")


def shared_id(app: App, network: Network) -> uuid.UUID:
    with app.unit_of_work(reading=True) as services:
        return services.shared_definitions.lines([network])[0].id


def faulty(page: Response) -> list[str]:
    """Fields with a sentence, as the summary lists them."""
    return re.findall(r'<li><a href="#([^"]+)">', page.text)


def test_only_an_administrator_of_the_network_opens_its_pages(app: App, leader: Person) -> None:
    assert app.client(leader).get(HERE).status_code == 200
    for person in (None, app.admin, app.stranger):
        browser = app.client(person)
        for path in ("", "/badges/nouveau", "/competences/nouvelle"):
            assert browser.get(HERE + path).status_code == 404
        assert send(browser, f"{HERE}/badges/nouveau", BADGE, seen_on="/verifier").status_code == 404
    assert "Réseau BFC" in app.client(leader).get("/gestion?tous=oui").text
    with app.unit_of_work() as services:
        services.network_team.dismiss(services.register.network("bfc"), leader.id, by=COMMAND)
    assert app.client(leader).get(HERE).status_code == 404


def test_a_badge_is_shared_adopted_improved_and_seen_on_its_public_page(
    app: App, network: Network, leader: Person
) -> None:
    odile, admin = app.client(leader), app.client(app.admin)
    refused = send(odile, f"{HERE}/badges/nouveau", BADGE | {"jugement": ""})
    assert refused.status_code == 422
    assert "Tenir un stand" in refused.text
    assert faulty(refused) == ["jugement"]
    assert send(odile, f"{HERE}/badges/nouveau", BADGE).status_code == 303
    key = shared_id(app, network)
    campus = f"/gestion/itip/definitions/{key}"
    assert "À adopter" in admin.get("/gestion/itip/definitions").text
    adopted = send(admin, f"{campus}/adopter", {}, seen_on=campus)
    assert adopted.status_code == 303
    badge_id = adopted.headers["location"].split("/")[4]
    assert (
        send(
            admin, f"/gestion/itip/badges/{badge_id}/ouvrir", {}, seen_on=f"/gestion/itip/badges/{badge_id}"
        ).status_code
        == 303
    )
    with app.unit_of_work(reading=True) as services:
        mine = services.badges.page(app.campus, uuid.UUID(badge_id))
    app.award("Zoé Martin;zoe@exemple.fr", badge=mine, evidence="A tenu le stand.")
    anybody = app.client()
    page = plain(anybody.get(f"/badges/{badge_id}").text)
    assert "Définition partagée par le réseau Réseau BFC" in page
    shown = plain(anybody.get(f"/reseau/bfc/definitions/{key}").text)
    assert "Campus qui l&#39;ont adoptée Industrie Technologique" in shown.replace("’", "&#39;")
    document = anybody.get("/reseau/bfc/definitions.json").json()
    assert [(each["title"], each["adopters"]) for each in document] == [("Tenir un stand", [app.campus.did])]

    edit = f"{HERE}/badges/{key}"
    better = BADGE | {
        "version": "1",
        "description": "Accueillir et écouter le public d’un forum.",
        "mots": "accueil, écoute",
    }
    assert faulty(send(odile, edit, better)) == ["raison"]
    assert faulty(send(odile, edit, better | {"description": ""})) == ["description", "raison"]
    assert send(odile, edit, better | {"raison": "L’écoute compte aussi."}).status_code == 303
    assert send(odile, edit, better | {"raison": "Encore."}).status_code == 409, (
        "another version came meanwhile"
    )
    assert "Amélioration proposée par le réseau" in admin.get("/gestion/itip").text
    shown = admin.get(campus).text
    assert "L’écoute compte aussi." in shown
    assert "<ins>" in shown
    both = re.findall(r'name="montre" value="(\w+)"', shown)
    assert both == ["description", "tags"]
    none_ticked = send(admin, f"{campus}/decider", {"version": "2", "geste": "choix"}, seen_on=campus)
    assert (none_ticked.status_code, faulty(none_ticked)) == (422, ["champ"])
    ticked = {"version": "2", "geste": "choix", "champ": "tags", "montre": both}
    earlier = admin.get(campus)
    assert send(admin, f"{campus}/decider", ticked, seen_on=campus).status_code == 303
    everything = form_with(earlier, "montre").press(admin, earlier, ("geste", "tout"))
    assert "Quelqu’un a changé cela entre-temps" in everything.text, "another person has decided"
    with app.unit_of_work(reading=True) as services:
        now = services.badges.page(app.campus, uuid.UUID(badge_id)).version
    assert (now.number, now.tags, now.description) == (2, ["accueil", "écoute"], BADGE["description"])

    assert faulty(send(admin, f"{campus}/proposer", {"raison": ""}, seen_on=campus)) == ["ecart", "raison"]
    unsaid = send(admin, f"{campus}/proposer", {"champ": "description"}, seen_on=campus)
    assert (faulty(unsaid), 'value="description" checked' in unsaid.text) == (["raison"], True)
    propose = {"champ": "description", "raison": "Plus court pour les collégiens."}
    assert send(admin, f"{campus}/proposer", propose, seen_on=campus).status_code == 303
    managed = odile.get(HERE).text
    assert ("À vous de répondre" in managed, "n’a pas encore répondu" in managed) == (True, False)
    href = re.search(r'href="(/reseau/bfc/gestion/propositions/[^"]+)"', managed)
    assert href
    assert "Plus court" in odile.get(href[1]).text
    refused = send(odile, href[1], {"geste": "refuser", "reponse": "", "champ": "description"})
    assert (refused.status_code, 'id="reponse-erreur"' in refused.text) == (422, True)
    assert re.search(r'name="champ" value="description" checked', refused.text)
    unticked = send(odile, href[1], {"geste": "choix", "reponse": ""})
    assert (unticked.status_code, 'id="reponse-erreur"' in unticked.text) == (422, False)
    assert send(odile, href[1], {"geste": "refuser", "reponse": "L’écoute reste."}).status_code == 303
    assert "L’écoute reste." in admin.get(campus).text
    assert "Décision sur une amélioration du réseau" in admin.get("/gestion/itip/historique").text
    assert send(admin, f"{campus}/quitter", {}, seen_on=campus).status_code == 303
    assert "Définition partagée" not in anybody.get(f"/badges/{badge_id}").text


def test_a_competency_is_shared_and_a_badge_of_a_campus_is_proposed(
    app: App, network: Network, leader: Person
) -> None:
    odile, admin = app.client(leader), app.client(app.admin)
    typed = {"code": "ACC-1", "enonce": "Accueillir un public", "niveaux": "Débute\nMaîtrise"}
    assert send(odile, f"{HERE}/competences/nouvelle", typed | {"enonce": ""}).status_code == 422
    assert send(odile, f"{HERE}/competences/nouvelle", typed).status_code == 303
    assert send(odile, f"{HERE}/competences/nouvelle", typed).status_code == 409, "the code is taken"
    key = shared_id(app, network)
    better = {"version": "1", "enonce": "Accueillir et orienter un public", "niveaux": "Débute\nMaîtrise"}
    assert send(odile, f"{HERE}/competences/{key}", better).status_code == 303
    assert "ACC-1" in odile.get(f"{HERE}/badges/nouveau").text
    campus = f"/gestion/itip/definitions/{key}"
    assert send(admin, f"{campus}/adopter", {}, seen_on=campus).status_code == 303
    with app.unit_of_work(reading=True) as services:
        ((own, _),) = services.competencies.list_of(app.campus)
    assert "Définition partagée par le réseau" in plain(app.client().get(f"/competences/{own.id}").text)

    here = "/gestion/itip/definitions"
    proposed = {"reseau": "bfc", "badge": str(app.role.badge.id), "raison": "Sert à tous les forums."}
    assert faulty(send(admin, here, proposed | {"raison": "", "reseau": "autre"})) == ["reseau", "raison"]
    assert send(admin, here, proposed).status_code == 303
    href = re.search(r'href="(/reseau/bfc/gestion/propositions/[^"]+)"', odile.get(HERE).text)
    assert href
    parts = re.findall(r'name="montre" value="(\w+)"', odile.get(href[1]).text)
    assert send(odile, href[1], {"geste": "tout", "montre": parts}).status_code == 303
    assert "Acteur du dispositif" in app.client().get("/reseau/bfc/definitions").text
    assert "Acceptée par le réseau" in admin.get(here).text


def test_a_trainer_reads_definitions_and_decides_nothing(app: App, network: Network, leader: Person) -> None:
    assert send(app.client(leader), f"{HERE}/badges/nouveau", BADGE).status_code == 303
    trainer, key = app.client(app.trainer), shared_id(app, network)
    shown = trainer.get(f"/gestion/itip/definitions/{key}")
    assert shown.status_code == 200
    assert "Adopter cette définition" not in shown.text
    path = f"/gestion/itip/definitions/{key}/adopter"
    assert send(trainer, path, {}, seen_on="/verifier").status_code == 403
