"""`for_each` reports every failing case."""

from __future__ import annotations

import pytest

from tests.support.running.every import for_each


@pytest.fixture
def lent() -> str:
    return "lent by a fixture"


def test_every_case_runs_and_each_failure_is_reported_by_name():
    seen = []

    @for_each(("number", "word"), [(1, "one"), (2, "two"), pytest.param(3, "three", id="the third")])
    def test(number: int, word: str) -> None:
        seen.append((number, word))
        assert number % 2 == 0, word

    with pytest.raises(ExceptionGroup, match="2 of 3 cases") as raised:
        test()
    assert seen == [(1, "one"), (2, "two"), (3, "three")]
    assert [str(each) for each in raised.value.exceptions] == [
        "one\nassert (1 % 2) == 0",
        "three\nassert (3 % 2) == 0",
    ]
    assert [each.__notes__ for each in raised.value.exceptions] == [
        ["in the case 1, 'one'"],
        ["in the case the third"],
    ]


def test_a_missing_expected_exception_is_a_failure():
    @for_each("number", [0, 1], ids=["none", "some"])
    def test(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            1 / number

    with pytest.raises(ExceptionGroup, match="1 of 2 cases") as raised:
        test()
    assert raised.value.exceptions[0].__notes__ == ["in the case some"]


def test_the_test_is_skipped_only_if_all_cases_are_skipped():
    @for_each("number", [0, 1])
    def test(number: int) -> None:
        if number in left_out:
            pytest.skip("left out")
        raise OSError(number)

    left_out = {0}
    with pytest.raises(ExceptionGroup, match="1 of 2 cases"):
        test()
    left_out = {0, 1}
    with pytest.raises(pytest.skip.Exception):
        test()


@for_each("word", ["a", "b"])
@for_each("number", [1, 2])
def test_decorators_multiply_cases_and_each_case_gets_the_fixtures(word: str, number: int, lent: str) -> None:
    assert (word in "ab", number in (1, 2), lent) == (True, True, "lent by a fixture")
