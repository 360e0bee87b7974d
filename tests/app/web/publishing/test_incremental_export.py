"""An incremental export is byte for byte identical to a full export."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import event

from app.adapters.folders.exported_sites import PAGES
from app.cli.awards import align_all
from app.container import Services, static_edition
from app.db.engine import queries
from app.domain.activity_log import LogCosignature
from app.domain.awards import Visibility
from app.domain.core import Snapshot
from app.errors import AppError
from app.http.pages import render
from app.http.pages.words import day, moment
from app.language import speaking
from app.web.publishing import static_export
from app.web.publishing.static_export import ExportedPages
from sceau_credentials.transparency_log.notes import Note, WitnessKey, cosign
from tests.support.app import COMMAND, App, build_app
from tests.support.badges.changes import Changes
from tests.support.badges.endorsed import endorsed

STEPS = 8
FIRST = (
    "disclose_all",
    "endorse",
    "endorse_badge",
    "open_portfolio",
    "close",
    "open",
    "witness",
    "suspend",
    "lift",
    "suspend_campus",
    "resume_campus",
    "rename_campus",
    "correct_log",
    "another_award",
    "retire_key",
    "end_label",
    "revoke",
    "erase",
)
"""Each change once, in an order in which none is refused."""


class SiteChanges(Changes):
    """With another award beside it, which changes only with shared data."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.others = 0
        self._another()

    def another_award(self, services: Services) -> None:
        """After the transaction of its caller: it has its own."""
        services.after_commit.append(self._another)

    def _another(self) -> uuid.UUID:
        self.others += 1
        found = self.app.award(f"Nom{self.others} Ana;ana{self.others}@exemple.fr").lines[0].award_id
        assert found
        with self.app.unit_of_work() as services:
            services.awards.set_visibility(found, Visibility.OPEN, by=COMMAND)
        return found

    def open_portfolio(self, services: Services) -> None:
        person = services.awards.record(self.award_id).person
        portfolio = services.portfolios.start(person, [self.award_id])
        services.portfolios.set_open(portfolio, True)

    def endorse_campus(self, services: Services) -> None:
        endorsed(services, self.campus)

    def suspend_campus(self, services: Services) -> None:
        services.operators.suspend("itip", by=COMMAND)

    def resume_campus(self, services: Services) -> None:
        services.operators.resume("itip", by=COMMAND)

    def rename_campus(self, services: Services) -> None:
        campus = services.campuses.get("itip")
        campus.name = f"{campus.name} bis"

    def witness(self, services: Services) -> None:
        key = WitnessKey("temoin.exemple.org", bytes(32))
        services.log_watch.name_witness(self.campus, key.public.to_vkey(), "Campus AGT", by=COMMAND)
        point = services.activity_log.checkpoint(self.campus)
        if services.activity_log.store.cosignatures(point.log_id, point.size):
            return
        line = cosign(Note.from_text(point.note).text, key.name, key.key, at=self.app.clock.now).to_line()
        services.log_watch.watch.add(
            LogCosignature(
                log_id=point.log_id,
                size=point.size,
                witness=key.name,
                line=line,
                seen_at=self.app.clock.now,
            )
        )


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    for module in (static_export, render):
        monkeypatch.setattr(module, "known_locales", lambda: ("fr",))
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def export(app: App, folder: Path, *, final: bool = False) -> set[str]:
    """The units rendered again, among those with changed inputs; without files of the log."""
    align_all(app.process)
    with app.process.unit_of_work(reading=True, snapshot=Snapshot("site", {})) as services:
        units = [*ExportedPages(services, services.campuses.get("itip"), app.clock()).units(final=final)]
        made: list[str] = []

        def each(changed: Collection[static_export.ExportUnit]) -> Iterator[static_export.ExportUnit]:
            for unit in changed:
                made.append(unit.name)
                yield unit

        static_edition(folder).write(
            services.addresses.host, "itip", units, made_at=app.clock(), final=final, each=each
        )
        return {
            unit.name for unit in units if unit.inputs and unit.name in made and "/journal/" not in unit.name
        }


def files_in(folder: Path) -> dict[str, object]:
    """A package holds the status lists of the day it was made: without them."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in (PAGES, "SHA256SUMS"):
            body, name = path.read_bytes(), str(path.relative_to(folder))
            found[name] = packed_in(body) if path.suffix == ".zip" else body
    listed = (folder / "SHA256SUMS").read_text().splitlines()
    found["listed"] = [line if ".zip" not in line else line.partition("  ")[2] for line in listed]
    return found


def packed_in(package: bytes) -> list[tuple[str, bytes]]:
    with ZipFile(BytesIO(package)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        documents = [each for each in manifest["documents"] if "/statuts/" not in each["url"]]
        badge = manifest["badge"]["file"]
        return [
            (badge, archive.read(badge)),
            *((each["url"], archive.read(each["file"])) for each in documents),
        ]


def apply(app: App, changes: SiteChanges, step: str) -> bool:
    change: Callable[[Services], None] = getattr(changes, step)
    try:
        with app.unit_of_work() as services:
            change(services)
    except AppError:
        return False
    return True


def differences(app: App, tmp_path: Path, step: str) -> list[str]:
    """Between the incremental export and a full export of the same time."""
    full = tmp_path / f"full-{uuid.uuid4().hex}"
    export(app, full)
    made_again, in_full = files_in(tmp_path / "site"), files_in(full)
    return [
        f"{step}: {path}"
        for path in sorted(made_again.keys() | in_full.keys())
        if made_again.get(path) != in_full.get(path)
    ]


def test_after_each_change_the_incremental_export_equals_a_full_one(app: App, tmp_path: Path) -> None:
    changes = SiteChanges(app)
    export(app, tmp_path / "site")
    assert export(app, tmp_path / "site") == set(), "nothing changed"
    for step in FIRST:
        assert apply(app, changes, step), step
        export(app, tmp_path / "site")
        assert not differences(app, tmp_path, step)
    left = [path for path in files_in(tmp_path / "site") if str(changes.award_id) in path]
    assert not left, "erased"


@pytest.mark.parametrize("seed", range(2))
def test_after_any_changes_the_incremental_export_equals_a_full_one(
    app: App, tmp_path: Path, seed: int
) -> None:
    chosen, changes = random.Random(seed), SiteChanges(app)
    export(app, tmp_path / "site")
    steps = [*FIRST[:-2], "endorse_campus", "hide_endorsement", "disclose_least", "lose_key"]
    for _ in range(STEPS // 2):
        applied = [chosen.choice(steps) for _ in range(2)]
        for step in applied:
            apply(app, changes, step)
        export(app, tmp_path / "site")
        assert not differences(app, tmp_path, str(applied))


def test_a_change_of_one_award_renders_only_its_page_again(app: App, tmp_path: Path) -> None:
    changes = SiteChanges(app)
    export(app, tmp_path / "site")
    apply(app, changes, "suspend")
    assert export(app, tmp_path / "site") == {f"attributions/{changes.award_id}"}
    apply(app, changes, "another_award")
    made = export(app, tmp_path / "site")
    assert len([name for name in made if name.startswith("attributions/")]) == 1
    assert f"attributions/{changes.award_id}" not in made


def test_a_page_keeps_its_date_until_another_date_changes_its_content(app: App, tmp_path: Path) -> None:
    """Whatever its date, a page has the content that a full export would give it."""
    changes = SiteChanges(app)
    apply(app, changes, "endorse")
    apply(app, changes, "open_portfolio")
    apply(app, changes, "suspend")
    export(app, tmp_path / "site")
    days = [app.clock.now]
    page = f"localhost_8000/attributions/{changes.award_id}/index.html"
    for later in (timedelta(days=1), timedelta(days=3), timedelta(days=500)):
        before = files_in(tmp_path / "site")[page]
        app.clock.now = days[0] + later
        days.append(app.clock.now)
        export(app, tmp_path / "site")
        export(app, tmp_path / f"full-{later.days}")
        found, wanted = files_in(tmp_path / "site"), files_in(tmp_path / f"full-{later.days}")
        assert found.keys() == wanted.keys()
        undated = _Undated(app, days)
        for path in found:
            if path not in ("sceau-site.json", "listed"):
                assert undated(found[path]) == undated(wanted[path]), (later, path)
        if later.days == 1:
            assert found[page] == before, "suspended as before"
        else:
            assert found[page] != before, "its suspension, then the label of its campus ended"
        last = str(found["localhost_8000/dernier-export/index.html"], "utf-8")
        assert day(app.clock.now, app.campus.time_zone) in last


@pytest.mark.parametrize("is_new", [True, False], ids=["anew", "over an earlier edition"])
def test_the_last_export_of_a_closed_campus_is_verified_from_the_folder_only(
    app: App, tmp_path: Path, is_new: bool
) -> None:
    """A campus stops: its badges, valid and withdrawn, are verified years later from the files."""
    changes, folder = SiteChanges(app), tmp_path / "site"
    for step in ("endorse", "open_portfolio", "retire_key", "another_award"):
        assert apply(app, changes, step), step
    with app.unit_of_work() as services:
        opened = services.stores.awards.open_ids(app.campus.id, after=uuid.UUID(int=0), limit=10)
        good = next(each for each in opened if each != changes.award_id)
    assert apply(app, changes, "revoke")
    if not is_new:
        export(app, folder)
    assert apply(app, changes, "suspend_campus")
    with app.unit_of_work() as services:
        services.operators.suspend("itip", by=COMMAND)
    export(app, folder, final=True)
    later = app.clock.now + timedelta(days=1_500)
    edition = static_edition(folder)
    assert edition.changed() == []
    found = {
        path: edition.evaluate(path, place, at=later) for path, place in edition.signed() if place.is_file()
    }
    standings = {
        award_id: {
            each.standing
            for path, each in found.items()
            if str(award_id) in path and "/attributions/" in f"/{path}"
        }
        for award_id in (good, changes.award_id)
    }
    assert standings == {good: {"good"}, changes.award_id: {"ended"}}
    assert not [path for path, each in found.items() if each.is_wrong or each.standing == "unknown"]
    page = (folder / "localhost_8000/campus/itip/index.html").read_text()
    assert app.campus.name.split()[0] in page


class _Undated:
    """Without the dates on which pages were rendered."""

    def __init__(self, app: App, days: Collection[datetime]) -> None:
        zone = app.campus.time_zone
        with speaking("fr"):
            said = [f(at) for at in days for f in (lambda at: moment(at, zone), lambda at: day(at, zone))]
        said += [f"{at:%Y-%m-%d %H:%M:%S}" for at in days]
        self._said = re.compile("|".join(re.escape(each) for each in said).encode())

    def __call__(self, body: object) -> object:
        return self._said.sub(b"(a day)", body) if isinstance(body, bytes) else body


def test_every_table_that_an_award_page_reads_is_in_its_digest(app: App, tmp_path: Path) -> None:
    """A page that begins to show other data needs them in `site_inputs` too."""
    changes = SiteChanges(app)
    for step in ("disclose_all", "endorse", "endorse_badge", "witness", "open_portfolio", "suspend"):
        apply(app, changes, step)
    export(app, tmp_path / "site")
    read: set[str] = set()
    table = re.compile(r'\b(?:FROM|JOIN)\s+"?([a-z_]+)')
    event.listen(
        app.process.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, *_rest: read.update(table.findall(statement)),
    )
    with app.unit_of_work(reading=True) as services:
        pages = ExportedPages(services, services.campuses.get("itip"), app.clock())
        units = [unit for unit in pages.units(final=False) if unit.inputs]
        digested = set(read)
        read.clear()
        for unit in units:
            assert list(unit.files())
    never_change = {"log_entry", "log_tile", "log_checkpoint"}
    signed = {"status_list", "trust_edition", "followed_list"}  # digested by their content
    beside = {"peer_recommendation"}  # on pages that are served, not on exported ones
    assert read - digested <= never_change | signed | beside, read - digested


def test_another_award_costs_few_database_queries(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, lists, labels, registers and the log are read once for all pages."""
    changes, asked = SiteChanges(app), list[str]()
    quick_reads_ask = queries._asked

    def ask(connection: Any, text: str, given: Any) -> Any:
        asked.append(text)
        return quick_reads_ask(connection, text, given)

    def questions() -> int:
        asked.clear()
        export(app, tmp_path / uuid.uuid4().hex)
        return len(asked)

    monkeypatch.setattr(queries, "_asked", ask)
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: asked.append(result[2]))
    apply(app, changes, "endorse")
    before = questions()
    for _ in range(3):
        award_id = changes._another()
        with app.unit_of_work() as services:
            endorsed(services, app.campus, award=services.awards.record(award_id))
    assert (questions() - before) / 3 <= 16
