"""Every learner and parent form, submitted three times concurrently and once more after « back », has one effect and no
server error. Staff forms: `tenancy/test_foreign_ids.py`. On PostgreSQL only: SQLite has a single writer."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.domain.people import AgeGroup
from app.domain.people.consents import parent_token
from tests.security.matrix.callers import Things, things_of
from tests.security.tenancy.test_foreign_ids import _TOKEN, Forms, _pattern
from tests.support.app import COMMAND, App
from tests.support.databases.engines import on_postgres

pytestmark = on_postgres

_AT_ONCE = 3
_NOT_COUNTED = (
    "history_entry", "month_change", "award_change", "session", "choice", "form_draft", "set_aside",
)  # fmt: skip
_ADDED_EACH_TIME = {
    "/verifier/demander": {"presentation_request"},
    "/mes-badges/retrouver": {"challenge", "letter", "sign_in_link"},
    "/compte/adresses": {"challenge", "letter"},
}
"""Anonymous requests and repeated messages; each has a rate limit."""
_NEVER_SENT = ("/deconnexion", "/mes-badges/quitter", "/compte/sessions", "/langue", "/connexion")
Form = tuple[str, str, Mapping[str, str]]


def counts(app: App) -> dict[str, int]:
    with app.owner.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        names = sorted(name for (name,) in tables if not name.startswith(_NOT_COUNTED))
        return {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names
        }


def forms_from(browser: TestClient, starts: list[str], *, most: int = 60) -> list[Form]:
    """The forms of these pages and the pages they link to, one of each kind, once per choice."""
    waiting, seen, found = [*starts], {*starts}, dict[tuple[str, tuple[str, ...]], list[Form]]()
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        page = browser.get(path, headers={"accept": "text/html"})
        if page.status_code != 200 or "text/html" not in page.headers.get("content-type", ""):
            continue
        shown = Forms(page.text, path)
        for action, fields in shown.forms:
            names = tuple(sorted({name for name, _ in fields}))
            if action.startswith("/") and not action.startswith(_NEVER_SENT):
                found.setdefault((_pattern(action), names), _choices(path, action, fields))
        for link in sorted(shown.links):
            kind = _pattern(link)
            if link.startswith("/mes-badges") and link not in seen and kind not in map(_pattern, seen):
                seen.add(link)
                waiting.append(link)
    return [form for several in found.values() for form in several]


def _choices(path: str, action: str, fields: list[tuple[str, str]]) -> list[Form]:
    given = {name: value for name, value in fields if name != "jeton"}
    several = {
        (name, value) for name, value in fields if name in ("geste", "reponse", "vue", "nom", "rappels")
    }
    return [(path, action, given | {name: value}) for name, value in sorted(several)] or [
        (path, action, given)
    ]


def sent_at_once(app: App, browser: TestClient, form: Form) -> list[str]:
    """Server errors, and tables with more than one additional row."""
    path, action, fields = form
    token = _TOKEN.search(browser.get(path, headers={"accept": "text/html"}).text)
    if token is None:  # an earlier form removed this page
        return []
    data = {**fields, "jeton": token[1]}

    def post(_turn: int) -> int:
        return browser.post(action, data=data, headers={"accept": "text/html"}).status_code

    before = counts(app)
    with ThreadPoolExecutor(_AT_ONCE) as presses:
        statuses = list(presses.map(post, range(_AT_ONCE)))
    first = counts(app)
    statuses.append(post(0))
    last, where = counts(app), _pattern(action).partition("#")[0]
    allowed = _ADDED_EACH_TIME.get(where, set())
    several = {name for name in last if first[name] > before[name] + 1 or last[name] > first[name]}
    wrong = [f"{where} {dict(fields)}: {name}" for name in sorted(several - allowed)]
    return wrong + [f"{where} {dict(fields)}: {status}" for status in statuses if status >= 500]


@pytest.fixture
def ours(app: App) -> Things:
    return things_of(app, app.campus, app.trainer)


def test_learner_form_submitted_several_times_has_one_effect(app: App, ours: Things):
    browser = app.client()
    assert browser.get(f"/recevoir/{ours.ids['token']}").status_code == 303
    badge = f"/mes-badges/{ours.award_id}"
    forms = forms_from(browser, ["/mes-badges", badge, f"{badge}/journal", "/mes-badges/portfolio"])
    assert len(forms) > 20
    assert not [wrong for form in forms for wrong in sent_at_once(app, browser, form)]


def test_parent_form_submitted_several_times_has_one_effect(app: App, ours: Things):
    with app.unit_of_work() as services:
        record = services.awards.record(ours.award_id)
        record.person.age_group = AgeGroup.UNDER_15
        services.people.people.save(record.person)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        starts = [
            f"/parent/{parent_token(services.guardians.secret, agreement.id)}",
            f"/rappels/{ours.ids['wish']}",
        ]
    browser = app.client()
    forms = forms_from(browser, starts)
    assert {_pattern(action).split("/")[1] for _, action, _ in forms} >= {"parent", "rappels"}
    assert not [wrong for form in forms for wrong in sent_at_once(app, browser, form)]
