"""The cases of the policy table, and helpers to define them."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.accounts.permissions import Permission, Role
from app.domain.accounts.sessions import Scope
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.lti import Launch, LaunchKind, LtiAccount, LtiRegistration
from app.domain.learners.connected_apps import AppScope
from app.domain.people import Person
from app.http.request_scope import Policy, Who
from tests.support.app import App

# Roles × permissions, in the order of `Permission`: view work award revoke design review manage audit export correct protect.
GRID = {
    Role.CAMPUS_ADMIN: "x x x x x x x x x x -",
    Role.DESIGNER:     "x - - - x - - - - - -",
    Role.TRAINER:      "x x x x - - - - - - -",
    Role.REVIEWER:     "x - - - - x - - - - -",
    Role.AUDITOR:      "x - - - - - - x - - -",
    Role.DPO:          "x - - - - - - - x x x",
}  # fmt: skip
ROLES_MAY = {
    role: frozenset(
        permission for permission, mark in zip(Permission, marks.split(), strict=True) if mark == "x"
    )
    for role, marks in GRID.items()
}


@dataclass(frozen=True)
class Case:
    """`good` is the status for permitted callers; it shows that the request passed the guard, not that it succeeded."""

    policy: Policy
    good: int = 200
    body: Any = None
    """A JSON body or form fields."""
    uses_up: bool = False
    """The request ends or opens sessions: each caller gets new ones."""
    ends_all: bool = False
    """The request ends sessions in other browsers too: each caller is a person used only here."""
    elsewhere: int = 200
    """The status for a signed-in person without a role."""
    of_no_campus: bool = False
    """The path contains no campus: a token of any campus is accepted."""
    speaks_for_itself: bool = False
    """The URL is the credential; programs send the form without a page."""


def anybody(good: int = 200, body: Any = None, *, uses_up: bool = False) -> Case:
    return Case(Policy(Who.ANYBODY), good, body, uses_up)


def holder(good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.HOLDER), good, body)


def staff(permission: Permission, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.STAFF, permission=permission), good, body)


def scoped(scope: str, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.TOKEN, scope=Scope(scope)), good, body)


def connected(scope: AppScope, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.APP, scope=scope), good, body)


def signed_in(good: int = 200, body: Any = None, *, ends_all: bool = False) -> Case:
    return Case(Policy(Who.SIGNED_IN), good, body, uses_up=ends_all, ends_all=ends_all, elsewhere=good)


# --- Own account, and records of people in a campus

ACCOUNT_CASES: dict[str, Case] = {
    "GET /compte": signed_in(),
    "GET /compte/adresses": signed_in(),
    "POST /compte/adresses": signed_in(303, body={"adresse": "autre@exemple.fr"}),
    "POST /compte/adresses/principale": signed_in(404, body={"adresse": "inconnue@exemple.fr"}),
    "POST /compte/adresses/retirer": signed_in(404, body={"adresse": "inconnue@exemple.fr"}),
    "POST /compte/adresses/{challenge_id:uuid}/abandonner": signed_in(303, body={}),
    "POST /compte/adresses/{challenge_id:uuid}/code": signed_in(422, body={"code": "ABCD-EFGH"}),
    "GET /compte/adresses/confirmer/{preuve}": anybody(404),
    "POST /compte/adresses/confirmer/{preuve}": signed_in(404, body={}),
    "POST /mes-badges/{award_id:uuid}/adresse": holder(404, body={"adresse": "inconnue@exemple.fr"}),
    "GET /compte/nom": signed_in(),
    "POST /compte/nom": signed_in(422, body={"prenom": "", "nom": ""}),
    "GET /compte/reunir": signed_in(),
    "POST /compte/reunir/{other_id:uuid}": signed_in(404, body={}),
    "POST /compte/reunir/{merge_id:uuid}/defaire": signed_in(404, body={}),
    "GET /compte/mot-de-passe": signed_in(),
    "POST /compte/mot-de-passe": signed_in(422, body={"mot-de-passe": "court"}),
    "POST /compte/liens": signed_in(303, body={"liens": "acceptes"}),
    "POST /compte/mot-de-passe/retirer": signed_in(303, body={}),
    "POST /compte/cles/question": signed_in(body={}),
    "POST /compte/cles": signed_in(422, body={"nom": "Téléphone", "reponse": "{}"}),
    "POST /compte/cles/{passkey_id:uuid}/nom": signed_in(404, body={"nom": "Autre"}),
    "POST /compte/cles/{passkey_id:uuid}/retirer": signed_in(404, body={}),
    "POST /compte/cours/{account_id:uuid}/delier": signed_in(404, body={}),
    "POST /compte/sessions/{session_id:uuid}/fermer": signed_in(404, body={}),
    "POST /compte/sessions/fermer-les-autres": signed_in(303, body={}, ends_all=True),
    "POST /compte/sessions/fermer-partout": signed_in(303, body={}, ends_all=True),
    "GET /mes-badges/retrouver": anybody(),
    "POST /mes-badges/retrouver": anybody(body={"adresse": "personne@exemple.fr"}),
    "GET /gestion/{slug}/repertoire/noms": staff(Permission.CORRECT),
    "POST /gestion/{slug}/repertoire/noms/{wish_id:uuid}": staff(Permission.CORRECT, 404, body={}),
    "GET /gestion/{slug}/repertoire/{person_id:uuid}/corriger": staff(Permission.CORRECT),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/corriger": staff(
        Permission.CORRECT, 422, body={"prenom": "", "nom": ""}
    ),
    "GET /gestion/{slug}/repertoire/participants/{activity_id}/{person_id:uuid}": staff(Permission.WORK),
    "POST /gestion/{slug}/repertoire/participants/{activity_id}/{person_id:uuid}": staff(
        Permission.WORK, 422, body={"prenom": "", "nom": ""}
    ),
    "GET /gestion/{slug}/repertoire/{person_id:uuid}/reunir": staff(Permission.CORRECT),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/reunir": staff(Permission.CORRECT, 422, body={}),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/reunir/{merge_id:uuid}/defaire": staff(
        Permission.CORRECT, 422, body={}
    ),
}


# --- LTI: endpoints for platforms, pages of a course, registrations of the campus

_COURSE, _SETTINGS = "/lti/{slug}", "/gestion/{slug}/cours"
_ISSUER = "https://moodle.exemple"


def _launched(good: int = 200, body: dict[str, str] | None = None, *, uses_up: bool = False) -> Case:
    return Case(Policy(Who.LAUNCH), good, body, uses_up)


OF_COURSES = {
    "GET /api/v1/campuses/{slug}/lrs/about": anybody(),
    "POST /api/v1/campuses/{slug}/lrs/statements": scoped("activity:write", 200, []),
    "PUT /api/v1/campuses/{slug}/lrs/statements": scoped("activity:write", 422, {}),
    "GET /api/v1/campuses/{slug}/calendars": scoped("activity:write"),
    "POST /api/v1/campuses/{slug}/calendars": scoped("activity:write", 422, {}),
    "POST /api/v1/campuses/{slug}/calendars/import": scoped("activity:write", 415, {}),
    "GET /api/v1/campuses/{slug}/calendars/{calendar_id}": scoped("activity:write", 404),
    "DELETE /api/v1/campuses/{slug}/calendars/{calendar_id}": scoped("activity:write", 404),
    "POST /api/v1/campuses/{slug}/calendars/{calendar_id}/read": scoped("activity:write", 404, {}),
    "POST /api/v1/campuses/{slug}/calendars/{calendar_id}/pause": scoped("activity:write", 404, {}),
    "POST /api/v1/campuses/{slug}/calendars/{calendar_id}/resume": scoped("activity:write", 404, {}),
    f"GET {_COURSE}/connexion": anybody(404),
    f"POST {_COURSE}/connexion": Case(Policy(Who.ANYBODY), 404, {}, speaks_for_itself=True),
    f"POST {_COURSE}/lancement": Case(Policy(Who.ANYBODY), 401, {}, speaks_for_itself=True),
    f"GET {_COURSE}/cles.json": anybody(),
    f"GET {_COURSE}/cours": _launched(),
    f"POST {_COURSE}/cours/relier": _launched(303, {}),
    f"POST {_COURSE}/cours/delier": _launched(303, {}, uses_up=True),
    f"POST {_COURSE}/cours/activite": _launched(422, {}),
    # The course has no activity yet.
    f"POST {_COURSE}/cours/liste": _launched(409, {}),
    f"GET {_COURSE}/cours/resultats": _launched(409),
    f"POST {_COURSE}/cours/resultats": _launched(409, {"note": "x"}),
    f"POST {_COURSE}/cours/badge": _launched(422, {}),
    f"GET {_SETTINGS}": staff(Permission.MANAGE),
    f"POST {_SETTINGS}": staff(Permission.MANAGE, 422, {}),
    f"POST {_SETTINGS}/cle": staff(Permission.MANAGE, 303, {}),
    f"POST {_SETTINGS}/{{platform_id:uuid}}/essayer": staff(Permission.MANAGE, 404, {}),
    f"POST {_SETTINGS}/{{platform_id:uuid}}/retirer": staff(Permission.MANAGE, 404, {}),
}


def launch_secret(app: App, campus: Campus, person: Person) -> str:
    """The session secret of an LTI launch by a teacher with a linked account."""
    result = LtiRegistration(
        "Moodle", _ISSUER, "client", ("1",), f"{_ISSUER}/keys", f"{_ISSUER}/token", f"{_ISSUER}/authorize"
    )
    with app.unit_of_work() as services:
        known = services.lti.platforms(campus)
        platform = known[0] if known else services.lti.register(campus, result, by=Actor(person.id))
        subject = str(uuid.uuid4())
        services.lti.store.save(
            LtiAccount(
                campus_id=campus.id,
                platform_id=platform.id,
                subject=subject,
                person_id=person.id,
                linked_at=app.clock(),
            )
        )
        launch = Launch(LaunchKind.RESOURCE, subject, "1", ("Instructor",), context="c-1", title="Cours",
                        memberships_url=f"{_ISSUER}/members", line_items_url=f"{_ISSUER}/items")  # fmt: skip
        return services.lti.open(campus, platform.id, launch)


# --- Shared definitions of a network. No network has the slug of the campus here; network administrators are tested
# in `tests/app/web/badges`.

_CAMPUS, _PUBLIC, _NETWORK = (
    "/gestion/{slug}/definitions",
    "/reseau/{slug}/definitions",
    "/reseau/{slug}/gestion",
)
_DEFINITION = "/{definition_id:uuid}"


def _of_network(body: object = None) -> Case:
    return Case(Policy(Who.NETWORK), 404, body)


DEFINITIONS: dict[str, Case] = {
    f"GET {_CAMPUS}": staff(Permission.VIEW),
    f"POST {_CAMPUS}": staff(Permission.MANAGE, 422, body={}),
    f"GET {_CAMPUS}{_DEFINITION}": staff(Permission.VIEW, 404),
    f"POST {_CAMPUS}{_DEFINITION}/adopter": staff(Permission.MANAGE, 404, body={}),
    f"POST {_CAMPUS}{_DEFINITION}/decider": staff(Permission.MANAGE, 404, body={}),
    f"POST {_CAMPUS}{_DEFINITION}/proposer": staff(Permission.MANAGE, 404, body={}),
    f"POST {_CAMPUS}{_DEFINITION}/quitter": staff(Permission.MANAGE, 404, body={}),
    f"GET {_PUBLIC}": anybody(404),
    f"GET {_PUBLIC}{_DEFINITION}": anybody(404),
    f"GET {_PUBLIC}.json": anybody(404),
    f"OPTIONS {_PUBLIC}.json": anybody(204),
    f"GET {_NETWORK}": _of_network(),
    **{
        f"{method} {_NETWORK}/{path}": _of_network({} if method == "POST" else None)
        for method in ("GET", "POST")
        for path in (
            "badges/nouveau",
            "badges/{definition_id:uuid}",
            "competences/nouvelle",
            "competences/{definition_id:uuid}",
            "propositions/{proposal_id:uuid}",
        )
    },
    f"POST {_NETWORK}{_DEFINITION}/retirer": _of_network({}),
    f"POST {_NETWORK}{_DEFINITION}/reprendre": _of_network({}),
}


# --- Stored data, and detection of writes


class Kept:
    """A digest of all rows, recomputed after a write (SQLite's `data_version`)."""

    def __init__(self, database: Path) -> None:
        self._watch = sqlite3.connect(database)
        self._known: dict[int, str] = {}

    def digest(self) -> str:
        (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        if version not in self._known:
            self._known = {version: self._read()}
        return self._known[version]

    def counts(self) -> Mapping[str, int]:
        """Number of rows by table."""
        found = {name: self._watch.execute(f'SELECT count(*) FROM "{name}"') for name in self._tables()}
        return {name: cursor.fetchone()[0] for name, cursor in found.items()}

    def _read(self) -> str:
        digest = hashlib.sha256()
        for name in self._tables():
            rows = sorted(map(repr, self._watch.execute(f'SELECT * FROM "{name}"')))
            digest.update(f"{name}{rows}".encode())
        return digest.hexdigest()

    def _tables(self) -> list[str]:
        found = self._watch.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return [name for (name,) in found]

    def close(self) -> None:
        self._watch.close()


# --- Data subject rights

RIGHTS: dict[str, Case] = {
    "GET /mes-badges/{award_id:uuid}/mes-donnees": holder(),
    "GET /mes-badges/{award_id:uuid}/effacement": holder(),
    "POST /mes-badges/{award_id:uuid}/effacement": holder(422, body={}),
    "POST /mes-badges/{award_id:uuid}/mes-donnees": holder(200, body={}),
    "POST /mes-badges/{award_id:uuid}/mes-donnees/emargement": holder(303, body={}),
    "POST /mes-badges/{award_id:uuid}/mes-donnees/competences": holder(303, body={}),
    "GET /archive/{token}": anybody(401),
    "POST /archive/{token}": anybody(401, body={}),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/donnees.zip": staff(Permission.PROTECT, body={}),
    "POST /mes-badges/{award_id:uuid}/parent": holder(422, body={"parent": "pas une"}),
    "GET /parent/{token}": anybody(404),
    "GET /parent/{token}/page": anybody(404),
    "POST /parent/{token}": anybody(404, body={"reponse": "oui"}),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/parent": staff(
        Permission.CORRECT, 404, body={"parent": "parent@exemple.fr"}
    ),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/age": staff(Permission.WORK, 303, body={"age": "plus"}),
    "POST /gestion/{slug}/activites/{activity_id:uuid}/ages": staff(
        Permission.WORK, 303, body={"age": "plus"}
    ),
    "GET /effacement/{token}": anybody(401),
    "POST /effacement/{token}": anybody(401, body={}),
    "GET /effacements/{erasure_id:uuid}": anybody(404),
    "GET /effacements/{erasure_id:uuid}/preuve.{form}": anybody(404),
    "GET /gestion/{slug}/donnees": staff(Permission.PROTECT),
    "GET /gestion/{slug}/repertoire/{person_id:uuid}/effacer": staff(Permission.PROTECT),
    "POST /gestion/{slug}/repertoire/{person_id:uuid}/effacer": staff(Permission.PROTECT, 422, body={}),
}


# --- Sessions of a series, and attendance

_PAGES = "/gestion/{slug}/activites/{activity_id}/seances"
_SESSIONS_API = "/api/v1/campuses/{slug}/activities/{activity_id}/sessions"

_PRESENCES = "/gestion/{slug}/activites/{activity_id}/presences"

SERIES: dict[str, Case] = {
    f"GET {_PAGES}/{{session_id}}": staff(Permission.WORK),
    f"POST {_PAGES}/{{session_id}}": staff(Permission.WORK, 303, body={}),
    f"GET {_PAGES}/nouvelle": staff(Permission.WORK),
    f"POST {_PAGES}/nouvelle": staff(Permission.WORK, 422, body={}),
    f"GET {_PAGES}/{{session_id:uuid}}/changer": staff(Permission.WORK),
    f"POST {_PAGES}/{{session_id:uuid}}/changer": staff(Permission.WORK, 422, body={}),
    f"POST {_PAGES}/{{session_id:uuid}}/annuler": staff(Permission.WORK, 409, body={}),
    f"POST {_PAGES}/{{session_id:uuid}}/retablir": staff(Permission.WORK, 303, body={}),
    f"GET {_PRESENCES}": staff(Permission.WORK),
    f"POST {_PRESENCES}": staff(Permission.WORK, 303, body={}),
    "PUT /api/v1/campuses/{slug}/activities/{activity_id}/participations/{participation_id}/presence": scoped(
        "activity:write", 200, {"present": True}
    ),
    "POST /gestion/{slug}/resultats/{batch_id}/bulletins": staff(Permission.AWARD, body={}),
    f"GET {_SESSIONS_API}": scoped("read"),
    f"POST {_SESSIONS_API}": scoped("activity:write", 409, {"held_on": "2026-11-24"}),
    f"PUT {_SESSIONS_API}/{{session_id}}": scoped(
        "activity:write", 200, {"held_on": "2026-11-24", "hours": 2}
    ),
}


# --- Networks: registers, lists and labels

_ABSENT, _PREFLIGHT = anybody(404), anybody(204)

OF_NETWORKS: dict[str, Case] = {
    "GET /reseau/{slug}": _ABSENT,
    "GET /reseau/{slug}/did.json": _ABSENT,
    "GET /reseau/{slug}/campus-reconnus.json": _ABSENT,
    "GET /reseau/{slug}/statuts": _ABSENT,
    "GET /labels/{label_id:uuid}": _ABSENT,
    "GET /contextes/confiance-v1.jsonld": anybody(),
    "OPTIONS /reseau/{slug}/did.json": _PREFLIGHT,
    "OPTIONS /reseau/{slug}/campus-reconnus.json": _PREFLIGHT,
    "OPTIONS /reseau/{slug}/statuts": _PREFLIGHT,
    "OPTIONS /labels/{label_id:uuid}": _PREFLIGHT,
    "OPTIONS /contextes/confiance-v1.jsonld": _PREFLIGHT,
}


# --- Reports of a campus

_FACTS = "/gestion/{slug}/activites/{activity_id}/rapport"
_SURVEY = "/gestion/{slug}/activites/{activity_id}/enquete"
_REPORT_API = "/api/v1/campuses/{slug}/activities/{activity_id}/report"

_API_SURVEY = "/api/v1/campuses/{slug}/activities/{activity_id}/survey"

_ANNUAL = "/gestion/{slug}/rapport/annuel/{period}"
_LABEL = "/gestion/{slug}/rapport/label"

REPORTS: dict[str, Case] = {
    f"GET {_FACTS}": staff(Permission.WORK),
    f"POST {_FACTS}": staff(Permission.WORK, 303, body={}),
    "GET /gestion/{slug}/rapport/activites": staff(Permission.WORK),
    "POST /gestion/{slug}/rapport/activites": staff(Permission.WORK, 303, body={}),
    "GET /gestion/{slug}/rapport/objectifs": staff(Permission.MANAGE),
    "POST /gestion/{slug}/rapport/objectifs": staff(Permission.MANAGE, 303, body={"objectifs": ""}),
    "GET /gestion/{slug}/rapport": staff(Permission.VIEW),
    "GET /gestion/{slug}/rapport/chiffres/{indicator_id}": staff(Permission.VIEW, 404),
    "GET /gestion/{slug}/rapport/chiffres.csv": staff(Permission.VIEW),
    "GET /gestion/{slug}/rapport/chiffres.xlsx": staff(Permission.VIEW),
    f"GET {_SURVEY}": staff(Permission.WORK),
    f"POST {_SURVEY}": staff(Permission.WORK, 422, body={}),
    f"POST {_SURVEY}/phrases": staff(Permission.WORK, 303, body={}),
    f"GET {_SURVEY}/ecran": staff(Permission.WORK),
    f"GET {_SURVEY}/suivi": staff(Permission.WORK),
    "GET /gestion/{slug}/rapport/partenaires": staff(Permission.VIEW),
    "GET /gestion/{slug}/rapport/partenaires/page": staff(Permission.VIEW, 404),
    "GET /gestion/{slug}/rapport/partenaires/page.pdf": staff(Permission.VIEW, 404),
    "GET /reseau/{slug}/rapport": anybody(404),
    "GET /gestion/{slug}/rapport/partage": staff(Permission.MANAGE),
    "POST /gestion/{slug}/rapport/partage/{network}": staff(Permission.MANAGE, 404, body={}),
    "GET /avis/{code}": anybody(404),
    "GET /avis/{code}/{mark}": anybody(404),
    "POST /avis/{code}": anybody(404, body={}),
    "POST /avis/{code}/{mark}": anybody(404, body={}),
    f"GET {_ANNUAL}": staff(Permission.WORK),
    f"POST {_ANNUAL}": staff(Permission.WORK, 303, body={}),
    f"POST {_ANNUAL}/contradictions": staff(Permission.WORK, 422, body={}),
    f"POST {_ANNUAL}/publier": staff(Permission.MANAGE, 409, body={}),
    **{f"GET {_ANNUAL}/rapport.{kind}": staff(Permission.WORK) for kind in ("pdf", "xlsx", "docx", "json")},
    f"GET {_LABEL}": staff(Permission.MANAGE),
    f"GET {_LABEL}/{{label_id:uuid}}": staff(Permission.MANAGE, 404),
    f"POST {_LABEL}/{{label_id:uuid}}": staff(Permission.MANAGE, 404, body={}),
    **{
        f"GET {_LABEL}/{{label_id:uuid}}/dossier.{kind}": staff(Permission.MANAGE, 404)
        for kind in ("pdf", "docx")
    },
    f"GET {_API_SURVEY}": scoped("read"),
    f"PUT {_API_SURVEY}": scoped("activity:write", 200, {"open": False}),
    f"GET {_REPORT_API}": scoped("read"),
    f"PUT {_REPORT_API}": scoped("activity:write", 200, {}),
}

OF_SUBJECTS = {
    **RIGHTS,
    **REPORTS,
    **DEFINITIONS,
    **SERIES,
    **ACCOUNT_CASES,
    **OF_NETWORKS,
    **OF_COURSES,
}
