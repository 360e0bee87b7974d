"""Every route × every caller × the resources of two campuses: the answer is as expected by the policy (T01, T29)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx import Response
from sqlalchemy import text

from app.domain.accounts.permissions import ROLE_PERMISSIONS
from app.http.negotiation import ForPeople, ForPrograms
from app.http.programs import query_names
from app.http.request_scope import NoPolicy, Who, policies, public
from tests.security.matrix.callers import Caller, Member, Things, callers_of, members_of, things_of
from tests.security.matrix.cases import Kept
from tests.security.matrix.policy import CASES, ROLES_MAY, Case
from tests.support.app import App, build_app
from tests.support.running.every import for_each
from tests.support.running.examples import IS_LONG, in_turn

OURS, THEIRS = "itip", "agt"
CONSENT = "POST /campus/{slug}/portefeuille/autoriser"
"""A form for learners among the wallet endpoints."""
SAFE = ("GET", "HEAD", "OPTIONS")
FORMS = [
    key
    for key, case in CASES.items()
    if key == CONSENT
    or (
        not key.startswith(
            (
                *SAFE,
                "POST /api/",
                "PUT /api/",
                "DELETE /api/",
                "POST /vc-api/",
                "POST /campus/{slug}/portefeuille/",
                "POST /ims/",
            )
        )
        and not case.speaks_for_itself
    )
]


@pytest.fixture(scope="module", autouse=True)
def handlers_on_the_event_loop() -> Iterator[None]:
    """Run handlers without threads: starting a thread costs as much as a refused request."""

    async def run_sync(function: Callable[..., Any], *arguments: Any, **_options: Any) -> Any:
        return function(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anyio.to_thread.run_sync", run_sync)
        yield


@pytest.fixture(scope="module")
def database(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("matrix") / "sceau.sqlite"
    return Path(copyfile(migrated_sqlite, copied))


@pytest.fixture(scope="module")
def app(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    built = build_app(f"sqlite:///{database}", tmp_path_factory.mktemp("beside"))
    yield built
    built.close()


@pytest.fixture(scope="module")
def things(app: App) -> dict[str, Things]:
    return {
        OURS: things_of(app, app.campus, app.trainer),
        THEIRS: things_of(app, app.other_campus, app.stranger),
    }


@pytest.fixture(scope="module")
def members(app: App) -> list[Member]:
    return members_of(app)


@pytest.fixture(scope="module")
def callers(app: App, things: dict[str, Things], members: list[Member]) -> list[Caller]:
    return list(callers_of(app, things[OURS], members))


@pytest.fixture(scope="module")
def pages(app: App) -> set[str]:
    """The routes that serve a page to browsers and a document to programs."""
    routes = iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
    return {f"GET {each.path}" for each in routes if isinstance(each.original_route, ForPeople)}


def test_routes_for_pages_also_serve_a_document_to_programs(app: App, pages: set[str]):
    """Link previews send `*/*`: without a document they get the page."""
    routes = iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
    assert pages <= {f"GET {each.path}" for each in routes if isinstance(each.original_route, ForPrograms)}


def test_every_route_declares_the_expected_policy(app: App):
    declared = policies(app.client().app.routes)  # type: ignore[attr-defined]
    assert declared == {key: case.policy for key, case in CASES.items()}


SECRET_WORDS = re.compile(
    r"token|jeton|secret|code|cle|clef|key|lien|link|password|passe|ticket|organisation|invitation|session",
    re.IGNORECASE,
)
NO_SECRETS = {
    (
        "/connexion/service/{service}/retour",
        "code",
    ),  # OpenID Connect: single use, bound to a cookie of the requesting browser
    ("/gestion/{slug}/rapport/partenaires/page", "cle"),  # sort key of a partner's name, requires sign-in
    ("/gestion/{slug}/rapport/partenaires/page.pdf", "cle"),
    ("/presence", "code"),  # check-in code on the projector, valid for minutes
    ("/verifier", "lien"),  # the public URL of a badge
}


def test_no_route_takes_a_secret_in_the_query_string(app: App):
    """URLs are stored in browser histories and proxy logs."""
    routes = iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
    taken = {
        (each.path, name)
        for each in routes
        if (dependant := getattr(each, "dependant", None)) is not None
        for name in query_names(dependant)
        if SECRET_WORDS.search(name)
    }
    assert taken == NO_SECRETS


FILES_AND_PROGRAMS = {
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/donnees.zip",
    "POST /gestion/{slug}/resultats/{batch_id}/bulletins",
    "POST /gestion/{slug}/activites/{activity_id}/bulletins",
    "POST /compte/cles/question",
    "POST /connexion/cle/question",
    "POST /confirmer/cle/question",
}
ANSWERED_ON_THE_SPOT = {
    # Typed values and one-time secrets must not be in a URL.
    "POST /attributions/{award_id:uuid}/personne/adresse",
    "POST /attributions/{award_id:uuid}/personne/code",
    "POST /mes-badges/{award_id:uuid}/journal/montrer/comparer",
    "POST /gestion/{slug}/activites/{activity_id}/connues",
    "POST /gestion/{slug}/attributions/{award_id}/code",
    "POST /mes-badges/{award_id:uuid}/partager/portefeuille",
    "POST /verifier/demander/organisation",
    # An e-mail is sent to the typed address; the page asks for its code.
    "POST /connexion",
    "POST /confirmer/lien",
    "POST /mes-badges/retrouver",
    "POST /mes-badges/{award_id:uuid}/mes-donnees",
    # The phone is forgotten: there is no page left to redirect to.
    "POST /presence/oublier",
}


def test_an_accepted_form_redirects():
    """Accepted forms redirect, so that Back and reload do not submit again."""
    found = {key for key in FORMS if key.startswith("POST ") and CASES[key].good == 200}
    assert found == FILES_AND_PROGRAMS | ANSWERED_ON_THE_SPOT


def test_roles_have_the_expected_permissions():
    assert dict(ROLE_PERMISSIONS) == ROLES_MAY


def test_a_route_without_a_policy_prevents_the_start():
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    application.get("/ouvert")(public(lambda: None))
    assert list(policies(application.routes)) == ["GET /ouvert"]
    application.get("/oubli")(lambda: None)
    with pytest.raises(NoPolicy, match="GET /oubli"):
        policies(application.routes)


def test_a_mount_prevents_the_start():
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    application.mount("/dossier", FastAPI())
    with pytest.raises(NoPolicy, match="/dossier"):
        policies(application.routes)


@for_each("key", CASES)
def test_every_route_answers_each_caller_as_expected(
    key: str,
    app: App,
    things: dict[str, Things],
    members: list[Member],
    callers: list[Caller],
    pages: set[str],
):
    case = CASES[key]
    wrong = []
    for number, accept in enumerate(("text/html", "*/*") if key in pages else ("*/*",)):
        mark = " on their own" if case.ends_all else ""
        who = members_of(app, mark=mark) if case.ends_all else members
        for turn, caller in enumerate(
            callers_of(app, things[OURS], who, mark=mark)
            if case.uses_up
            else _of_each_kind(key, callers, things),
            start=number,
        ):
            asked = _cases(key, case, caller, things)
            for which, path, expected in _refused_in_turn(key, case, caller, turn, asked):
                got = ask(caller, key, path, case, accept=accept).status_code
                if got != expected:
                    wrong.append(f"{caller.name}, {which} ({accept}): {got} instead of {expected}")
    assert not wrong


def _refused_in_turn(
    key: str, case: Case, caller: Caller, turn: int, asked: Iterable[tuple[str, str, int]]
) -> Iterator[tuple[str, str, int]]:
    """All permitted requests of special callers, and all anonymous ones; of those with the same guard, every second.

    The other half goes to the next caller.
    """
    is_whole = IS_LONG or key not in TURNS or caller.name == "anonymous"
    is_for_some, first = case.policy.who not in ALIKE_TO_ALL, turn + TURNS.get(key, 0)
    for number, one in enumerate(asked):
        if is_whole or (is_for_some and one[-1] == case.good) or (first + number) % 2:
            yield one


ALIKE_TO_ALL = (Who.ANYBODY, Who.NETWORK)
MANY_ROUTES = (*ALIKE_TO_ALL, Who.SIGNED_IN, Who.HOLDER, Who.STAFF, Who.TOKEN)
TURNS = {
    key: turn
    for who in MANY_ROUTES
    for turn, key in enumerate(key for key, case in CASES.items() if case.policy.who is who)
}
"""For routes with these common policies; other routes are requested by every caller."""


def _of_each_kind(key: str, callers: list[Caller], things: Mapping[str, Things]) -> list[Caller]:
    """Every role of the campus for staff routes; of other callers treated alike by a guard, one in turn."""
    if key not in TURNS:
        return callers
    alike: dict[object, list[Caller]] = defaultdict(list)
    case = CASES[key]
    for caller in callers:
        foreseen = tuple(status for _, _, status in _cases(key, case, caller, things))
        role = caller.roles if case.policy.who is Who.STAFF and caller.campus == OURS else None
        alike[caller.kind, role, foreseen].append(caller)
    return [caller for each in alike.values() for caller in in_turn(each, TURNS[key])]


def test_every_caller_is_tested_with_every_policy(callers: list[Caller], things: dict[str, Things]):
    asked = {
        (CASES[key].policy.who, caller.name)
        for key in CASES
        for caller in _of_each_kind(key, callers, things)
    }
    assert asked == {(case.policy.who, caller.name) for case in CASES.values() for caller in callers}


def _cases(
    key: str, case: Case, caller: Caller, things: Mapping[str, Things]
) -> Iterator[tuple[str, str, int]]:
    """(description, path, status) for the resources of each campus, and for those of one under the other's slug."""
    path = key.partition(" ")[2]
    for campus in (OURS, THEIRS) if "{" in path else (OURS,):
        yield f"things of {campus}", things[campus].fill(path), _expected(case, caller, things[campus])
    if "{slug}" in path and "_id" in path:
        own = caller.campus or OURS
        other = things[THEIRS if own == OURS else OURS]
        status = _expected(case, caller, things[own])
        yield "another campus's things", other.fill(path, slug=own), 404 if status == case.good else status


def _expected(case: Case, caller: Caller, things: Things) -> int:
    policy, is_there = case.policy, caller.campus == things.campus.slug
    match policy.who:
        case Who.ANYBODY:
            return case.good
        case Who.GUEST:
            return 303 if caller.signed_in else case.good
        case Who.SIGNED_IN:
            return (case.good if caller.roles else case.elsewhere) if caller.signed_in else 401
        case Who.NETWORK:
            return 404
        case Who.OPERATOR:
            return case.good if caller.operates else 404
        case Who.HOLDER:
            return case.good if caller.holds == things.award_id else 401
        case Who.LAUNCH:
            return case.good if caller.launches == things.campus.slug else 401
        case Who.STAFF if not caller.signed_in:
            return 401
        case Who.STAFF if not (is_there and caller.roles):
            return 404
        case Who.STAFF:
            return case.good if any(policy.permission in ROLES_MAY[role] for role in caller.roles) else 403
        case Who.APP if not caller.connected:
            return 401
        case Who.APP:
            return case.good if policy.scope in caller.connected else 403
    if not caller.scopes:
        return 401
    if policy.scope not in caller.scopes:
        return 403
    return case.good if is_there or case.of_no_campus else 404


def ask(
    caller: Caller, key: str, path: str, case: Case, *, token: str | None = None, **headers: str
) -> Response:
    """Send the request like the caller's client: a form with its token, or a JSON body."""
    method = key.partition(" ")[0]
    sent: dict[str, Any] = {}
    if key in FORMS:
        sent["data"] = {"jeton": caller.form_token() if token is None else token, **case.body}
    elif method in ("POST", "PUT"):
        sent["json"] = case.body
    return caller.client.request(method, path, headers=headers, **sent)


# --- no unwanted writes


@pytest.fixture(scope="module")
def kept(app: App, database: Path) -> Iterator[Kept]:
    with closing(Kept(database)) as kept:
        yield kept


def allowed(callers: list[Caller], case: Case, things: Things) -> Caller:
    """A permitted caller."""
    return next(each for each in callers if _expected(case, each, things) == case.good)


# A private link opens a session, and has its own test.
READING = [
    key
    for key, case in CASES.items()
    if key.startswith("GET ")
    and key != "GET /recevoir/{token}"
    and case.policy.who not in (Who.OPERATOR, Who.NETWORK)
]

# Exports with names: the audit log records who downloaded them.
TAKEN_AWAY = [
    key
    for key in READING
    if key.endswith(
        (
            "/repertoire.csv",
            "/repertoire.xlsx",
            "/attributions.csv",
            "/attributions.xlsx",
            "/liens.csv",
            "/suivi.csv",
            "/refus.csv",
            "/lignes.csv",
            "/demandes.csv",
            "/demandes.xlsx",
            "/participants.csv",
            "/participants.xlsx",
            "/historique.csv",
        )
    )
]


LOOKED_AT = {
    "GET /gestion/{slug}/repertoire/{person_id:uuid}",
    "GET /gestion/{slug}/attributions/{award_id}",
    "GET /gestion/{slug}/demandes/{request_id:uuid}",
    "GET /gestion/{slug}/parcours/{pathway_id:uuid}/suivi/{enrolment_id:uuid}",
    "GET /gestion/{slug}/demandes/{request_id:uuid}/pieces/{file_id:uuid}",
    "GET /gestion/{slug}/contributions/{contribution_id:uuid}",
    "GET /gestion/{slug}/contributions/{contribution_id:uuid}/pieces/{proof_id:uuid}",
}
"""Personal content: the access log records staff access once a day, visible to the person."""


@pytest.mark.parametrize("key", sorted(LOOKED_AT))
def test_reading_personal_content_writes_one_access_log_entry(
    key: str, app: App, kept: Kept, things: dict[str, Things], callers: list[Caller]
):
    case, path = CASES[key], things[OURS].fill(key.partition(" ")[2])
    with app.owner.begin() as connection:
        connection.execute(text("DELETE FROM private_look"))
    before = kept.counts()
    for _ in range(2):
        assert ask(allowed(callers, case, things[OURS]), key, path, case).status_code == 200
    after = kept.counts()
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    # An unconfirmed badge request belongs to no person, so access is not logged.
    assert changed in ({"private_look": 1}, {})
    assert changed or "demandes" in key


def test_get_requests_change_nothing(
    kept: Kept, things: dict[str, Things], callers: list[Caller], pages: set[str]
):
    """The other exception has its own test: a status list is signed again after half a week."""
    before = kept.digest()
    for key in sorted(set(READING) - set(TAKEN_AWAY) - LOOKED_AT):
        case, path = CASES[key], things[OURS].fill(key.partition(" ")[2])
        caller = allowed(callers, case, things[OURS])
        for accept in ("text/html", "*/*") if key in pages else ("*/*",):
            # 410: an earlier case revoked the award, and its older rendition reports it; 404: an earlier case added a
            # badge version without a rule.
            good = (case.good, 410, 404) if key.endswith(("/progress", "/regle")) else (case.good, 410)
            assert ask(caller, key, path, case, accept=accept).status_code in good
        assert kept.digest() == before, key


@pytest.mark.parametrize("key", TAKEN_AWAY)
def test_an_export_writes_one_audit_log_entry(
    key: str, kept: Kept, things: dict[str, Things], callers: list[Caller]
):
    case, path = CASES[key], things[OURS].fill(key.partition(" ")[2])
    before = kept.counts()
    assert ask(allowed(callers, case, things[OURS]), key, path, case).status_code == 200
    after = kept.counts()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "history_entry": 1
    }


def test_a_private_link_writes_only_a_session(app: App, kept: Kept, things: dict[str, Things]):
    before, digest = kept.counts(), kept.digest()
    for method in ("GET", "HEAD"):
        assert app.client().request(method, things[OURS].fill("/recevoir/{token}")).status_code == 303
    after = kept.counts()
    assert {name for name in after if after[name] != before[name]} == {"session"}
    assert kept.digest() != digest


FOREIGN = {
    "another origin": {"origin": "https://evil.example"},
    "a neighbour's origin": {"origin": "https://evil.localhost:8000"},
    "another site": {"sec-fetch-site": "cross-site"},
    "a neighbour": {"sec-fetch-site": "same-site"},
    "a hidden origin of another site": {"origin": "null", "sec-fetch-site": "cross-site"},
}


@for_each("key", FORMS)
def test_cross_site_forms_are_refused(key: str, kept: Kept, things: dict[str, Things], callers: list[Caller]):
    """Even with the visitor's cookies and a valid token; same-site forms are refused without a token."""
    case, path = CASES[key], things[OURS].fill(key.partition(" ")[2])
    caller = allowed(callers, case, things[OURS])
    good = caller.form_token()
    before = kept.digest()
    # Permission is checked first, and no network has the slug of the campus.
    refused = 404 if case.policy.who is Who.NETWORK else 403
    for name, headers in FOREIGN.items():
        assert ask(caller, key, path, case, token=good, **headers).status_code == refused, name
    for token in ("", "A" * 88, good[:-4]):
        assert ask(caller, key, path, case, token=token).status_code == refused, token
    assert caller.client.post(path, data=case.body).status_code == refused
    assert caller.client.post(path, json=case.body).status_code == refused
    assert kept.digest() == before


@for_each("key", [key for key in CASES if CASES[key].policy.who is Who.TOKEN and key.startswith("POST")])
@for_each("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_api_routes_refuse_content_types_of_cross_site_forms(
    key: str, kind: str, kept: Kept, things: dict[str, Things], callers: list[Caller]
):
    case, path = CASES[key], things[OURS].fill(key.partition(" ")[2])
    caller = allowed(callers, case, things[OURS])
    before = kept.digest()
    answer = caller.client.post(path, content=b"{}", headers={"content-type": kind})
    assert answer.status_code in (415, 422)
    assert kept.digest() == before


# --- Host header


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost:8000.evil.example"])
def test_no_answer_contains_the_host_of_the_request(
    host: str, app: App, things: dict[str, Things], callers: list[Caller], pages: set[str]
):
    for key in READING:
        case, path = CASES[key], things[OURS].fill(key.partition(" ")[2])
        caller = allowed(callers, case, things[OURS])
        for accept in ("text/html", "*/*") if key in pages else ("*/*",):
            headers = {"host": host, "x-forwarded-host": host, "forwarded": f"host={host}"}
            answer = ask(caller, key, path, case, accept=accept, **headers)
            # Not "evil" alone, which random identifiers may contain.
            assert b"evil.example" not in answer.content + str(answer.headers).encode(), key
