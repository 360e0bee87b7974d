"""A few SIGKILLs in each test run; `make torture` runs two hundred on each engine."""

from __future__ import annotations

from tests.torture.run import torture
from tests.torture.trainers import FEW


def test_nothing_is_lost_or_duplicated_when_processes_are_killed(database_url: str):
    result = torture(database_url, kills=3, seed=20261126, sizes=FEW)
    assert result.faults == {}
    assert result.kills.total() == 3
    assert result.figures["acknowledged"] > 0
    assert result.figures["awards"] > 0
