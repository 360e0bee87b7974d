"""A former log key: its signatures count if the last tree it signed is consistent with them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.evidence.judging import LogKeyState, LogKeyTerm
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.transparency_log.notes import LeafHashes, NoteKey, TreeHead, leaf_hash, root_of
from sceau_credentials.transparency_log.tiles import Tile

ORIGIN = "badges.example/campus/itip/journal"
KEY = NoteKey(ORIGIN, LocalSigningKey.generate(Algorithm.EDDSA).public)
LEAVES = [leaf_hash(b"%d" % number) for number in range(40)]
THEN = datetime(2026, 6, 30, 12, tzinfo=UTC)


def head(size: int, leaves: list[bytes] = LEAVES) -> TreeHead:
    return TreeHead(ORIGIN, size, root_of(LeafHashes(leaves[:size]), size))


def term(state: LogKeyState, last: TreeHead | None) -> LogKeyTerm:
    return LogKeyTerm(KEY, state, THEN, THEN, last)


def tiles(tile: Tile) -> bytes:
    assert tile.level == 0
    return b"".join(LEAVES[: tile.width])


def no_tiles(reason: str):
    def read(_tile: Tile) -> bytes:
        raise DocumentUnavailable("https://badges.example/tile", reason)

    return read


FORMER = [LogKeyState.RETIRED, LogKeyState.REVOKED]
FORGED = [LEAVES[0], leaf_hash(b"a line that was never in the log"), *LEAVES[2:]]


@pytest.mark.parametrize("state", FORMER)
@pytest.mark.parametrize("size", [1, 7, 32, 39, 40])
def test_a_signature_of_a_former_key_counts_if_the_log_is_consistent_with_it(state, size):
    assert term(state, head(40)).vouches_for(head(size), tiles)


@pytest.mark.parametrize("state", FORMER)
@pytest.mark.parametrize("size", [2, 7, 32, 40])
def test_an_inconsistent_tree_is_refused_in_either_state_of_the_key(state, size):
    assert not term(state, head(40)).vouches_for(head(size, FORGED), tiles)


@pytest.mark.parametrize("state", FORMER)
def test_a_tree_larger_than_the_last_one_of_the_key_is_refused(state):
    assert not term(state, head(39)).vouches_for(head(40), tiles)


def test_the_last_tree_itself_is_accepted_without_fetching():
    assert term(LogKeyState.RETIRED, head(40)).vouches_for(head(40), no_tiles("timeout"))


@pytest.mark.parametrize("reason", ["not_found", "not_in_package"])
def test_without_files_a_key_that_was_not_stolen_is_trusted(reason):
    assert term(LogKeyState.RETIRED, head(40)).vouches_for(head(7), no_tiles(reason))
    with pytest.raises(DocumentUnavailable):
        term(LogKeyState.REVOKED, head(40)).vouches_for(head(7), no_tiles(reason))


@pytest.mark.parametrize("state", FORMER)
def test_unreachable_files_leave_the_question_open(state):
    with pytest.raises(DocumentUnavailable):
        term(state, head(40)).vouches_for(head(7), no_tiles("timeout"))


def test_without_a_last_tree_only_a_key_that_was_not_stolen_counts():
    assert term(LogKeyState.RETIRED, None).vouches_for(head(7), no_tiles("timeout"))
    assert not term(LogKeyState.REVOKED, None).vouches_for(head(7), tiles)
