"""Expected policies of the routes of portfolios, imported badges, and files for search engines."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from app.http.request_scope import Policy, Who
from tests.security.matrix.cases import Case, anybody, holder, staff

_ANYBODY, _HOLDER = anybody(), holder()

OF_PORTFOLIOS: dict[str, Case] = {
    "GET /mes-badges/portfolio": Case(Policy(Who.ANYBODY)),
    "POST /mes-badges/portfolio": anybody(303, body={}),
    "GET /mes-badges/portfolio/{portfolio_id:uuid}": _HOLDER,
    "POST /mes-badges/portfolio/{portfolio_id:uuid}": holder(303, body={"recherche": "oui"}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/visibilite": holder(303, body={"vue": "ouvert"}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/badges": holder(303, body={}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/groupes": holder(422, body={"titre": ""}),
    "POST /mes-badges/portfolio/{portfolio_id:uuid}/liens": holder(303, body={"arreter": "oui"}),
    "GET /portfolio/{portfolio_id:uuid}/pour/{link}": anybody(403),
    "GET /portfolio/{portfolio_id:uuid}/code.svg": _ANYBODY,
    "GET /mes-badges/portfolio/{portfolio_id:uuid}/apercu": _HOLDER,
    "GET /mes-badges/portfolio/{portfolio_id:uuid}/code.{form}": _HOLDER,
    "GET /mes-badges/portfolio/{portfolio_id:uuid}/fichiers/{taken}": _HOLDER,
    "POST /mes-badges/{award_id:uuid}/recherche": holder(303, body={"recherche": "oui"}),
    "GET /mes-badges/ailleurs": _ANYBODY,
    "POST /mes-badges/ailleurs": anybody(303, body={}),
    "GET /mes-badges/ailleurs/{imported_id:uuid}": _HOLDER,
    "POST /mes-badges/ailleurs/{imported_id:uuid}": holder(303, body={"geste": "cacher"}),
    "POST /mes-badges/ailleurs/{imported_id:uuid}/revoir": holder(303, body={}),
    "GET /portfolio/{portfolio_id:uuid}/ailleurs/{imported_id:uuid}": anybody(404),
    "GET /robots.txt": _ANYBODY,
    "GET /sitemap.xml": _ANYBODY,
    "GET /sitemap/{name}-{number}.xml": _ANYBODY,
    "GET /nouveautes.atom": _ANYBODY,
    "GET /favicon.ico": anybody(302),
    "GET /apple-touch-icon.png": anybody(302),
    "GET /site.webmanifest": _ANYBODY,
    "GET /badges": _ANYBODY,
    "GET /competences": _ANYBODY,
    "GET /activites": _ANYBODY,
    "GET /campus": _ANYBODY,
    "GET /reseaux": _ANYBODY,
    "GET /labels": _ANYBODY,
    "GET /competences/{competency_id:uuid}": _ANYBODY,
    "GET /metiers": _ANYBODY,
    "GET /metiers/{code}": anybody(404),
    "GET /campus/{slug}/livret": anybody(409),
    "GET /campus/{slug}/livret.pdf": anybody(409),
    "GET /competences/{competency_id:uuid}/v{number}": _ANYBODY,
    "GET /activites/{activity_id:uuid}": anybody(404),
    "GET /gestion/{slug}/activites/{activity_id:uuid}/annonce": staff(Permission.WORK),
    "POST /gestion/{slug}/activites/{activity_id:uuid}/annonce": staff(
        Permission.WORK, 422, body={"inscription": "javascript:x"}
    ),
    "GET /portfolio/{portfolio_id:uuid}": _ANYBODY,
    "GET /portfolio/{portfolio_id:uuid}/carte.png": _ANYBODY,
    "GET /portfolio/{portfolio_id:uuid}/integrer": _ANYBODY,
}
