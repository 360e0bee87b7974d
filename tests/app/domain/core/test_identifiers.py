"""Identifiers drawn for rows that are written together: random, each its own, and beginning alike."""

from __future__ import annotations

import uuid
from collections import Counter

from app.domain.core import neighbouring_ids


def test_neighbours_are_random_identifiers_of_the_usual_kind():
    for each in neighbouring_ids(500):
        assert (each.version, each.variant) == (4, uuid.RFC_4122)


def test_neighbours_begin_alike_and_another_drawing_begins_otherwise():
    [beginning] = {each.bytes[:5] for each in neighbouring_ids(500)}
    assert len({beginning, *(neighbouring_ids(1)[0].bytes[:5] for _ in range(20))}) == 21


def test_nothing_else_of_one_neighbour_tells_of_the_next():
    """Every other bit, but for those that name the kind, is now one and now zero."""
    drawn = neighbouring_ids(400)
    assert len(set(drawn)) == 400
    ones = Counter(bit for each in drawn for bit in range(128) if each.int >> bit & 1)
    own = [bit for bit in range(88) if bit not in (62, 63, *range(76, 80))]
    assert len(own) == 82
    # Of 400 fair coins fewer than 110 heads come up once in 10^19 times.
    assert all(110 < ones[bit] < 290 for bit in own)


def test_nobody_has_no_identifiers():
    assert neighbouring_ids(0) == []
