"""A set of modules: its grid, who has what, the badge of the whole proposed, an attestation on paper."""

from __future__ import annotations

import io
import uuid
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlmodel import select

from app.domain.badges.shared_definitions import TrainingModule, completions
from app.domain.campus.audit_log import Actor
from app.domain.people.consents import AccessEvent
from app.services.awards.awards import AwardRequest
from app.services.badges.modules import ModuleText
from tests.support.app import COMMAND, NOON, App, send
from tests.support.content.skills import levelled
from tests.support.forms import form_with

MODULES = "/gestion/itip/modules"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=30))
def test_whole_is_proposed_to_exactly_those_with_every_module(held: list[tuple[int, int]]) -> None:
    badges = [uuid.UUID(int=number + 1) for number in range(5)]
    modules = [TrainingModule(set_id=uuid.uuid4(), title="m", badge_id=badges[at]) for at in range(3)]
    rows: list[tuple[uuid.UUID, uuid.UUID, datetime]] = [
        (uuid.UUID(int=100 + person), badges[badge], NOON + timedelta(days=badge)) for person, badge in held
    ]
    proposed = {each.person_id for each in completions(modules, rows, badges[3]) if each.is_proposed}
    assert proposed == {
        uuid.UUID(int=100 + person)
        for person in range(4)
        if {0, 1, 2} <= {badge for one, badge in held if one == person} and (person, 3) not in held
    }


def written(app: App) -> uuid.UUID:
    """Two modules, attested by presence and by CA-3, and a whole that `role` attests."""
    attesting = levelled(app).badge
    with app.unit_of_work() as services:
        found = services.modules.create(
            app.campus, title="Contrôle d’accès", badge_id=app.role.badge.id, by=COMMAND
        )
        services.modules.add_module(
            app.campus,
            found.id,
            ModuleText("Module 1", "Les usages\nLes risques", "Techniciens", 14, app.presence.badge.id),
            by=COMMAND,
        )
        services.modules.add_module(
            app.campus, found.id, ModuleText("Module 2", badge_id=attesting.badge.id), by=COMMAND
        )
    app.award("Zoé N’Diaye;zoe@exemple.fr", "Ali Haddad;ali@exemple.fr")
    app.award("Zoé N’Diaye;zoe@exemple.fr", badge=attesting, evidence="Deux mesures justes.")
    return found.id


def test_set_is_written_on_forms_and_shown_as_a_grid(app: App) -> None:
    competency = levelled(app).competency
    designer = app.client(app.admin)
    answer = send(designer, f"{MODULES}/nouveau", {"titre": "Contrôle d’accès"})
    assert answer.status_code == 303
    here = answer.headers["location"]
    typed = {
        "titre": "Mesurer",
        "contenus": "- tensions\n- temps de réponse",
        "public": "Techniciens",
        "heures": "3,5",
        f"niveau-{competency.id}": "3",
    }
    refused = send(designer, f"{here}/nouveau", typed | {"heures": "trois"})
    assert refused.status_code == 422
    assert "tensions" in refused.text
    assert "lisible" in refused.text
    assert send(designer, f"{here}/nouveau", typed).status_code == 303
    page = designer.get(here).text
    assert all(part in page for part in ("Mesurer", "Transmet", "temps de réponse", "Techniciens"))
    assert "3,5" in page
    assert send(designer, f"{here}/nouveau", typed | {"titre": "Régler", "heures": "2h30"}).status_code == 303
    assert "2,5" in designer.get(here).text


def test_whole_is_proposed_confirmed_and_awarded_once(app: App) -> None:
    set_id = written(app)
    here = f"{MODULES}/{set_id}"
    trainer = app.client(app.trainer)
    page = trainer.get(f"{here}/personnes")
    assert "1 personne a tous les modules" in page.text.replace("\xa0", " ")
    assert "Ali Haddad" in page.text
    form = form_with(page, "personne")
    assert len(form.fields["personne"]) == 1
    form.fill(preuve="Les deux modules, puis un entretien.")
    preview = form.press(trainer, page)
    if preview.is_redirect:
        preview = trainer.get(preview.headers["location"])
    assert "Zoé N’Diaye" in preview.text
    confirmed = form_with(preview, "geste")
    answer = confirmed.press(trainer, preview, ("geste", "attribuer"))
    assert answer.status_code == 303, answer.text
    with app.unit_of_work(reading=True) as services:
        grid = services.modules.grid(app.campus, set_id)
        assert [each.has_whole for _, each in services.modules.followed(grid)].count(True) == 1
    after = trainer.get(f"{here}/personnes").text.replace("\xa0", " ")
    assert "qui a tous les modules l’a déjà" in after
    assert "0 personne" not in after, "a holder of the whole has every module"


def test_attestation_lists_modules_hours_and_levels(app: App) -> None:
    set_id = written(app)
    with app.unit_of_work(reading=True) as services:
        grid = services.modules.grid(app.campus, set_id)
        zoe, _ = services.modules.followed(grid)[0]
    trainer = app.client(app.trainer)
    path = f"{MODULES}/{set_id}/attestations/{zoe.id}.pdf"
    pdf = trainer.get(path)
    assert pdf.headers["cache-control"] == "no-store"
    reader = PdfReader(io.BytesIO(pdf.content))
    text = " ".join(each.extract_text() for each in reader.pages)
    assert all(part in text for part in ("Zoé", "Module 1", "Module 2", "CA-3", "Autonome", "Les risques"))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    with app.unit_of_work(reading=True) as services:
        looks = services.stores.session.exec(select(AccessEvent)).all()
    assert (zoe.id, app.trainer.id) in [(each.person_id, each.viewer_id) for each in looks]
    assert trainer.get(path.replace(str(zoe.id), str(uuid.uuid4()))).status_code == 404
    assert app.client(app.stranger).get(path).status_code in (403, 404)
    assert app.client().get(path).status_code in (303, 401)


def test_revoked_module_no_longer_counts(app: App) -> None:
    set_id = written(app)
    with app.unit_of_work() as services:
        grid = services.modules.grid(app.campus, set_id)
        zoe, _ = services.modules.followed(grid)[0]
        record = next(
            each
            for each in services.awards.awards.list_of_person(zoe.id)
            if each.badge.id == app.presence.badge.id
        )
        services.awards.revoke(app.campus, record.award.id, "Erreur de date.", by=COMMAND)
        assert not any(each.is_proposed for _, each in services.modules.followed(grid))


def test_a_person_reads_their_own_modules_and_prints_them(app: App) -> None:
    set_id = written(app)
    with app.unit_of_work(reading=True) as services:
        people = {
            person.given_name: person
            for person, _ in services.modules.followed(services.modules.grid(app.campus, set_id))
        }
    ali, zoe = app.client(people["Ali"]), app.client(people["Zoé"])
    assert 'href="/mes-badges/modules"' in ali.get("/mes-badges").text
    mine = ali.get("/mes-badges/modules").text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "1 module sur 2, 3 h" in mine, "the hours recorded for this person"
    assert "pas encore" in mine
    assert "tous les modules sont attestés" not in mine.lower()
    assert "est proposé au campus" in zoe.get("/mes-badges/modules").text
    paper = ali.get(f"/mes-badges/modules/{set_id}/attestation.pdf")
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
    assert "Ali Haddad" in text
    assert "Module 1" in text
    assert "Module 2" not in text
    assert "Zoé" not in text


def test_modules_of_others_and_of_withdrawn_badges_are_not_shown(app: App) -> None:
    set_id = written(app)
    assert app.client(app.trainer).get(f"/mes-badges/modules/{set_id}/attestation.pdf").status_code == 404
    with app.unit_of_work() as services:
        followed = services.modules.followed(services.modules.grid(app.campus, set_id))
        ali = next(person for person, _ in followed if person.given_name == "Ali")
        award_id = services.awards.list_of(ali.id)[0].award.id
        services.awards.revoke(app.campus, award_id, "Donné à tort ce jour-là.", by=COMMAND)
    assert "Aucun module" in app.client(ali).get("/mes-badges/modules").text
    assert 'href="/mes-badges/modules"' not in app.client(ali).get("/mes-badges").text


def test_an_archived_set_stays_with_those_who_have_its_modules(app: App) -> None:
    set_id = written(app)
    with app.unit_of_work() as services:
        followed = services.modules.followed(services.modules.grid(app.campus, set_id))
        ali = next(person for person, _ in followed if person.given_name == "Ali")
        services.modules.archive(app.campus, set_id, by=COMMAND)
    assert "Module 1" in app.client(ali).get("/mes-badges/modules").text


def test_every_module_and_the_whole_are_awarded_in_one_action(app: App) -> None:
    set_id = written(app)
    here = f"{MODULES}/{set_id}"
    app.record("Inès Roche")
    with app.unit_of_work(reading=True) as services:
        first, second = services.modules.grid(app.campus, set_id).modules
    trainer = app.client(app.trainer)
    nothing = send(trainer, f"{here}/ensemble", {})
    assert "au moins un module" in trainer.get(nothing.headers["location"]).text
    chosen = {
        f"activite-{first.id}": str(app.activity.id),
        f"activite-{second.id}": str(app.activity.id),
        f"preuve-{second.id}": "Mesures vues et justes.",
        "preuve-ensemble": "Les deux modules, puis un entretien.",
    }
    bare = {name: value for name, value in chosen.items() if name != f"preuve-{second.id}"}
    refused = trainer.get(send(trainer, f"{here}/ensemble", bare).headers["location"]).text
    with app.unit_of_work(reading=True) as services:
        wanted = AwardRequest(second.badge_id, app.activity.id, everybody=True)
        lines = services.awards.preview(app.campus, wanted, by=Actor(app.trainer.id)).lines
    reason = next(line.eligibility.sentence for line in lines if line.person.given_name == "Inès")
    assert reason.replace("’", "&#39;")[:30] in refused.replace("’", "&#39;")
    answer = send(trainer, f"{here}/ensemble", chosen)
    preview = trainer.get(answer.headers["location"])
    assert "Inès Roche" in preview.text
    assert "A déjà ce badge" in preview.text
    assert "Qui reçoit quoi" in preview.text
    back = trainer.get(answer.headers["location"])
    assert "Inès Roche" in back.text
    form = form_with(preview, "pretes")
    stale = send(trainer, f"{here}/ensemble", chosen | {"geste": "attribuer", "pretes": "99"})
    assert "La liste a changé" in trainer.get(stale.headers["location"]).text
    (shown_then,) = form.fields["contenu"]
    form.fields["contenu"] = ["of-other-versions"]
    rewritten = form.press(trainer, preview, ("geste", "attribuer"))
    assert "La liste a changé" in trainer.get(rewritten.headers["location"]).text
    form.fields["contenu"] = [shown_then]
    given_now = form.press(trainer, preview, ("geste", "attribuer"))
    assert given_now.status_code == 303, given_now.text
    with app.unit_of_work(reading=True) as services:
        grid = services.modules.grid(app.campus, set_id)
        done = {person.given_name: each for person, each in services.modules.followed(grid)}
    assert done["Inès"].is_complete
    assert done["Inès"].has_whole
    assert done["Ali"].is_complete
    shown = trainer.get(given_now.headers["location"]).text
    assert shown.count("/gestion/itip/resultats/") == 3
    again = send(trainer, f"{here}/ensemble", chosen)
    assert 'name="pretes" value="0"' in trainer.get(again.headers["location"]).text


def test_module_form_shows_each_fault_at_its_field(app: App) -> None:
    set_id = written(app)
    designer = app.client(app.admin)
    typed = {"titre": "", "contenus": "c" * 4001, "public": "p" * 201, "heures": "trois"}
    page = send(designer, f"{MODULES}/{set_id}/nouveau", typed)
    assert page.status_code == 422
    assert all(f'id="{name}-erreur"' in page.text for name in typed)
    stale = send(designer, f"{MODULES}/{set_id}/nouveau", {"titre": "Régler", "badge": str(uuid.uuid4())})
    assert 'id="badge-erreur"' in stale.text
    assert 'id="heures-erreur"' not in stale.text


def test_form_of_a_set_shows_each_fault_at_its_field(app: App) -> None:
    page = send(app.client(app.admin), f"{MODULES}/nouveau", {"titre": "Accès", "description": "d" * 2001})
    assert 'id="description-erreur"' in page.text
    assert 'id="titre-erreur"' not in page.text


def test_removed_module_is_restored_with_its_text_and_its_levels(app: App) -> None:
    set_id = written(app)
    designer, here = app.client(app.admin), f"{MODULES}/{set_id}"
    with app.unit_of_work(reading=True) as services:
        before = services.modules.grid(app.campus, set_id)
    first, second = before.modules
    assert send(designer, f"{here}/{second.id}", {"geste": "retirer", "heures": "trois"}).status_code == 303
    page = designer.get(here).text
    assert "Modules retirés" in page
    with app.unit_of_work(reading=True) as services:
        without = services.modules.grid(app.campus, set_id)
        assert [each.id for each in without.modules] == [first.id]
        assert designer.get(f"{here}/{second.id}").status_code == 404
    assert send(designer, f"{here}/{second.id}/reprendre", {}).status_code == 303
    with app.unit_of_work(reading=True) as services:
        after = services.modules.grid(app.campus, set_id)
    assert [each.id for each in after.modules] == [first.id, second.id]
    assert after.levels == before.levels
    assert "Modules retirés" not in designer.get(here).text


def test_archived_set_is_put_back_in_service_from_the_list(app: App) -> None:
    set_id = written(app)
    designer, here = app.client(app.admin), f"{MODULES}/{set_id}"
    send(designer, f"{here}/archiver", {})
    assert designer.get(here).status_code == 404
    assert f"{here}/reprendre" in designer.get(MODULES).text
    assert f"{here}/reprendre" not in app.client(app.trainer).get(MODULES).text
    assert send(designer, f"{here}/reprendre", {}).headers["location"] == here
    assert designer.get(here).status_code == 200
