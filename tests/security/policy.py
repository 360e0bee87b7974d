"""Who may use each address of the application: the one table that the matrix is made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Who(Enum):
    ANYBODY = auto()
    GUEST = auto()
    """Anybody; whoever works somewhere is sent to their desk."""
    STAFF = auto()
    """Trainers and administrators of the campus; for others of the campuses it is as good as absent."""
    STAFF_ANYWHERE = auto()
    HOLDER = auto()
    """The browser that was shown the private link of that very award."""
    TOKEN = auto()
    """A program whose token has the scope, in the campus of the token."""


@dataclass(frozen=True)
class Policy:
    """`good` is the status for whoever may; it shows that the request got past the door, not that all is well in it."""

    who: Who
    good: int = 200
    scope: str = ""
    body: Any = None
    """A JSON body, or the fields of a form."""
    uses_up: bool = False
    """It ends or opens sessions: each caller comes with new ones."""


def scoped(scope: str, good: int = 200, body: Any = None) -> Policy:
    return Policy(Who.TOKEN, good, scope, body)


_ANYBODY, _STAFF, _HOLDER = Policy(Who.ANYBODY), Policy(Who.STAFF), Policy(Who.HOLDER)
_READ = scoped("read")
_PREFLIGHT = Policy(Who.ANYBODY, 204)
_WORDING = {
    "kind": "participation",
    "name": "Atelier",
    "description": "Un atelier.",
    "criteria": "A pris part." * 3,
}

POLICIES: dict[str, Policy] = {
    # --- anybody's pages
    "GET /": _ANYBODY,
    "GET /static/{path:path}": _ANYBODY,
    "GET /couleurs/tous.css": _ANYBODY,
    "GET /couleurs/{slug}.css": _ANYBODY,
    "GET /langue/{code}": Policy(Who.ANYBODY, 303),
    "GET /aide": _ANYBODY,
    "GET /ob2/attributions/{award_id:uuid}": _ANYBODY,
    "GET /ob2/attributions/{award_id:uuid}.png": _ANYBODY,
    "GET /ob2/badges/{badge_id:uuid}/v{number}": _ANYBODY,
    "GET /ob2/campus/{slug}": _ANYBODY,
    "GET /donnees-personnelles": _ANYBODY,
    "GET /accessibilite": _ANYBODY,
    "GET /mentions-legales": _ANYBODY,
    "GET /verifier": _ANYBODY,
    "POST /verifier": Policy(Who.ANYBODY, 422, body={}),
    # --- signing in and out
    "GET /connexion": Policy(Who.GUEST),
    "POST /connexion": Policy(Who.ANYBODY, body={"adresse": "personne@exemple.fr"}),
    "GET /connexion/{secret}": _ANYBODY,
    "POST /connexion/{secret}": Policy(Who.ANYBODY, 401, body={}),
    "POST /deconnexion": Policy(Who.ANYBODY, 303, body={}, uses_up=True),
    # --- the learner's
    "GET /recevoir/{token}": Policy(Who.ANYBODY, 303, uses_up=True),
    "GET /mes-badges": _ANYBODY,
    "POST /mes-badges/quitter": Policy(Who.ANYBODY, 303, body={}, uses_up=True),
    "GET /mes-badges/{award_id:uuid}": _HOLDER,
    "GET /mes-badges/{award_id:uuid}/badge.{form}": _HOLDER,
    "POST /mes-badges/{award_id:uuid}/visibilite": Policy(Who.HOLDER, 303, body={"vue": "ouvert"}),
    "POST /mes-badges/{award_id:uuid}/nom": Policy(Who.HOLDER, 303, body={"nom": "oui"}),
    # --- a campus's people
    "GET /gestion": Policy(Who.STAFF_ANYWHERE, 303),
    "GET /gestion/{slug}": _STAFF,
    "GET /gestion/{slug}/activites": _STAFF,
    "GET /gestion/{slug}/activites/nouvelle": _STAFF,
    "POST /gestion/{slug}/activites/nouvelle": Policy(Who.STAFF, 422, body={}),
    "GET /gestion/{slug}/activites/{activity_id}": _STAFF,
    "POST /gestion/{slug}/activites/{activity_id}/participants": Policy(Who.STAFF, 422, body={}),
    "GET /gestion/{slug}/activites/{activity_id}/participants/{participation_id}": _STAFF,
    "POST /gestion/{slug}/activites/{activity_id}/participants/{participation_id}": Policy(
        Who.STAFF, 422, body={"heures": "beaucoup"}
    ),
    "GET /gestion/{slug}/activites/{activity_id}/attribuer": _STAFF,
    "POST /gestion/{slug}/activites/{activity_id}/attribuer": Policy(Who.STAFF, 422, body={}),
    "GET /gestion/{slug}/resultats/{batch_id}": _STAFF,
    "GET /gestion/{slug}/resultats/{batch_id}/refus.csv": _STAFF,
    "GET /gestion/{slug}/resultats/{batch_id}/liens.csv": _STAFF,
    "GET /gestion/{slug}/attributions": _STAFF,
    "GET /gestion/{slug}/attributions/{award_id}": _STAFF,
    "GET /gestion/{slug}/attributions/{award_id}/retirer": _STAFF,
    "POST /gestion/{slug}/attributions/{award_id}/retirer": Policy(Who.STAFF, 422, body={}),
    # --- what the world reads
    "GET /attributions/{award_id:uuid}": _ANYBODY,
    "GET /attributions/{award_id:uuid}.{extension}": _ANYBODY,
    "GET /badges/{badge_id:uuid}": _ANYBODY,
    "GET /badges/{badge_id:uuid}/v{number}": _ANYBODY,
    "GET /badges/{badge_id:uuid}/v{number}/image.{form}": _ANYBODY,
    "GET /campus/{slug}": _ANYBODY,
    "GET /campus/{slug}/did.json": _ANYBODY,
    "GET /statuts/{list_id:uuid}": _ANYBODY,
    "GET /.well-known/did.json": _ANYBODY,
    "GET /.well-known/jwks.json": _ANYBODY,
    "OPTIONS /attributions/{award_id:uuid}": _PREFLIGHT,
    "OPTIONS /attributions/{award_id:uuid}.{extension}": _PREFLIGHT,
    "OPTIONS /badges/{badge_id:uuid}": _PREFLIGHT,
    "OPTIONS /badges/{badge_id:uuid}/v{number}": _PREFLIGHT,
    "OPTIONS /campus/{slug}": _PREFLIGHT,
    "OPTIONS /campus/{slug}/did.json": _PREFLIGHT,
    "OPTIONS /statuts/{list_id:uuid}": _PREFLIGHT,
    "OPTIONS /.well-known/did.json": _PREFLIGHT,
    "OPTIONS /.well-known/jwks.json": _PREFLIGHT,
    "GET /health/live": _ANYBODY,
    "GET /health/ready": _ANYBODY,
    # --- programs
    "GET /api/v1/openapi.json": _ANYBODY,
    "POST /api/v1/verify": Policy(Who.ANYBODY, body={"not": "a badge"}),
    "GET /api/v1/campuses/{slug}/competencies": _READ,
    "GET /api/v1/campuses/{slug}/competencies/{competency_id}": _READ,
    "POST /api/v1/campuses/{slug}/competencies": scoped("badge:write", 422, {}),
    "GET /api/v1/campuses/{slug}/badges": _READ,
    "GET /api/v1/campuses/{slug}/badges/{badge_id}": _READ,
    "POST /api/v1/campuses/{slug}/badges": scoped("badge:write", 422, {}),
    "POST /api/v1/campuses/{slug}/badges/{badge_id}/versions": scoped("badge:write", 201, _WORDING),
    "GET /api/v1/campuses/{slug}/activities": _READ,
    "GET /api/v1/campuses/{slug}/activities/{activity_id}": _READ,
    "POST /api/v1/campuses/{slug}/activities": scoped("activity:write", 422, {}),
    "GET /api/v1/campuses/{slug}/activities/{activity_id}/participations": _READ,
    "POST /api/v1/campuses/{slug}/activities/{activity_id}/participations": scoped(
        "activity:write", 200, [{"family_name": "Petit"}]
    ),
    "POST /api/v1/campuses/{slug}/awards": scoped("award:create", 422, {}),
    "GET /api/v1/campuses/{slug}/awards": _READ,
    "GET /api/v1/campuses/{slug}/awards/{award_id}": _READ,
    "POST /api/v1/campuses/{slug}/awards/{award_id}/revocation": scoped(
        "award:revoke", 200, {"reason": "Attribué par erreur."}
    ),
}  # fmt: skip
