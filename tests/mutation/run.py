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
from dataclasses import dataclass
from functools import lru_cache
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
_AGAIN = ("app.credentials", "tests.", "fuzz.")
_ANYWHERE = (Path(), 0)
_EXITS = [SURVIVED, KILLED, NOT_MADE]


@dataclass(frozen=True)
class Mutant:
    path: Path
    number: int | None
    fault: Fault

    def __str__(self) -> str:
        return f"{self.path}:{self.fault}"


class MutationRun:
    """Each mutant lives in a process forked after all tests were collected; the quickest test that runs its line goes first."""

    def __init__(
        self, paths: list[Path], *, processes: int, patience: float, sample: int | None, report: Any
    ) -> None:
        self.paths = {path.resolve(): path for path in paths}
        self.processes = processes
        self.sample = sample
        self.patience = patience
        self.report = report
        self.outcomes: dict[str, list[Mutant]] = {each: [] for each in (KILLED, SURVIVED, NOT_RUN, NOT_MADE)}
        self.controls_noticed = 0
        self._failed = False
        self._running: dict[int, Mutant] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        tests = self._first_run(session.items)
        for path in self.paths.values():
            mutants = list(_mutants(path, self.sample))
            for mutant in mutants:
                chosen = _tests_of(mutant, tests)
                if chosen:
                    self._start(mutant, chosen)
                else:
                    self._note(mutant, NOT_RUN)
            while self._running:
                self._await_one()
            tried = sum(mutant.number is not None for mutant in mutants)
            self._say(f"{path}: {self.killed(path)} of {tried} noticed")
        return True

    def killed(self, path: Path) -> int:
        return sum(mutant.path == path for mutant in self.outcomes[KILLED])

    def _first_run(self, items: list[pytest.Item]) -> defaultdict[tuple[Path, int], list[pytest.Item]]:
        """The tests of every line, the quickest first; under line 0 those that run anything of the file."""
        found: defaultdict[tuple[Path, int], list[tuple[float, int]]] = defaultdict(list)
        for index, item in enumerate(items):
            seen: set[tuple[str, int]] = set()
            sys.settrace(_tracer(seen, {str(path) for path in self.paths}))
            begun, self._failed = time.process_time(), False
            try:
                _run(item, items[index + 1] if index + 1 < len(items) else None)
            finally:
                sys.settrace(None)
            took = time.process_time() - begun
            if self._failed:
                self._say(f"left out, as it fails with nothing changed: {item.nodeid}")
                continue
            places = {(Path(path), line) for path, line in seen}
            for place in places | {(path, 0) for path, _ in places} | {_ANYWHERE}:
                found[place].append((took, index))
        ordered: defaultdict[tuple[Path, int], list[pytest.Item]] = defaultdict(list)
        for place, timed in found.items():
            spent = 0.0
            for took, index in sorted(timed):
                spent += took
                if spent > self.patience:
                    break
                ordered[place].append(items[index])
        return ordered

    def _start(self, mutant: Mutant, chosen: list[pytest.Item]) -> None:
        while len(self._running) >= self.processes:
            self._await_one()
        sys.stdout.flush()
        child = os.fork()
        if not child:
            self._in_child(mutant, chosen)
        self._running[child] = mutant

    def _in_child(self, mutant: Mutant, chosen: list[pytest.Item]) -> None:
        """Never returns: the exit status is the outcome."""
        outcome = NOT_MADE
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            signal.setitimer(signal.ITIMER_PROF, 2 * self.patience + 5)  # SIGPROF ends what runs for ever
            outcome = KILLED if self._noticed(mutant, chosen) else SURVIVED
        finally:
            os._exit(_EXITS.index(outcome))

    def _noticed(self, mutant: Mutant, chosen: list[pytest.Item]) -> bool:
        if not mutant.fault.function:
            return _tests_fail_on_new_modules(mutant, chosen)
        _change_function(mutant)
        self._failed = False
        for item, following in zip(chosen, [*chosen[1:], None], strict=True):
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
            self.controls_noticed += outcome != SURVIVED
            return
        self.outcomes[outcome].append(mutant)
        if outcome != KILLED:
            self._say(f"{outcome}: {mutant}")

    def _say(self, line: str) -> None:
        print(line, file=self.report, flush=True)


def _mutants(path: Path, sample: int | None) -> Iterator[Mutant]:
    """The file's faults, after two that change nothing: were those noticed, no other answer would mean anything."""
    faults = faults_of(ast.parse(path.read_text()))
    yield from (Mutant(path, None, fault) for fault in _first_of_each_way(faults))
    numbers: Sequence[int] = range(len(faults))
    if sample is not None and sample < len(faults):
        numbers = sorted(Random(str(path)).sample(numbers, sample))
    yield from (Mutant(path, number, faults[number]) for number in numbers)


def _first_of_each_way(faults: list[Fault]) -> list[Fault]:
    inside = [fault for fault in faults if fault.function]
    outside = [fault for fault in faults if not fault.function]
    return [*inside[:1], *outside[:1]]


def _tests_of(mutant: Mutant, tests: defaultdict[tuple[Path, int], list[pytest.Item]]) -> list[pytest.Item]:
    """Those that run its line, or the line where its statement begins."""
    path, last = mutant.path.resolve(), mutant.fault.line
    if not mutant.fault.function:
        return tests[(path, 0)] or tests[_ANYWHERE]
    return next((tests[(path, line)] for line in range(last, last - 15, -1) if tests[(path, line)]), [])


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


def _changed(mutant: Mutant) -> CodeType:
    tree = ast.parse(mutant.path.read_text())
    if mutant.number is not None:
        faults_of(tree)[mutant.number].put()
    return compile(ast.fix_missing_locations(tree), str(mutant.path.resolve()), "exec")


def _change_function(mutant: Mutant) -> None:
    """Give the functions that are loaded the changed code, wherever they were imported."""
    code = _code_of(_changed(mutant), mutant.fault.function)
    assert code is not None
    changed = {each.co_qualname: each for each in _inner(code)}
    for held in gc.get_objects():
        if isinstance(held, _CACHED) and held.__module__.startswith("app."):
            held.cache_clear()
        elif isinstance(held, FunctionType) and held.__code__.co_filename == code.co_filename:
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
        return _changed(self._mutant)


class _Finder(MetaPathFinder):
    """Finds the changed module in the place of the true one."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        path = mutant.path.with_suffix("")
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
