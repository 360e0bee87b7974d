"""The measuring tells contenders apart and compares each with ours."""

from __future__ import annotations

from bench.measure import Row, interleaved, repeating, rows


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
