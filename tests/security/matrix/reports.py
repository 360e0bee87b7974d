"""The same table for the report of a campus."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from tests.security.matrix.cases import Case, anybody, scoped, staff

_FACTS = "/gestion/{slug}/activites/{activity_id}/rapport"
_SURVEY = "/gestion/{slug}/activites/{activity_id}/enquete"
_API = "/api/v1/campuses/{slug}/activities/{activity_id}/report"

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
    f"GET {_API}": scoped("read"),
    f"PUT {_API}": scoped("activity:write", 200, {}),
}
