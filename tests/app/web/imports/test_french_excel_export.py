"""An export of French Excel: seven lines, seven outcomes, and the same file again changes nothing."""

from __future__ import annotations

import csv
import io

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import LineOutcome
from tests.app.web.awards.awarding_steps import GIVE, awards_given, outcomes, preview, rows_of
from tests.support.app import App, send
from tests.support.forms import form_with

# CP1252, semicolons, a quoted comma, an empty line, two homonyms, a bad address, and Paul who has the badge.
EXPORT = (
    "Nom;Prénom;Courriel;Contribution\r\n"
    'LE BŒUF;Anne-Gaëlle;ag@exemple.fr;"A tenu le stand, puis l’accueil"\r\n'
    "MARTIN;Zoé;zoe.a@exemple.fr;\r\n"
    ";;;\r\n"
    "MARTIN;Zoé;zoe.b@exemple.fr;\r\n"
    "JAOUEN;Nolwenn;nolwenn@exemple,fr;\r\n"
    "DÉJÀ;Paul;paul@exemple.fr;\r\n"
    "KEÏTA;Moussa;;\r\n"
    "D’ARCY;Inès;ines@exemple.fr;\r\n"
).encode("cp1252")
SEVEN = [
    ("Anne-Gaëlle Le Bœuf", LineOutcome.AWARDED),
    ("Zoé Martin", LineOutcome.AWARDED),
    ("Zoé Martin", LineOutcome.AWARDED),
    ("Nolwenn Jaouen", LineOutcome.INVALID_ADDRESS),
    ("Paul Déjà", LineOutcome.ALREADY_HELD),
    ("Moussa Keïta", LineOutcome.AWARDED),
    ("Inès D’Arcy", LineOutcome.AWARDED),
]


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def here(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}"


def people(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
    return sorted(
        f"{person.name} {page.addresses.get(person.id, '')}".strip() for _, person in page.participants
    )


def drop(app: App, trainer: TestClient, table: bytes):
    page = preview(trainer, f"{here(app)}/attribuer", app.presence, table=table)
    return page, form_with(page, "cle")


def test_seven_lines_have_seven_outcomes_and_the_same_file_again_changes_nothing(
    app: App, trainer: TestClient
):
    app.award("DÉJÀ Paul; paul@exemple.fr")
    page, form = drop(app, trainer, EXPORT)
    done = form.press(trainer, page, GIVE)
    assert outcomes(app, done) == SEVEN
    given, recorded = awards_given(app), people(app)
    assert given == 6
    with app.unit_of_work(reading=True) as services:
        noted = {
            person.name: part.contribution
            for part, person in services.activities.page(app.campus, app.activity.id).participants
        }
    assert noted["Anne-Gaëlle Le Bœuf"] == "A tenu le stand, puis l’accueil"

    _, form = drop(app, trainer, EXPORT)
    assert GIVE not in form.buttons
    assert awards_given(app) == given
    assert people(app) == recorded

    refused = rows_of(trainer.get(f"{done.headers['location']}/refus.csv"))
    assert [row[:3] for row in refused[1:]] == [["Jaouen", "Nolwenn", "nolwenn@exemple,fr"]]
    corrected = io.StringIO(newline="")
    csv.writer(corrected, delimiter=";").writerows(
        [[cell.replace("exemple,fr", "exemple.fr") for cell in row] for row in refused]
    )
    page, form = drop(app, trainer, corrected.getvalue().encode("cp1252"))
    assert outcomes(app, form.press(trainer, page, GIVE)) == [("Nolwenn Jaouen", LineOutcome.AWARDED)]
    assert awards_given(app) == given + 1


def test_recording_first_and_awarding_later_gives_the_same_result(app: App, trainer: TestClient):
    app.award("DÉJÀ Paul; paul@exemple.fr")
    for round_ in range(2):
        shown = send(
            trainer,
            f"{here(app)}/participants",
            {"liste": ""},
            seen_on=here(app),
            files={"fichier": ("liste.csv", EXPORT, "text/csv")},
        )
        form = form_with(shown, "vu")
        back = form.press(trainer, shown, ("geste", "inscrire"))
        # Nolwenn's line comes back, to be corrected.
        back = trainer.get(back.headers["location"])
        assert "nolwenn@exemple,fr" in back.text
        assert len(people(app)) == 6, round_
    page = send(trainer, f"{here(app)}/attribuer", {"badge": str(app.presence.badge.id), "qui": "tous"})
    done = form_with(page, "cle").press(trainer, page, GIVE)
    assert sorted(outcome for _, outcome in outcomes(app, done)) == ["already_held"] + ["awarded"] * 5


def test_two_homonyms_without_an_address_are_two_people_once_confirmed(app: App, trainer: TestClient):
    for ticked in (["3"], ["3"], []):
        shown = send(
            trainer,
            f"{here(app)}/participants",
            {"liste": "KEÏTA Moussa\nHADDAD Yasmine\nKEÏTA Moussa"},
            seen_on=here(app),
        )
        assert "C’est une autre personne" in shown.text
        form = form_with(shown, "vu").fill(autre=ticked)
        again = form.press(trainer, shown, ("geste", "lire"))
        assert form_with(again, "vu").press(trainer, again, ("geste", "inscrire")).status_code == 303
        assert people(app) == ["Moussa Keïta", "Moussa Keïta", "Yasmine Haddad"]
    written = send(
        trainer,
        f"{here(app)}/participants",
        {"liste": "KEÏTA Moussa (2)\nKEÏTA Moussa"},
        seen_on=here(app),
    )
    assert form_with(written, "vu").press(trainer, written, ("geste", "inscrire")).status_code == 303
    assert len(people(app)) == 3
    app.award("KEÏTA Moussa", "KEÏTA Moussa (2)")
    assert awards_given(app) == 2
    result = app.award("PETIT Ada", "PETIT Ada").lines[1]
    assert result.outcome is LineOutcome.REPEATED_LINE
    assert "(2)" in result.reason
