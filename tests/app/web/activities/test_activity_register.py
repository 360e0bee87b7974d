"""All activities of a campus are found: sorted, paged and exported, however many there are."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from app.domain.activities import Activity, ActivityKind
from app.domain.campus.audit_log import Actor
from app.services.campus.registers import Register
from tests.app.api.clients import V1, program
from tests.support.app import COMMAND, App, send

HERE = "/gestion/itip/activites"
MANY = 230
COLUMNS = "&".join(f"colonne={name}" for name in ("quand", "lieu", "heures", "public", "venues"))


@pytest.fixture
def app(app: App) -> App:
    """With more activities than one page, or one API answer, holds."""

    def create() -> None:
        with app.unit_of_work() as services:
            for number in range(MANY):
                on = date(2026, 1, 1) + timedelta(days=number)
                services.activities.create(
                    Activity(
                        kind=ActivityKind.EVENT,
                        title=f"=Rencontre {MANY - number:03}",
                        starts_on=on,
                        ends_on=on,
                        hours=1.5,
                    ),
                    [app.campus],
                    by=COMMAND,
                )

    app.once((__name__, "activities"), create)
    app.record("MARTIN Zoé")
    return app


def titles(text: str) -> list[str]:
    return re.findall(r"<b>((?:=Rencontre|Atelier)[^<]*)</b>", text)


def test_every_activity_is_on_some_page_once_in_each_order(app: App):
    trainer = app.client(app.trainer)
    for order in ("-date", "date", "titre", "-titre", "lieu", "heures", "-venues", "badges", "-effectif"):
        seen, path = [], f"?tri={order}"
        while path:
            shown = trainer.get(HERE + path).text
            seen += titles(shown)
            following = re.search(r'href="(\?[^"]*apres=[^"]*)" rel="next"', shown)
            path = following[1].replace("&amp;", "&") if following else ""
        assert len(seen) == len(set(seen)) == MANY + 1, order
        if order == "titre":
            assert seen == sorted(seen)
        if order == "date":
            assert seen[0] == f"=Rencontre {MANY:03}"


def test_a_search_keeps_its_order_on_the_next_page(app: App):
    shown = app.client(app.trainer).get(f"{HERE}?q=rencontre&tri=titre").text
    assert 'value="rencontre"' in shown
    assert re.search(r'href="\?q=rencontre&amp;tri=titre&amp;apres=', shown)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("etat=en-cours", ["Atelier robotique"]),
        ("etat=finie&badge=sans&tri=date&q=229", ["=Rencontre 229"]),
        ("etat=a-venir", []),
        ("periode=semaine", ["Atelier robotique"]),
        ("du=2026-01-01&au=2026-01-02&tri=date", ["=Rencontre 230", "=Rencontre 229"]),
        ("rapport=incomplet&q=230", ["=Rencontre 230"]),
        ("rapport=incomplet&q=robotique", []),
        ("badge={badge}", []),
        ("par={trainer}", []),
    ],
)
def test_filters_of_activities(app: App, query: str, found: list[str]):
    asked = query.format(badge=app.presence.badge.id, trainer=app.trainer.id)
    assert titles(app.client(app.trainer).get(f"{HERE}?{asked}").text) == found


def test_counts_of_an_activity_stand_beside_it_and_an_unknown_value_is_refused(app: App):
    app.award("MARTIN Zoé", "ÉCRIN Ola")
    trainer = app.client(app.trainer)
    shown = trainer.get(f"{HERE}?badge={app.presence.badge.id}").text
    assert titles(shown) == ["Atelier robotique"]
    assert [
        re.search(rf'data-l="{label}" class="n">(\d+)', shown)[1] for label in ("Inscrites", "Badges")
    ] == [
        "2",
        "2",
    ]  # type: ignore[index]
    for query in ("etat=loin", "badge=x", "par=x", "rapport=x", "tri=rapport", "colonne=x", "autre=1"):
        assert trainer.get(f"{HERE}?{query}").status_code == 422, query
        assert trainer.get(f"{HERE}/activites.xlsx?{query}").status_code == 422, query


def test_a_view_is_saved_under_a_name_and_only_for_its_person(app: App):
    trainer = app.client(app.trainer)
    made = send(
        trainer,
        "/gestion/itip/vues",
        {"liste": "activites", "nom": "  Robots   finis ", "requete": "?q=robot&etat=&tri=titre&apres=x"},
        seen_on=f"{HERE}?q=robot&tri=titre",
    )
    assert made.status_code == 303
    assert made.headers["location"] == f"{HERE}?q=robot&tri=titre"
    shown = trainer.get(f"{HERE}?q=robot&tri=titre").text
    assert re.search(r'aria-current="true">Robots finis <span>1</span>', shown)
    assert "Enregistrer cette vue" not in shown
    for other in (app.client(app.admin).get(HERE), trainer.get("/gestion/itip/attributions")):
        assert "Robots finis" not in other.text
    delete = re.search(r'action="(/gestion/itip/vues/[^"]+)"', shown)
    assert delete
    assert send(app.client(app.admin), delete[1], seen_on=f"{HERE}?q=x").status_code == 404
    assert send(trainer, delete[1], seen_on=f"{HERE}?q=robot&tri=titre").status_code == 303
    assert "Robots finis" not in trainer.get(HERE).text


def test_a_view_needs_a_name_and_a_dozen_are_enough(app: App):
    trainer = app.client(app.trainer)
    for number in range(12):
        with app.unit_of_work() as services:
            services.saved_views.save(
                app.campus, Register.ACTIVITIES, f"Vue {number}", f"q={number}", by=Actor(app.trainer.id)
            )
    for name, status in (("", 422), ("x" * 61, 422), ("Une de trop", 409), ("vue 3", 303)):
        data = {"liste": "activites", "nom": name, "requete": "?q=a"}
        assert send(trainer, "/gestion/itip/vues", data, seen_on=f"{HERE}?q=z").status_code == status, name
    data = {"liste": "ailleurs", "nom": "Vue", "requete": "?q=a"}
    assert send(trainer, "/gestion/itip/vues", data, seen_on=f"{HERE}?q=z").status_code == 404


def test_the_table_has_every_activity_and_how_many_came_without_a_formula_or_a_name(app: App):
    table = app.client(app.trainer).get(f"{HERE}/activites.csv?{COLUMNS}")
    lines = table.content.decode("utf-8-sig").splitlines()
    assert len(lines) == MANY + 2
    assert not any(line.startswith(("=", '"=')) for line in lines)
    assert "Zoé" not in table.text
    (workshop,) = (line for line in lines if "Atelier robotique" in line)
    assert workshop.split(";")[2:8] == ["24/11/2026", "24/11/2026", "VRAI, Le Creusot", "3", "Étudiants", "1"]
    assert any(";1,5;" in line for line in lines)


def test_a_program_reads_them_all_by_following_the_link(app: App):
    reader = program(app, "read")
    seen, path = [], f"{V1}/activities"
    while path:
        answer = reader.get(path)
        seen += [each["id"] for each in answer.json()["items"]]
        following = re.match(r"<([^>]+)>", answer.headers.get("link", ""))
        path = following[1] if following else ""
    assert len(seen) == len(set(seen)) == MANY + 1


def test_people_of_an_activity_under_way_are_registered_not_present(app: App):
    """The dashboard, the list and its tables count the same people under one name."""
    app.record("MARTIN Zoé", "ÉCRIN Ola")
    trainer = app.client(app.trainer)
    dashboard = trainer.get("/gestion/itip").text
    assert "Personnes venues" not in dashboard
    assert "sans celles notées absentes" in dashboard
    for words in (trainer.get(HERE).text, trainer.get(f"{HERE}/activites.csv").text):
        assert "Inscrites" in words
        assert "Venues" not in words
