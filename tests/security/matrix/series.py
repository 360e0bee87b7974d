"""The same table for the sessions of a series, and for who was there."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from tests.security.matrix.cases import Case, scoped, staff

_PAGES = "/gestion/{slug}/activites/{activity_id}/seances"
_API = "/api/v1/campuses/{slug}/activities/{activity_id}/sessions"

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
    f"GET {_API}": scoped("read"),
    f"POST {_API}": scoped("activity:write", 409, {"held_on": "2026-11-24"}),
    f"PUT {_API}/{{session_id}}": scoped("activity:write", 200, {"held_on": "2026-11-24", "hours": 2}),
}
