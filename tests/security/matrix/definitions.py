"""The same table for definitions that a network shares. Its administrators are in `tests/web/badges`: here no network has the campus's name."""

from __future__ import annotations

from app.domain.accounts.permissions import Permission
from app.http.policies import Policy, Who
from tests.security.matrix.cases import Case, anybody, staff

_CAMPUS, _PUBLIC, _NETWORK = (
    "/gestion/{slug}/definitions",
    "/reseau/{slug}/definitions",
    "/reseau/{slug}/gestion",
)
_ONE = "/{definition_id:uuid}"


def _of_network(body: object = None) -> Case:
    return Case(Policy(Who.NETWORK), 404, body)


DEFINITIONS: dict[str, Case] = {
    f"GET {_CAMPUS}": staff(Permission.VIEW),
    f"POST {_CAMPUS}": staff(Permission.MANAGE, 422, body={}),
    f"GET {_CAMPUS}{_ONE}": staff(Permission.VIEW, 404),
    f"POST {_CAMPUS}{_ONE}/adopter": staff(Permission.MANAGE, 404, body={}),
    f"POST {_CAMPUS}{_ONE}/decider": staff(Permission.MANAGE, 404, body={}),
    f"POST {_CAMPUS}{_ONE}/proposer": staff(Permission.MANAGE, 404, body={}),
    f"POST {_CAMPUS}{_ONE}/quitter": staff(Permission.MANAGE, 404, body={}),
    f"GET {_PUBLIC}": anybody(404),
    f"GET {_PUBLIC}{_ONE}": anybody(404),
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
    f"POST {_NETWORK}{_ONE}/retirer": _of_network({}),
    f"POST {_NETWORK}{_ONE}/reprendre": _of_network({}),
}
