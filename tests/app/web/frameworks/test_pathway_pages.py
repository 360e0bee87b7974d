"""Pathways on their pages: drawn by a designer, followed by a learner, monitored and closed by a trainer."""

from __future__ import annotations

import html
import re
import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import AwardState
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, Stage, StageCondition
from app.domain.people import AgeGroup, Person
from app.jobs.kinds import PATHWAYS
from app.services.badges import Wording
from app.services.frameworks.pathways import StageDraft
from app.web.frameworks.pathway_view import layout_of
from tests.support.app import COMMAND, App, send

HERE = "/gestion/itip/parcours"


@pytest.fixture
def designer(app: App) -> TestClient:
    return app.client(app.admin)


def draw(app: App, designer: TestClient) -> str:
    """Through the forms; returns the path of the editor."""
    answer = send(designer, f"{HERE}/nouveau", {"titre": "Robotique, du salon à l’atelier"})
    here = answer.headers["location"]
    presence, role = str(app.presence.badge.id), str(app.role.badge.id)
    send(designer, f"{here}/etapes/nouvelle", {"titre": "Venir au salon", "badge": presence, "combien": "1"})
    answer = send(
        designer,
        f"{here}/etapes/nouvelle",
        {"titre": "Tenir un poste", "heures": "3", "avis": "Deux publics accueillis.", "apres": "e1"},
    )
    assert answer.status_code == 303
    send(designer, here, {"titre": "Robotique, du salon à l’atelier", "presentation": "", "badge": role})
    assert send(designer, f"{here}/publier", seen_on=here).headers["location"].endswith("fait=publie")
    return here


def text_at(client: TestClient, path: str) -> str:
    """With ordinary spaces."""
    return html.unescape(client.get(path).text).replace("\u00a0", " ").replace("\u202f", " ")


def learner(app: App, name: str = "VAUBAN Luce <luce@exemple.fr>") -> Person:
    award_id = app.award(name).lines[0].award_id
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        return services.awards.get(app.campus, award_id).person


def test_a_designer_draws_and_publishes_a_pathway(app: App, designer: TestClient):
    here = draw(app, designer)
    shown = text_at(designer, here)
    assert "3 h d’activités" in shown
    assert "Deux publics accueillis" in shown
    assert "publiée" in shown
    send(designer, f"{here}/etapes/e2/monter", seen_on=here)
    assert text_at(designer, here).index("Tenir un poste") < text_at(designer, here).index("Venir au salon")
    assert "Publier la version" in text_at(designer, here)
    send(designer, f"{here}/etapes/e1/retirer", seen_on=here)
    assert "L’étape « Venir au salon » disparaît" in text_at(designer, here)


def test_hours_of_a_stage_are_read_with_their_unit(app: App, designer: TestClient):
    here = draw(app, designer)
    stage = {"titre": "Passer au chantier", "heures": "30 heures"}
    assert send(designer, f"{here}/etapes/nouvelle", stage).status_code == 303
    assert "30 h d’activités" in text_at(designer, here)
    assert send(designer, f"{here}/etapes/nouvelle", stage | {"heures": "2h30"}).status_code == 422


def test_publishing_names_people_under_way_from_the_second_version(app: App, designer: TestClient):
    here = draw(app, designer)
    assert "déjà en chemin" not in text_at(designer, f"{here}?fait=publie")
    send(designer, f"{here}/etapes/nouvelle", {"titre": "Passer au chantier", "heures": "30"})
    again = send(designer, f"{here}/publier", seen_on=here)
    assert "déjà en chemin" in text_at(designer, again.headers["location"])


def test_a_refused_stage_shows_what_was_typed(app: App, designer: TestClient):
    here = send(designer, f"{HERE}/nouveau", {"titre": "Essai"}).headers["location"]
    cases = (
        ({"titre": "Sans condition"}, "remplissez au moins une condition"),
        ({"titre": "", "heures": "3"}, "Donnez un titre"),
        ({"titre": "Des heures", "heures": "trois"}, "nombre entier"),
    )
    for typed, sentence in cases:
        answer = send(designer, f"{here}/etapes/nouvelle", typed)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert typed["titre"] in answer.text
    answer = send(designer, f"{here}/publier", seen_on=here)
    assert answer.status_code == 422
    assert "au moins une étape" in answer.text
    assert send(designer, f"{HERE}/nouveau", {"titre": ""}).status_code == 422


def derive_catalogue(app: App) -> None:
    with app.unit_of_work() as services:
        for campus_id in services.catalogue.due():
            services.catalogue.refresh(campus_id)


def test_a_pathway_shows_its_badges_as_people_have_them(app: App, designer: TestClient):
    """Not as a version without holders: its picture is not public."""
    learner(app)
    path = f"/parcours/{draw(app, designer).rsplit('/', 1)[1]}"
    badge, first = app.presence.badge, app.presence.version
    newer = Wording(first.kind, "Un autre nom", first.description, first.criteria)
    with app.unit_of_work() as services:
        services.badges.rewrite(
            app.campus, badge.id, newer, repeat=badge.repeat, accepts_requests=False, by=COMMAND
        )
    with app.unit_of_work() as services:
        services.badges.open(app.campus, badge.id, by=COMMAND)
    page = app.client().get(path).text
    assert f"/badges/{badge.id}/v1/image.svg" in page
    assert "Un autre nom" not in page


def test_a_published_pathway_is_listed_searched_filtered_and_linked(app: App, designer: TestClient):
    learner(app)
    path = f"/parcours/{draw(app, designer).rsplit('/', 1)[1]}"
    visitor = app.client()
    derive_catalogue(app)
    listed = visitor.get("/parcours").text
    assert path in listed
    assert "2 étapes" in text_at(visitor, "/parcours")
    assert path in visitor.get("/parcours", params={"q": "tenir un poste"}).text, "by a stage"
    assert path in visitor.get("/parcours", params={"q": "robotique pour tous"}).text, "by a badge"
    assert path not in visitor.get("/parcours", params={"q": "soudure"}).text
    assert path in visitor.get("/parcours", params={"campus": "itip"}).text
    assert path not in visitor.get("/parcours", params={"campus": "agt"}).text
    assert path in visitor.get("/campus/itip").text
    assert path not in visitor.get("/campus/agt").text
    tab = re.search(
        r'href="/parcours\?q=robotique"[^>]*>Parcours <span class="n">(\d+)',
        visitor.get("/badges?q=robotique").text,
    )
    assert tab is not None
    assert tab[1] == "1", "counted where badges are searched"
    assert path in visitor.get("/sitemap.xml").text
    assert path in visitor.get(f"/badges/{app.presence.badge.id}").text
    assert 'property="og:image"' in visitor.get(path).text


def test_a_pathway_is_linked_from_its_competency_and_no_longer_once_archived(app: App, designer: TestClient):
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ca", name="Accès", by=COMMAND)
        competency = services.competencies.create(
            app.campus, framework, code="CA-1", statement="Poser", levels=[], by=COMMAND
        )
    here = draw(app, designer)
    path, page = f"/parcours/{here.rsplit('/', 1)[1]}", f"/competences/{competency.id}"
    derive_catalogue(app)
    visitor = app.client()
    assert path not in visitor.get(page).text
    send(designer, f"{here}/etapes/nouvelle", {"titre": "Poser un lecteur", "competence": str(competency.id)})
    send(designer, f"{here}/publier", seen_on=here)
    derive_catalogue(app)
    assert path in visitor.get(page).text
    send(designer, f"{here}/archiver", seen_on=here)
    derive_catalogue(app)
    assert path not in visitor.get(page).text
    assert path not in visitor.get("/parcours").text
    assert path not in visitor.get("/campus/itip").text
    assert visitor.get(path).status_code == 200, "people on it still read it"


def test_graph_and_list_hold_the_same_stages(app: App, designer: TestClient):
    path = draw(app, designer).rsplit("/", 1)[1]
    shown = text_at(app.client(), f"/parcours/{path}")
    graph = " ".join(re.findall(r"<text[^>]*>([^<]*)", shown.partition('class="stages"')[0]))
    stages = re.findall(r"<h3>(?:\d+\. )?([^<]+)</h3>", shown.partition('class="stages"')[2])
    for title in stages[:-1]:
        assert title in graph
        assert title in re.search(r"<desc[^>]*>([^<]*)", shown).group(1)  # type: ignore[union-attr]
    assert stages[:-1] == ["Venir au salon", "Tenir un poste"]


def test_list_has_every_edge_of_the_graph_in_whatever_state(app: App):
    """Done, not needed any more, possible and later."""
    presence, role = app.presence.badge.id, app.role.badge.id
    drafts = (
        StageDraft("Venir", badge_ids=(presence,)),
        StageDraft("Rester", badge_ids=(presence,), after=("e1",), choice="A"),
        StageDraft("Revenir", badge_ids=(role,), after=("e1",), choice="A"),
        StageDraft("Tenir", badge_ids=(role,), after=("e1", "e2")),
        StageDraft("Finir", badge_ids=(role,), after=("e4",)),
    )
    person, by = learner(app), Actor(app.admin.id)
    with app.unit_of_work() as services:
        path = services.pathways.create(app.campus, PathwayContent("Salon"), by=by)
        for draft in drafts:
            services.pathways.save_stage(app.campus, path.id, "", draft, by=by)
        services.pathways.describe(app.campus, path.id, title="Salon", summary="", badge_id=role, by=by)
        services.pathways.publish(app.campus, path.id, by=by)
    client = app.client(person)
    send(client, f"/mes-badges/parcours/{path.id}/suivre", seen_on=f"/parcours/{path.id}")
    shown = text_at(client, f"/mes-badges/parcours/{path.id}")
    listed = shown[shown.index('<ol class="stages">') :]
    for number, draft in enumerate(drafts):
        begin = re.search(rf"<h[34]>[^<]*{draft.title}</h[34]>", listed)
        assert begin is not None
        words = listed[begin.end() :].partition("</p>")[0]
        for before in draft.after:
            assert f"« {drafts[int(before[1:]) - 1].title} »" in words, (number, words)
    assert {"Acquis le", "Plus nécessaire"} <= set(re.findall("Acquis le|Plus nécessaire", listed))


def test_a_learner_joins_reads_the_next_step_and_leaves(app: App, designer: TestClient):
    path = draw(app, designer).rsplit("/", 1)[1]
    me = app.client(learner(app))
    assert app.client().get(f"/mes-badges/parcours/{path}").status_code in (303, 401)
    send(me, f"/mes-badges/parcours/{path}/suivre", seen_on=f"/parcours/{path}")
    shown = me.get(f"/mes-badges/parcours/{path}").text
    assert "1 étape acquise sur 2" in shown
    assert "Possible maintenant" in shown
    assert shown.index("Tenir un poste") < shown.index("Venir au salon"), "the next step comes first"
    assert path in me.get("/mes-badges").text
    send(me, f"/mes-badges/parcours/{path}/quitter", seen_on=f"/mes-badges/parcours/{path}")
    assert me.get(f"/mes-badges/parcours/{path}").status_code == 404


def test_a_person_under_15_is_addressed_as_tu(app: App, designer: TestClient):
    path = draw(app, designer).rsplit("/", 1)[1]
    person = learner(app)
    with app.unit_of_work() as services:
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    me, public, mine = app.client(person), f"/parcours/{path}", f"/mes-badges/parcours/{path}"
    assert "quelles étapes tu as acquises" in text_at(me, public)
    joined = send(me, f"{mine}/suivre", seen_on=public)
    assert "Tu suis déjà ce parcours" in text_at(me, public)
    shown = text_at(me, joined.headers["location"])
    assert "tu suis ce parcours. Tu peux le quitter" in shown
    assert "le campus examine ton dossier" in shown
    assert "Tu suis la version 1" in shown
    assert not re.search(r"\b(vous|votre|vos)\b", shown.split("<main")[1].split("</main>")[0], re.IGNORECASE)


def test_a_new_version_is_read_before_it_is_taken(app: App, designer: TestClient):
    here = draw(app, designer)
    path = here.rsplit("/", 1)[1]
    me = app.client(learner(app))
    send(me, f"/mes-badges/parcours/{path}/suivre", seen_on=f"/parcours/{path}")
    send(designer, f"{here}/etapes/e2", {"titre": "Tenir un poste", "heures": "2", "apres": "e1"})
    send(designer, f"{here}/publier", seen_on=here)
    mine = f"/mes-badges/parcours/{path}"
    shown = text_at(me, mine)
    assert "« Tenir un poste » demande autre chose" in shown
    assert "Maintenant : 2 h d’activités" in shown
    assert send(me, f"{mine}/version", {"version": "9"}, seen_on=mine).status_code == 409
    assert send(me, f"{mine}/version", {"version": "2"}, seen_on=mine).status_code == 303
    assert "Toutes les étapes sont acquises" in text_at(me, mine)


def test_a_trainer_sees_where_people_wait_and_awards_the_whole(app: App, designer: TestClient):
    path = draw(app, designer).rsplit("/", 1)[1]
    person = learner(app)
    me, trainer = app.client(person), app.client(app.trainer)
    send(me, f"/mes-badges/parcours/{path}/suivre", seen_on=f"/parcours/{path}")
    overview = trainer.get(f"{HERE}/{path}/suivi").text
    assert "VAUBAN" in overview.upper()
    assert "Tenir un poste" in overview
    one = re.search(rf"{HERE}/{path}/suivi/[0-9a-f-]+", overview).group()  # type: ignore[union-attr]
    for query in ("etape=e2&etat=open", "nom=vaub", "version=1"):
        assert one in trainer.get(f"{HERE}/{path}/suivi?{query}").text
    for query in ("etape=e1&etat=open", "attente=oui", "nom=zzz", "badge=waiting", "version=2"):
        assert one not in trainer.get(f"{HERE}/{path}/suivi?{query}").text
    unseen = send(trainer, f"{one}/avis/e2", {"note": ""}, seen_on=one)
    assert (unseen.status_code, 'id="note-e2-erreur"' in unseen.text) == (422, True)
    assert (
        send(trainer, f"{one}/avis/e2", {"note": "Accueil tenu deux jours."}, seen_on=one).status_code == 303
    )
    assert one in trainer.get(f"{HERE}/propositions").text
    assert "Parcours achevé" in trainer.get("/gestion/itip").text
    page = trainer.get(one).text
    assert "Accueil tenu deux jours." in re.search(r"<textarea[^>]*name=\"preuve\"[^>]*>([^<]*)", page).group(
        1
    )  # type: ignore[union-attr]
    answer = send(
        trainer, f"{one}/attribuer", {"preuve": "Accueil tenu deux jours, atelier suivi."}, seen_on=one
    )
    assert answer.status_code == 303, answer.text
    assert "Badge attribué" in trainer.get(one).text
    assert "Vous avez le badge de l’ensemble" in me.get(f"/mes-badges/parcours/{path}").text
    with app.unit_of_work(reading=True) as services:
        records = services.awards.list_of(person.id)
    assert [each.badge.id for each in records].count(app.role.badge.id) == 1
    assert {each.person.id for each in records} == {person.id}
    first = next(each for each in records if each.badge.id == app.role.badge.id)
    app.clock.move(minutes=5)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, first.award.id, "Donné à tort ce jour-là.", by=COMMAND)
    while PATHWAYS.perform(app.process, uuid.UUID(int=1)):
        pass
    assert "VAUBAN" in designer.get(f"{HERE}/{path}/suivi.csv").text.upper()
    assert "Tableau des personnes d’un parcours" in designer.get("/gestion/itip/historique").text
    again = send(trainer, f"{one}/attribuer", {"preuve": "Accueil tenu trois jours."}, seen_on=one)
    assert again.status_code == 303, again.text
    with app.unit_of_work(reading=True) as services:
        given = [each for each in services.awards.list_of(person.id) if each.badge.id == app.role.badge.id]
    assert AwardState.ISSUED in {each.award.state for each in given}, (
        "awarded again, and not only reported so"
    )


def test_a_declined_badge_is_explained_to_the_person(app: App, designer: TestClient):
    path = draw(app, designer).rsplit("/", 1)[1]
    me, trainer = app.client(learner(app)), app.client(app.trainer)
    send(me, f"/mes-badges/parcours/{path}/suivre", seen_on=f"/parcours/{path}")
    one = re.search(rf"{HERE}/{path}/suivi/[0-9a-f-]+", trainer.get(f"{HERE}/{path}/suivi").text).group()  # type: ignore[union-attr]
    send(trainer, f"{one}/avis/e2", {"note": "Accueil tenu deux jours."}, seen_on=one)
    short = send(trainer, f"{one}/ecarter", {"raison": "non"}, seen_on=one)
    assert (short.status_code, 'id="raison-erreur"' in short.text) == (422, True)
    send(trainer, f"{one}/ecarter", {"raison": "Il manque le second salon."}, seen_on=one)
    assert "Il manque le second salon." in me.get(f"/mes-badges/parcours/{path}").text
    assert send(trainer, f"{one}/rouvrir", seen_on=one).status_code == 303
    assert one in trainer.get(f"{HERE}/propositions").text
    send(trainer, f"{one}/avis/e2/retirer", seen_on=one)
    assert one not in trainer.get(f"{HERE}/propositions").text


def test_other_campuses_see_nothing_of_it(app: App, designer: TestClient):
    here = draw(app, designer)
    path = here.rsplit("/", 1)[1]
    stranger = app.client(app.stranger)
    for address in (here, f"{here}/suivi", f"{HERE}/propositions", f"/gestion/agt/parcours/{path}/suivi"):
        assert stranger.get(address).status_code in (403, 404), address
    assert app.client().get(f"/parcours/{uuid.uuid4()}").status_code == 404


def test_a_draft_is_on_no_public_page(app: App):
    with app.unit_of_work() as services:
        by = Actor(app.admin.id)
        path = services.pathways.create(app.campus, PathwayContent("Brouillon secret"), by=by)
        hours = StageCondition(ConditionKind.HOURS, 2)
        services.pathways.save_stage(app.campus, path.id, "", StageDraft("Venir", others=(hours,)), by=by)
        number = path.id
    assert app.client().get(f"/parcours/{number}").status_code == 404
    assert "Brouillon secret" not in app.client().get("/parcours").text


def test_stages_and_long_edges_each_have_a_cell_of_their_own():
    hours = (StageCondition(ConditionKind.HOURS, 1),)
    stages = (
        Stage("e1", "Un", conditions=hours),
        Stage("e2", "Deux", conditions=hours, after=("e1",)),
        Stage("e3", "Trois", conditions=hours, after=("e2",), choice="A"),
        Stage("e4", "Quatre", conditions=hours, after=("e2",), choice="A"),
        Stage("e5", "Cinq", conditions=hours, after=("e1",)),
        Stage("e6", "Six", conditions=hours, after=("e3",)),
    )
    layout = layout_of(PathwayContent("Parcours", stages=stages))
    places = [*layout.cells.values(), *(one for _, _, passed in layout.edges for one in passed)]
    assert len(places) == len(set(places))
    assert layout.cells["e6"][0] == 3
    assert {(start, end) for start, end, _ in layout.edges} == {
        ("e1", "e2"), ("e2", "e3"), ("e2", "e4"), ("e1", "e5"), ("e3", "e6"), ("e4", "e6"), ("e5", "whole"), ("e6", "whole"),
    }  # fmt: skip
