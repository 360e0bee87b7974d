"""The daily job finds texts about children that were written or restored without the search."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlmodel import col, select

from app.domain.campus.audit_log import HistoryEntry
from app.domain.learners.portfolios import Naming, Portfolio
from app.domain.trust import checked_peer_words
from app.jobs.kinds import CHILDREN_TEXTS, EVERYTHING
from app.services.people import names
from app.services.people.names import AgeBands
from tests.app.services.trust.test_peers import (
    WORDS,
    asked,
    awarded,
    decided,
    noted_as_a_child,
)
from tests.support.app import App, build_app

TELLING = checked_peer_words("La meilleure de la 4e B !", "Karim, même équipe")


def recommended(app: App, award_id: uuid.UUID, *, number: int, telling: bool) -> uuid.UUID:
    token = asked(app, award_id, f"p{number}@exemple.fr")
    with app.unit_of_work() as services:
        words = TELLING if telling else WORDS
        row = services.peer_recommendations.write(token, words, language="fr").id
    decided(app, award_id, row)
    return row


def searched(app: App) -> None:
    assert CHILDREN_TEXTS.perform(app.process, EVERYTHING) is False


def set_aside(app: App, row: uuid.UUID) -> bool:
    with app.unit_of_work(reading=True) as services:
        return services.stores.peers.get(row).set_aside_at is not None


def entries(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        kinds = col(HistoryEntry.action).in_(("set_aside", "close_portfolio"))
        return len(services.people.people.session.exec(select(HistoryEntry).where(kinds)).all())


def test_texts_from_before_the_rule_are_set_aside_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app = build_app(database_url, tmp_path)
    monkeypatch.setattr(names, "_AT_A_TIME", 1)
    child, adult = awarded(app), awarded(app, "ROY Inès;ines@exemple.fr")
    telling, plain = (recommended(app, child, number=n, telling=t) for n, t in ((1, True), (2, False)))
    of_adult = recommended(app, adult, number=3, telling=True)
    with monkeypatch.context() as earlier:
        earlier.setattr(AgeBands, "_set_words_aside", lambda *_: None)
        noted_as_a_child(app, child)
    assert "4e B" in app.client().get(f"/attributions/{child}").text
    searched(app)
    assert [set_aside(app, row) for row in (telling, plain, of_adult)] == [True, False, False]
    page = app.client().get(f"/attributions/{child}").text
    assert "4e B" not in page
    before = entries(app)
    searched(app)
    assert (before, entries(app)) == (1, 1)
    app.close()


@pytest.mark.parametrize(("line", "stays"), [("Zoé, en 4e B", False), ("Future soudeuse", True)])
def test_portfolio_from_before_the_rule_is_closed_until_its_text_is_another(app: App, line: str, stays: bool):
    award_id = awarded(app)
    noted_as_a_child(app, award_id)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        made = Portfolio(
            person_id=person.id, line=line, naming=Naming.NONE, is_open=True, created_at=app.clock()
        )
        services.stores.portfolios.add(made)
        portfolio_id = made.id
    searched(app)
    searched(app)
    with app.unit_of_work(reading=True) as services:
        assert services.stores.portfolios.get(portfolio_id).is_open is stays
    assert entries(app) == (0 if stays else 1)


def test_the_search_is_due_when_a_worker_starts_and_a_day_later(app: App):
    assert CHILDREN_TEXTS.due(app.process) == [EVERYTHING]
    assert CHILDREN_TEXTS.due(app.process) == []
    app.clock.move(hours=23)
    assert CHILDREN_TEXTS.due(app.process) == []
    app.clock.move(hours=1)
    assert CHILDREN_TEXTS.due(app.process) == [EVERYTHING]
