"""What a worker carries out: kinds of promises that are kept as rows of the domain."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.container import Process


@dataclass(frozen=True)
class Kind:
    """One kind of promise.

    `due` names the rows that wait for somebody, the longest waiting first, some hundreds at most.
    `perform` does one piece of what a row promises in units of work of its own, and answers whether more is
    left. It may be called again for a piece that is done, even by two workers at once: the row decides.
    """

    name: str
    due: Callable[[Process], Sequence[uuid.UUID]]
    perform: Callable[[Process, uuid.UUID], bool]
    at_once: int = 2
    """How many of the kind one worker carries out together."""


MOST_DUE = 200
