"""No staff page reads a large table from end to end on PostgreSQL: every plan, behind row-level security, uses an index.

Plans of a nearly empty database, with sequential scans made so dear that the planner takes one only where no index
serves the conditions of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.http.policies import policies
from tests.support.house import House, build_house

pytestmark = pytest.mark.postgres
LARGE = frozenset(
    (
        "attendance", "award", "award_evidence", "campus_person", "history_entry", "letter", "log_entry", "log_payload", "newer_document",
        "participation", "person", "person_address", "session", "signed_credential", "status_slot",
    )
)  # fmt: skip
_NODE = re.compile(r"(?:Seq Scan|Index Scan using \w+|Index Only Scan using \w+|Bitmap Heap Scan) on (\w+)")


@pytest.fixture
def house(postgres_url: str, tmp_path: Path) -> Iterator[House]:
    built = build_house(postgres_url, tmp_path)
    yield built
    built.close()


def whole_reads(plan: list[str]) -> set[str]:
    """The large tables that a plan reads without any condition on an index."""
    found: set[str] = set()
    if any("One-Time Filter: false" in each for each in plan):
        return found
    for number, line in enumerate(plan):
        if (node := _NODE.search(line)) and node[1] in LARGE:
            depth = len(line) - len(line.lstrip(" ->"))
            below = plan[number + 1 :]
            inside = [each for each in below if len(each) - len(each.lstrip(" ->")) > depth]
            near = inside if "Bitmap" in line else inside[:4]
            if "Seq Scan" in line or not any("Index Cond" in each for each in near):
                found.add(node[1])
    return found


@contextmanager
def plans(engine: Engine) -> Iterator[list[tuple[str, list[str]]]]:
    """Each statement with its plan, in the tenant scope that it ran in."""
    seen: list[tuple[str, list[str]]] = []

    def explain(_connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        # Where a list of the conditions is empty, nothing is read.
        if statement.lstrip()[:6].upper() == "SELECT" and [] not in list(dict(values).values()):
            asked = cursor.connection
            asked.execute("SET LOCAL enable_seqscan = off")
            seen.append((statement, [row[0] for row in asked.execute(f"EXPLAIN {statement}", values)]))
            asked.execute("SET LOCAL enable_seqscan = on")

    event.listen(engine, "before_cursor_execute", explain)
    yield seen
    event.remove(engine, "before_cursor_execute", explain)


def test_staff_pages_read_no_large_table_from_end_to_end(house: House) -> None:
    house.award("Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr")
    client = house.client(house.admin)
    known = {"slug": "itip", "activity_id": house.activity.id, "badge_id": house.presence.badge.id}
    known |= {f"{name}:uuid": value for name, value in known.items()}
    pages = [each[4:] for each in policies(client.app.routes) if each.startswith("GET /gestion/")]  # type: ignore[attr-defined]
    found: dict[str, set[str]] = {}
    visited = 0
    for page in pages:
        names = re.findall(r"{([^}]+)}", page)
        if not known.keys() >= set(names):
            continue
        address = re.sub(r"{([^}]+)}", lambda match: str(known[match[1]]), page)
        with plans(house.process.engine) as seen:
            visited += client.get(address).status_code == 200
        for statement, plan in seen:
            if tables := whole_reads(plan):
                found.setdefault(f"{sorted(tables)} {' '.join(statement.split())[-420:]} {plan}", set()).add(
                    page
                )
    assert visited > 80
    assert not found, "\n".join(f"{sorted(pages)} {each}" for each, pages in found.items())
