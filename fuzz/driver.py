"""Feeds a target, and keeps whatever leads it along lines of ours it had not yet run, to change it further."""

from __future__ import annotations

import math
import re
import sys
import time
from random import Random
from types import CodeType, FrameType
from typing import Any

from fuzz.mutation import mutated
from fuzz.targets import Target

_OURS = re.compile("/(app|sceau_credentials)/")
_MOST_KEPT = 2_000
_TRACED = 4  # one input in so many is traced; the others run at full speed


class Finding(Exception):
    """An input with which the target broke its promise."""

    def __init__(self, what: str, data: bytes) -> None:
        self.data = data
        super().__init__(what)


def feed(
    target: Target, seconds: float, seed: int | None = None, *, at_least: int = 0, patience: float = 1.0
) -> tuple[int, int]:
    """How many inputs were fed, and how many lines of ours they ran; Finding for the first that goes wrong.

    An input that takes more than `patience` seconds of CPU time goes wrong too.
    """
    random = Random(seed)
    kept = list(target.samples)
    lines = _Lines()
    for sample in kept:
        lines.add_new(target, sample)
    fed = len(kept)
    until = time.monotonic() + seconds
    while fed < at_least or time.monotonic() < until:
        data = mutated(random, random.choice(kept), target.samples)
        fed += 1
        if fed % _TRACED:
            _run(target, data, patience)
        elif lines.add_new(target, data) and len(data) < 100_000:
            if len(kept) >= _MOST_KEPT:
                kept[random.randrange(len(target.samples), _MOST_KEPT)] = data
            else:
                kept.append(data)
    return fed, len(lines)


def _run(target: Target, data: bytes, patience: float = math.inf) -> None:
    begun = time.process_time()
    try:
        target.run(data)
    except Exception as error:
        raise Finding(f"{type(error).__name__}: {error}"[:300], data) from error
    spent = time.process_time() - begun
    if spent > patience:
        raise Finding(f"took {spent:.1f} seconds", data)


class _Lines:
    """The lines of the application that were run at least once."""

    def __init__(self) -> None:
        self._seen: set[tuple[CodeType, int]] = set()
        self._new = False

    def __len__(self) -> int:
        return len(self._seen)

    def add_new(self, target: Target, data: bytes) -> bool:
        self._new = False
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            _run(target, data)
        finally:
            sys.settrace(before)
        return self._new

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._line if _OURS.search(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, _argument: Any) -> Any:
        place = (frame.f_code, frame.f_lineno)
        if event == "line" and place not in self._seen:
            self._seen.add(place)
            self._new = True
        return self._line
