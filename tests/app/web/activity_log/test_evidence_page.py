"""What an employer reads of the evidence: a summary sentence, each line to open, and what it does not prove."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest

from app.domain.activity_log import LogCosignature
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.campus import KeyPurpose
from sceau_credentials.transparency_log.notes import Note, WitnessKey, cosign
from tests.support.app import COMMAND, App

HARD_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    (line,) = app.award("Zoé N’Diaye; zoe@exemple.fr", badge=app.role, evidence="A animé la table.").lines
    assert line.award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(line.award_id, Visibility.OPEN, by=COMMAND)
    return line.award_id


def read(app: App, award_id: uuid.UUID, *, language: str = "fr") -> str:
    client = app.client()
    client.get(f"/langue/{language}")
    page = client.get(f"/attributions/{award_id}")
    assert page.status_code == 200
    return re.sub(r"\s+", " ", page.text.translate(HARD_SPACES))


def test_the_summary_states_duration_date_and_that_nothing_changed_since(
    app: App, award_id: uuid.UUID
) -> None:
    page = read(app, award_id)
    said = (
        "Ce badge repose sur une participation (3 h), le 24 novembre 2026, inscrite au journal du campus "
        "avant l’attribution et inchangée depuis."
    )
    assert page.count(said) == 1, "one section, one sentence"
    assert "Que ce qui est écrit au journal est vrai" in page
    assert "Une suite d’empreintes mène de la ligne" in page
    assert f'href="/preuves/{award_id}"' in page


def test_the_same_in_english(app: App, award_id: uuid.UUID) -> None:
    page = read(app, award_id, language="en")
    assert (
        "This badge rests on one participation (3 h), on 24 November 2026, entered in the campus’s log"
        in page
    )


@pytest.mark.parametrize(
    ("shown", "there", "absent"),
    [
        (DisclosedContent.ALL, ["Atelier robotique", "VRAI, Le Creusot"], []),
        (DisclosedContent.SUMMARY, ["Rôle : apprenant"], ["Lieu :"]),
        (
            DisclosedContent.EXISTENCE,
            ["La personne n’en montre que l’existence"],
            ["(3 h), le", "Rôle : apprenant<"],
        ),
    ],
    ids=["all", "summary", "existence"],
)
def test_each_line_shows_what_its_holder_chose(
    app: App, award_id: uuid.UUID, shown: DisclosedContent, there: list[str], absent: list[str]
) -> None:
    with app.unit_of_work() as services:
        row = services.evidence.find(award_id)
        assert row is not None
        for number in row.entries:
            services.stores.award_evidence.choose(award_id, number, shown, at=app.clock.now)
    page = read(app, award_id)
    journal = page[page.index('id="preuves"') :]
    assert all(words in journal for words in there)
    assert not any(words in journal for words in absent)


def test_a_log_line_changed_in_the_database_is_reported(app: App, award_id: uuid.UUID) -> None:
    with app.owner.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER guard_log_entry_update")
        connection.exec_driver_sql("UPDATE log_entry SET kind = 'key' WHERE kind = 'participation'")
    page = read(app, award_id)
    assert "Les preuves de ce badge ne sont plus celles qu’il annonce" in page


def test_a_forgotten_person_is_not_reported(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.logged_events.forget(services.awards.record(award_id).person.id, app.campus, uuid.uuid4())
    page = read(app, award_id)
    assert "Les preuves de ce badge ont été retirées à la demande de la personne." in page


def witnessed(app: App, *, after: timedelta) -> None:
    """A witness cosigns the current log, `after` this time."""
    with app.unit_of_work() as services:
        key = WitnessKey("temoin.exemple.org", bytes(32))
        services.log_watch.name_witness(app.campus, key.public.to_vkey(), "Campus AGT", by=COMMAND)
        checkpoint = services.activity_log.checkpoint(app.campus)
        seen_at = app.clock.now + after
        line = cosign(Note.from_text(checkpoint.note).text, key.name, key.key, at=seen_at).to_line()
        services.log_watch.watch.add(
            LogCosignature(
                log_id=checkpoint.log_id, size=checkpoint.size, witness=key.name, line=line, seen_at=seen_at
            )
        )


def stolen(app: App, *, after: timedelta) -> None:
    since = app.clock.now + after
    app.clock.move(days=3)
    with app.unit_of_work() as services:
        keys = services.campuses.keys_of(app.campus)
        key = next(each for each in keys if each.purpose is KeyPurpose.CREDENTIAL)
        services.campus_keys.retire(
            app.campus, key.id, reason="Sauvegarde perdue.", stolen_since=since, by=COMMAND
        )


def test_the_page_names_witnesses_that_saw_the_award_in_the_log(app: App, award_id: uuid.UUID) -> None:
    assert "Aucun témoin extérieur n’a encore vu cette attribution" in read(app, award_id)
    witnessed(app, after=timedelta())
    assert "Vu aussi par : Campus AGT, le 24 novembre 2026" in read(app, award_id)


@pytest.mark.parametrize(
    ("seen", "said"), [(timedelta(hours=1), "avait vu"), (timedelta(days=2), "n’avait vu")]
)
def test_after_a_key_theft_the_page_reports_whether_a_witness_saw_the_award_before(
    app: App, award_id: uuid.UUID, seen: timedelta, said: str
) -> None:
    witnessed(app, after=seen)
    stolen(app, after=timedelta(days=1))
    assert f"témoin extérieur {said} cette attribution avant que la clé soit volée" in read(app, award_id)
