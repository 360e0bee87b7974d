"""Requests for a badge on the web: sent, followed and decided, in two people's browsers, with the letters."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import delete, select

from app.adapters.accounts import limits_in
from app.domain.activities.files import FileNoun
from app.domain.learners.requests import BadgeRequest, RequestState
from app.domain.people import Person, Role
from app.domain.people.consents import AccessEvent
from app.services.badges import wording_of
from tests.support.app import COMMAND, App, build_app, send
from tests.support.forms import form_with
from tests.support.letters import send_all, text_in

NARRATIVE = "J’ai animé deux ateliers de robotique, seule, devant douze collégiens."
ZOE = {"prenom": "Zoé", "nom": "Martin", "adresse": "zoe@exemple.fr", "recit": NARRATIVE}
PDF = ("carnet de bord.pdf", b"%PDF-1.7\n1 0 obj", "application/pdf")
SCRIPT = ("carnet.pdf", b"<script>alert(1)</script>", "application/pdf")


@pytest.fixture
def badge(app: App) -> str:
    def prepare() -> None:
        with app.unit_of_work() as services:
            found = services.badges.badges.get(app.role.badge.id)
            found.accepts_requests = True
            services.badges.badges.add(found)
        app.award("Lucas Bernard", badge=app.role, evidence="A tenu le stand.")

    app.once((__name__, "badge"), prepare)
    return f"/badges/{app.role.badge.id}"


def staff(app: App, name: str, role: Role = Role.REVIEWER) -> Person:
    with app.unit_of_work() as services:
        return services.people.add_staff(
            app.campus, given_name=name, family_name="Relecteur", address=f"{name.lower()}@exemple.fr",
            role=role, by=COMMAND,
        )  # fmt: skip


@pytest.fixture
def nora(app: App) -> TestClient:
    return app.client(staff(app, "Nora"))


def asked_and_confirmed(app: App, badge: str, office, post) -> tuple[TestClient, str]:
    """A browser, and the page of its request."""
    learner = app.client()
    answer = send(learner, f"{badge}/demande", ZOE)
    assert "Un e-mail est envoyé à zoe@exemple.fr" in answer.text
    send_all(post)
    link = re.search(r"/demandes/\S+", text_in(office.received[-1]))
    assert link
    page = learner.get(link[0])
    assert "Oui, envoyer ma demande" in page.text
    assert send(learner, f"{link[0]}/confirmer", {}, seen_on=link[0]).status_code == 303
    return learner, link[0]


def faults_in(answer: Response) -> list[str]:
    """The fields that the summary of a refused page leads to."""
    assert answer.status_code == 422
    return re.findall(r'<li><a href="#([^"]+)">', answer.text)


def queue(client: TestClient, state: str = "attente") -> str:
    return client.get(f"/gestion/itip/demandes?etat={state}").text


def review_path(client: TestClient) -> str:
    found = re.search(r"/gestion/itip/demandes/[0-9a-f-]{36}", queue(client))
    assert found, "something waits"
    return found[0]


def test_a_badge_page_offers_a_request_only_where_the_badge_accepts_them(app: App, badge: str):
    client = app.client()
    assert f"{badge}/demande" in client.get(badge).text
    assert client.get(f"{badge}/demande").status_code == 200
    for other in (app.presence.badge.id, "00000000-0000-4000-8000-000000000000"):
        assert client.get(f"/badges/{other}/demande").status_code == 404


def test_from_the_form_to_the_badge(app: App, badge: str, office, post, nora: TestClient):
    learner, mine = asked_and_confirmed(app, badge, office, post)
    assert 'Demande en attente<span class="vh"> : 1</span>' in nora.get("/gestion/itip").text.replace(
        "\u00a0", " "
    )
    where = review_path(nora)
    page = nora.get(where)
    assert NARRATIVE in page.text
    short = form_with(page, "preuve").fill(raison="ok", preuve="Deux ateliers.").press(nora, page)
    assert short.status_code == 422
    assert "Deux ateliers." in short.text, "nothing typed is lost"
    answer = form_with(short, "preuve").fill(raison="J’y étais.").press(nora, short)
    assert "Le badge est attribué" in nora.get(answer.headers["location"]).text
    assert "Acceptée" in learner.get(mine).text
    assert "J’y étais." in learner.get(mine).text
    send_all(post)
    link = re.search(r"/recevoir/\S+", text_in(office.received[-1]))
    assert link
    learner.get(link[0])
    assert "Deux ateliers." in learner.get(learner.get(link[0]).headers["location"]).text
    assert "Aucune demande ici" in queue(nora)
    assert "Zoé Martin" in queue(nora, "closes")


def test_what_came_today_has_no_age_of_zero_days(app: App, badge: str, office, post, nora: TestClient):
    asked_and_confirmed(app, badge, office, post)
    assert "Moins d’un jour" in queue(nora)
    assert "depuis moins d’un jour" in nora.get(review_path(nora)).text
    app.clock.move(days=3)
    assert "3 jours" in queue(app.client(staff(app, "Ada"))).replace("\u00a0", " ")


def test_the_requester_sees_the_activities_their_request_is_based_on(
    app: App, badge: str, office, post, nora: TestClient
):
    app.record("Zoé Martin; zoe@exemple.fr")
    learner, mine = asked_and_confirmed(app, badge, office, post)
    page = learner.get(mine)
    (entry,) = re.findall(r'name="activite" value="([0-9a-f-]{36})"', page.text)
    assert says_it_rests_on(page.text) == 0
    send(learner, f"{mine}/completer", {"activite": entry}, seen_on=mine)
    assert says_it_rests_on(learner.get(mine).text) == 1
    where = review_path(nora)
    send(nora, f"{where}/refuser", {"raison": "Il manque la trace du projet."}, seen_on=where)
    assert says_it_rests_on(learner.get(mine).text) == 1


def says_it_rests_on(page: str) -> int:
    """How many activities the request lists as its basis."""
    return page.partition('id="dit"')[2].partition("</section>")[0].count("Atelier robotique")


def test_unmet_conditions_are_shown_before_a_reviewer_decides(
    app: App, badge: str, office, post, nora: TestClient
):
    learner, _ = asked_and_confirmed(app, badge, office, post)
    where = review_path(nora)
    assert f"{where}/accepter" in nora.get(where).text
    with app.unit_of_work() as services:
        said = replace(wording_of(app.role.version, []), required_hours=30)
        services.badges.revise(app.campus, app.role.badge.id, said, by=COMMAND)
    shown = nora.get(where).text.replace("\u202f", " ").replace("\xa0", " ")
    assert "Ce badge demande 30 h. Durée notée : 0 h." in shown
    assert "cocher, dans sa demande, l’activité" in shown
    assert f"{where}/accepter" not in shown, "no button that would be refused"
    assert f"{where}/demander" in shown
    asking = learner.get(f"{badge}/demande").text.replace("\xa0", " ")
    assert "Ce badge demande une durée de 30 h, notée par le campus" in asking
    assert "Une personne du campus regarde" in asking


def test_more_is_asked_and_a_file_comes_that_only_reviewers_may_save(
    app: App, badge: str, office, post, nora: TestClient
):
    learner, mine = asked_and_confirmed(app, badge, office, post)
    where = review_path(nora)
    send(nora, f"{where}/demander", {"raison": "Montrez votre carnet."}, seen_on=where)
    assert "Zoé Martin" in queue(nora, "completer")
    send_all(post)
    assert "Montrez votre carnet." in text_in(office.received[-1])
    assert "Montrez votre carnet." in learner.get(mine).text
    for added, files, at in (
        ({"mot": "Le voici."}, [SCRIPT], ["fichier"]),
        ({"mot": ""}, [SCRIPT], ["fichier"]),
        ({"mot": "Le voici.", "liens": "ici"}, [PDF] * 6, ["liens", "fichier"]),
        ({"mot": "", "liens": "ici"}, [], ["liens"]),
        ({"mot": "", "liens": ""}, [], ["mot"]),
    ):
        sent = [("fichier", file) for file in files]
        wrong = send(learner, f"{mine}/completer", added, seen_on=mine, files=sent)
        assert faults_in(wrong) == at
        assert added["mot"] in wrong.text
    assert (
        send(
            learner, f"{mine}/completer", {"mot": "Le voici."}, seen_on=mine, files={"fichier": PDF}
        ).status_code
        == 303
    )
    page = nora.get(where).text
    file = re.search(rf"{where}/pieces/[0-9a-f-]{{36}}", page)
    assert file
    saved = nora.get(file[0])
    assert saved.content == PDF[1]
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''carnet%20de%20bord.pdf"
    assert "sandbox" in saved.headers["content-security-policy"]
    assert saved.headers["x-content-type-options"] == "nosniff"
    assert learner.get(file[0]).status_code == 401
    assert app.client(app.trainer).get(file[0]).status_code == 403
    assert app.client(app.stranger).get(file[0]).status_code == 404


def test_a_refusal_is_shown_only_to_the_requester_and_is_final(
    app: App, badge: str, office, post, nora: TestClient
):
    learner, mine = asked_and_confirmed(app, badge, office, post)
    where = review_path(nora)
    send(nora, f"{where}/refuser", {"raison": "Atelier mené par une autre personne."}, seen_on=where)
    assert "Atelier mené par une autre personne." in learner.get(mine).text
    assert "Atelier mené" not in app.client().get(badge).text
    again = send(nora, f"{where}/accepter", {"raison": "Après tout…", "preuve": "Oui."}, seen_on="/verifier")
    assert again.status_code == 409
    assert "Cette demande est close" in again.text


def test_the_holder_of_a_badge_waits_for_no_letter(app: App, badge: str, nora: TestClient):
    result = app.award("Zoé Martin;zoe@exemple.fr")
    learner = app.client()
    learner.get(app.private_link(result))
    page = learner.get(f"{badge}/demande")
    assert "Vous êtes Zoé Martin" in page.text.replace("\u00a0", " ")
    answer = form_with(page, "recit").fill(recit=NARRATIVE).press(learner, page)
    assert answer.status_code == 303
    assert "Le campus l’examine" in learner.get(answer.headers["location"]).text
    assert "Zoé Martin" in queue(nora)
    twice = send(learner, f"{badge}/demande", {"adresse": "zoe@exemple.fr", "recit": NARRATIVE})
    assert twice.status_code == 409
    assert NARRATIVE in twice.text


def test_files_come_with_the_request_of_a_known_person_at_their_address(
    app: App, badge: str, nora: TestClient
):
    result = app.award("Zoé Martin;zoe@exemple.fr")
    learner, asked = app.client(), f"{badge}/demande"
    learner.get(app.private_link(result))
    page = learner.get(asked)
    assert 'enctype="multipart/form-data"' in page.text
    assert 'name="fichier"' in page.text
    typed = {"adresse": "zoe@exemple.fr", "recit": NARRATIVE}
    for changed, files, at in (
        ({}, [SCRIPT], ["fichier"]),
        ({}, [PDF] * 6, ["fichier"]),
        ({"adresse": "autre@exemple.fr"}, [PDF], ["fichier"]),
        ({"adresse": "autre@exemple.fr", "liens": "ici"}, [PDF], ["liens", "fichier"]),
        ({"adresse": "zoe"}, [], ["adresse"]),
    ):
        sent = [("fichier", file) for file in files]
        wrong = send(learner, asked, typed | changed, seen_on=asked, files=sent)
        assert faults_in(wrong) == at
        assert NARRATIVE in wrong.text
    assert "Zoé Martin" not in queue(nora)
    sent = send(learner, asked, typed, seen_on=asked, files={"fichier": PDF})
    assert sent.status_code == 303
    assert PDF[0] in learner.get(sent.headers["location"]).text
    where = review_path(nora)
    found = re.search(rf"{where}/pieces/[0-9a-f-]{{36}}", nora.get(where).text)
    assert found
    assert nora.get(found[0]).content == PDF[1]


@pytest.mark.parametrize("is_known", [False, True])
def test_files_are_neither_offered_nor_stored_before_an_address_is_confirmed(
    app: App, badge: str, is_known: bool
):
    stranger = app.client()
    if is_known:  # by a slip, without an address
        stranger.get(app.private_link(app.award("Zoé Martin")))
    assert 'name="fichier"' not in stranger.get(f"{badge}/demande").text
    answer = send(stranger, f"{badge}/demande", ZOE, files={"fichier": PDF})
    assert "Un e-mail est envoyé à zoe@exemple.fr" in answer.text
    with app.unit_of_work(reading=True) as services:
        (request,) = services.stores.session.exec(select(BadgeRequest)).all()
        assert services.asking.files.of(FileNoun.REQUEST, request.id) == []


def test_faults_are_explained_and_the_typed_text_is_retained(app: App, badge: str):
    learner = app.client()
    for wrong, words in (
        ({"recit": "court"}, "au moins une phrase"),
        ({"adresse": "zoe"}, "adresse n’est pas complète"),
        ({"liens": "javascript:alert(1)"}, "commence par https://"),
        ({"prenom": "", "nom": ""}, "manque un nom"),
        ({"prenom": "Martin", "nom": "Zoé"}, "bon ordre"),
        ({"prenom": "Zoé Martin"}, "Ce nom est-il bien écrit"),
        ({"adresse": "zoe@gmial.com"}, "Cette adresse est-elle bien écrite"),
    ):
        answer = send(learner, f"{badge}/demande", {**ZOE, **wrong})
        assert answer.status_code == 422, wrong
        assert words in answer.text
        assert (wrong.get("recit") or NARRATIVE) in answer.text


def test_a_service_that_sends_no_letters_explains_it_to_strangers(app: App, badge: str):
    app.process.mailer = None
    page = app.client().get(f"{badge}/demande").text
    assert "Ce service n’envoie pas d’e-mail" in page
    assert 'name="recit"' not in page


def test_known_and_unknown_addresses_get_the_same_answer(app: App, badge: str):
    app.award("Zoé Martin;zoe@exemple.fr")
    answers = set()
    for address in ("zoe@exemple.fr", "inconnue@exemple.fr"):
        page = send(app.client(), f"{badge}/demande", {**ZOE, "adresse": address}).text
        said = re.search(r"<main.*</main>", page, re.S)
        assert said
        answers.add(said[0].replace(address, ""))
    assert len(answers) == 1


def test_an_address_gets_three_letters_and_then_a_notice_to_wait(sqlite_url: str, tmp_path):
    app = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key"))
    with app.unit_of_work() as services:
        found = services.badges.badges.get(app.role.badge.id)
        found.accepts_requests = True
        services.badges.badges.add(found)
    name, _, host = ZOE["adresse"].partition("@")
    spellings = (ZOE["adresse"], f"{name}+a@{host}", f"{name}+b@{host}", ZOE["adresse"].upper())
    statuses = [
        send(app.client(), f"/badges/{app.role.badge.id}/demande", ZOE | {"adresse": each}).status_code
        for each in spellings
    ]
    assert statuses == [200, 200, 200, 429]
    app.close()


@pytest.mark.parametrize("tab", ["attente", "closes"])
def test_a_long_queue_is_paged_without_gaps(app: App, badge: str, nora: TestClient, tab: str):
    state = RequestState.WAITING if tab == "attente" else RequestState.REFUSED
    with app.unit_of_work() as services:
        for number in range(120):
            at = app.clock.now - timedelta(minutes=number // 7)
            services.reviewing.requests.add(
                BadgeRequest(
                    campus_id=app.campus.id, badge_id=app.role.badge.id, family_name=f"Nom{number:03}",
                    address=f"p{number}@exemple.fr", narrative=NARRATIVE, state=state,
                    created_at=at, waiting_since=at,
                )
            )  # fmt: skip
    here, address, pages = "/gestion/itip/demandes", f"?etat={tab}", []
    while address:
        page = nora.get(here + address).text
        pages.append(re.findall(r"<b>(Nom\d\d\d)<", page))
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert [len(each) for each in pages] == [50, 50, 20]
    assert len({name for each in pages for name in each}) == 120
    if tab == "attente":
        names = re.findall(r"<b>(Nom\d\d\d)<", nora.get(f"{here}?tri=-personne").text)
        assert names == sorted(names, reverse=True)
        assert names[0] == "Nom119"
        assert "Aucune demande ici" in nora.get(f"{here}?attend=longtemps").text
        assert len(re.findall(r"<b>Nom", nora.get(f"{here}?badge={app.role.badge.id}&qui=moi").text)) == 50
        for wrong in ("etat=x", "qui=x", "attend=x", "badge=x", "tri=etat", "colonne=x", "x=y"):
            assert nora.get(f"{here}?{wrong}").status_code == 422, wrong
        assert nora.get(f"{here}/demandes.csv").status_code == 403
        table = app.client(app.admin).get(f"{here}/demandes.csv?tri=personne&colonne=etat")
        lines = table.content.decode("utf-8-sig").splitlines()
        assert lines[:2] == ["Nom;Prénom;État", "Nom000;;À examiner"]
        assert len(lines) == 121


def test_chosen_requests_are_noted_as_seen_and_one_erased_meanwhile_stops_no_other(
    app: App, nora: TestClient
):
    here, at = "/gestion/itip/demandes", app.clock.now
    given = app.award("MARTIN Zoé;zoe@exemple.fr", "AZUR Bob;bob@exemple.fr")
    with app.unit_of_work() as services:
        people = [services.awards.record(line.award_id).person.id for line in given.lines]
        first, second = (
            BadgeRequest(
                campus_id=app.campus.id, badge_id=app.role.badge.id, person_id=each, family_name="Azur",
                address="azur@exemple.fr", narrative=NARRATIVE, state=RequestState.WAITING,
                created_at=at, waiting_since=at,
            )
            for each in people
        )  # fmt: skip
        services.reviewing.requests.add(first, second)
    chosen = {"geste": "refuser", "choix": [str(first.id), str(second.id)]}
    page = nora.get(send(nora, f"{here}/choix", chosen, seen_on=here).headers["location"])
    with app.unit_of_work(reading=True) as services:
        looks = services.stores.session.exec(select(AccessEvent)).all()
    assert {(each.person_id, each.looked_at.value) for each in looks} == {
        (each, "request") for each in people
    }
    with app.unit_of_work() as services:
        services.stores.session.exec(delete(BadgeRequest).where(BadgeRequest.id == first.id))
    done = form_with(page, "raison").fill(raison="Il manque une preuve.").press(nora, page)
    assert done.headers["location"].endswith("decidees=1")
    assert nora.get(done.headers["location"]).status_code == 200


def test_many_requests_are_decided_at_once_and_skipped_ones_have_a_reason(
    app: App, badge: str, office, post, nora: TestClient
):
    asked_and_confirmed(app, badge, office, post)
    here = "/gestion/itip/demandes"
    with app.unit_of_work() as services:
        at = app.clock.now
        closed, other = (
            BadgeRequest(
                campus_id=app.campus.id, badge_id=app.role.badge.id, family_name=name,
                address=f"{name}@exemple.fr".lower(), narrative=NARRATIVE, state=state,
                created_at=at, waiting_since=at,
            )
            for name, state in (("Close", RequestState.REFUSED), ("Autre", RequestState.WAITING))
        )  # fmt: skip
        services.reviewing.requests.add(closed, other)
        ids = [str(closed.id), str(other.id)]
    ids.append(review_path(nora).rsplit("/", 1)[-1])
    ids = list(dict.fromkeys([*ids, *re.findall(r'name="choix" value="([^"]+)"', queue(nora))]))

    def choose(action: str, *chosen: str):
        return send(nora, f"{here}/choix", {"geste": action, "choix": list(chosen)}, seen_on=here)

    assert choose("accepter").status_code == 422
    assert choose("autre", *ids).status_code == 422
    address = choose("accepter", *ids).headers["location"]
    page = nora.get(address)
    assert "2 demandes à décider" in page.text.replace("\u00a0", " ")
    assert "Elle n’attend plus de décision." in page.text
    silent = form_with(page, "raison").press(nora, page)
    assert silent.status_code == 422
    assert "la personne la lira" in silent.text
    done = form_with(page, "raison").fill(raison="J’y étais, bravo.").press(nora, page)
    assert done.status_code == 303
    assert "2 décisions enregistrées" in nora.get(done.headers["location"]).text.replace("\u00a0", " ")
    assert "Aucune demande ici" in queue(nora)
    again = form_with(page, "raison").fill(raison="J’y étais, bravo.").press(nora, page)
    assert "decidees=0" in again.headers["location"], "nothing is decided twice"
    with app.unit_of_work(reading=True) as services:
        request = services.reviewing.requests.find(other.id)
        assert request is not None
        assert request.state is RequestState.ACCEPTED
        assert request.award_id is not None


def test_a_request_that_changed_since_the_page_of_many_is_shown_again(
    app: App, badge: str, office, post, nora: TestClient
):
    learner, mine = asked_and_confirmed(app, badge, office, post)
    chosen = {"geste": "accepter", "choix": [review_path(nora).rsplit("/", 1)[-1]]}
    here = "/gestion/itip/demandes"
    page = nora.get(send(nora, f"{here}/choix", chosen, seen_on=here).headers["location"])
    assert "Lire ce qui sera écrit dans le badge" in page.text
    send(learner, f"{mine}/completer", {"liens": "https://exemple.fr/carnet"}, seen_on=mine)
    answer = form_with(page, "raison").fill(raison="J’y étais.").press(nora, page)
    shown = nora.get(answer.headers["location"])
    assert "1 demande ou son badge a changé" in shown.text.replace("\u00a0", " ")
    assert "– https://exemple.fr/carnet" in shown.text, "it would be written in the badge"
    answer = form_with(shown, "raison").fill(raison="J’y étais.").press(nora, shown)
    assert answer.headers["location"].endswith("decidees=1")


def test_a_decision_on_an_outdated_page_retains_the_typed_text_and_shows_what_was_added(
    app: App, badge: str, office, post, nora: TestClient
):
    learner, mine = asked_and_confirmed(app, badge, office, post)
    page = nora.get(review_path(nora))
    send(learner, f"{mine}/completer", {"mot": "J’ai retrouvé le carnet."}, seen_on=mine)
    shown = form_with(page, "preuve").fill(raison="J’y étais.", preuve="Deux ateliers.").press(nora, page)
    assert shown.status_code == 409
    assert "a changé depuis que vous l’avez ouverte" in shown.text
    assert "J’ai retrouvé le carnet." in shown.text
    assert "Deux ateliers." in shown.text
    assert form_with(shown, "preuve").press(nora, shown).status_code == 303
