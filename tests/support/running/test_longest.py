"""The files that are begun first exist."""

from __future__ import annotations

from pathlib import Path

from tests.support.running.longest import LONGEST


def test_each_file_that_is_begun_first_exists():
    assert [path for path in LONGEST if not Path(__file__).parents[3].joinpath(path).is_file()] == []
