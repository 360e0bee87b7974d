"""Course platforms: what platforms call, the pages of a course, and the campus's registrations."""

from __future__ import annotations

import uuid

from app.domain.accounts.permissions import Permission
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.lti import Launch, LaunchKind, LtiAccount, LtiRegistration
from app.domain.people import Person
from app.http.policies import Policy, Who
from tests.security.matrix.cases import Case, anybody, scoped, staff
from tests.support.house import House

_HERE, _SETTINGS = "/lti/{slug}", "/gestion/{slug}/cours"
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
    f"GET {_HERE}/connexion": anybody(404),
    f"POST {_HERE}/connexion": Case(Policy(Who.ANYBODY), 404, {}, speaks_for_itself=True),
    f"POST {_HERE}/lancement": Case(Policy(Who.ANYBODY), 401, {}, speaks_for_itself=True),
    f"GET {_HERE}/cles.json": anybody(),
    f"GET {_HERE}/cours": _launched(),
    f"POST {_HERE}/cours/relier": _launched(303, {}),
    f"POST {_HERE}/cours/delier": _launched(303, {}, uses_up=True),
    f"POST {_HERE}/cours/activite": _launched(422, {}),
    # No activity is chosen for the course yet.
    f"POST {_HERE}/cours/liste": _launched(409, {}),
    f"GET {_HERE}/cours/resultats": _launched(409),
    f"POST {_HERE}/cours/resultats": _launched(409, {"note": "x"}),
    f"POST {_HERE}/cours/badge": _launched(422, {}),
    f"GET {_SETTINGS}": staff(Permission.MANAGE),
    f"POST {_SETTINGS}": staff(Permission.MANAGE, 422, {}),
    f"POST {_SETTINGS}/cle": staff(Permission.MANAGE, 303, {}),
    f"POST {_SETTINGS}/{{platform_id:uuid}}/essayer": staff(Permission.MANAGE, 404, {}),
    f"POST {_SETTINGS}/{{platform_id:uuid}}/retirer": staff(Permission.MANAGE, 404, {}),
}


def launch_secret(house: House, campus: Campus, person: Person) -> str:
    """Of a browser that came from a course whose teacher linked their account."""
    told = LtiRegistration(
        "Moodle", _ISSUER, "client", ("1",), f"{_ISSUER}/keys", f"{_ISSUER}/token", f"{_ISSUER}/authorize"
    )
    with house.unit_of_work() as services:
        known = services.lti.platforms(campus)
        platform = known[0] if known else services.lti.register(campus, told, by=Actor(person.id))
        subject = str(uuid.uuid4())
        services.lti.store.save(
            LtiAccount(
                campus_id=campus.id,
                platform_id=platform.id,
                subject=subject,
                person_id=person.id,
                linked_at=house.clock(),
            )
        )
        launch = Launch(LaunchKind.RESOURCE, subject, "1", ("Instructor",), context="c-1", title="Cours",
                        memberships_url=f"{_ISSUER}/members", line_items_url=f"{_ISSUER}/items")  # fmt: skip
        return services.lti.open(campus, platform.id, launch)
