"""Every parser meets some hundreds of made-up inputs in each test run; `make fuzz` gives it ten minutes."""

from __future__ import annotations

from random import Random

import pytest

from fuzz.driver import Finding, feed
from fuzz.mutation import mutated
from fuzz.targets import TARGETS, Target
from tests.support.running.every import for_each


@for_each("name", TARGETS)
def test_nothing_but_the_promised_errors_comes_out_of(name: str) -> None:
    fed, lines = feed(TARGETS[name], seconds=0.3, seed=20260630, at_least=40)
    assert fed >= 40
    assert lines > 10


def test_an_error_that_was_not_promised_is_a_finding_with_its_input() -> None:
    def parser(data: bytes) -> None:
        if b"\0" in data:
            raise KeyError("untyped")

    with pytest.raises(Finding, match="KeyError") as finding:
        feed(Target(parser, [b"harmless"]), seconds=0, seed=1, at_least=5_000)
    assert b"\0" in finding.value.data


def test_a_parser_that_takes_its_time_is_a_finding() -> None:
    def parser(data: bytes) -> None:
        if data != b"harmless":
            sum(range(1_000_000))

    with pytest.raises(Finding, match="took"):
        feed(Target(parser, [b"harmless"]), seconds=0, seed=1, at_least=50, patience=0.001)


def test_the_same_seed_makes_the_same_inputs() -> None:
    def some(seed: int) -> list[bytes]:
        random = Random(seed)
        return [mutated(random, b'{"a":[1,"b"]}', [b"c"]) for _ in range(50)]

    assert some(7) == some(7)
    assert len(set(some(7))) > 20
