"""Every staff form and API route of a campus, with one identifier replaced by one of another campus: in each path
parameter and in each field (T01).

`tests/security/test_matrix.py` replaces all identifiers of a path at once, and sends no fields.
"""

from __future__ import annotations

import html
import re
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from shutil import copyfile

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.domain.accounts.permissions import Role
from app.domain.activities import ActivityKind
from app.domain.badges import BadgeKind
from app.domain.campus.campus import Network
from app.domain.campus.lti import LtiRegistration
from app.http.request_scope import Who
from app.services.badges import Wording
from tests.app.api.clients import program
from tests.security.matrix.callers import Things, things_of
from tests.security.matrix.cases import Kept
from tests.security.matrix.policy import CASES
from tests.support.app import COMMAND, App, build_app
from tests.support.content.networks import label, named

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r'name="jeton" value="([^"]+)"')
MARK = "Rienquaeux"
"""A marker that only the texts of the other campus contain."""
_WORDS = {
    "competency": "statement",
    "activity": "title",
    "framework": "name",
    "pathway": "title",
    "person": "family_name",
}
_PAGES = 260
_OF_ONE_KIND = 2


@pytest.fixture(scope="module")
def database(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(copyfile(migrated_sqlite, tmp_path_factory.mktemp("foreign") / "sceau.sqlite"))


@pytest.fixture(scope="module")
def app(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    built = build_app(f"sqlite:///{database}", tmp_path_factory.mktemp("beside"))
    yield built
    built.close()


@dataclass(frozen=True)
class Both:
    """The resources of two campuses: `others` maps our identifiers to theirs."""

    ours: Things
    theirs: Things
    others: Mapping[str, str]


def _connected(app: App, things: Things, mark: str) -> None:
    """Add an LTI platform, a webhook, a calendar, and a network with a label, a definition and a proposal."""
    campus, ids = things.campus, things.ids
    with app.unit_of_work() as services:
        where = f"https://{campus.slug}.exemple.fr"
        result = LtiRegistration(
            f"{mark}Moodle", where, "sceau", ("1",), f"{where}/k", f"{where}/t", f"{where}/a"
        )
        platform = services.lti.register(campus, result, by=COMMAND)
        webhook = services.webhooks.add(
            campus, url=f"{where}/w", label=f"{mark}Webhook", kinds=["award"], by=COMMAND
        )
        calendar = services.calendar_subscriptions.add(
            campus, source=f"{mark}Agenda", url=f"{where}/a.ics", kind=ActivityKind.WORKSHOP, creates=False,
            by=COMMAND,
        )  # fmt: skip
        network = services.campuses.create_network(
            Network(slug=f"reseau-{campus.slug}", name=f"{mark}Réseau"), [campus], by=COMMAND
        )
        services.register.write(network, named(campus), by=COMMAND)
        given = label(services, network, campus)
        wording = Wording(BadgeKind.PARTICIPATION, f"{mark}Partagé", "Être là.", "La personne était là.")
        definition = services.shared_definitions.share_badge(network, wording, by=COMMAND)
        proposal = services.adoptions.propose_badge(
            campus, network.slug, uuid.UUID(ids["badge_id"]), f"{mark}Pour tous.", by=COMMAND
        )
    ids |= {
        "platform_id": str(platform.id), "webhook_id": str(webhook.id), "calendar_id": str(calendar.id),
        "label_id": str(given.id), "definition_id": str(definition.id), "proposal_id": str(proposal.id),
    }  # fmt: skip


@pytest.fixture(scope="module")
def both(app: App) -> Both:
    ours = things_of(app, app.campus, app.trainer)
    theirs = things_of(app, app.other_campus, app.stranger)
    _connected(app, ours, "")
    _connected(app, theirs, f"{MARK} ")
    others = {
        mine: theirs.ids[name]
        for name, mine in ours.ids.items()
        if _UUID.fullmatch(mine) and mine != theirs.ids[name]
    }
    with app.owner.begin() as connection:
        for table, column in _WORDS.items():
            marked = text(f"UPDATE {table} SET {column} = '{MARK} ' || {column} WHERE id = :id")
            for other in others.values():
                connection.execute(marked, {"id": uuid.UUID(other).hex})
    return Both(ours, theirs, others)


@pytest.fixture(scope="module")
def browser(app: App, both: Both) -> TestClient:
    with app.unit_of_work() as services:
        for role in Role:
            person = services.people.add_staff(
                app.campus, given_name="Toute", family_name="Fonction", address="toute@exemple.fr", role=role,
                by=COMMAND,
            )  # fmt: skip
        for network in services.campuses.networks_of(app.campus):
            services.network_team.appoint(network, "Toute", "Fonction", "toute@exemple.fr", by=COMMAND)
    return app.client(person)


class Forms(HTMLParser):
    def __init__(self, page: str, path: str) -> None:
        super().__init__()
        self.path, self.links = path, set[str]()
        self.forms: list[tuple[str, list[tuple[str, str]]]] = []
        self._fields: list[tuple[str, str]] | None = None
        self._choice = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        result = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.add(result.get("href", "").partition("#")[0])
        if tag == "form":
            is_post = result.get("method", "").lower() == "post"
            self._fields = [] if is_post else None
            if self._fields is not None:
                self.forms.append((result.get("action") or self.path, self._fields))
        if self._fields is None:
            return
        name = result.get("name", "")
        if tag in ("input", "textarea", "button") and name and result.get("type") != "file":
            self._fields.append((name, result.get("value", "") or _typed(result.get("type", "text"))))
        if tag == "select":
            self._choice = name
        if tag == "option" and result.get("value"):
            known = [each for each, _ in self._fields]
            if _UUID.search(result["value"]) or self._choice not in known:
                self._fields.append((self._choice, result["value"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


def _typed(kind: str) -> str:
    return {"date": "2026-11-24", "number": "2", "email": "a@exemple.fr"}.get(kind, "Des mots")


def _pattern(path: str) -> str:
    return re.sub(r"\d+", "#", _UUID.sub("*", path.partition("?")[0]))


@pytest.fixture(scope="module")
def forms(both: Both, browser: TestClient) -> list[tuple[str, list[tuple[str, str]]]]:
    """The forms of pages linked from the home page, two pages of each kind."""
    slug = both.ours.campus.slug
    start = (f"/gestion/{slug}", f"/reseau/reseau-{slug}/gestion")
    waiting, seen, counts = [*start], {*start}, Counter[str]()
    # Pages of our resources that links may reach with other ids.
    waiting += [
        both.ours.fill(key.partition(" ")[2])
        for key, case in CASES.items()
        if key.startswith("GET /gestion/{slug}") and case.policy.who is Who.STAFF and case.good == 200
    ]
    found: dict[tuple[str, tuple[str, ...]], tuple[str, list[tuple[str, str]]]] = {}
    while waiting and len(seen) < _PAGES:
        path = waiting.pop(0)
        answer = browser.get(path, headers={"accept": "text/html"})
        if "text/html" not in answer.headers.get("content-type", "") or answer.status_code != 200:
            continue
        shown = Forms(answer.text, path)
        for action, fields in shown.forms:
            names = sorted({_UUID.sub("*", name) for name, _ in fields})
            if action.startswith(start):
                found.setdefault((_pattern(action), tuple(names)), (action, fields))
        for link in sorted(shown.links):
            if link.startswith(start) and link not in seen and counts[_pattern(link)] < _OF_ONE_KIND:
                counts[_pattern(link)] += 1
                seen.add(link)
                waiting.append(link)
    return list(found.values())


def _exchanged(both: Both, written: str) -> Iterator[str]:
    for place in _UUID.finditer(written):
        if other := both.others.get(place[0]):
            yield written[: place.start()] + other + written[place.end() :]


def _mutations(
    both: Both, action: str, fields: list[tuple[str, str]]
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    for path in _exchanged(both, action):
        yield "its address", path, fields
    done = set[tuple[str, str]]()
    for number, (name, value) in enumerate(fields):
        rest = fields[:number] + fields[number + 1 :]
        for other in _exchanged(both, value):
            if (name, other) not in done:
                done.add((name, other))
                yield (
                    f"the field {name}",
                    action,
                    [*(each for each in rest if each[0] != name), (name, other)],
                )
        for other in _exchanged(both, name):
            yield f"the name {_UUID.sub('*', name)}", action, [*rest, (other, value)]


class Theirs:
    """Rows of the other campus."""

    def __init__(self, database: Path, campus_id: uuid.UUID) -> None:
        self._connection = sqlite3.connect(database)
        tables = self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        self._tables = [name for (name,) in tables if self._owner(name)]
        self._campus = campus_id.hex

    def _owner(self, table: str) -> str:
        """SQL condition for rows of the campus or its network; empty for other tables."""
        columns = {row[1] for row in self._connection.execute(f'PRAGMA table_info("{table}")')}
        if "campus_id" in columns:
            return "campus_id = ?"
        if "network_id" in columns:
            return "network_id IN (SELECT network_id FROM network_member WHERE campus_id = ?)"
        return ""

    def rows(self) -> dict[str, list[str]]:
        return {
            name: sorted(
                map(
                    repr,
                    self._connection.execute(
                        f'SELECT * FROM "{name}" WHERE {self._owner(name)}', [self._campus]
                    ),
                )
            )
            for name in self._tables
        }

    def close(self) -> None:
        self._connection.close()


def test_no_form_reads_or_changes_resources_of_another_campus(
    both: Both, browser: TestClient, forms: list[tuple[str, list[tuple[str, str]]]], database: Path
):
    wrong, sent = [], 0
    home = browser.get(f"/gestion/{both.ours.campus.slug}", headers={"accept": "text/html"}).text
    token = _TOKEN.search(home)
    assert token
    with closing(Theirs(database, both.theirs.campus.id)) as theirs:
        before = theirs.rows()
        for action, fields in forms:
            for what, path, result in _mutations(both, action, fields):
                data: dict[str, list[str]] = {}
                for name, value in (*result, ("jeton", token[1])):
                    data[name] = [value] if name == "jeton" else [*data.get(name, []), value]
                answer = browser.post(path, data=data, headers={"accept": "text/html"})
                sent += 1
                shown = answer.text
                if answer.status_code == 303:
                    shown += browser.get(answer.headers["location"], headers={"accept": "text/html"}).text
                where = f"{_pattern(path)}, {what}"
                if MARK in html.unescape(shown):
                    wrong.append(f"{where}: shown")
                if answer.status_code >= 500:
                    wrong.append(f"{where}: {answer.status_code}")
                if (now := theirs.rows()) != before:
                    wrong.append(f"{where}: changed {[name for name in now if now[name] != before[name]]}")
                    before = now
    assert not wrong
    assert sent > 80, "the pages have forms"
    kinds = {_pattern(action).split("/")[3] for action, _ in forms}
    assert kinds >= {"webhooks", "cours", "reprises", "definitions", "gestion"}, kinds


PROGRAMS = [
    key
    for key, case in CASES.items()
    if case.policy.who is Who.TOKEN and key.split()[0] in ("POST", "PUT", "DELETE") and "{slug}" in key
]


def test_no_api_route_reads_or_changes_resources_of_another_campus(app: App, both: Both, database: Path):
    """Replaces one identifier at a time, in the path or in the body."""
    client, wrong = program(app), []
    badge, activity = both.theirs.ids["badge_id"], both.theirs.ids["activity_id"]
    people = [{"given_name": "Ada", "family_name": "Faure", "address": "ada@exemple.fr"}]
    bodies = {
        "/awards": (
            {"badge": badge, "activity": both.ours.ids["activity_id"], "people": people},
            {"badge": both.ours.ids["badge_id"], "activity": activity, "people": people},
            {"badge": both.ours.ids["badge_id"], "activity": both.ours.ids["activity_id"],
             "participations": [both.theirs.ids["participation_id"]]},
        ),
        "/badges": tuple(
            {"slug": "neuf", "kind": "participation", "name": "Neuf", "description": "Ce qu’il dit.",
             "criteria": "La personne a pris sa part.", "competencies": [{"competency": both.theirs.ids[name], "level": 1}]}
            for name in ("competency_id",)
        ),
    }  # fmt: skip
    with closing(Theirs(database, both.theirs.campus.id)) as theirs:
        before = theirs.rows()
        for key in PROGRAMS:
            method, _, template = key.partition(" ")
            names = [name for name in re.findall(r"{(\w+)", template) if name in both.ours.ids]
            paths = [
                Things(
                    both.ours.campus, {**both.ours.ids, name: both.theirs.ids[name]}, both.ours.award_id
                ).fill(template)
                for name in names
                if both.others.get(both.ours.ids[name])
            ]
            asked = [(path, CASES[key].body) for path in paths]
            asked += [
                (both.ours.fill(template), body) for body in bodies.get(template.partition("{slug}")[2], ())
            ]
            for path, body in asked:
                answer = client.request(method, path, **({} if method == "DELETE" else {"json": body}))
                # People unknown to the campus are not found, and get no line.
                is_nothing = answer.status_code == 200 and answer.json().get("lines") == []
                if not (is_nothing or 400 <= answer.status_code < 500) or MARK in answer.text:
                    wrong.append(
                        f"{method} {_pattern(path)} {body}: {answer.status_code} {answer.text[:200]}"
                    )
                if (now := theirs.rows()) != before:
                    wrong.append(f"{method} {_pattern(path)}: changed")
                    before = now
    assert not wrong


# --- submitted twice


_ADDED_EACH_TIME = {"/gestion/*/equipe/invitations/*/renvoyer", "/gestion/*/webhooks/*/essai"}
"""Forms that send a message again."""
_NOT_COUNTED = ("history_entry", "session", "month_change", "award_change", "form_draft", "set_aside")
"""Drafts store typed values for Back and reload, and expire after some days."""


def test_a_form_submitted_twice_has_one_effect(
    both: Both, browser: TestClient, forms: list[tuple[str, list[tuple[str, str]]]], database: Path
):
    """A double click or a retry on a poor connection: same page, same values, same token."""
    token = _TOKEN.search(
        browser.get(f"/gestion/{both.ours.campus.slug}", headers={"accept": "text/html"}).text
    )
    assert token
    twice, made = set(), 0
    with closing(Kept(database)) as kept:
        for action, fields in forms:
            data = {**dict(fields), "jeton": token[1]}
            counts = [kept.counts()]
            for _ in range(2):
                browser.post(action, data=data, headers={"accept": "text/html"})
                counts.append(kept.counts())
            first, second = (
                {name for name in later if name not in _NOT_COUNTED and later[name] > earlier[name]}
                for earlier, later in pairwise(counts)
            )
            made += bool(first)
            if first & second:
                twice.add(_pattern(action).replace(f"/{both.ours.campus.slug}/", "/*/"))
    assert twice <= _ADDED_EACH_TIME
    assert made > 5
