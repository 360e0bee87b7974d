"""« Historique »: every privileged action has a label, is searched by person, subject and date, and is exported."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.campus.audit_log import NOUNS_OF, PERSONAL, Actor
from app.domain.people import Role
from app.services.learners.requests import RequestOutcome
from app.web.campus.audit_log import EVENT_LABELS, OF_THE_SERVICE
from tests.support.app import COMMAND, App

HERE = "/gestion/itip/historique"
SERVICES = Path(__file__).resolve().parents[4] / "app" / "services"


def written_deeds() -> set[tuple[str, str]]:
    """(noun, action) of every entry that a service writes with both literals in the same call."""
    found = set()
    for path in SERVICES.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            words = [each.value for each in call.args[1:3] if isinstance(each, ast.Constant)]
            if call.func.attr in ("write", "write_all") and len(words) == 2:
                found.add((words[1], words[0]))
    return found


def test_every_written_action_has_a_label_and_a_subject_filter():
    written = written_deeds()
    assert len(written) > 25
    assert written - set(EVENT_LABELS) - set(OF_THE_SERVICE) == set()
    findable = {noun for nouns in NOUNS_OF.values() for noun in nouns}
    assert {noun for noun, _ in EVENT_LABELS} <= findable
    assert set(PERSONAL) <= findable


def lines_of(page: str) -> list[str]:
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", line))
        for line in re.findall(r"<li>.*?</li>", page.partition("ledger")[2].partition("</ul>")[0], re.DOTALL)
    ]


def test_the_history_states_who_did_what_to_whom_without_identifiers(app: App):
    app.award("MARTIN Zoé;zoe@exemple.fr")
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.AUDITOR], by=Actor(app.admin.id))
        services.people.create_token(
            app.campus,
            label="Scolarité",
            scopes=["read"],
            life=timedelta(days=30),
            by=Actor(app.admin.id),
        )
    result = "\n".join(lines_of(app.client(app.admin).get(HERE).text))
    assert re.search(r"Badge attribué.*Martin, Robotique pour tous.*Anaïs Le Goff", result, re.IGNORECASE)
    assert re.search(r"Rôle donné Audit Anaïs Le Goff .*Marc Œuvrard", result)
    assert re.search(r"Rôle retiré Formation Anaïs Le Goff", result)
    assert re.search(r"Jeton d’accès créé pour un programme Lire .* Scolarité", result)
    assert "Connexion par lien" in result
    assert "Commande de l’exploitant" in result
    assert "Autre changement" not in result
    assert not re.search(r"campus_admin|membership|award_batch|[0-9a-f]{8}-[0-9a-f]{4}", result)


def test_the_history_is_filtered_by_person_subject_and_day(app: App):
    app.award("MARTIN Zoé;zoe@exemple.fr")
    app.clock.move(days=2)
    with app.unit_of_work() as services:
        services.badges.archive(app.campus, app.role.badge.id, by=Actor(app.admin.id))
    client = app.client(app.admin)

    def found(query: str) -> str:
        return "\n".join(lines_of(client.get(f"{HERE}?{query}").text))

    trainers = found(f"qui={app.trainer.id}")
    assert "Badge attribué" in trainers
    assert "Badge archivé" not in trainers
    assert "Badge archivé" in found("quoi=badges")
    assert "Badge attribué" not in found("quoi=badges")
    assert "Badge attribué" in found("du=2026-11-24&au=2026-11-24")
    assert "Badge archivé" not in found("du=2026-11-24&au=2026-11-24")
    assert "Badge archivé" in found("du=2026-11-26")
    assert found("qui=personne") == ""
    wrong = client.get(f"{HERE}?du=hier")
    assert (wrong.status_code, 'value="hier"' in wrong.text) == (422, True)


@pytest.mark.parametrize(
    "query",
    ["du=9999-12-31", "au=9999-12-31", "du=0001-01-01", "avant=0", f"avant={2**63}", "avant=hier"],
)
def test_an_invalid_day_or_page_is_refused(app: App, query: str):
    answer = app.client(app.admin).get(f"{HERE}?{query}")
    assert answer.status_code == 422
    assert ("Écrivez les dates ainsi" if query[1] == "u" else "Cette adresse ne se lit pas") in answer.text


def test_a_period_that_ends_before_it_starts_is_refused(app: App):
    client, query = app.client(app.admin), "du=2026-11-24&au=2026-11-01"
    for page in (f"{HERE}?{query}", f"{HERE}/historique.csv?{query}"):
        answer = client.get(page)
        assert answer.status_code == 422
        assert "échangez les deux dates" in answer.text


def test_a_table_with_an_unreadable_day_is_refused(app: App):
    assert app.client(app.admin).get(f"{HERE}/historique.csv?du=hier").status_code == 422


def test_the_history_of_a_request_names_the_badge_and_not_the_requester(app: App):
    with app.unit_of_work() as services:
        badge = services.badges.badges.get(app.role.badge.id)
        badge.accepts_requests = True
        services.badges.badges.add(badge)
        typed = RequestOutcome(
            "Zoé", "Martin", "zoe@exemple.fr", "J’ai tenu le stand pendant deux jours entiers.", ""
        )
        asked = services.asking.ask(badge.id, typed)
        services.asking.confirm(services.asking.token_of(asked))
        services.reviewing.refuse(app.campus, asked.id, "Il manque une photo.", by=Actor(app.admin.id))
    (result,) = [
        line
        for line in lines_of(app.client(app.admin).get(f"{HERE}?quoi=demandes").text)
        if "Demande refusée" in line
    ]
    assert "Acteur du dispositif Explor’#ICI" in result
    assert "Martin" not in result


def test_the_history_is_paged_without_gaps(app: App):
    app.award(*(f"MARTIN Prénom{number:03};p{number}@exemple.fr" for number in range(120)))
    client, address, seen = app.client(app.admin), f"{HERE}?quoi=attributions", []
    while address:
        page = client.get(address).text
        seen += re.findall(r"Prénom\d\d\d", page)
        following = re.search(r'href="(\?[^"]+avant=\d+)" rel="next"', page)
        address = HERE + following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == 120


def test_an_auditor_reads_the_history_a_trainer_does_not_and_other_campuses_are_excluded(app: App):
    with app.unit_of_work() as services:
        for role in (Role.AUDITOR, Role.CAMPUS_ADMIN):
            person = services.people.add_staff(
                app.campus if role is Role.AUDITOR else app.other_campus,
                given_name="Yann", family_name="Kerbrat", address=f"{role}@exemple.fr", role=role, by=COMMAND,
            )  # fmt: skip
            if role is Role.AUDITOR:
                auditor = person
            else:
                neighbour = person
    assert app.client(auditor).get(HERE).status_code == 200
    assert app.client(app.trainer).get(HERE).status_code == 403
    app.award("MARTIN Zoé;zoe@exemple.fr")
    theirs = "\n".join(lines_of(app.client(neighbour).get("/gestion/agt/historique").text))
    assert "Badge attribué" not in theirs
    assert "Le Goff" not in theirs
    assert "Rôle donné" in theirs


def test_the_history_is_exported_without_formulas_and_lists_its_own_export(app: App):
    app.award("=MARTIN Zoé;zoe@exemple.fr")
    admin = app.client(app.admin)
    table = admin.get(f"{HERE}/historique.csv?quoi=attributions").content.decode("utf-8-sig")
    assert table.startswith(
        "Date;Heure;Par;Action;Concerne;Précision\r\n24/11/2026;13:00:00;Anaïs Le Goff;Badge attribué;"
    )
    assert not re.search(r"(^|;|\n)=", table)
    admin.get("/gestion/itip/repertoire/repertoire.csv")
    exports = "\n".join(lines_of(admin.get(f"{HERE}?quoi=exports").text))
    assert "Tableau emporté Historique du campus" in exports
    assert "Tableau emporté Tableau des personnes" in exports


def test_failed_and_successful_sign_ins_are_in_the_history_of_the_person_s_campus(app: App):
    with app.unit_of_work() as services:
        services.sign_in.note_wrong_password(app.trainer.id)
        services.sign_in.note_wrong_password(app.stranger.id)
    result = "\n".join(lines_of(app.client(app.admin).get(f"{HERE}?quoi=acces").text))
    assert "Mot de passe refusé Anaïs Le Goff" in result
    assert "D’Arcy" not in result


def test_the_dashboard_links_to_the_history(app: App):
    assert f'href="{HERE}"' in app.client(app.admin).get("/gestion/itip").text
    assert f'href="{HERE}"' not in app.client(app.trainer).get("/gestion/itip").text


def test_simultaneous_actions_are_one_line_that_opens(app: App):
    app.award(*(f"MARTIN{number} Zoé" for number in range(25)))
    app.clock.move(minutes=5)
    app.award("ÉCRIN Ola")
    page = app.client(app.admin).get(f"{HERE}?quoi=attributions").text
    assert page.count("<summary>Badge attribué") == 1
    group = re.search(r"(?s)<summary>Badge attribué.*?</details>", page)
    assert group
    assert "(25)" in group[0]
    assert group[0].count("<li>") == 25
    assert page.count("<b>Badge attribué</b>") == 26


def test_groups_lose_and_repeat_no_event_between_pages(app: App, monkeypatch: pytest.MonkeyPatch):
    for number in range(6):
        app.award(*(f"MARTIN{number}{place} Zoé" for place in range(1 + number % 3)))
        app.clock.move(minutes=2)
    admin = app.client(app.admin)
    counted = []
    for read, groups in ((400, 50), (4, 2), (2, 1), (5, 50)):
        monkeypatch.setattr("app.web.campus.audit_log._READ", read)
        monkeypatch.setattr("app.web.campus.audit_log.A_PAGE", groups)
        seen, path = 0, "?quoi=attributions"
        while path:
            page = admin.get(HERE + path).text
            seen += page.count("<b>Badge attribué</b>")
            following = re.search(r'href="(\?[^"]+avant=\d+)" rel="next"', page)
            path = following[1].replace("&amp;", "&") if following else ""
        counted.append(seen)
    assert counted == [12] * 4
