"""Small numbers of people that a report must not show, alone or by complement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.reports.indicators import SMALL, Figure, Unit, hidden_counts, public_value

cells = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12), min_size=1)


@given(cells)
def test_no_small_cell_is_shown_nor_found_by_subtracting_the_others_from_the_total(counts: dict[str, int]):
    shown = hidden_counts(counts)
    hidden = [name for name, count in shown.items() if count is None]
    assert all(count is None or count == counts[name] for name, count in shown.items())
    assert not any(0 < count < SMALL for count in shown.values() if count is not None)
    rest = sum(counts.values()) - sum(count for count in shown.values() if count is not None)
    if hidden and any(count for count in shown.values()):
        assert len(hidden) > 1
        assert rest >= SMALL


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_share_of_people_is_hidden_with_few_on_either_side(part: int, rest: int):
    whole = part + rest
    figure = Figure(100 * part / whole if whole else None, part, whole)
    shown = public_value("attestation", Unit.PERCENT, figure)
    assert (shown is None) == (not whole or 0 < part < SMALL or 0 < rest < SMALL)
    assert (public_value("apprenants", Unit.PEOPLE, Figure(part)) is None) == (0 < part < SMALL)
