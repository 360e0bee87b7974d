"""Every form that a role meets in the demo, sent wrong, overlong, empty and with one field wrong: how it comes back."""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Match

from app.adapters.accounts import NoLimits
from app.container import Process
from app.main import create_app
from tests.support.app import Letterbox, send
from tests.support.demo_pages import PUBLIC_PATHS, DemoLinks, links_of
from tests.support.forms import read_on
from tests.support.posted_forms import EMPTY, KINDS, PostedForm, ReadPage, broken_rules, faults_elsewhere
from tests.support.servers.in_process import InProcessClient
from tests.support.servers.server import DemoTemplate

REFUSED = (403, 409, 413, 422)
NO_PAGES = re.compile(r"/(langue|static)/|\.(csv|xlsx|pdf|zip|json|png|svg|ics|jsonl|txt|jwt)$|#")
PAGES_OF_ONES_OWN = (
    "",
    "/montrer",
    "/partager",
    "/confidentialite",
    "/journal",
    "/recommandations",
    "/effacement",
)
ANOTHER_IS_AT_FAULT = {
    ("/verifier/demander", "niveau"): "a level needs the competency that it is of",
    ("/verifier", "texte"): "an address that is pasted as a text is moved to its own field",
    ("/gestion/{slug}/badges/{badge_id:uuid}/modifier/{etape}", "intitule-0"): "a trade needs its code",
    ("/reseau/{slug}/gestion/badges/nouveau", "intitule-0"): "a trade needs its code",
    ("/reseau/{slug}/gestion/badges/{definition_id:uuid}", "intitule-0"): "a trade needs its code",
    ("/compte/nom", "motif"): "the name that stands there is not a new one",
}
"""Fields that are refused together with another one, and why."""
ALONE = frozenset({"visitor", "learner", "child", "administrator", "operator", "network"})
"""Roles that send each form with one field wrong too; the forms of the others are among the administrator's."""
Fault = tuple[str, str]
"""The id of a field, and the sentence at it."""
Forms = dict[tuple[str, frozenset[str]], tuple[str, PostedForm]]
"""By route and fields: where to send it, and the form of one page."""


class Site:
    def __init__(self, application: FastAPI, client: TestClient) -> None:
        self.routes, self.client = application.routes, client
        self.route = cache(self._route)
        self.lacking: dict[tuple[str, frozenset[str]], set[Fault]] = defaultdict(set)
        """The faults of each form that was sent empty."""

    def _route(self, url: str, method: str = "GET") -> str:
        scope = {"type": "http", "path": urlsplit(url).path, "root_path": "", "method": method, "headers": []}
        found = (each for each in self.routes if each.matches(scope)[0] is Match.FULL)
        return getattr(next(found, None), "path", "")

    def forms(self, starts: Iterable[str]) -> Forms:
        """Of these pages, and of one page for each route that they lead to."""
        base = str(self.client.base_url)
        waiting, seen, met = deque(urljoin(base, each) for each in starts), set[str](), Forms()
        given = len(waiting)
        while waiting:
            address, given = waiting.popleft(), given - 1
            route = self.route(address)
            if not route or (given < 0 and route in seen):
                continue
            answer = self.client.get(address, follow_redirects=True)
            here = str(answer.url)
            seen |= {route, self.route(here)}
            assert answer.status_code < 500, here
            if answer.is_error or "text/html" not in answer.headers.get("content-type", ""):
                continue
            page = ReadPage(answer.text)
            for form in page.forms:
                target = urljoin(here, form.action or here)
                if form.method == "post" and form.names and form.can_be_sent and not form.is_hidden:
                    met.setdefault((self.route(target, "POST"), form.names), (target, form))
            links = (urljoin(here, each) for each in page.links if not NO_PAGES.search(each))
            waiting.extend(each for each in links if each.startswith(base))
        return met

    def faults(self, forms: Forms) -> Iterator[tuple[str, str]]:
        """Route and rule, of every form and of every way to fill it in wrongly."""
        for kind in KINDS:
            for (route, names), (target, form) in forms.items():
                sent, files = form.filled(kind), form.files(kind) or None
                answer = read_on(self.client, self.client.post(target, data=sent, files=files))
                if kind == EMPTY:
                    self.lacking[route, names].update(ReadPage(answer.text).faults())
                if answer.status_code in REFUSED or '-erreur"' in answer.text:
                    for rule in broken_rules(answer.text, answer.status_code, form, sent):
                        yield route, f"{kind}, {answer.status_code}: {rule}"

    def misplaced(self, forms: Forms) -> Iterator[tuple[str, str]]:
        """Route and field, where one wrong field is refused at another one.

        What is refused of an empty form, or for several wrong fields, is lacking in any case: it is no evidence.
        """
        for (route, names), (target, form) in forms.items():
            refused = dict[str, frozenset[Fault]]()
            for name, sent, files in form.with_one_wrong():
                answer = read_on(self.client, self.client.post(target, data=sent, files=files or None))
                if answer.status_code in (413, 422):
                    refused[name] = faults_elsewhere(name, answer.text) - self.lacking[route, names]
            times = Counter(fault for faults in refused.values() for fault in faults)
            for name, faults in refused.items():
                found = sorted(key for key, text in faults if times[key, text] == 1)
                if found and (route, name) not in ANOTHER_IS_AT_FAULT:
                    yield route, f"{name} is refused at {', '.join(found)}"


def opened(site: Site, link: str) -> Iterator[str]:
    """The pages around a badge that its private link opens."""
    badge = str(site.client.get(link, follow_redirects=True).url)
    yield from (badge + page for page in PAGES_OF_ONES_OWN)
    yield from ("/mes-badges", "/mes-badges/ailleurs", "/mes-badges/portfolio")


def signed_in(site: Site, link: str, pages: Iterable[str]) -> Iterable[str]:
    assert send(site.client, link).status_code == 303
    return pages


ROLES: Mapping[str, Callable[[Site, DemoLinks], Iterable[str]]] = {
    "visitor": lambda _, links: (*PUBLIC_PATHS, *links.public),
    "learner": lambda site, links: opened(site, links.keeping),
    "child": lambda site, links: opened(site, links.child),
    "trainer": lambda site, links: signed_in(site, links.trainer, links.of_staff),
    "administrator": lambda site, links: signed_in(site, links.admin, links.of_admins),
    "reviewer": lambda site, links: signed_in(site, links.reviewer, links.of_reviewers),
    "operator": lambda site, links: signed_in(site, links.operator, ["/exploitation"]),
    "network": lambda site, links: signed_in(site, links.network, links.of_network),
}


@pytest.fixture
def process(demo_template: DemoTemplate, tmp_path: Path) -> Iterator[Process]:
    """The demo in a copy of its own."""
    shutil.copytree(demo_template.folder, tmp_path / "database")
    settings = demo_template.settings(tmp_path / "database")
    process = Process(settings, mailer=Letterbox(), limiter=NoLimits())
    yield process
    process.engine.dispose()


@pytest.mark.parametrize("role", ROLES)
def test_every_refused_form_shows_its_faults_at_their_fields_and_in_a_summary(
    process: Process, role: str
) -> None:
    application, links = create_app(process=process), links_of(process)
    client = InProcessClient(
        application,
        base_url=process.settings.base_url,
        headers={"accept": "text/html"},
        follow_redirects=False,
    )
    with client:
        site = Site(application, client)
        forms = site.forms(ROLES[role](site, links))
        assert forms
        found: dict[str, set[str]] = defaultdict(set)
        for route, rule in chain(site.faults(forms), site.misplaced(forms) if role in ALONE else ()):
            found[route].add(rule)
    assert {route: sorted(rules) for route, rules in found.items()} == {}
