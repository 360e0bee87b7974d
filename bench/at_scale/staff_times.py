"""Times of staff pages and lists of the API in the database of `bench.at_scale.staff_pages`.

`python -m bench.at_scale.staff_times FOLDER [PART]` asks for every page whose address holds PART (=/gestion/{slug}: is it), at
campuses and things drawn at random, the first time and again. DRAWN=20 campuses, the largest always among them;
OFTEN=5 things of that one. Processor time of the program and of its connections beside the clock: waiting for a disk,
and for others, is in the clock alone, and so are PostgreSQL's parallel workers.
"""

# ruff: noqa: S311 - nothing drawn is a secret
from __future__ import annotations

import hashlib
import os
import random
import re
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlmodel import Session, select

from app.container.process import collect_rarely
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.http.request_scope import policies
from bench.at_scale.staff_pages import BADGES, GIVEN_OF_THEM, PARTS, reopened
from tests.app.api.clients import program
from tests.support import app as apps

DRAWN = int(os.environ.get("DRAWN", "20"))
"""Campuses that each page is asked of, the largest first."""
OFTEN = int(os.environ.get("OFTEN", "1"))
"""So many times the largest, each of another thing."""


def main(arguments: list[str]) -> int:
    collect_rarely()  # as every server process does
    if not 1 <= len(arguments) <= 2:
        print(__doc__)
        return 2
    measure(reopened(Path(arguments[0])), "".join(arguments[1:]))
    return 0


# fmt: off
_SPANS = ("periode=mois", "periode=annee", "du=2024-03-01&au=2024-03-31")
VARIANTS = {
    "/gestion/{slug}/repertoire": (
        *(f"?tri={sign}{each}" for each in ("nom", "arrivee", "badges", "activites", "recuperes") for sign in ("", "-")),
        "?recupere=non", "?recupere=oui", "?badge={badge}", "?activite={latest}", *(f"?{each}" for each in _SPANS),
        "?apres={person}", "?tri=-badges&apres={person}", "?tri=-activites&apres={person}", "?tri=arrivee&apres={person}",
        "?tri=-badges&recupere=non", "?tri=-activites&badge={badge}", "?badge={badge}&recupere=non&periode=annee",
        "?recupere=oui&apres={person}",
    ),
    "/gestion/{slug}/attributions": (
        *(f"?tri={sign}{each}" for each in ("personne", "badge", "date", "heures", "valable", "recupere") for sign in ("", "-")),
        *(f"?etat={each}" for each in ("valable", "expire", "suspendu", "retire", "annule")),
        "?recupere=non", "?recupere=oui", "?badge={badge}", "?activite={latest}", "?par={trainer}",
        *(f"?{each}" for each in _SPANS), "?apres={award}", "?tri=-heures&apres={award}", "?tri=valable&apres={award}",
        "?tri=personne&apres={award}", "?tri=-recupere&apres={award}", "?tri=badge&apres={award}", "?tri=date&apres={award}",
        "?tri=personne&etat=retire", "?tri=personne&par={trainer}", "?tri=badge&recupere=oui", "?tri=valable&etat=valable",
        "?etat=valable&recupere=non", "?tri=-recupere&badge={badge}", "?tri=-heures&periode=annee", "?etat=retire&par={trainer}",
        "?tri=personne&du=2024-03-01&au=2024-03-31",
    ),
    "/gestion/{slug}/activites": (
        *(f"?tri={sign}{each}" for each in ("titre", "date", "lieu", "heures", "venues", "badges", "recuperes", "effectif") for sign in ("", "-")),
        "?q=atelier", "?q=lieu+77", "?q=nulle+part", "?badge={badge}", "?badge=sans", "?par={trainer}",
        *(f"?etat={each}" for each in ("a-venir", "en-cours", "finie", "classee")), "?rapport=incomplet",
        *(f"?{each}" for each in _SPANS), "?apres={activity}", "?tri=titre&apres={activity}", "?tri=-venues&apres={activity}",
        "?tri=-badges&badge={badge}", "?tri=-badges&q=atelier", "?tri=lieu&par={trainer}",
    ),
    "/gestion/{slug}/demandes": (
        *(f"?tri={sign}{each}" for each in ("personne", "badge", "attente", "demandee", "decidee") for sign in ("", "-")),
        *(f"?etat={each}" for each in ("completer", "acceptees", "refusees", "closes", "toutes")),
        "?qui=moi", "?attend=longtemps", "?badge={badge}", "?badge={badge}&etat=toutes", *(f"?etat=toutes&{each}" for each in _SPANS),
        "?apres={waiting}", "?etat=toutes&tri=personne", "?etat=toutes&tri=badge", "?etat=toutes&tri=-decidee&apres={request}",
        "?etat=toutes&apres={request}",
    ),
    "/gestion/{slug}/historique": (
        "?qui={trainer}", "?quoi=attributions", "?quoi=badges", "?quoi=equipe", "?du=2024-03-01&au=2024-03-31", "?avant={entry}",
        "?qui={trainer}&quoi=badges", "?qui={person}",
    ),
    "/gestion/{slug}/rapport": ("?periode=2025", "?periode=2024-2025", "?du=2024-03-01&au=2024-04-15"),
    "/gestion/{slug}/rapport/activites": ("?tout=oui", "?tout=oui&debut=500"),
    "/gestion/{slug}/badges": ("?archives=1", "?tri=nom"),
    "/gestion/{slug}/contributions": ("?etat=decidees",),
    "/gestion/{slug}/activites/{activity_id}": ("?q=martin",),
    "/gestion/{slug}/activites/{activity_id}/attribuer": ("?badge={badge}",),
    "/gestion/{slug}/retraits/nouveau": ("?badge={badge}", "?activite={activity}"),
    "/gestion/{slug}/recommandations": ("?badge={badge}",),
}
SOUGHT = ("martin", "zoe nguyen", "le boeu", "xylophone", "savoir 7", "lieu 77", "p{number}@exemple.fr", "p{number}")
LISTS = (
    "people", "people?external_id=E{number}", "people?address=p{number}@exemple.fr", "people?updated_since={since}",
    "activities", "activities?updated_since={since}", "activities/{activity}", "activities/{activity}/participations",
    "awards", "awards?updated_since={since}", "awards/{award}", "badges", "badges/{badge}/progress", "changes",
    "changes?limit=200", "people/{person}", "people?limit=200", "awards?limit=200",
)
# fmt: on
FILES = re.compile(r"\.(csv|xlsx|pdf|docx|json)|/ecran|/suivi|/avancement")


class Drawn:
    """Campuses and things of theirs."""

    def __init__(self, app: apps.App, campuses: Sequence[Campus]) -> None:
        self.app, self.campuses = app, campuses
        self.chosen = random.Random(7)
        with app.owner.connect() as connection:
            rows = connection.execute(
                text("SELECT n, id, p0, people, t0, acts FROM b_campus ORDER BY n")
            ).all()
            middles = "SELECT campus_id, (min(id) + max(id)) / 2 FROM history_entry WHERE campus_id IS NOT NULL GROUP BY 1"
            self.entries = {uuid.UUID(str(row[0])): row[1] for row in connection.execute(text(middles))}
        self._of = {uuid.UUID(str(row.id)): row for row in rows}

    def of(self, campus: Campus) -> dict[str, Any]:
        row, draw = self._of[campus.id], self.chosen.randrange
        number, activity, badge = row.p0 + draw(row.people), row.t0 + draw(row.acts), draw(BADGES)
        named = {
            "number": str(number),
            "person": _md5(f"p{number}"),
            "activity": _md5(f"t{activity}"),
            "award": _md5(f"a{activity}.{draw(GIVEN_OF_THEM)}"),
            "badge": _md5(f"b{row.n}.{badge}"),
            "trainer": _md5(f"p{row.p0 + draw(15)}"),
            "request": _md5(f"r{activity // 3 * 3}.2"),
            "part": _md5(f"q{activity}.{draw(PARTS)}"),
            "since": "2026-11-01T00:00:00Z",
            "latest": _md5(f"t{row.t0 + row.acts - 1 - draw(min(row.acts, 150))}"),
            "waiting": _md5(f"r{(row.t0 + draw(row.acts)) // 6 * 6}.2"),
            "entry": str(self.entries[campus.id]),
        }
        return named | {
            "slug": campus.slug, "person_id:uuid": named["person"], "activity_id": named["activity"],
            "activity_id:uuid": named["activity"], "award_id": named["award"], "badge_id": named["badge"],
            "badge_id:uuid": named["badge"], "member_id:uuid": named["trainer"], "request_id:uuid": named["request"],
            "participation_id": named["part"], "etape": "apparence", "period": "2025", "indicator_id": "apprenants",
        }  # fmt: skip


def _md5(words: str) -> str:
    return str(uuid.UUID(hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()))


def measure(app: apps.App, part: str) -> None:
    with Session(app.owner, expire_on_commit=False) as session:
        campuses = list(session.exec(select(Campus).order_by(Campus.short_name)))
    campuses.sort(key=lambda each: each.id != app.campus.id)
    if app.process.engine.dialect.name == "postgresql":
        event.listen(app.process.engine, "connect", _note_backend)
        app.process.engine.dispose()
    _ = app.process.artist  # as every server process has it
    drawn, asked = Drawn(app, campuses), [campuses[0]] * (OFTEN - 1) + campuses[:DRAWN]
    client = app.client(app.admin)
    pages = [each[4:] for each in policies(client.app.routes) if each.startswith("GET /gestion/{slug}")]  # type: ignore[attr-defined]
    found = list[tuple[float, str]]()
    for page in pages:
        if FILES.search(page):
            continue
        for query in ("", *VARIANTS.get(page, ())):
            if part in f"{page}{query}" or part == f"={page}{query}":
                paths = [_filled(f"{page}{query}", drawn.of(campus)) for campus in asked]
                found += (
                    _asked(f"{page}{query}", app, [(client, path) for path in paths]) if all(paths) else []
                )
    for sought in SOUGHT:
        for kind in ("", "personnes", "activites", "attributions"):
            name = f"/recherche {sought} {kind}"
            if part in name:
                paths = [_search(app, campus, sought, kind, drawn.of(campus)) for campus in asked]
                found += _asked(name, app, [(client, path) for path in paths])
    programs = {campus.slug: program(app, campus=campus) for campus in campuses[:DRAWN]}
    for listed in LISTS:
        if part in f"/api/{listed}":
            values = [drawn.of(campus) for campus in asked]
            paths = [f"/api/v1/campuses/{each['slug']}/{_filled(listed, each)}" for each in values]
            found += _asked(
                f"/api/{listed}",
                app,
                [(programs[each["slug"]], path) for each, path in zip(values, paths, strict=True)],
            )
    slow = sorted((each for each in found if each[0] > 300), reverse=True)
    print(f"{len(found)} pages and lists; p95 of processor time over 300 ms: {len(slow)}")
    print("\n".join(f"  {high:6.0f} ms  {name}" for high, name in slow))


def _filled(page: str, known: dict[str, str]) -> str:
    names = re.findall(r"{([^}]+)}", page)
    return re.sub(r"{([^}]+)}", lambda match: known[match[1]], page) if known.keys() >= set(names) else ""


def _search(app: apps.App, campus: Campus, sought: str, kind: str, known: dict[str, str]) -> str:
    with app.unit_of_work(reading=True) as services:
        token = services.directory.seal(_filled(sought, known), campus, Actor(app.admin.id))
    return f"/gestion/{campus.slug}/recherche?q={token}" + (f"&dans={kind}" if kind else "")


def _asked(name: str, app: apps.App, requests: Sequence[tuple[Any, str]]) -> list[tuple[float, str]]:
    """Each once, then each again: by the clock, and in processor time of this process and of its connections."""
    rounds = list[tuple[list[float], list[float]]]()
    for _ in range(2):
        clock, processor = list[float](), list[float]()
        for client, path in requests:
            used, begun = _processor(app), time.perf_counter()
            answer = client.get(path)
            clock.append((time.perf_counter() - begun) * 1000)
            processor.append((_processor(app) - used) * 1000)
            if answer.status_code != 200:
                print(f"  {answer.status_code} {name}")
                return []
        rounds.append((clock, processor))
    shown = [
        " ".join(f"{_quantile(times, share):5.0f}" for share in (0.5, 0.95, 0.99))
        for clock, processor in rounds
        for times in (clock, processor)
    ]
    print(
        f"  {' | '.join(shown)} | largest {rounds[0][1][0]:5.0f} {rounds[1][1][0]:5.0f} | {name}", flush=True
    )
    return [(max(_quantile(processor, 0.95) for _, processor in rounds), name)]


def _processor(app: apps.App) -> float:
    """Seconds that this process and the server's for its connections have computed."""
    pool: Any = app.process.engine.pool
    held = [each.info.get("backend") for each in list(pool._pool.queue)]
    used = time.process_time()
    for pid in {each for each in held if each}:
        used += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return used


def _note_backend(connection: Any, record: Any) -> None:
    record.info["backend"] = connection.info.backend_pid


def _quantile(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
