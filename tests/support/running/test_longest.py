"""The files listed in `longest` exist."""

from __future__ import annotations

from pathlib import Path

from tests.support.running.longest import LONGEST, ON_THE_DEMO


def test_each_listed_file_exists():
    assert [
        path for path in LONGEST + ON_THE_DEMO if not Path(__file__).parents[3].joinpath(path).is_file()
    ] == []
