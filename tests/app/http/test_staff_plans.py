"""No staff page scans a large table on PostgreSQL: every plan, behind row-level security, uses an index.

Plans of a nearly empty database, with sequential scans made so expensive that the planner takes one only if no index
serves the conditions of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from app.domain.campus.audit_log import Actor
from app.domain.campus.registers import ActivitySort, AwardSort, PeopleSort
from app.domain.learners.requests import RequestSort
from app.http.request_scope import policies
from tests.support.app import App
from tests.support.databases.engines import on_postgres

pytestmark = on_postgres
LARGE = frozenset(
    (
        "activity", "activity_campus", "attendance", "award", "award_evidence", "campus_activity", "campus_person", "history_entry", "letter", "log_entry", "log_payload", "newer_document",
        "participation", "person", "person_address", "session", "signed_credential", "status_slot",
    )
)  # fmt: skip
_NODE = re.compile(r"(?:Seq Scan|Index Scan using \w+|Index Only Scan using \w+|Bitmap Heap Scan) on (\w+)")


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


class Visits:
    """Requests pages of an application, and records their queries that scan a large table."""

    def __init__(self, app: App) -> None:
        self.app, self.client = app, app.client(app.admin)
        self.answered = 0
        self.found: dict[str, set[str]] = {}

    def ask(self, address: str, name: str) -> None:
        with plans(self.app.process.engine) as seen:
            self.answered += self.client.get(address).status_code == 200
        for statement, plan in seen:
            if tables := whole_reads(plan):
                result = f"{sorted(tables)} {' '.join(statement.split())[-420:]} {plan}"
                self.found.setdefault(result, set()).add(name)

    def check(self) -> None:
        assert not self.found, "\n".join(f"{sorted(pages)} {each}" for each, pages in self.found.items())


def test_staff_pages_scan_no_large_table(app: App) -> None:
    app.award("Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr")
    visits = Visits(app)
    known = {"slug": "itip", "activity_id": app.activity.id, "badge_id": app.presence.badge.id}
    known |= {f"{name}:uuid": value for name, value in known.items()}
    for page in [each[4:] for each in policies(visits.client.app.routes) if each.startswith("GET /gestion/")]:  # type: ignore[attr-defined]
        if known.keys() >= set(re.findall(r"{([^}]+)}", page)):
            visits.ask(re.sub(r"{([^}]+)}", lambda match: str(known[match[1]]), page), page)
    assert visits.answered > 80
    visits.check()


_FILTERS = {
    "repertoire": ("recupere=non", "badge={badge}", "activite={activity}", "periode=annee"),
    "attributions": ("etat=valable", "etat=expire", "recupere=non", "badge={badge}", "activite={activity}", "par={trainer}"),
    "activites": ("q=atelier", "badge={badge}", "badge=sans", "par={trainer}", "etat=finie", "rapport=incomplet", "periode=annee"),
    "demandes": ("etat=toutes", "attend=longtemps", "qui=moi"),
}  # fmt: skip


def test_sorted_registers_and_searches_scan_no_large_table(app: App) -> None:
    app.award("Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr")
    visits = Visits(app)
    known = {"badge": app.presence.badge.id, "activity": app.activity.id, "trainer": app.trainer.id}
    sorts = {
        "repertoire": PeopleSort,
        "attributions": AwardSort,
        "activites": ActivitySort,
        "demandes": RequestSort,
    }
    asked = 0
    for register, names in sorts.items():
        for query in (
            *(f"tri={sign}{each}" for each in names for sign in ("", "-")),
            *(each.format_map(known) for each in _FILTERS[register]),
        ):
            asked += 1
            visits.ask(f"/gestion/itip/{register}?{query}", f"{register}?{query}")
    for sought in ("martin", "zoe petit", "presence", "atelier", "zoe@exemple.fr"):
        with app.unit_of_work(reading=True) as services:
            token = services.directory.seal(sought, app.campus, Actor(app.admin.id))
        for kind in ("", "&dans=personnes", "&dans=activites", "&dans=attributions"):
            asked += 1
            visits.ask(f"/gestion/itip/recherche?q={token}{kind}", f"recherche {sought}{kind}")
    assert visits.answered == asked
    visits.check()
