"""Run as a plugin of pytest: learns which test runs which line, then lets the tests look for one fault after another."""

from __future__ import annotations

import ast
import gc
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from random import Random
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

from tests.mutation.faults import Fault, faults_of

_CACHED = type(lru_cache(len))
KILLED, SURVIVED, NOT_RUN = "killed", "survived", "run by no test"
NOT_MADE = "could not be made"
_AGAIN = ("sceau_credentials", "tests.", "fuzz.")
_SOURCES = Path("packages/sceau_credentials/src")
_ANYWHERE = (Path(), 0)
_EXITS = [SURVIVED, KILLED, NOT_MADE]
_CLOSEST = 3

_Timed = list[tuple[float, int]]
"""How long a test took, and its place among them all."""


@dataclass(frozen=True)
class Mutant:
    path: Path
    number: int | None
    fault: Fault
    tree: ast.Module = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.fault}"

    @cached_property
    def code(self) -> CodeType:
        """Asked for in the mutant's own process alone: the tree is changed for good."""
        if self.number is not None:
            self.fault.put()
        return compile(ast.fix_missing_locations(self.tree), str(self.path.resolve()), "exec")


class MutationRun:
    """Each mutant lives in a process forked after all tests were collected; the quickest test that runs its line goes first."""

    def __init__(
        self,
        paths: list[Path],
        *,
        processes: int,
        patience: float,
        sample: int | None,
        again: frozenset[str] | None,
        report: Any,
    ) -> None:
        self.paths = {path.resolve(): path for path in paths}
        self.processes = processes
        self.sample = sample
        self.again = again
        self.patience = patience
        self.report = report
        self.outcomes: dict[str, list[Mutant]] = {each: [] for each in (KILLED, SURVIVED, NOT_RUN, NOT_MADE)}
        self.controls_noticed = 0
        self._failed = False
        self._running: dict[int, Mutant] = {}
        self._items: list[pytest.Item] = []
        self._found: defaultdict[tuple[Path, int], _Timed] = defaultdict(list)
        self._lines: defaultdict[tuple[Path, Path], set[int]] = defaultdict(set)
        """Of a file, by the file of the tests that run them."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = session.items
        self._first_run()
        held = _Held()
        gc.collect()
        gc.freeze()  # so that a mutant's own process shares what is here with this one
        for path in self.paths.values():
            mutants = [
                mutant
                for mutant in _mutants(path, self.sample)
                if self.again is None or mutant.number is None or str(mutant) in self.again
            ]
            for mutant in mutants:
                chosen = self._tests_of(mutant)
                if chosen:
                    self._start(mutant, chosen, held)
                else:
                    self._note(mutant, NOT_RUN)
            while self._running:
                self._await_one()
            tried = sum(mutant.number is not None for mutant in mutants)
            self._say(f"{path}: {self.killed(path)} of {tried} noticed")
        return True

    def killed(self, path: Path) -> int:
        return sum(mutant.path == path for mutant in self.outcomes[KILLED])

    def _first_run(self) -> None:
        """Which test runs which line; under line 0 those that run anything of the file."""
        files = {str(path) for path in self.paths}
        for index, item in enumerate(self._items):
            seen: set[tuple[str, int]] = set()
            sys.settrace(_tracer(seen, files))
            begun, self._failed = time.process_time(), False
            try:
                _run(item, self._items[index + 1] if index + 1 < len(self._items) else None)
            finally:
                sys.settrace(None)
            took = time.process_time() - begun
            if self._failed:
                self._say(f"left out, as it fails with nothing changed: {item.nodeid}")
                continue
            places = {(Path(path), line) for path, line in seen}
            for place in places | {(path, 0) for path, _ in places} | {_ANYWHERE}:
                self._found[place].append((took, index))
            for path, line in places:
                self._lines[path, item.path].add(line)
        for timed in self._found.values():
            timed.sort()

    def _tests_of(self, mutant: Mutant) -> list[list[pytest.Item]]:
        """Those that run its line, or the line where its statement begins; in the order in which they are asked."""
        path, last = mutant.path.resolve(), mutant.fault.line
        if mutant.fault.function:
            lines = range(last, last - 15, -1)
            timed: _Timed = next(
                (self._found[path, line] for line in lines if (path, line) in self._found), []
            )
            return [self._quickest(timed)] if timed else []
        timed = self._found[path, 0] or self._found[_ANYWHERE]
        by_lines = sorted(
            {self._items[index].path for _, index in timed}, key=lambda tests: -len(self._lines[path, tests])
        )
        close = [each for each in timed if self._items[each[1]].path in by_lines[:_CLOSEST]]
        first = self._quickest(close)
        others = [item for item in self._quickest(timed) if item not in first]
        return [asked for asked in (first, others) if asked]

    def _quickest(self, timed: _Timed) -> list[pytest.Item]:
        chosen, spent = [], 0.0
        for took, index in timed:
            spent += took
            if spent > self.patience:
                break
            chosen.append(self._items[index])
        return chosen

    def _start(self, mutant: Mutant, chosen: list[list[pytest.Item]], held: _Held) -> None:
        while len(self._running) >= self.processes:
            self._await_one()
        sys.stdout.flush()
        child = os.fork()
        if not child:
            self._in_child(mutant, chosen, held)
        self._running[child] = mutant

    def _in_child(self, mutant: Mutant, chosen: list[list[pytest.Item]], held: _Held) -> None:
        """Never returns: the exit status is the outcome."""
        outcome = NOT_MADE
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            imports = 0 if mutant.fault.function else 60
            signal.setitimer(signal.ITIMER_PROF, 2 * self.patience + 5 + imports)  # ends what runs for ever
            outcome = KILLED if self._noticed(mutant, chosen, held) else SURVIVED
        finally:
            os._exit(_EXITS.index(outcome))

    def _noticed(self, mutant: Mutant, chosen: list[list[pytest.Item]], held: _Held) -> bool:
        if not mutant.fault.function:
            return any(_tests_fail_on_new_modules(mutant, items) for items in chosen)
        held.change(mutant)
        self._failed = False
        for items in chosen:
            for item, following in zip(items, [*items[1:], None], strict=True):
                _run(item, following)
                if self._failed:
                    return True
        return False

    def _await_one(self) -> None:
        child, status = os.wait()
        ended = KILLED if os.WIFSIGNALED(status) else _EXITS[os.WEXITSTATUS(status)]
        self._note(self._running.pop(child), ended)

    def _note(self, mutant: Mutant, outcome: str) -> None:
        if mutant.number is None:
            if outcome in (KILLED, NOT_MADE):
                self.controls_noticed += 1
                self._say(
                    f"with nothing changed: {outcome}: {mutant.path}, {mutant.fault.function or '(module)'}"
                )
            return
        self.outcomes[outcome].append(mutant)
        if outcome != KILLED:
            self._say(f"{outcome}: {mutant}")

    def _say(self, line: str) -> None:
        print(line, file=self.report, flush=True)


def _mutants(path: Path, sample: int | None) -> Iterator[Mutant]:
    """The file's faults, after two that change nothing: were those noticed, no other answer would mean anything."""
    tree = ast.parse(path.read_text())
    faults = faults_of(tree)
    yield from (Mutant(path, None, fault, tree) for fault in _first_of_each_way(faults))
    numbers: Sequence[int] = range(len(faults))
    if sample is not None and sample < len(faults):
        numbers = sorted(Random(str(path)).sample(numbers, sample))
    yield from (Mutant(path, number, faults[number], tree) for number in numbers)


def _first_of_each_way(faults: list[Fault]) -> list[Fault]:
    inside = [fault for fault in faults if fault.function]
    outside = [fault for fault in faults if not fault.function]
    return [*inside[:1], *outside[:1]]


def _run(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _tracer(seen: set[tuple[str, int]], files: set[str]) -> Any:
    def line(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    return call


class _Held:
    """The functions that are loaded, by their file, and what is kept of their answers: looked for once."""

    def __init__(self) -> None:
        self._functions: defaultdict[str, list[FunctionType]] = defaultdict(list)
        self._kept: list[Any] = []
        gc.unfreeze()  # what the tests froze after they were collected is not listed otherwise
        for held in gc.get_objects():
            if isinstance(held, _CACHED) and held.__module__.startswith(("app.", "sceau_credentials")):
                self._kept.append(held)
            elif isinstance(held, FunctionType):
                self._functions[held.__code__.co_filename].append(held)

    def change(self, mutant: Mutant) -> None:
        """Give the functions of its file the changed code, wherever they were imported."""
        code = _code_of(mutant.code, mutant.fault.function)
        assert code is not None
        changed = {each.co_qualname: each for each in _inner(code)}
        for kept in self._kept:
            kept.cache_clear()
        for held in self._functions[code.co_filename]:
            # A function made inside it when its module was loaded is held somewhere too.
            other = changed.get(held.__code__.co_qualname, held.__code__)
            if len(other.co_freevars) == len(held.__code__.co_freevars):
                held.__code__ = other


def _code_of(code: CodeType, function: str) -> CodeType | None:
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    for const in inner:
        if const.co_qualname == function:
            return const
    return next((found for const in inner if (found := _code_of(const, function))), None)


def _inner(code: CodeType) -> Iterator[CodeType]:
    """This code and what is defined inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _inner(const)


class _ChangedModule(SourceFileLoader):
    def __init__(self, name: str, mutant: Mutant) -> None:
        super().__init__(name, str(mutant.path.resolve()))
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        return self._mutant.code


class _Finder(MetaPathFinder):
    """Finds the changed module in the place of the true one."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        path = mutant.path.with_suffix("").relative_to(_SOURCES)
        self._name = ".".join(path.parent.parts if path.name == "__init__" else path.parts)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, loader=_ChangedModule(fullname, self._mutant))


def _tests_fail_on_new_modules(mutant: Mutant, chosen: list[pytest.Item]) -> bool:
    """A value that a module defines may be anywhere by now: import the library and its tests again."""
    for name in [name for name in sys.modules if name.startswith(_AGAIN)]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder(mutant))
    names = [item.nodeid for item in chosen]
    return pytest.main(["-x", "-q", "-s", "-n", "0", "-p", "no:cacheprovider", *names]) != pytest.ExitCode.OK
