"""Expected policies of the routes of pathways: public, enrolled person, staff of the campus."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from tests.security.matrix.cases import Case, anybody, scoped, signed_in, staff

_ANYBODY, _VIEW, _DESIGN = anybody(), staff(Permission.VIEW), staff(Permission.DESIGN)
_MINE = "/mes-badges/parcours/{pathway_id:uuid}"
_HERE = "/gestion/{slug}/parcours"
_ONE = f"{_HERE}/{{pathway_id:uuid}}"
_FOLLOWER = f"{_ONE}/suivi/{{enrolment_id:uuid}}"
_DONE = staff(Permission.DESIGN, 303, body={})

# The pathway is archived until the last of these, and has no stage with the key in the path.
OF_PATHWAYS: dict[str, Case] = {
    "GET /parcours": _ANYBODY,
    "GET /parcours/{pathway_id:uuid}": _ANYBODY,
    f"GET {_MINE}": signed_in(404),
    f"POST {_MINE}/version": signed_in(404, body={}),
    f"POST {_MINE}/quitter": signed_in(303, body={}),
    f"POST {_MINE}/suivre": signed_in(303, body={}),
    "GET /mes-badges/modules": signed_in(),
    "GET /mes-badges/modules/{set_id:uuid}/attestation.pdf": signed_in(404),
    f"GET {_HERE}": _VIEW,
    f"GET {_HERE}/nouveau": _DESIGN,
    f"POST {_HERE}/nouveau": staff(Permission.DESIGN, 422, body={}),
    f"GET {_ONE}": _DESIGN,
    f"POST {_ONE}": staff(Permission.DESIGN, 422, body={}),
    f"GET {_ONE}/etapes/nouvelle": _DESIGN,
    f"POST {_ONE}/etapes/nouvelle": staff(Permission.DESIGN, 422, body={}),
    f"GET {_ONE}/etapes/{{key}}": staff(Permission.DESIGN, 404),
    f"POST {_ONE}/etapes/{{key}}": staff(Permission.DESIGN, 404, body={}),
    f"POST {_ONE}/etapes/{{key}}/retirer": _DONE,
    f"POST {_ONE}/etapes/{{key}}/monter": _DONE,
    f"POST {_ONE}/etapes/{{key}}/descendre": _DONE,
    f"POST {_ONE}/publier": _DONE,
    f"GET {_ONE}/suivi": staff(Permission.WORK),
    f"GET {_ONE}/suivi.csv": staff(Permission.EXPORT),
    f"GET {_FOLLOWER}": staff(Permission.WORK),
    f"POST {_FOLLOWER}/avis/{{key}}": staff(Permission.AWARD, 404, body={}),
    f"POST {_FOLLOWER}/avis/{{key}}/retirer": staff(Permission.AWARD, 303, body={}),
    f"POST {_FOLLOWER}/ecarter": staff(Permission.AWARD, 409, body={}),
    f"POST {_FOLLOWER}/rouvrir": staff(Permission.AWARD, 303, body={}),
    f"POST {_FOLLOWER}/attribuer": staff(Permission.AWARD, 409, body={}),
    f"GET {_HERE}/propositions": staff(Permission.AWARD),
    "GET /api/v1/pathways": _ANYBODY,
    "GET /api/v1/pathways/{pathway_id}": _ANYBODY,
    "GET /api/v1/campuses/{slug}/pathways/{pathway_id}/progress": scoped("pathway:read"),
    f"POST {_ONE}/archiver": _DONE,
    f"POST {_ONE}/reprendre": _DONE,
}
