"""The app under test on its own database: two campuses, their staff, badges and one activity."""

from __future__ import annotations

import functools
import os
import pickle
import re
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from app.adapters.accounts import NoLimits
from app.adapters.folders.log_files import WitnessFolder
from app.container import Process, Services
from app.db.engine.session import open_engine
from app.domain.accounts.rate_limits import Limiter
from app.domain.activities import Activity, ActivityKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.imports.lists.model import State
from app.domain.imports.lists.vocabulary.remarks import (
    age_band_of,
)
from app.domain.messages import Letter
from app.domain.people import Person, Role, normal_address
from app.main import create_app
from app.services.activities.participants import listed_person
from app.services.awards.awards import AwardRequest, BatchResult
from app.services.badges import BadgePage, Wording
from app.services.imports.lists import read_list_text
from app.settings import Settings
from sceau_credentials.transparency_log import NoteKey
from tests.support.databases import engines
from tests.support.databases.engines import PostgresRows, as_owner, autocommitting
from tests.support.forms import read_on
from tests.support.servers.in_process import InProcessClient, wait_for_facets

BASE_URL = "http://localhost:8000"
SETTINGS_OF_OTHER_SERVICES = {"sign_in_services", "fetch_local_ports"}
"""Settings that do not affect the rows of a newly built app."""
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
COMMAND = Actor.command("tests")
_Made = TypeVar("_Made")
_Said = ParamSpec("_Said")
_PLAIN = (bool, int, float)
_TOKEN_FIELD = re.compile(r'name="jeton" value="([^"]+)"')


def may_write(app: App) -> bool:
    """Whether its SQLite database has no open write transaction."""
    with closing(sqlite3.connect(app.process.engine.url.database or "", timeout=0)) as another:
        try:
            another.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True


class SettableClock:
    """Stands still until a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Letterbox:
    """A mailer that stores letters in memory."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)


@dataclass
class App:
    """Campus `itip` with a trainer, an administrator, three badges and a workshop; campus `agt` with one trainer, `stranger`."""

    process: Process
    clock: SettableClock
    letters: Letterbox
    campus: Campus
    other_campus: Campus
    trainer: Person
    admin: Person
    stranger: Person
    presence: BadgePage
    """A participation badge without further requirements."""
    role: BadgePage
    """A badge that requires evidence of what the person did."""
    long_haul: BadgePage
    """A participation badge that requires twelve hours."""
    activity: Activity
    _past: tuple[Hashable, ...] | None = None
    """The `once` steps run on this app so far; None after any other change."""
    _begun: int = 0
    """Number of transactions begun by its process."""

    def __post_init__(self) -> None:
        event.listen(self.process.engine, "begin", self._note_transaction)
        self._as_built, self._left = dict(vars(self.process)), self._marks()

    def _note_transaction(self, _connection: object) -> None:
        self._begun += 1

    def _marks(self) -> tuple[object, ...]:
        """Changes after any action that is not recorded in `_past`."""
        url = make_url(self.process.settings.database_url)
        file = Path(url.database or "")
        files = (file, file.with_name(file.name + "-wal")) if url.get_backend_name() == "sqlite" else ()
        written = [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
        return (self._begun, engines.opened, {"_served", "owner"} & vars(self).keys(), written)

    def _is_as_its_past_tells(self) -> bool:
        return self._left == self._marks() and self._holds_nothing_else()

    def _holds_nothing_else(self) -> bool:
        """Nothing is patched, replaced or started, so a copy is equivalent to this app."""
        parts = vars(self.process)
        added = parts.keys() - self._as_built.keys()
        return (
            not _patched
            and not {"_served", "owner"} & vars(self).keys()
            and all(isinstance(was, _PLAIN) or parts[name] is was for name, was in self._as_built.items())
            and all(isinstance(getattr(Process, name, None), cached_property) for name in added)
        )

    def _known(self) -> bytes:
        """The state that tests read without a database query."""
        people = (self.trainer, self.admin, self.stranger)
        badges = (self.presence, self.role, self.long_haul)
        return pickle.dumps((self.campus, self.other_campus, people, badges, self.activity))

    def unit_of_work(self, *, reading: bool = False) -> AbstractContextManager[Services]:
        return self.process.unit_of_work(reading=reading)

    @cached_property
    def owner(self) -> Engine:
        """Connects as the table owner, who bypasses row-level security and can corrupt rows."""
        return open_engine(as_owner(self.process.settings.database_url))

    def award(
        self, *people: str, badge: BadgePage | None = None, evidence: str = "", tells: bool = False
    ) -> BatchResult:
        """Award `badge` (by default `presence`) to people, written as lines of a trainer's list.

        E-mail is sent only with `tells=True`.
        """
        request = AwardRequest(
            (badge or self.presence).badge.id,
            self.activity.id,
            lines=listed(*people),
            evidence=evidence,
            tells=tells,
        )

        def award() -> BatchResult:
            with self.unit_of_work() as services:
                return services.awards.award(self.campus, request, by=Actor(self.trainer.id))

        return self.once(("award", request), award)

    def record(self, *people: str) -> None:
        def record() -> None:
            with self.unit_of_work() as services:
                services.activities.record(
                    self.campus, self.activity.id, listed(*people), by=Actor(self.trainer.id)
                )

        self.once(("record", people), record)

    def once(self, what: Hashable, do: Callable[[], _Made]) -> _Made:
        """Call `do`, or restore the state and result cached by this worker for the same sequence of steps.

        Half of the tests begin with the same awards, and each award takes a hundred statements.
        """
        past, self._past = self._past if self._is_as_its_past_tells() else None, None
        if past is None:
            return do()
        past = (*past, what, self.clock.now)
        url, folder = self.process.settings.database_url, self.process.settings.development_dir.parent
        key = (make_url(url).get_backend_name(), past)
        moment = _moments.pop(key, None)
        if moment is None:
            self._past, known = past[:-2], self._known()
            made = do()
            self._past = None
            if self.letters.letters or not self._holds_nothing_else() or self._known() != known:
                return made
            plain = {name: each for name, each in vars(self.process).items() if isinstance(each, _PLAIN)}
            del plain["last_commit"]
            try:
                parts = pickle.dumps((made, self.clock.now, plain))
            except (pickle.PicklingError, TypeError, AttributeError):
                return made
            moment = _Model.of(parts, url, folder)
        else:
            self.process.engine.dispose()
            moment.copy_to(url, folder)
            made, self.clock.now, plain = pickle.loads(moment.parts)
            vars(self.process).update(plain)
        _moments[key] = moment
        if len(_moments) > _MOST_MOMENTS:
            _moments.popitem(last=False)
        self._past, self._left = past, self._marks()
        return made

    def private_link(self, result: BatchResult, position: int = 0) -> str:
        """The path of the learner's private link for the award at `position`."""
        award_id = result.lines[position].award_id
        assert award_id is not None, "that line was given a badge"
        with self.unit_of_work(reading=True) as services:
            return "/recevoir/" + services.people.private_link_token(award_id, result.generations[award_id])

    def client(self, person: Person | None = None) -> TestClient:
        """An HTTP client of the full application, signed in as `person` if given."""
        client = self._browser(self._app, lambda: self._served)
        if person is not None:
            for cookie in self._session_of(person):
                client.cookies.jar.set_cookie(cookie)
        return client

    def _browser(self, application: FastAPI, started: Callable[[], BlockingPortal]) -> TestClient:
        return InProcessClient(
            application,
            started,
            base_url=self.process.settings.base_url,
            headers={"accept": "text/html"},
            follow_redirects=False,
        )

    def _session_of(self, person: Person) -> list[Cookie]:
        def sign_in(client: TestClient) -> list[Cookie]:
            answer = send(client, self.sign_in_path(person))
            assert answer.status_code == 303, answer.text
            return list(client.cookies.jar)

        def sign_in_elsewhere() -> list[Cookie]:
            """Uses another process, so that this one is in the same state as that of a copy."""
            known = self.process
            another = Process(known.settings, clock=self.clock, mailer=self.letters, limiter=known.limiter)
            with TestClient(create_app(process=another)) as started:
                assert started.portal is not None
                return sign_in(self._browser(started.app, lambda: started.portal))

        if isinstance(self.process.limiter, NoLimits) and self._is_as_its_past_tells():
            return self.once(("signed in", person.id), sign_in_elsewhere)
        return sign_in(self._browser(self._app, lambda: self._served))

    @cached_property
    def _app(self) -> FastAPI:
        return create_app(process=self.process)

    @cached_property
    def _served(self) -> BlockingPortal:
        """The application, started by the first request and shared by all clients."""
        portal = self._lifetime.enter_context(TestClient(self._app)).portal
        assert portal is not None
        portal.call(wait_for_facets)
        return portal

    @cached_property
    def _lifetime(self) -> ExitStack:
        return ExitStack()

    def sign_in_path(self, person: Person) -> str:
        """A one-time sign-in link."""
        with self.unit_of_work() as services:
            return "/connexion/" + services.sign_in.make_link(person.id, by=COMMAND)

    def log_key(self, services: Services) -> NoteKey:
        """The key that signs the next checkpoint of the campus."""
        log = services.activity_log.store.find(self.campus.id)
        assert log is not None
        return NoteKey(log.origin, services.signing.log_signer(self.campus, at=self.clock()).public)

    def close(self) -> None:
        if "_served" in vars(self):
            self._lifetime.close()
        self.process.engine.dispose()
        if "owner" in vars(self):
            self.owner.dispose()


def done_once(
    action: Callable[Concatenate[App, _Said], _Made],
) -> Callable[Concatenate[App, _Said], _Made]:
    """Decorator for setup steps shared by the tests of a file; not cached if an argument is unhashable."""

    @functools.wraps(action)
    def do(app: App, *arguments: _Said.args, **named: _Said.kwargs) -> _Made:
        what = (action.__module__, action.__qualname__, arguments, *sorted(named.items()))
        try:
            hash(what)
        except TypeError:
            return action(app, *arguments, **named)
        return app.once(what, lambda: action(app, *arguments, **named))

    return do


def send(client: TestClient, path: str, data: dict | None = None, *, seen_on: str = "", **sent) -> Response:
    """Fill in the form on the page `seen_on` (by default `path`) and post it to `path`."""
    shown = client.get(seen_on or path)
    token = _TOKEN_FIELD.search(shown.text)
    assert token, f"no form on {seen_on or path}: {shown.status_code}"
    return read_on(client, client.post(path, data={"jeton": token[1], **(data or {})}, **sent))


def listed(*people: str) -> tuple[ListedPerson, ...]:
    """Lines « NOM Prénom;adresse », « Prénom Nom » or « Nom;Prénom »; with a heading line, parsed as an imported list."""
    lines = [line for text in people for line in text.splitlines() if line.strip()]
    if lines and re.match(r"(?i)(nom|pr[ée]nom)[;\t]", lines[0]):
        read = read_list_text("\n".join(lines)).lines
        return tuple(listed_person(one) for one in read if one.state is not State.REFUSED or one.name)
    is_family_first = any(re.match(r"\w[^a-zà-ÿ ]+ .*[a-zà-ÿ]", line) for line in lines)
    return tuple(_listed(number, line, is_family_first) for number, line in enumerate(lines, 1))


def _listed(number: int, line: str, is_family_first: bool) -> ListedPerson:
    address = next((word for word in re.split(r"[;\s]+", line) if "@" in word), "")
    homonym = re.search(r" \((\d)\)", line)
    bare = line.replace(address, "").replace(homonym[0] if homonym else "\n", "")
    cells = [cell.strip() for cell in bare.split(";") if cell.strip()]
    bands = [band for cell in cells if (band := age_band_of(cell))]
    cells = [cell for cell in cells if not age_band_of(cell)]
    words = cells[0].split() if cells else []
    capitals = [word for word in words if word.isupper()]
    if len(cells) > 1:
        family, given = cells[:2]
    elif capitals and len(capitals) < len(words):
        family, given = " ".join(capitals), " ".join(word for word in words if word not in capitals)
    elif is_family_first and len(words) > 1:
        given, family = words[-1], " ".join(words[:-1])
    else:
        given, family = (words[0], " ".join(words[1:])) if len(words) > 1 else ("", " ".join(words))
    return ListedPerson(
        number,
        given_name=given,
        family_name=family,
        address=normal_address(address),
        under_15=bands[0] == "under" if bands else None,
        homonym=int(homonym[1]) if homonym else 1,
        numbered_first=bool(homonym) and homonym[1] == "1",
    )


def build_app(
    database_url: str,
    folder: Path,
    *,
    base_url: str = BASE_URL,
    limiter: Limiter | None = None,
    at: datetime = NOON,
    **settings: Any,
) -> App:
    """Build the app on a migrated, empty database, with its secrets in `folder` and these operator `settings`.

    Each worker builds one app per engine and base URL, and copies it for later calls with the usual arguments.
    """
    clock, letters = SettableClock(at), Letterbox()
    kind = (make_url(database_url).get_backend_name(), base_url)
    is_usual = (
        at == NOON and settings.keys() <= SETTINGS_OF_OTHER_SERVICES and not (folder / "secrets").exists()
    )
    model = _models.get(kind) if is_usual else None
    if model:
        model.copy_to(database_url, folder)
    environment = (Path.cwd(), *(each for each in os.environ.items() if each[0].startswith("SCEAU_")))
    read = _settings(environment, base_url=base_url, fetch=False, **settings)
    process = Process(
        read.model_copy(update={"database_url": database_url, "development_dir": folder / "secrets"}),
        clock=clock,
        mailer=letters,
        limiter=limiter or NoLimits(),
    )
    if model:
        past = None if settings else (base_url,)
        return App(process, clock, letters, **pickle.loads(model.parts), _past=past)
    parts = _furnish(process)
    if is_usual:
        _models[kind] = _Model.of(pickle.dumps(parts), database_url, folder)
    return App(process, clock, letters, **parts)


@functools.cache
def _settings(_environment: tuple[object, ...], **named: Any) -> Settings:
    """Cached, because reading ninety fields from the environment for each app is slow."""
    return Settings(**named)


def _furnish(process: Process) -> dict[str, Any]:
    with process.unit_of_work() as services:
        campus = services.campuses.create(
            _campus("itip", "ITIP", "Industrie Technologique Innovante et Performante", hue=208), by=COMMAND
        )
        other = services.campuses.create(
            _campus("agt", "AGT", "Alimentation, Goût, Tourisme", hue=30), by=COMMAND
        )
        activity = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Atelier robotique",
            starts_on=date(2026, 11, 24),
            ends_on=date(2026, 11, 24),
            place="VRAI, Le Creusot",
            hours=3,
            audience="Étudiants",
        )
        return {
            "campus": campus,
            "other_campus": other,
            "trainer": _staff(services, campus, "Anaïs", "Le Goff", Role.TRAINER),
            "admin": _staff(services, campus, "Marc", "Œuvrard", Role.CAMPUS_ADMIN),
            "stranger": _staff(services, other, "Inès", "D’Arcy", Role.TRAINER),
            "presence": _badge(services, campus, BadgeKind.PARTICIPATION, "Robotique pour tous", "robotique"),
            "role": _badge(
                services, campus, BadgeKind.ENGAGEMENT, "Acteur du dispositif Explor’#ICI", "acteur"
            ),
            "long_haul": _badge(
                services,
                campus,
                BadgeKind.PARTICIPATION,
                "VRAIE semaine apprenante",
                "semaine",
                required_hours=12,
            ),
            "activity": services.activities.create(activity, [campus], by=COMMAND),
        }


@dataclass(frozen=True)
class _Model:
    """A snapshot of an app: just built, or after some steps."""

    rows: bytes | PostgresRows
    secrets: Mapping[Path, bytes]
    parts: bytes

    @staticmethod
    def of(parts: bytes, database_url: str, folder: Path) -> _Model:
        files = [path for path in (folder / "secrets").rglob("*") if path.is_file()]
        url = make_url(database_url)
        rows: bytes | PostgresRows
        if url.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(str(url.database))) as connection:
                rows = connection.serialize()
        else:
            with autocommitting(as_owner(database_url)) as owner:
                rows = PostgresRows.of(owner)
        secrets = {path.relative_to(folder): path.read_bytes() for path in files}
        return _Model(rows, secrets, parts)

    def copy_to(self, database_url: str, folder: Path) -> None:
        for path, content in self.secrets.items():
            (folder / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / path).touch(mode=0o600)
            (folder / path).write_bytes(content)
        if isinstance(self.rows, bytes):
            database = Path(str(make_url(database_url).database))
            for left in ("-wal", "-shm"):
                database.with_name(database.name + left).unlink(missing_ok=True)
            database.write_bytes(self.rows)
        else:
            with autocommitting(as_owner(database_url)) as owner:
                self.rows.put(owner)


_models: dict[tuple[str, str], _Model] = {}
_patched: list[str] = []
"""The patches made by the running test."""


def pytest_configure() -> None:
    for name in ("setattr", "delattr", "setitem", "delitem"):
        setattr(pytest.MonkeyPatch, name, _noting(getattr(pytest.MonkeyPatch, name)))


def _noting(patch: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(patch)
    def patch_and_note(*arguments: Any, **options: Any) -> None:
        _patched.append(patch.__name__)
        patch(*arguments, **options)

    return patch_and_note


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _patched.clear()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Ignore patches by fixtures of wider scope: they are the same for each test that uses them."""
    before = len(_patched)
    try:
        return (yield)
    finally:
        if fixturedef.scope != "function":
            del _patched[before:]


_moments: OrderedDict[Hashable, _Model] = OrderedDict()
_MOST_MOMENTS = 40
"""Limited, because each snapshot takes a few megabytes; tests of one file often begin with the same steps."""


def _campus(slug: str, short_name: str, name: str, *, hue: float) -> Campus:
    address = f"{slug}@exemple.fr"
    return Campus(
        slug=slug, short_name=short_name, name=name, did="", hue=hue, contact_email=address, created_at=NOON
    )


def _staff(services: Services, campus: Campus, given: str, family: str, role: Role) -> Person:
    address = f"{family.lower().replace(' ', '.').replace('’', '')}@exemple.fr"
    return services.people.add_staff(
        campus, given_name=given, family_name=family, address=address, role=role, by=COMMAND
    )


def _badge(
    services: Services,
    campus: Campus,
    kind: BadgeKind,
    name: str,
    slug: str,
    *,
    required_hours: float | None = None,
) -> BadgePage:
    wording = Wording(
        kind,
        name,
        f"Ce que dit le badge « {name} ».",
        "La personne a pris sa part de l’activité, devant la personne qui l’animait.",
        required_hours=required_hours,
    )
    return services.badges.create(campus, wording, slug=slug, by=COMMAND)


@pytest.fixture
def app(app_url: str, tmp_path: Path) -> Iterator[App]:
    """On SQLite, or on the engines selected by `pytest_generate_tests`."""
    built = build_app(app_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def witness(tmp_path: Path) -> WitnessFolder:
    """An independent witness that cosigns the log with its own key."""
    folder = WitnessFolder(tmp_path / "witness")
    folder.make_key("temoin.exemple.fr")
    return folder


Asked = list[tuple[str, Any]]


@contextmanager
def asked_of(app: App) -> Iterator[Asked]:
    """The executed SQL statements with their parameters."""
    asked: Asked = []

    def note(*result: Any) -> None:
        asked.append((result[2], result[3]))

    event.listen(app.process.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(app.process.engine, "before_cursor_execute", note)
