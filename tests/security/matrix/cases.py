"""What a case of the table of policies is, and short ways to write one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.domain.accounts.permissions import Permission, Role
from app.domain.accounts.sessions import Scope
from app.domain.learners.connected_apps import AppScope
from app.http.policies import Policy, Who

# Every role × every deed, by the order of `Deed`: view work award revoke design review manage audit export correct protect.
GRID = {
    Role.CAMPUS_ADMIN: "x x x x x x x x x x -",
    Role.DESIGNER:     "x - - - x - - - - - -",
    Role.TRAINER:      "x x x x - - - - - - -",
    Role.REVIEWER:     "x - - - - x - - - - -",
    Role.AUDITOR:      "x - - - - - - x - - -",
    Role.DPO:          "x - - - - - - - x x x",
}  # fmt: skip
ROLES_MAY = {
    role: frozenset(deed for deed, mark in zip(Permission, marks.split(), strict=True) if mark == "x")
    for role, marks in GRID.items()
}


@dataclass(frozen=True)
class Case:
    """`good` is the status for whoever may; it shows that the request got past the door, not that all is well in it."""

    policy: Policy
    good: int = 200
    body: Any = None
    """A JSON body, or the fields of a form."""
    uses_up: bool = False
    """It ends or opens sessions: each caller comes with new ones."""
    ends_all: bool = False
    """It ends sessions of other browsers too: each caller is somebody who has no other use."""
    elsewhere: int = 200
    of_no_campus: bool = False
    """Its address names no campus: a token of any campus is as good as another's."""
    speaks_for_itself: bool = False
    """Its address is the proof, and programs send it without any page of ours."""
    """For somebody signed in who works nowhere."""


def anybody(good: int = 200, body: Any = None, *, uses_up: bool = False) -> Case:
    return Case(Policy(Who.ANYBODY), good, body, uses_up)


def holder(good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.HOLDER), good, body)


def staff(deed: Permission, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.STAFF, deed=deed), good, body)


def scoped(scope: str, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.TOKEN, scope=Scope(scope)), good, body)


def connected(scope: AppScope, good: int = 200, body: Any = None) -> Case:
    return Case(Policy(Who.APP, scope=scope), good, body)


def signed_in(good: int = 200, body: Any = None, *, ends_all: bool = False) -> Case:
    return Case(Policy(Who.SIGNED_IN), good, body, uses_up=ends_all, ends_all=ends_all, elsewhere=good)
