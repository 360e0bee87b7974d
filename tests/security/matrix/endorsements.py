"""Expected policies of the routes of endorsements and endorsing organisations."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from tests.security.matrix.cases import Case, anybody, holder, scoped, staff

_ANYBODY, _PREFLIGHT = anybody(), anybody(204)
_ORGANISATION = "/organisations/{organisation_id:uuid}"
_ONE = "/recommandations/{endorsement_id:uuid}"

OF_ENDORSEMENTS: dict[str, Case] = {
    f"GET {_ONE}": _ANYBODY,
    f"GET {_ONE}.{{extension}}": _ANYBODY,
    f"GET {_ORGANISATION}": _ANYBODY,
    f"GET {_ORGANISATION}/did.json": _ANYBODY,
    f"GET {_ORGANISATION}/statuts": _ANYBODY,
    f"OPTIONS {_ONE}": _PREFLIGHT,
    f"OPTIONS {_ONE}.{{extension}}": _PREFLIGHT,
    f"OPTIONS {_ORGANISATION}": _PREFLIGHT,
    f"OPTIONS {_ORGANISATION}/did.json": _PREFLIGHT,
    f"OPTIONS {_ORGANISATION}/statuts": _PREFLIGHT,
    f"POST {_ORGANISATION}/lien": anybody(303, body={}),
    "GET /organisations/gerer/{token}": anybody(401),
    "POST /organisations/gerer/{token}": anybody(401, body={"recommandation": "0" * 32}),
    "GET /recommander/{token}": anybody(404),
    "POST /recommander/{token}": anybody(404, body={}),
    "GET /recommandations/retirer/{token}": anybody(404),
    "POST /recommandations/retirer/{token}": anybody(404, body={}),
    "GET /mes-badges/{award_id:uuid}/recommandations": holder(),
    "POST /mes-badges/{award_id:uuid}/recommandations": holder(422, body={}),
    "POST /mes-badges/{award_id:uuid}/recommandations/montrer": holder(303, body={}),
    # --- peer recommendations
    **{f"GET /temoigner/{rest}{{token}}": anybody(404) for rest in ("", "ecrire/", "retirer/")},
    **{f"POST /temoigner/{rest}{{token}}": anybody(404, body={}) for rest in ("", "ecrire/", "retirer/")},
    "POST /mes-badges/{award_id:uuid}/recommandations/personnes": holder(422, body={}),
    "POST /mes-badges/{award_id:uuid}/recommandations/personnes/lien": holder(303, body={}),
    "POST /mes-badges/{award_id:uuid}/recommandations/personnes/decision": holder(303, body={}),
    "POST /gestion/{slug}/recommandations/personnes/{recommendation_id:uuid}": staff(
        Permission.MANAGE, 404, body={}
    ),
    "GET /gestion/{slug}/recommandations": staff(Permission.VIEW),
    "POST /gestion/{slug}/recommandations": staff(Permission.WORK, 422, body={}),
    "POST /gestion/{slug}/recommandations/{endorsement_id:uuid}": staff(Permission.MANAGE, 422, body={}),
    "GET /api/v1/campuses/{slug}/endorsements": scoped("read"),
}
