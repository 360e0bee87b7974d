"""The measuring tells contenders apart and compares each with ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.credentials import _PEOPLE
from bench.different import populate
from bench.measuring.documents import table_of
from bench.measuring.measure import Row, interleaved, repeating, rows
from bench.measuring.targets import DATA, TARGETS, Target
from sceau_credentials.proofs.data_integrity import _MOST_HELD


def test_every_contender_has_a_turn_in_every_round() -> None:
    turns: list[str] = []

    def contender(name: str, microseconds: float):
        def turn(times: int) -> float:
            turns.append(name)
            return microseconds

        return turn

    measured = interleaved({"ours": contender("ours", 10.0), "theirs": contender("theirs", 40.0)}, rounds=3)
    assert turns[-6:] == ["ours", "theirs"] * 3
    assert measured == {"ours": [10.0] * 3, "theirs": [40.0] * 3}


def test_the_ratio_says_how_many_times_longer_the_peer_takes() -> None:
    measured = {"ours": [9.0, 10.0, 12.0], "theirs": [40.0, 41.0, 39.0]}
    assert rows("deed", measured, ours="ours") == [Row("deed", 10.0, 1.5, "µs", "theirs", 4.0, 0.597)]
    assert rows("deed", {"ours": [9.0, 10.0, 12.0]}, ours="ours") == [Row("deed", 10.0, 1.5, "µs")]


def test_work_is_done_as_often_as_asked() -> None:
    done: list[int] = []
    assert repeating(lambda: done.append(1))(5) > 0
    assert len(done) == 5


UNITS = {
    "10,000": "ms",
    "signatures": "ms",
    "five lines": "ms",
    "processor time": "ms",
    "read": "/s",
    "share": "%",
}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.row} / {target.peer}")
def test_performance_page_tells_of_every_target_what_was_promised(target: Target) -> None:
    page = Path(__file__).resolve().parents[2].joinpath("docs", "performance.md").read_text()
    table = re.search(r"<!-- bench -->\n(.*?)<!-- /bench -->", page, re.DOTALL)
    assert table is not None
    unit = next((unit for start, unit in UNITS.items() if target.row.startswith(start)), "µs")
    queued = target.promised(Row(target.row, 0, 0, unit))
    lines = [line for line in table[1].splitlines() if line.startswith(f"| {target.row}")]
    assert any(queued in line for line in lines), lines


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.row} / {target.peer}")
def test_of_every_target_it_is_said_what_was_done_to_which_data(target: Target) -> None:
    row = target.row.removeprefix("processor time to ")
    assert any(row.startswith(rows) for rows in DATA)
    page = Path(__file__).resolve().parents[2].joinpath("docs", "performance.md").read_text()
    assert all(f"- *{rows}*: {data}." in page for rows, data in DATA.items())


def test_a_badge_is_forgotten_before_the_bench_verifies_it_again() -> None:
    assert _PEOPLE > _MOST_HELD


def test_a_report_becomes_a_table_that_says_what_is_held() -> None:
    row = Row("sign, token", 50.0, 1.0, "µs", "Ed25519 alone", 0.7, 0.01)
    report = {
        "at": "2026-11-26T07:20:00",
        "machine": "x86_64",
        "python": "3.11",
        "versions": {"orjson": "3"},
        "load": [0.1],
        "rows": [row.to_document()],
    }
    assert "| sign, token | 1.43 ± 0.02 × the bare operation | ≤ 2 × | held |" in table_of(report)


def test_data_of_the_reading_benchmark_is_made(tmp_path: Path) -> None:
    made = [*populate(tmp_path, f"sqlite:///{tmp_path}/database/sceau.sqlite", 4)]
    assert len(set(made)) == 4
