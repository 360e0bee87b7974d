"""Who may use the addresses of networks: their registers, lists and labels."""

from __future__ import annotations

from tests.security.matrix.cases import Case, anybody

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
