"""The page of one award: a verdict when open, nothing when closed, and no active hostile content."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import CampusSettings
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from tests.support.app import COMMAND, NOON, App, listed

FORMS = ["", ".json", ".jwt", ".png", ".svg"]
ACCEPTED = ["application/vc", "application/vc+jwt", "image/png", "image/svg+xml", "application/json"]


def award(
    app: App, *, is_open: bool = True, person: str = "Zoé N’Diaye; zoe@exemple.fr", **more
) -> uuid.UUID:
    award_id = app.award(person, **more).lines[0].award_id
    assert award_id is not None
    if is_open:
        show(app, award_id, Visibility.OPEN)
    return award_id


def show(app: App, award_id: uuid.UUID, visibility: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=COMMAND)


def show_all(app: App, award_id: uuid.UUID) -> None:
    """Chooses « Tout » for every line that the badge is based on, as its holder does."""
    with app.unit_of_work() as services:
        row = services.evidence.find(award_id)
        assert row is not None
        services.log_disputes.show(
            app.campus, award_id, dict.fromkeys(row.entries, DisclosedContent.ALL), by=COMMAND
        )


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


def test_the_verdict_is_the_first_heading_and_the_six_facts_follow(app: App, employer: TestClient):
    page = employer.get(f"/attributions/{award(app)}").text
    assert re.search(r"<h1[^>]*>Authentique, en cours de validité</h1>", page)
    labels = ["Qui", "A fait quoi", "Jugé comment", "Par qui", "Quand", "Encore valable"]
    assert re.findall(r"<dt>([^<]+)</dt>", page)[:6] == labels
    assert "Vérifié à l’instant, le 24" in page
    parts = ["Sur quoi il repose", "Ce que cela ne prouve pas", "Vérifié. Contrôles conformes"]
    assert sorted(parts, key=page.index) == parts


def test_a_renamed_campus_is_shown_with_the_signed_name_and_its_current_name(app: App, employer: TestClient):
    award_id = award(app)
    older = "Campus Industrie Technologique Innovante et Performante"
    document = employer.get(f"/attributions/{award_id}.json").text
    with app.unit_of_work() as services:
        settings = CampusSettings.of(services.campuses.get("itip"))
        services.campuses.change_settings("itip", replace(settings, name="Bois et forêt"), by=COMMAND)
    page = employer.get(f"/attributions/{award_id}").text
    assert f"Le c{older[1:]} a bien attribué ce badge" in page
    facts = page.split("<dt>Par qui</dt>")[1].split("</div>")[0]
    assert f">{older}</a>" in facts
    assert "S’appelle aujourd’hui : Campus Bois et forêt" in facts.replace("\xa0", " ").replace("&nbsp;", " ")
    answer = employer.post("/api/v1/verify", json=json.loads(document)).json()
    assert answer["issuer_name"] == older.removeprefix("Campus ")
    forged = json.loads(document)
    forged["issuer"]["name"] = "Un autre campus"
    assert employer.post("/api/v1/verify", json=forged).json()["issuer_name"] == "Bois et forêt"


def test_badge_signed_again_is_valid_since_its_award(app: App, employer: TestClient):
    award_id = award(app)
    app.clock.move(days=5)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.names.correct_in_campus(app.campus, person.id, "Zoë", "N’Diaye", by=Actor(app.admin.id))
    page = re.sub(r"\s+", " ", employer.get(f"/attributions/{award_id}").text)
    assert "Il est valable depuis le 24\xa0novembre 2026" in page.replace("24 nov", "24\xa0nov")
    assert "depuis le 29" not in page.replace("\xa0", " ")
    assert "Le campus l’a signé de nouveau le 29 novembre 2026" in page.replace("\xa0", " ")
    assert "Attribution inscrite le" not in page
    assert "Badge signé de nouveau, inscrit le 29" in page.replace("\xa0", " ")


def test_the_page_is_written_in_the_reader_s_language(app: App, employer: TestClient):
    page = employer.get(f"/attributions/{award(app)}", headers={"accept-language": "en"}).text
    assert "Genuine and still valid" in page
    for french in ("Vérifi", "Conforme", "Ce que", "Qui"):
        assert french not in re.sub(
            r'lang="fr"[^>]*>[^<]*|(?s:<footer.*)|hreflang[^<]*|(?s:<script type="application/ld.*?</script>)|name="texte" value="[^"]*"',
            "",
            page,
        )


@pytest.mark.parametrize("form", FORMS)
def test_closing_closes_every_form_at_once(app: App, employer: TestClient, form: str):
    award_id = award(app)
    assert employer.get(f"/attributions/{award_id}{form}").status_code == 200
    show(app, award_id, Visibility.CLOSED)
    answer = employer.get(f"/attributions/{award_id}{form}")
    assert answer.status_code == 403
    assert b"Zo\xc3\xa9" not in answer.content
    assert "Robotique" not in answer.text


@pytest.mark.parametrize("accept", ACCEPTED)
def test_closing_closes_the_documents_of_programs_too(app: App, employer: TestClient, accept: str):
    award_id = award(app, is_open=False)
    assert employer.get(f"/attributions/{award_id}", headers={"accept": accept}).status_code == 403


def test_a_closed_page_is_the_same_for_every_award(app: App, employer: TestClient):
    pages = [
        employer.get(f"/attributions/{award(app, is_open=False, person=person)}").text
        for person in ("Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr")
    ]
    with_addresses_out = [re.sub(r"[0-9a-f-]{36}|value=\"[^\"]+\"", "", page) for page in pages]
    assert with_addresses_out[0] == with_addresses_out[1]
    assert "Page fermée par son titulaire" in pages[0]
    assert "Vérifier un fichier" in pages[0]
    assert "ITIP" not in pages[0]
    assert "og:" not in pages[0]


def test_an_unknown_award_is_not_found(employer: TestClient):
    assert employer.get(f"/attributions/{uuid.uuid4()}").status_code == 404


def test_a_withdrawn_badge_shows_the_date_and_hides_the_reason(app: App, employer: TestClient):
    award_id = award(app)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de séance.", by=Actor(app.admin.id))
    page = employer.get(f"/attributions/{award_id}").text
    assert "Retiré par le campus le 24" in page
    assert "Non, retiré le 24" in page
    assert "Erreur de séance" not in page


def test_an_expired_badge_is_genuine_and_expired(app: App, employer: TestClient):
    wording = Wording(
        BadgeKind.PARTICIPATION, "Visite", "Une visite.", "La personne a visité le lieu.", validity_days=30
    )
    with app.unit_of_work() as services:
        badge = services.badges.create(app.campus, wording, slug="visite", by=COMMAND)
    award_id = award(app, badge=badge)
    app.clock.move(days=31)
    page = employer.get(f"/attributions/{award_id}").text
    assert "Authentique, mais expiré" in page
    assert 'data-stamp="Expiré"' in page


def test_an_award_of_an_older_version_states_that_the_definition_changed(app: App, employer: TestClient):
    award_id = award(app)
    assert "La définition du badge a changé" not in employer.get(f"/attributions/{award_id}").text
    wording = Wording(
        BadgeKind.PARTICIPATION,
        "Robotique pour tous",
        "Mieux dit.",
        "La personne a pris part, une demi-journée.",
    )
    with app.unit_of_work() as services:
        badge = services.badges.revise(app.campus, app.presence.badge.id, wording, by=COMMAND)
    award(app, badge=badge, person="Léo Martin; leo@exemple.fr")
    page = employer.get(f"/attributions/{award_id}").text
    assert "La définition du badge a changé depuis" in page
    assert f'href="/badges/{badge.badge.id}/v2"' in page


def test_search_engines_caches_and_previews_get_only_what_is_allowed(app: App, employer: TestClient):
    answer = employer.get(f"/attributions/{award(app)}")
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    previews = re.findall(r'<meta (?:property="og|name="twitter)[^>]+>', answer.text)
    assert len(previews) >= 6
    assert not any("Zoé" in each for each in previews), "a preview outlives the closing of a page"


def attributes_in(page: str) -> set[str]:
    """The name of every attribute that a browser would see."""
    names: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, attributes: names.update(name for name, _ in attributes)  # type: ignore[method-assign]
    parser.feed(page)
    return names


HOSTILE = "<script>alert(1)</script> [clic](javascript:alert(2)) <img src=x onerror=alert(3)>"
QUOTED = '"\' autofocus onfocus=alert(4) x="'


def test_hostile_text_of_a_campus_is_shown_inert(app: App, employer: TestClient):
    wording = Wording(BadgeKind.ENGAGEMENT, f"Nom {QUOTED}", HOSTILE, f"Critères. {HOSTILE}")
    with app.unit_of_work() as services:
        badge = services.badges.create(app.campus, wording, slug="hostile", by=COMMAND)
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.EVENT,
                title=f"Séance {QUOTED}",
                starts_on=NOON.date(),
                ends_on=NOON.date(),
                place="<b>ici</b>",
            ),
            [app.campus],
            by=COMMAND,
        )
    request = AwardRequest(
        badge.badge.id,
        activity.id,
        lines=listed(
            "'\"><svg/onload=alert(4)> N’Diaye; markup@exemple.fr",
            "Zoé'\" onload=alert(5) x=' N’Diaye; zoe@exemple.fr",
        ),
        evidence=HOSTILE,
    )
    with app.unit_of_work() as services:
        markup, line = services.awards.award(app.campus, request, by=Actor(app.trainer.id)).lines
        assert (markup.award_id, "balise" in markup.reason) == (None, True), "markup is refused in a name"
        award_id = line.award_id
        assert award_id is not None
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    assert "alert(3)" not in employer.get(f"/attributions/{award_id}.json").text.partition('"evidence"')[2]
    show_all(app, award_id)
    assert "alert(3)" in employer.get(f"/attributions/{award_id}.json").text.partition('"evidence"')[2]
    page = employer.get(f"/attributions/{award_id}").text
    assert "alert(5)" in page, "the holder's name, as text"
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert not {name for name in attributes_in(page) if name.startswith("on")}
    assert 'href="javascript:' not in page
    assert "<b>ici</b>" not in page


def test_the_holder_is_led_back_to_their_own_page(app: App):
    result = app.award("Zoé N’Diaye; zoe@exemple.fr")
    learner = app.client()
    learner.get(app.private_link(result))
    page = learner.get(f"/attributions/{result.lines[0].award_id}").text
    assert f'href="/mes-badges/{result.lines[0].award_id}"' in page
