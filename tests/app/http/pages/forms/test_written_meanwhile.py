"""A form applies to what its page showed: what another person has changed since is shown first."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from app.domain.accounts.permissions import Role
from app.domain.activities import ActivityCampus, ActivitySession
from app.domain.activities.listed_people import ListedPerson
from app.domain.badges import BadgeKind
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, StageCondition
from app.domain.reports.editions import TEXTS
from app.domain.reports.ledger import Period
from app.http.pages.forms import written_meanwhile
from app.services.badges import Wording
from app.services.badges.modules import ModuleText
from app.services.campus.dashboard import Start
from app.services.frameworks.pathways import StageDraft
from tests.support.app import COMMAND, App
from tests.support.forms import Form, forms_of

DESK = "/gestion/itip"
Stored = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """`stale` and `newer`: what two people write into the same page, the newer first."""

    path: str
    form: str
    newer: Mapping[str, Any]
    stale: Mapping[str, Any]
    stored: Stored


def settings(app: App) -> Case:
    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            campus = services.campuses.get("itip")
            return campus.site, campus.sector

    return Case(f"{DESK}/reglages", "nom", {"lieu": "Le Creusot"}, {"filiere": "Robotique"}, stored)


def roles(app: App) -> Case:
    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            return services.team.member(app.campus, app.trainer.id).roles

    trainer, reviewer, auditor = Role.TRAINER.value, Role.REVIEWER.value, Role.AUDITOR.value
    return Case(
        f"{DESK}/equipe/{app.trainer.id}", "role", {"role": [trainer, reviewer]}, {"role": [trainer, auditor]}, stored
    )  # fmt: skip


def opened_badges(app: App) -> Case:
    badges = [app.presence.badge.id, app.role.badge.id]
    with app.unit_of_work() as services:
        for badge_id in badges:
            services.openings.set_for_badge(
                app.campus, badge_id, everybody=False, people=[app.trainer.id], by=COMMAND
            )

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            found = services.openings.of_trainer(app.campus, app.trainer.id)
            return {badge.id for badge, _, is_open in found if is_open}

    first, second = ({"badge": [str(each)]} for each in badges)
    return Case(f"{DESK}/equipe/{app.trainer.id}", "/badges", first, second, stored)


def trainers_of_badge(app: App) -> Case:
    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            return services.openings.of_badge(app.campus, app.presence.badge.id).opened

    one = {"pour": "certains", "personne": [str(app.trainer.id)]}
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.admin.id, [Role.TRAINER, Role.CAMPUS_ADMIN], by=COMMAND)
    two = {"pour": "certains", "personne": [str(app.admin.id)]}
    return Case(f"{DESK}/badges/{app.presence.badge.id}/formateurs", "pour", one, two, stored)


def activity(app: App) -> Case:
    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            found = services.activities.get(app.campus, app.activity.id)
            return found.title, found.place

    path = f"{DESK}/activites/{app.activity.id}/modifier"
    return Case(path, "titre", {"titre": "Atelier déplacé"}, {"lieu": "Salle 4"}, stored)


def competency(app: App) -> Case:
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="atelier", name="Atelier", by=COMMAND)
        made = services.competencies.create(
            app.campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            found, _ = services.competencies.get(app.campus, made.id)
            return found.statement, found.description

    path = f"{DESK}/competences/{made.id}"
    return Case(path, "enonce", {"enonce": "Peser"}, {"description": "Au dixième."}, stored)


def person(app: App) -> Case:
    """The e-mail address decides where private links are sent."""
    with app.unit_of_work() as services:
        line = ListedPerson(1, given_name="Zoé", family_name="Martin", address="zoe@exemple.fr")
        services.activities.record(app.campus, app.activity.id, [line], by=COMMAND)
        (found,) = services.directory.find_people(app.campus, "Martin", Start())
        person_id = found.id

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            found = services.corrections.find(app.campus, person_id)
            return found.person.name, found.address

    path = f"{DESK}/repertoire/{person_id}/corriger"
    return Case(path, "prenom", {"adresse": "zoe.martin@exemple.fr"}, {"prenom": "Zoe"}, stored)


def framework(app: App) -> Case:
    with app.unit_of_work() as services:
        found = services.competencies.framework(app.campus, code="atelier", name="Atelier", by=COMMAND)

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            read = services.competencies.get_framework(app.campus, found.id)
            return read.name, read.description

    path = f"{DESK}/competences/referentiels/{found.id}"
    return Case(path, "nom", {"nom": "Atelier bois"}, {"description": "Au banc."}, stored)


def module_set(app: App) -> Case:
    with app.unit_of_work() as services:
        found = services.modules.create(app.campus, title="Usinage", by=COMMAND)

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            read = services.modules.get(app.campus, found.id)
            return read.title, read.description

    path = f"{DESK}/modules/{found.id}/modifier"
    return Case(path, "titre", {"titre": "Usiner"}, {"description": "Sur tour."}, stored)


def module(app: App) -> Case:
    with app.unit_of_work() as services:
        found = services.modules.create(app.campus, title="Usinage", by=COMMAND)
        text = ModuleText("Tourner", badge_id=app.presence.badge.id)
        made = services.modules.add_module(app.campus, found.id, text, by=COMMAND)

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            read = services.modules.get_module(found, made.id)
            return read.contents, read.hours

    path = f"{DESK}/modules/{found.id}/{made.id}"
    return Case(path, "contenus", {"contenus": "Dresser\nCharioter"}, {"heures": "2 h 30"}, stored)


def _pathway(app: App) -> uuid.UUID:
    with app.unit_of_work() as services:
        made = services.pathways.create(app.campus, PathwayContent("Parcours"), by=COMMAND)
        seen = StageCondition(ConditionKind.DECISION, text="Un poste tenu.")
        services.pathways.save_stage(app.campus, made.id, "", StageDraft("Tenir", others=(seen,)), by=COMMAND)
        return made.id


def pathway(app: App) -> Case:
    pathway_id = _pathway(app)

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            _, read = services.pathways.get(app.campus, pathway_id)
            return read.title, read.summary

    newer, stale = {"titre": "Devenir  tourneur"}, {"presentation": "En un an."}
    return Case(f"{DESK}/parcours/{pathway_id}", "titre", newer, stale, stored)


def stage(app: App) -> Case:
    pathway_id = _pathway(app)
    with app.unit_of_work(reading=True) as services:
        key = services.pathways.get(app.campus, pathway_id)[1].stages[0].key

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            return services.pathways.get(app.campus, pathway_id)[1].stages

    newer, stale = {"avis": "Deux postes tenus.", "heures": "30 h"}, {"presentation": "Seul."}
    return Case(f"{DESK}/parcours/{pathway_id}/etapes/{key}", "avis", newer, stale, stored)


def session_of_series(app: App) -> Case:
    day = app.activity.starts_on
    held = [ActivitySession(activity_id=app.activity.id, held_on=day + timedelta(n), hours=2) for n in (0, 7)]
    with app.unit_of_work() as services:
        services.activity_plans.plans.save(*held)
    session_id = held[0].id

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            read, _ = services.series.session(app.campus, app.activity.id, session_id)
            return read.place, read.hours

    path = f"{DESK}/activites/{app.activity.id}/seances/{session_id}/changer"
    return Case(path, "lieu", {"heures": "3 h 30"}, {"lieu": "Salle 4"}, stored)


def annual_report(app: App) -> Case:
    first, second = list(TEXTS)[:2]

    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            texts = services.report_editions.page(app.campus, Period.civil(2026)).texts
            return texts[first].text, texts[second].text

    newer, stale = {f"texte-{first}": "Une année pleine."}, {f"texte-{second}": "Deux partenaires."}
    return Case(f"{DESK}/rapport/annuel/2026", "paroles", newer, stale, stored)


def objectives(app: App) -> Case:
    def stored() -> object:
        with app.unit_of_work(reading=True) as services:
            return [(each.code, each.title) for each in services.report_facts.objectives(app.campus)]

    newer, stale = {"objectifs": "2 Former\n1  Accueillir"}, {"objectifs": "3 Insérer"}
    return Case(f"{DESK}/rapport/objectifs", "objectifs", newer, stale, stored)


CASES = [person, settings, roles, opened_badges, trainers_of_badge, activity, competency, framework, module_set,
         module, pathway, stage, session_of_series, annual_report, objectives]  # fmt: skip


def the_form(page: Response, name: str) -> Form:
    """With a field or a button of that name, or to an address that ends with it."""
    return next(
        each
        for each in forms_of(page)
        if name in each.fields or name in dict(each.buttons) or each.action.endswith(name)
    )


def test_line_ends_sent_by_a_browser_are_not_a_change() -> None:
    today = {"niveaux": "accompagné\nautonome", "description": "Salle 6"}
    typed = {"niveaux": "accompagné\r\nautonome", "description": "Atelier 6"}
    assert [*written_meanwhile(today, typed)] == ["description"]


@pytest.mark.parametrize("make", CASES, ids=lambda each: each.__name__)
def test_what_another_person_saved_meanwhile_is_not_overwritten_unseen(app: App, make) -> None:
    case = make(app)
    late, early = app.client(app.admin), app.client(app.admin)
    shown = late.get(case.path)
    page = early.get(case.path)
    for _pressed_twice in range(2):
        assert the_form(page, case.form).fill(**case.newer).press(early, page).status_code == 303
    before = case.stored()
    again = the_form(shown, case.form).fill(**case.stale).press(late, shown)
    assert again.status_code == 409
    assert "entre-temps" in again.text or "pendant que vous l’écriviez" in again.text
    assert "à corriger" not in again.text
    assert case.stored() == before
    back = the_form(again, case.form)
    typed = {name: text if isinstance(text, list) else [text] for name, text in case.stale.items()}
    assert {name: back.fields[name] for name in typed} == typed
    assert the_form(again, case.form).fill(**case.stale).press(late, again).status_code == 303
    assert case.stored() != before


REFUSED = [
    (roles, {"role": []}),
    (trainers_of_badge, {"pour": "certains", "personne": []}),
    (activity, {"titre": ""}),
    (competency, {"enonce": ""}),
    (person, {"nom": ""}),
    (framework, {"nom": ""}),
    (module_set, {"titre": ""}),
    (module, {"heures": "beaucoup"}),
    (pathway, {"titre": ""}),
    (stage, {"titre": ""}),
    (session_of_series, {"heures": "beaucoup"}),
    (objectives, {"objectifs": "Insérer"}),
]


@pytest.mark.parametrize("is_refused_first", [True, False])
@pytest.mark.parametrize(("make", "refused"), REFUSED, ids=lambda each: getattr(each, "__name__", ""))
def test_form_that_was_refused_and_corrected_overwrites_nothing_unseen(
    app: App, make, refused, is_refused_first: bool
) -> None:
    """A page that shows typed values again still belongs to the data stored when it was first opened."""
    case = make(app)
    late, early = app.client(app.admin), app.client(app.admin)
    shown, page = late.get(case.path), early.get(case.path)

    def press() -> Response:
        return the_form(shown, case.form).fill(**case.stale | refused).press(late, shown)

    def save() -> None:
        assert the_form(page, case.form).fill(**case.newer).press(early, page).status_code == 303

    if is_refused_first:
        again = press()
        assert again.status_code == 422
        save()
    else:
        save()
        again = press()
        if again.status_code == 409:
            return
    filled = the_form(shown, case.form).fields
    corrected = {name: filled.get(name, []) for name in refused} | case.stale
    last = the_form(again, case.form).fill(**corrected).press(late, again)
    assert last.status_code == 409


AS_PEOPLE_TYPE = [
    (person, {"nom": "Martin  Durand", "adresse": "Zoe.Martin@Exemple.FR"}),
    (activity, {"heures": "2 h 30", "heure_debut": "9h"}),
    (competency, {"niveaux": "Débute\r\n\r\nSait\r\n", "synonymes": "Peser \r\nJauger"}),
]


@pytest.mark.parametrize(("make", "typed"), AS_PEOPLE_TYPE, ids=["person", "activity", "competency"])
def test_a_form_sent_twice_is_saved_once_however_it_is_typed(app: App, make, typed) -> None:
    """Stored text is normalised: the second request used to conflict with the first, as if another person had saved."""
    case, client = make(app), app.client(app.admin)
    page = client.get(case.path)
    for _press in range(2):
        assert the_form(page, case.form).fill(**typed).press(client, page).status_code == 303


def test_a_session_moved_meanwhile_does_not_block_a_new_title(app: App) -> None:
    """The page of an activity shows the days of its sessions, and cannot change them."""
    day, admin = app.activity.starts_on, app.client(app.admin)
    with app.unit_of_work() as services:
        held = ActivitySession(activity_id=app.activity.id, held_on=day, hours=2)
        services.activity_plans.plans.save(held)
    path = f"{DESK}/activites/{app.activity.id}/modifier"
    page = admin.get(path)
    with app.unit_of_work() as services:
        services.activities.get(app.campus, app.activity.id).hours = 3.5
    assert the_form(page, "titre").fill(titre="Autre titre").press(admin, page).status_code == 303


def came(app: App, session_id: uuid.UUID | None) -> set[str]:
    with app.unit_of_work(reading=True) as services:
        if session_id is None:
            found = services.activities.page(app.campus, app.activity.id).participants
            return {each.given_name for _, each in found}
        sheet = services.activity_sessions.sheet(app.campus, app.activity.id, session_id)
        return {each.given_name for part, each in sheet.participants if part.id in sheet.came}


@pytest.mark.parametrize("of_session", [True, False], ids=["sheet of a session", "list of an activity"])
def test_a_person_who_checked_in_since_the_sheet_was_shown_stays_present(app: App, of_session: bool) -> None:
    """The trainer opens the sheet, people sign by phone, the trainer ticks one more and saves."""
    session_id = None
    with app.unit_of_work() as services:
        lines = [ListedPerson(n, given_name=name, family_name="Martin") for n, name in enumerate("ABCD", 1)]
        services.activities.record(app.campus, app.activity.id, lines, by=COMMAND)
        parts = {
            each.given_name: part.id
            for part, each in services.activities.page(app.campus, app.activity.id).participants
        }
        if of_session:
            held = ActivitySession(activity_id=app.activity.id, held_on=app.activity.starts_on, hours=2)
            services.activity_plans.plans.save(held)
            session_id = held.id
    path = f"{DESK}/activites/{app.activity.id}" + (f"/seances/{session_id}" if of_session else "/presences")

    def note(present: str, among: str) -> None:
        ids, shown = [parts[each] for each in present], [parts[each] for each in among]
        with app.unit_of_work() as services:
            if session_id is None:
                services.activities.note_presences(app.campus, app.activity.id, ids, shown=shown, by=COMMAND)
            else:
                services.activity_sessions.note(
                    app.campus, app.activity.id, session_id, ids, shown=shown, by=COMMAND
                )

    note("AB", "ABCD")
    trainer = app.client(app.trainer)
    shown = trainer.get(path)
    note("C", "BC")  # C checks in, and B withdraws theirs
    ticks = {"present": [str(parts[each]) for each in "ABD"]}
    sent = the_form(shown, "montrees").fill(**ticks).press(trainer, shown)
    assert sent.status_code == 303
    assert came(app, session_id) == {"A", "C", "D"}
    assert to_verify(trainer.get(sent.headers["location"])) == {"B Martin", "C Martin"}


def to_verify(page: Response) -> set[str]:
    found = re.findall(r"<span>([^<]*)<span class=\"hint\">Changé entre-temps", page.text)
    return set(found)


@pytest.mark.parametrize("of_session", [True, False], ids=["sheet of a session", "list of an activity"])
def test_a_sheet_sent_again_after_back_names_the_people_it_did_not_change(app: App, of_session: bool) -> None:
    """A tick saved by the same page and removed after « Back » stays: the page that follows mentions it."""
    with app.unit_of_work() as services:
        lines = [ListedPerson(n, given_name=name, family_name="Martin") for n, name in enumerate("AB", 1)]
        services.activities.record(app.campus, app.activity.id, lines, by=COMMAND)
        held = ActivitySession(activity_id=app.activity.id, held_on=app.activity.starts_on, hours=2)
        if of_session:
            services.activity_plans.plans.save(held)
        participants = services.activities.page(app.campus, app.activity.id).participants
        parts = {each.given_name: str(part.id) for part, each in participants}
        if not of_session:
            services.activities.note_presences(
                app.campus, app.activity.id, [], shown=[part.id for part, _ in participants], by=COMMAND
            )
    path = f"{DESK}/activites/{app.activity.id}" + (f"/seances/{held.id}" if of_session else "/presences")
    trainer = app.client(app.trainer)
    shown = trainer.get(path)

    def send(ticked: str) -> set[str]:
        sheet = the_form(shown, "montrees").fill(present=[parts[each] for each in ticked])
        return to_verify(trainer.get(sheet.press(trainer, shown).headers["location"]))

    assert send("A") == set()
    assert send("B") == {"A Martin"}


def test_records_that_changed_since_their_comparison_are_not_merged(app: App) -> None:
    with app.unit_of_work() as services:
        lines = [
            ListedPerson(1, given_name="Zoé", family_name="Martin", address="zoe@exemple.fr"),
            ListedPerson(2, given_name="Zoe", family_name="Martin", address="zm@exemple.fr"),
        ]
        services.activities.record(app.campus, app.activity.id, lines, by=COMMAND)
        people = services.directory.find_people(app.campus, "Martin", Start())
        here, other = (each.id for each in people)
    path = f"{DESK}/repertoire/{here}/reunir?avec={other}"
    admin = app.client(app.admin)
    shown = admin.get(path)
    with app.unit_of_work() as services:
        services.names.correct_in_campus(app.campus, other, "Léo", "Durand", by=COMMAND)
    typed = {"garder": str(here), "motif": "Une seconde adresse."}
    again = the_form(shown, "garder").fill(**typed).press(admin, shown)
    assert again.status_code == 409
    assert "Léo Durand" in again.text
    assert the_form(again, "garder").fill(**typed).press(admin, again).status_code == 303


@pytest.mark.parametrize("what", ["badge", "pathway"])
def test_draft_is_published_as_its_page_showed_it(app: App, what: str) -> None:
    with app.unit_of_work() as services:
        if what == "badge":
            wording = Wording(BadgeKind.PARTICIPATION, "Atelier", "Un atelier.", "A pris part à l’atelier.")
            made = services.badges.create(app.campus, wording, slug="atelier", draft=True, by=COMMAND)
            path, button = f"{DESK}/badges/{made.badge.id}", "/ouvrir"
        else:
            pathway = services.pathways.create(app.campus, PathwayContent("Parcours"), by=COMMAND)
            seen = StageCondition(ConditionKind.DECISION, text="Un poste tenu.")
            services.pathways.save_stage(
                app.campus, pathway.id, "", StageDraft("Tenir", others=(seen,)), by=COMMAND
            )
            path, button = f"{DESK}/parcours/{pathway.id}", "/publier"

            def described(title: str) -> None:
                badge_id = app.presence.badge.id
                services.pathways.describe(
                    app.campus, pathway.id, title=title, summary="", badge_id=badge_id, by=COMMAND
                )

            described("Parcours")
    admin = app.client(app.admin)
    shown = admin.get(path)
    with app.unit_of_work() as services:
        if what == "badge":
            newer = replace(wording, description="Tout autre chose.")
            services.badges.rewrite(
                app.campus, made.badge.id, newer, repeat=made.badge.repeat, accepts_requests=False, by=COMMAND
            )
        else:
            described("Tout autre chose")
    again = the_form(shown, button).press(admin, shown)
    assert again.status_code in (200, 409)
    assert "entre-temps" in again.text
    assert the_form(again, button).press(admin, again).status_code == 303


def test_stage_sent_twice_is_added_once(app: App) -> None:
    pathway_id, admin = _pathway(app), app.client(app.admin)
    page = admin.get(f"{DESK}/parcours/{pathway_id}/etapes/nouvelle")
    for _press in range(2):
        typed = {"titre": "Mesurer", "avis": "Une mesure juste."}
        assert the_form(page, "avis").fill(**typed).press(admin, page).status_code == 303
    with app.unit_of_work(reading=True) as services:
        stages = services.pathways.get(app.campus, pathway_id)[1].stages
    assert [each.title for each in stages] == ["Tenir", "Mesurer"]


def test_stage_changed_since_is_not_removed_unseen(app: App) -> None:
    case, admin = stage(app), app.client(app.admin)
    shown = admin.get(case.path.partition("/etapes")[0])
    page = admin.get(case.path)
    assert the_form(page, case.form).fill(**case.newer).press(admin, page).status_code == 303
    assert the_form(shown, "/retirer").press(admin, shown).status_code == 409
    assert len(case.stored()) == 1


@pytest.mark.parametrize("where", ["another step", "the same step"])
def test_last_step_of_the_editor_publishes_what_it_showed(app: App, where: str) -> None:
    """Its button saves the step, and used to publish what another designer had written into the others."""
    wording = Wording(BadgeKind.PARTICIPATION, "Atelier", "Un atelier.", "A pris part à l’atelier.")
    with app.unit_of_work() as services:
        made = services.badges.create(app.campus, wording, slug="atelier", draft=True, by=COMMAND)
    path, admin = f"{DESK}/badges/{made.badge.id}/modifier/publier", app.client(app.admin)
    shown = admin.get(path)
    newer = {"description": "Tout autre chose."} if where == "another step" else {"tags": ("Autre",)}
    with app.unit_of_work() as services:
        services.badges.rewrite(
            app.campus,
            made.badge.id,
            replace(wording, **newer),
            repeat=made.badge.repeat,
            accepts_requests=False,
            by=COMMAND,
        )

    def publish(page: Response) -> Response:
        return the_form(page, "etat").press(admin, page, ("geste", "ouvrir"))

    def is_draft() -> bool:
        with app.unit_of_work(reading=True) as services:
            return services.badges.manuscript(app.campus, made.badge.id).page.version.is_draft

    again = publish(shown)
    if again.status_code == 303:
        again = admin.get(again.headers["location"])
    assert "entre-temps" in again.text or "pendant que" in again.text
    assert is_draft()
    for _press in range(2):
        assert publish(again).status_code == 303
    assert not is_draft()


def test_campus_joins_the_activity_that_it_was_shown(app: App) -> None:
    with app.unit_of_work() as services:
        invited = ActivityCampus(activity_id=app.activity.id, campus_id=app.other_campus.id, position=1)
        services.stores.activity_plans.save(invited)
        services.team.set_roles(app.other_campus, app.stranger.id, [Role.CAMPUS_ADMIN], by=COMMAND)
    admin = app.client(app.stranger)
    shown = admin.get("/gestion/agt/activites")
    with app.unit_of_work() as services:
        activity = services.activities.get(app.campus, app.activity.id)
        activity.title = "Tout autre chose"
        services.activities.activities.save(activity)
    press = ("geste", "accepter")
    assert the_form(shown, "geste").press(admin, shown, press).status_code == 409
    with app.unit_of_work(reading=True) as services:
        place = services.stores.activity_plans.place_of(app.activity.id, app.other_campus.id)
        assert place is not None
        assert place.accepted_at is None
    shown = admin.get("/gestion/agt/activites")
    assert the_form(shown, "geste").press(admin, shown, press).status_code == 303


def test_all_badges_of_a_page_are_those_it_counted(app: App) -> None:
    app.award("MARTIN Zoé;zoe@exemple.fr")
    admin = app.client(app.admin)
    shown = admin.get(f"{DESK}/retraits/nouveau?badge={app.presence.badge.id}")
    late = app.award("DURAND Léo;leo@exemple.fr").lines[0].award_id
    typed = {"lesquels": "tous", "motif": "Un mauvais badge."}
    again = the_form(shown, "motif").fill(**typed).press(admin, shown)
    assert again.status_code == 409
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(late).award.revoked_at is None
    assert the_form(again, "motif").fill(**typed).press(admin, again).status_code == 303
