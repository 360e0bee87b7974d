"""« Demander à voir un badge »: the employer's form and waiting page, the holder's page, and what each of them sees."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from markupsafe import Markup

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.learners.presentations import REQUEST_LIFE
from app.domain.people import AgeGroup
from app.domain.trust.organisations import Organisation, desk_token
from app.web.badges.rules import Mastery
from app.web.publishing.award_page import public_words
from app.web.trust.endorsements import PeerShown
from app.web.verification.verification_page import shown_now
from tests.support.app import App, build_app, send

WISH = {"qui": "Atelier Nord", "pourquoi": "Un poste", "badge": "robotique", "valable": "oui"}
ASK = "/verifier/demander"


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


@pytest.fixture
def result(app: App):
    return app.award("Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr")


@pytest.fixture
def zoe(app: App, result) -> TestClient:
    client = app.client()
    client.get(app.private_link(result, 0))
    return client


def requested(client: TestClient, **wish: str) -> tuple[str, str]:
    """The waiting page, and the candidate's path."""
    answer = send(client, ASK, WISH | wish, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    here = answer.headers["location"]
    shown = client.get(here).text
    link = re.search(r'id="lien" readonly value="([^"]+)"', shown)
    assert link is not None
    return here, link[1].removeprefix("http://localhost:8000")


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_verifier_leads_to_the_form_and_the_form_to_a_page_that_waits(employer: TestClient) -> None:
    assert f'href="{ASK}"' in employer.get("/verifier").text
    here, link = requested(employer)
    answer = employer.get(here)
    assert "Votre demande attend une réponse" in answer.text
    assert "openid4vp" not in text_of(answer.text)
    assert 'class="qr offer"' in answer.text
    assert '<noscript><meta http-equiv="refresh"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert employer.get(f"{here}/etat").text == "waiting"
    assert here.rpartition("/")[2] not in employer.get(link).text


def test_incomplete_wish_comes_back_with_what_was_typed(employer: TestClient) -> None:
    answer = send(employer, ASK, WISH | {"badge": ""})
    assert answer.status_code == 422
    assert "Écrivez ce qu’il vous faut" in answer.text
    assert 'value="Atelier Nord"' in answer.text


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        (dict.fromkeys(WISH, ""), ["qui", "pourquoi", "badge"]),
        ({"qui": "", "niveau": "B2"}, ["qui", "competence"]),
        ({"pourquoi": "x" * 301, "badge": "!", "competence": "?"}, ["pourquoi", "badge", "competence"]),
    ],
)
def test_every_fault_of_a_wish_is_shown_at_its_field(
    employer: TestClient, typed: dict[str, str], faults: list[str]
) -> None:
    page = send(employer, ASK, WISH | typed).text
    assert re.findall(r'<li><a href="#([^"]+)">', page) == faults
    for field in faults:
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page)


def test_holder_sees_who_asks_and_everything_that_would_be_shown_then_shows_it(
    employer: TestClient, zoe: TestClient, result
) -> None:
    here, link = requested(employer)
    award_id = result.lines[0].award_id
    asked = zoe.get(link).text
    assert re.search(r"Nom donné\s: «\sAtelier Nord\s»", asked)
    assert "non vérifié" in asked
    assert f'value="{award_id}"' in asked
    assert str(result.lines[1].award_id) not in asked
    preview = zoe.get(link, params={"badge": str(award_id)}).text
    assert "Zoé N’Diaye" in text_of(preview)
    assert send(zoe, link, {"geste": "montrer", "badge": str(award_id)}).status_code == 303
    assert "La réponse est donnée" in zoe.get(link).text
    seen = employer.get(here).text
    assert "La réponse vient des badges de cette personne" in seen
    assert "Zoé N’Diaye" in seen
    assert "Authentique" in text_of(seen)
    assert employer.get(f"{here}/etat").text == "over"
    # The page itself stays closed, and the holder finds to whom it was shown.
    assert employer.get(f"/attributions/{award_id}").status_code == 403
    privacy = zoe.get(f"/mes-badges/{award_id}/confidentialite").text
    assert "Montré sur demande" in privacy
    assert "Atelier Nord" in privacy


def test_the_answer_asks_to_compare_a_name_only_if_the_badge_contains_one(
    employer: TestClient, zoe: TestClient, result
) -> None:
    award_id = result.lines[0].award_id
    mine = f"/mes-badges/{award_id}"
    for choice, sentence in (("avec", "Comparez le nom avec"), ("sans", "Ce badge ne nomme personne")):
        send(zoe, f"{mine}/nom-du-badge", {"vue": choice}, seen_on=mine)
        here, link = requested(employer)
        send(zoe, link, {"geste": "montrer", "badge": str(award_id)})
        seen = text_of(employer.get(here).text)
        assert [each for each in ("Comparez le nom avec", "Ce badge ne nomme personne") if each in seen] == [
            sentence
        ]


def test_refusal_shows_nothing_and_ends_the_request(employer: TestClient, zoe: TestClient) -> None:
    here, link = requested(employer)
    assert send(zoe, link, {"geste": "refuser"}).status_code == 303
    assert "La demande est refusée" in zoe.get(link).text
    seen = employer.get(here).text
    assert "La demande a été refusée" in seen
    assert "Zoé" not in seen


def test_stranger_with_the_link_cannot_end_the_request(
    app: App, employer: TestClient, zoe: TestClient
) -> None:
    here, link = requested(employer)
    stranger = app.client()
    shown = stranger.get(link).text
    assert 'value="refuser"' not in shown
    assert 'value="refuser"' in zoe.get(link).text
    token = re.search(r'name="jeton" value="([^"]+)"', stranger.get(ASK).text)
    assert token is not None
    refused = stranger.post(link, data={"jeton": token[1], "geste": "refuser"})
    assert refused.status_code in (303, 401)
    assert employer.get(f"{here}/etat").text == "waiting"


def test_preview_lists_what_others_wrote_about_the_badge(app: App, zoe: TestClient, result) -> None:
    """As the page of the verdict shows it; a wallet gets the badge alone."""
    award_id = result.lines[0].award_id
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        view = shown_now(services, record)
        peer = PeerShown("1", ["Elle a tenu le poste."], "Paul Petit", "fr", "hier")
        beside = replace(view, peers=[peer])
        assert ("Recommandation", "Paul Petit. Elle a tenu le poste") in public_words(record, beside)
        assert public_words(record, beside, with_others=False) == public_words(record, view)
        assert view.badge is not None
        tells = Markup('Level: <span lang="fr">autonome</span>')
        taught = replace(view.badge, competencies=[Mastery("Souder", tells, "")])
        assert ("Compétence", "Souder. Level: autonome") in public_words(record, replace(view, badge=taught))


def test_another_persons_badge_and_one_that_was_not_asked_for_are_not_shown(
    app: App, employer: TestClient, zoe: TestClient, result
) -> None:
    here, link = requested(employer)
    refused = send(zoe, link, {"geste": "montrer", "badge": str(result.lines[1].award_id)})
    assert refused.status_code == 401
    _other, elsewhere = requested(employer, badge="soudage")
    assert "Aucun badge donné ici ne correspond" in zoe.get(elsewhere).text
    wrong = send(zoe, elsewhere, {"geste": "montrer", "badge": str(result.lines[0].award_id)})
    assert wrong.status_code == 409
    assert employer.get(f"{here}/etat").text == "waiting"
    stranger = app.client().get(link).text
    assert "Se connecter pour répondre" in stranger
    assert str(result.lines[0].award_id) not in stranger


def test_child_shows_a_badge_only_after_a_parent_agreed(
    app: App, employer: TestClient, zoe: TestClient, result
) -> None:
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        person.age_group = AgeGroup.UNDER_15
        services.people.people.save(person)
    here, link = requested(employer)
    refused = send(zoe, link, {"geste": "montrer", "badge": str(award_id)})
    assert refused.status_code == 409
    assert "parent" in refused.text
    assert "Zoé" not in employer.get(here).text


def test_proved_domain_is_that_of_an_organisation_with_its_link(app: App, employer: TestClient) -> None:
    with app.unit_of_work() as services:
        organisation = Organisation(
            domain="atelier.exemple", did="did:web:x", name="Atelier Nord SA", created_at=app.clock()
        )
        services.presentations.organisations.organisations.add(organisation)
        token = desk_token(app.process.secret, organisation.id, app.clock())
    desk = employer.get(f"/organisations/gerer/{token}").text
    assert "?organisation=" not in desk
    form = send(
        employer, f"{ASK}/organisation", {"organisation": token}, seen_on=f"/organisations/gerer/{token}"
    ).text
    assert "domaine atelier.exemple vérifié" in form
    old = employer.get(f"{ASK}?organisation={token}")
    assert (old.status_code, "atelier.exemple" in old.text) == (200, False), "an address proves nothing"
    _here, link = requested(employer, organisation=token, qui="Autre nom")
    asked = employer.get(link).text
    assert "atelier.exemple demande à voir un badge" in asked
    assert re.search(r"Nom donné\s: «\sAtelier Nord SA\s»", asked)
    assert "domaine atelier.exemple vérifié" in asked
    assert "non vérifié" not in asked
    forged = send(employer, ASK, WISH | {"organisation": token[:-1] + "x"})
    assert forged.status_code == 422


def test_request_ends_after_ten_minutes(app: App, employer: TestClient, zoe: TestClient, result) -> None:
    here, link = requested(employer)
    app.clock.move(seconds=REQUEST_LIFE.total_seconds())
    assert "Cette demande est terminée" in employer.get(here).text
    late = send(
        zoe, link, {"geste": "montrer", "badge": str(result.lines[0].award_id)}, seen_on="/mes-badges"
    )
    assert late.status_code == 410
    app.clock.move(seconds=REQUEST_LIFE.total_seconds())
    assert employer.get(here).status_code == 404
    assert zoe.get(link).status_code == 404


def test_one_network_makes_a_bounded_number_of_requests(sqlite_url: str, tmp_path: Path) -> None:
    limited = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key of the tests"))
    amount, client = LIMITS["badge request"].amount, limited.client()
    made = Counter(send(client, ASK, WISH).status_code for _ in range(amount + 1))
    assert made == {303: amount, 429: 1}
    limited.close()


def test_withdrawn_badge_is_not_offered_for_an_answer(
    app: App, employer: TestClient, zoe: TestClient, result
) -> None:
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(label="holder"))
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    _here, link = requested(employer)
    assert str(award_id) not in zoe.get(link).text
