"""The public search among 10⁵ badges of thirty campuses: `python -m bench.at_scale.catalogue [sqlite] [postgresql]`.

Whole pages through the application; no query is asked twice: one to three words, with slips, facets and later
pages among them; then pages without words, with up to six facets, in every order; then the same with a campus
whose entries changed before each. Awards are not read by a search: their number stands in the entry of a badge,
so none are made.
"""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from fastapi.testclient import TestClient

from app.container.process import collect_rarely
from app.db.engine.session import upgrade
from app.db.engine.writes import insert_values
from app.domain.badges import BadgeKind
from app.domain.campus.campus import Campus
from app.domain.frameworks.text_search import terms_of
from app.domain.publishing.catalogue import AUDIENCES, CatalogueEntry, CatalogueOrder, EntryKind
from tests.support.app import COMMAND, NOON, App, build_app
from tests.support.databases.postgres import database_of_this_run

BADGES = 100_000
CAMPUSES = 30
QUERIES = 300
PAGES = 200
Asked = list[tuple[str, str]]
_DEEDS = (
    "découvrir initier pratiquer maîtriser concevoir réparer entretenir régler programmer souder usiner "
    "mesurer tracer assembler peindre vernir couper mouler imprimer numériser modéliser piloter conduire "
    "livrer vendre conseiller accueillir animer encadrer présenter raconter traduire filmer monter "
    "photographier dessiner cuisiner servir goûter récolter semer tailler élever soigner nettoyer trier "
    "recycler isoler chauffer câbler brancher dépanner surveiller protéger secourir"
)
_THINGS = (
    "robot soudure drone moteur batterie capteur automate vanne pompe turbine charpente menuiserie "
    "parquet meuble textile cuir céramique verre béton façade toiture cloison réseau serveur logiciel "
    "site jeu affiche fresque vitrine stock commande contrat budget devis facture projet équipe réunion "
    "entretien forum salon visite stage atelier concours exposition marché vin fromage pain chocolat "
    "légumes verger vigne forêt haie sol rivière abeilles cheval troupeau tracteur serre compost énergie "
    "vapeur froid chaleur lumière son image mémoire langue parole sécurité santé hygiène mobilité vélo "
    "train avion"
)
DEEDS, THINGS = _DEEDS.split(), _THINGS.split()
PLACES = (
    "Dijon",
    "Besançon",
    "Belfort",
    "Nevers",
    "Auxerre",
    "Mâcon",
    "Le Creusot",
    "Dole",
    "Vesoul",
    "Sens",
)


def main(names: list[str]) -> int:
    print(f"{BADGES:,} badges of {CAMPUSES} campuses, {QUERIES} different queries")
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        (Path(folder) / "database").mkdir()
        for name, url in (
            ("SQLite", f"sqlite:///{folder}/database/sceau.sqlite"),
            ("PostgreSQL", None),
        ):
            if names and name.lower() not in names:
                continue
            if url:
                _measure(name, url, Path(folder) / name)
                continue
            with database_of_this_run() as server:
                if server is None:
                    print("without PostgreSQL: none is installed")
                else:
                    _measure(name, server, Path(folder) / name)
    return 0


def _measure(name: str, url: str, folder: Path) -> None:
    folder.mkdir()
    upgrade(url)
    app = build_app(url, folder)
    try:
        fill(app)
        client = app.client()
        client.get("/aide")
        collect_rarely()  # as every server process does
        _ask(f"{name}, words", client, queries())
        _ask(f"{name}, facets alone", client, pages(1))
        _ask(f"{name}, facets alone, again others", client, pages(2))
        _ask(f"{name}, a campus changed before each", client, pages(3)[:60], lambda: _change(app))
    finally:
        app.close()


def _ask(
    name: str, client: TestClient, asked: Sequence[Asked], before_each: Callable[[], None] = lambda: None
) -> None:
    elapsed, used = [], []
    for query in asked:
        before_each()
        begun, before = time.perf_counter(), time.process_time()
        answer = client.get(f"/badges?{urlencode(query)}")
        elapsed.append(1000 * (time.perf_counter() - begun))
        used.append(1000 * (time.process_time() - before))
        assert answer.status_code == 200, query
    print(f"  {name}, the first: {elapsed[0]:.0f} ms", flush=True)
    for what, times in (("elapsed", elapsed), ("processor of the application", used)):
        times.sort()
        p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
        print(
            f"  {name}, {what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, longest {times[-1]:.1f} ms",
            flush=True,
        )


def _change(app: App) -> None:
    """As the worker does once a campus offers something else."""
    with app.unit_of_work() as services:
        campus = random.choice(services.campuses.list_all())  # noqa: S311
        services.stores.catalogue.note_refresh(campus.id, at=NOON)
        services.stores.catalogue.change_facets(campus.id)


def fill(app: App) -> None:
    chosen = random.Random(20261129)  # noqa: S311
    begun = time.perf_counter()
    with app.unit_of_work() as services:
        campuses = [
            services.campuses.create(
                Campus(
                    slug=f"c{number}", short_name=f"C{number}", name=f"Campus {number}", did="", hue=12.0 * number,
                    contact_email=f"c{number}@exemple.fr", created_at=NOON,
                ),
                by=COMMAND,
            )
            for number in range(CAMPUSES)
        ]  # fmt: skip
        words: set[str] = set()
        competencies = {
            campus.id: [str(uuid.UUID(int=chosen.getrandbits(128), version=4)) for _ in range(200)]
            for campus in campuses
        }
        for first in range(0, BADGES, 5000):
            rows = [
                _entry(chosen, campuses, competencies, words) for _ in range(first, min(first + 5000, BADGES))
            ]
            insert_values(services.stores.catalogue.session, CatalogueEntry, rows)
        services.stores.catalogue.learn(words)
    if app.process.engine.dialect.name == "postgresql":
        with app.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    print(f"  filled in {time.perf_counter() - begun:.0f} s", flush=True)


def _entry(
    chosen: random.Random,
    campuses: list[Campus],
    competencies: dict[uuid.UUID, list[str]],
    words: set[str],
) -> dict[str, object]:
    key, campus, place = (
        uuid.UUID(int=chosen.getrandbits(128), version=4),
        chosen.choice(campuses),
        chosen.choice(PLACES),
    )
    title = f"{chosen.choice(DEEDS).capitalize()} {chosen.choice(THINGS)} et {chosen.choice(THINGS)}"
    summary = " ".join(chosen.choice(DEEDS + THINGS) for _ in range(12))
    terms = terms_of(title, "", [campus.name, place], summary)
    words.update(terms.vocabulary)
    return {
        "subject_id": key, "kind": EntryKind.BADGE, "campus_id": campus.id, "path": f"/badges/{key}", "title": title,
        "summary": summary, "language": "fr", "badge_kind": chosen.choice([*BadgeKind]).value,
        "level": chosen.choice([None, 1, 2, 3]), "audiences": f" {chosen.choice([*AUDIENCES])} ", "place": place,
        "competencies": f" {' '.join(chosen.sample(competencies[campus.id], 2))} ",
        "holders": chosen.randrange(60), "starts_on": None, "version": 1, "label_terms": terms.label,
        "other_terms": terms.other, "size": terms.size,
    }  # fmt: skip


def queries() -> list[Asked]:
    """Each once."""
    chosen, found = random.Random(7), dict[str, Asked]()  # noqa: S311
    while len(found) < QUERIES:
        words = [chosen.choice(DEEDS + THINGS) for _ in range(chosen.choice((1, 1, 2, 2, 3)))]
        if chosen.random() < 0.15:
            spot = chosen.randrange(len(words[0]))
            words[0] = words[0][:spot] + chosen.choice("aeinrst") + words[0][spot + 1 :]
        query = [("q", " ".join(words))]
        if chosen.random() < 0.2:
            query.append(("campus", f"c{chosen.randrange(CAMPUSES)}"))
        if chosen.random() < 0.1:
            query.append(("page", "2"))
        found[urlencode(query)] = query
    return list(found.values())


def pages(seed: int) -> list[Asked]:
    """Without words, each once."""
    chosen, found = random.Random(seed), dict[str, Asked]()  # noqa: S311
    while len(found) < PAGES:
        query: list[tuple[str, str]] = []
        for name, values, share in (
            ("type", [each.value for each in BadgeKind], 0.5),
            ("campus", [f"c{number}" for number in range(CAMPUSES)], 0.4),
            ("niveau", ["1", "2", "3"], 0.4),
            ("public", [*AUDIENCES], 0.3),
            ("lieu", [*PLACES], 0.4),
            ("tri", [each.value for each in CatalogueOrder], 0.3),
            ("page", ["2", "3", "10"], 0.2),
        ):
            if chosen.random() < share:
                query.append((name, chosen.choice(values)))
        found[urlencode(query)] = query
    return list(found.values())


if __name__ == "__main__":
    sys.exit(main([name.lower() for name in sys.argv[1:]]))
