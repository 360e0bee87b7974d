"""A person asks for erasure: what they read first, what every URL answers afterwards, and erasure by the campus."""

from __future__ import annotations

import html
import json
import re
import uuid

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader

from app.domain.awards import Visibility
from app.domain.people import Person, Role
from app.domain.publishing import short_code
from tests.support.app import COMMAND, App, send

ZOE = "Zoélie Quévreux;zoelie.q@courriel.exemple"
GONE = "Ce badge a été retiré à la demande de la personne."
PLACES = (
    "/attributions/{id}", "/attributions/{id}.json", "/attributions/{id}.jwt", "/attributions/{id}.png",
    "/attributions/{id}.svg", "/attributions/{id}.zip", "/attributions/{id}/carte.png",
    "/attributions/{id}/integrer", "/attributions/{id}/personne", "/attributions/{id}/campus",
    "/oembed?url=http://localhost:8000/attributions/{id}", "/v/{code}", "/ob2/attributions/{id}",
    "/ob2/attributions/{id}.png", "/preuves/{id}", "/preuves/{id}/montrees", "/mes-badges/{id}",
    "/mes-badges/{id}/badge.pdf", "/mes-badges/{id}/badge.json", "/mes-badges/{id}/code.svg",
    "/mes-badges/{id}/journal", "/mes-badges/{id}/mes-donnees", "{link}",
)  # fmt: skip


@pytest.fixture
def award(app: App) -> tuple[uuid.UUID, str]:
    """An open award, and its private link."""
    result = app.award(ZOE)
    award_id = result.lines[0].award_id
    assert award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    return award_id, app.private_link(result)


def letters_out(app: App) -> None:
    for envelope in app.process.post.due():
        app.process.post.send(envelope)


def confirm_path(app: App) -> str:
    letters_out(app)
    found = re.search(r"/effacement/\S+", app.letters.letters[-1].text)
    assert found
    return found[0]


def erased(app: App, award: tuple[uuid.UUID, str]) -> str:
    """Asked on the person's page and confirmed from the letter; returns the page it leads to."""
    award_id, link = award
    browser = app.client()
    browser.get(link)
    path = f"/mes-badges/{award_id}/effacement"
    assert "Ce qui part" in browser.get(path).text
    answer = send(browser, path, {"portee": "partout"})
    assert "Consultez votre boîte mail" in answer.text
    other = app.client()
    last = confirm_path(app)
    unticked = send(other, last)
    assert (unticked.status_code, 'id="compris-erreur"' in unticked.text) == (422, True)
    done = send(other, last, {"compris": "oui"})
    assert done.status_code == 303
    return done.headers["location"]


def test_after_an_erasure_every_url_of_the_badge_answers_410(app: App, award: tuple[uuid.UUID, str]) -> None:
    award_id, link = award
    reader = app.client()
    places = [place.format(id=award_id, code=short_code(award_id), link=link) for place in PLACES]
    before = {place: reader.get(place).status_code for place in places}
    assert set(before.values()) <= {200, 303, 401, 406}, before
    erased(app, award)
    for place in places:
        for accept in ("text/html", "*/*"):
            answer = reader.get(place, headers={"accept": accept})
            assert answer.status_code == 410, (place, accept, answer.status_code)
            assert "à la demande de la personne" in answer.text.replace("\u202f", " ").replace("\xa0", " ")
            assert "Zoélie" not in answer.text


def test_the_portfolio_of_an_erased_person_answers_410_and_an_unknown_one_404(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award[0]).person
        portfolio = services.portfolios.start(person, [award[0]])
        services.portfolios.set_open(portfolio, True)
    reader, base = app.client(), f"/portfolio/{portfolio.id}"
    oembed = f"/oembed?url=http://localhost:8000{base}"
    imported = f"{base}/ailleurs/{uuid.uuid4()}"
    assert [reader.get(place).status_code for place in (base, oembed)] == [200, 200]
    erased(app, award)
    for place in (base, f"{base}/carte.png", f"{base}/integrer", oembed, imported):
        answer = reader.get(place)
        assert answer.status_code == 410, place
        assert "Ce portfolio a été retiré à la demande de la personne" in answer.text
        assert "Zoélie" not in answer.text
    assert reader.get(f"/portfolio/{uuid.uuid4()}").status_code == 404


def test_the_proof_is_found_under_its_reference_and_contains_no_name(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    place = erased(app, award)
    reader = app.client()
    page = reader.get(place).text
    reference = re.search(r"EFF-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", page)
    assert reference
    assert json.loads(reader.get(f"{place}/preuve.json").content)["reference"] == reference[0]
    paper = reader.get(f"{place}/preuve.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    (app.process.settings.development_dir / "preuve.pdf").write_bytes(paper.content)
    read = PdfReader(app.process.settings.development_dir / "preuve.pdf")
    text = "".join(each.extract_text() for each in read.pages)
    assert reference[0] in text
    assert list(read.attachments) == ["preuve.json"]
    for shown in (page, text, reader.get(f"{place}/preuve.json").text):
        assert "Quévreux" not in shown
        assert str(award[0]) not in shown


def officer(app: App) -> TestClient:
    with app.unit_of_work() as services:
        person: Person = services.people.add_staff(
            app.campus,
            given_name="Noé",
            family_name="Garde",
            address="dpo@exemple.fr",
            role=Role.DPO,
            by=COMMAND,
        )
    return app.client(person)


def test_the_campus_erases_with_a_reason_without_a_name_and_lists_the_reference(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    with app.unit_of_work(reading=True) as services:
        person_id = services.awards.record(award[0]).person.id
    desk = officer(app)
    path = f"/gestion/itip/repertoire/{person_id}/effacer"
    typed = {"motif": "Lettre de Zoélie reçue, carte vue.", "compris": "oui"}
    refused = send(desk, path, typed)
    assert refused.status_code == 422
    assert "Lettre de Zoélie reçue" in refused.text
    assert send(desk, path, {"motif": "Lettre reçue, carte vue."}).status_code == 422
    both = send(desk, path, {"motif": "?"})
    assert both.status_code == 422
    assert all(f'id="{field}-erreur"' in both.text for field in ("motif", "compris"))
    done = send(desk, path, {"motif": "Lettre reçue, carte vue.", "compris": "oui"})
    assert done.status_code == 303
    assert (
        'href="/gestion"'
        in desk.get(done.headers["location"]).text.partition("<main")[2].partition("</main")[0]
    )
    listed = desk.get("/gestion/itip/donnees").text
    assert "EFF-" in listed
    assert "Lettre reçue, carte vue." in listed
    assert desk.get(f"/gestion/itip/attributions/{award[0]}").status_code == 410


def test_an_erasure_by_the_campus_needs_a_recent_confirmation_of_identity(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    with app.unit_of_work(reading=True) as services:
        person_id = services.awards.record(award[0]).person.id
    desk = officer(app)
    path = f"/gestion/itip/repertoire/{person_id}/effacer"
    shown = desk.get(path)
    token = re.search(r'name="jeton" value="([^"]+)"', shown.text)
    assert token
    app.clock.move(minutes=31)
    answer = desk.post(path, data={"jeton": token[1], "motif": "Lettre reçue.", "compris": "oui"})
    assert answer.status_code in (303, 403)
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(award[0])


def test_my_data_states_who_holds_what_why_and_for_how_long(app: App, award: tuple[uuid.UUID, str]) -> None:
    browser = app.client()
    browser.get(award[1])
    page = browser.get(f"/mes-badges/{award[0]}/mes-donnees").text
    for words in (
        "Industrie Technologique Innovante et Performante",
        "Vos adresses e-mail",
        "30 jours",
    ):
        assert (words in page) is (words != "30 jours"), words


def test_person_without_an_address_is_not_offered_an_e_mail(app: App) -> None:
    result = app.award("Quévreux Zoélie")
    award_id = result.lines[0].award_id
    browser = app.client()
    browser.get(app.private_link(result))
    page = browser.get(f"/mes-badges/{award_id}/effacement")
    assert "Nous n’avons pas d’adresse" in page.text
    assert app.campus.contact_email in page.text
    assert "envoyer le lien d’effacement" not in page.text


def test_erasure_of_a_team_member_is_refused_above_the_form_and_not_at_its_reason(app: App) -> None:
    desk, path = officer(app), f"/gestion/itip/repertoire/{app.trainer.id}/effacer"
    with app.unit_of_work(reading=True) as services:
        address = services.people.people.addresses_of([app.trainer.id])[app.trainer.id]
    app.award(f"Le Goff Anaïs;{address}")
    refused = send(desk, path, {"motif": "Lettre reçue, carte vue.", "compris": "oui"})
    assert refused.status_code == 409
    assert "travaille encore" in refused.text
    assert 'id="motif-erreur"' not in refused.text


def test_person_with_a_role_reads_that_it_ends_first(app: App) -> None:
    result = app.award(ZOE)
    award_id = result.lines[0].award_id
    assert award_id
    browser = app.client()
    browser.get(app.private_link(result))
    path = f"/mes-badges/{award_id}/effacement"
    assert "Vous travaillez encore" not in browser.get(path).text
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.people.memberships.give(app.campus, person, Role.TRAINER, by=COMMAND)
    page = browser.get(path).text
    assert "Vous travaillez encore pour un campus" in page
    assert "envoyer le lien d’effacement" not in page


def test_only_administrator_of_a_campus_reads_what_to_do_first(app: App) -> None:
    result = app.award(ZOE)
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services:
        services.people.memberships.give(
            app.campus, services.awards.record(award_id).person, Role.CAMPUS_ADMIN, by=COMMAND
        )
        person = services.awards.record(award_id).person
        services.people.memberships.take_back(app.campus, app.admin, Role.CAMPUS_ADMIN, by=COMMAND)
    admin = app.client(person)
    shown = admin.get(f"/mes-badges/{award_id}/effacement").text.replace("\u00a0", " ")
    assert "Donnez d’abord ce rôle à quelqu’un" in shown.replace("'", "’").replace("&#39;", "’")
    assert "M'envoyer le lien" not in shown.replace("’", "'")
    leaving = send(admin, f"/gestion/itip/equipe/{person.id}/retirer", {"certain": "oui"}, seen_on="/compte")
    assert leaving.status_code == 409
    assert "la dernière personne" in leaving.text


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text))).replace("’", "'")


def test_employer_who_verifies_an_old_link_reads_that_the_person_asked(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award[0]).person
        portfolio = services.portfolios.start(person, [award[0]])
        services.portfolios.set_open(portfolio, True)
    badge = f"http://localhost:8000/attributions/{award[0]}"
    shelf = f"http://localhost:8000/portfolio/{portfolio.id}"
    erased(app, award)
    employer = app.client()
    for typed in ({"lien": badge}, {"texte": badge}, {"texte": f"Zoé\n{badge}\n{badge}.json"}):
        shown = plain(send(employer, "/verifier", typed).text)
        assert "Effacé à la demande de la personne" in shown, typed
        assert "Aucun badge à cette adresse" not in shown
    assert "cela ne dit rien contre elle" in plain(send(employer, "/verifier", {"lien": badge}).text).lower()
    for typed in ({"lien": shelf}, {"texte": f"{shelf}\n{badge}"}):
        shown = plain(send(employer, "/verifier", typed).text)
        assert "Ce portfolio a été retiré à la demande de la personne" in shown, typed
        assert "n'a pas pu être lu" not in shown
        assert re.search(r"\b[12] effacés?\b", shown)
        assert "page fermée" not in shown


def test_link_that_stops_reminders_is_answered_after_an_erasure(
    app: App, award: tuple[uuid.UUID, str]
) -> None:
    with app.unit_of_work(reading=True) as services:
        stop = f"/rappels/{services.reminders.token_of(services.awards.record(award[0]).person.id)}"
    erased(app, award)
    page = app.client().get(stop)
    assert page.status_code == 410
    assert "Plus aucun e-mail ne vous est envoyé" in page.text
    assert app.client().post(stop).status_code == 204, "one click in a mail program has succeeded"
