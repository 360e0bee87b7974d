"""Access policy of each route: a mark on its handler, or a guard among its dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from app.domain.accounts.permissions import Permission
from app.domain.accounts.sessions import Scope
from app.domain.learners.connected_apps import AppScope

_NAME = "__policy__"
Marked = TypeVar("Marked", bound=Callable[..., Any])


class Who(Enum):
    ANYBODY = auto()
    GUEST = auto()
    """Anyone; a user with a role is redirected to their dashboard."""
    SIGNED_IN = auto()
    """Any authenticated user, whatever their campus."""
    HOLDER = auto()
    """The browser that was shown the private link of that very award, and its holder when signed in."""
    STAFF = auto()
    """A user with a role that has the permission in the campus; 404 for people of other campuses."""
    NETWORK = auto()
    """A user who administers the network; 404 for everyone else."""
    OPERATOR = auto()
    """An operator of the whole service, by token or signed in; 404 for everyone else."""
    LAUNCH = auto()
    """A browser that a course platform of the campus launched; it identifies a person only where an account is linked."""
    TOKEN = auto()
    """A program with a token of the required scope, in the campus of the token."""
    APP = auto()
    """An application that a learner connected, with a token of the required scope, for that learner alone."""


@dataclass(frozen=True)
class Policy:
    who: Who
    deed: Permission | None = None
    scope: Scope | AppScope | None = None


class NoPolicy(Exception):
    """A route with no policy or with two: the application does not start."""


def marked(policy: Policy) -> Callable[[Marked], Marked]:
    """For a guard, which enforces the policy itself, and for a handler with nothing to enforce."""

    def mark(subject: Marked) -> Marked:
        setattr(subject, _NAME, policy)
        return subject

    return mark


public = marked(Policy(Who.ANYBODY))
"""For a public handler; a mark costs the hot public documents nothing."""
guest = marked(Policy(Who.GUEST))


def policies(routes: Sequence[BaseRoute | RouteContext]) -> dict[str, Policy]:
    """The policy of each URL, as « GET /aide »; raises NoPolicy where a route has none."""
    found: dict[str, Policy] = {}
    for each in iter_route_contexts(routes):
        declared = set(_declared(each))
        where = f"{'/'.join(sorted(each.methods or ()))} {each.path}"
        if len(declared) != 1:
            raise NoPolicy(
                f"{where} declares {len(declared)} policies: exactly one is required (app/http/policies.py)"
            )
        policy = declared.pop()
        found.update({f"{method} {each.path}": policy for method in set(each.methods or ()) - {"HEAD"}})
    return found


def _declared(route: RouteContext) -> Iterator[Policy]:
    dependant = getattr(route, "dependant", None)
    calls: Iterable[Any] = _calls(dependant) if dependant is not None else (route.endpoint,)
    return (getattr(call, _NAME) for call in calls if hasattr(call, _NAME))


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)
