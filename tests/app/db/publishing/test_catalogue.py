"""The public search on PostgreSQL reads its index, whatever its first matches cost by the planner's estimate."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import event

from app.db.engine.writes import insert_values
from app.db.publishing import catalogue
from app.domain.badges import BadgeKind
from app.domain.frameworks.text_search import SearchQuery, terms_of
from app.domain.publishing.catalogue import CatalogueEntry, EntryKind
from tests.support.app import App
from tests.support.databases.engines import on_postgres

pytestmark = on_postgres
ENTRIES = 6_000
WORDS = [
    "robot",
    "soudure",
    "drone",
    "moteur",
    "capteur",
    "vanne",
    "turbine",
    "charpente",
    "textile",
    "verre",
]


def entry(campus_id: uuid.UUID, number: int) -> dict[str, object]:
    key = uuid.UUID(int=number)
    first, second = WORDS[number % 10], WORDS[number // 10 % 10]
    terms = terms_of(f"Découvrir {first} et {second}", "", ["ITIP"], f"Atelier {number} de {second}")
    return {
        "subject_id": key, "kind": EntryKind.BADGE, "campus_id": campus_id, "path": f"/badges/{key}", "title": first,
        "summary": "", "language": "fr", "badge_kind": BadgeKind.PARTICIPATION.value, "level": None, "audiences": "",
        "place": "", "holders": 1, "starts_on": None, "version": 1, "label_terms": terms.label,
        "other_terms": terms.other, "size": terms.size,
    }  # fmt: skip


@pytest.mark.parametrize("words", [["robot"], ["robot", "verre"]])
def test_a_search_for_the_first_matches_reads_the_index_and_not_every_row(
    app: App, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "MOST_MATCHES", 20)
    with app.unit_of_work() as services:
        insert_values(
            services.stores.catalogue.session,
            CatalogueEntry,
            [entry(app.campus.id, number) for number in range(ENTRIES)],
        )
    with app.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE catalogue_entry")
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "tsquery" in statement:
            plans.append(
                "\n".join(row[0] for row in cursor.connection.execute(f"EXPLAIN {statement}", values))
            )

    event.listen(app.process.engine, "before_cursor_execute", explain)
    try:
        with app.unit_of_work(reading=True) as services:
            terms = SearchQuery(tuple(words))
            assert services.stores.catalogue.matches(terms)
            assert services.stores.catalogue.with_title_of(terms)
    finally:
        event.remove(app.process.engine, "before_cursor_execute", explain)
    assert len(plans) == 2
    assert [plan for plan in plans if "Seq Scan" in plan] == []
