"""Tiles: the files that a mirror serves contain everything that a proof needs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceau_credentials.errors import MalformedInput
from sceau_credentials.transparency_log.notes import (
    LeafHashes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from sceau_credentials.transparency_log.tiles import (
    Tile,
    TiledTree,
    entries_in,
    entry_bundle,
    hashes_in,
    new_tiles,
    rows_in,
    tiles_of,
)
from tests.support.running.examples import examples

LARGE = 70_000
TREE = LeafHashes(leaf_hash(number.to_bytes(4, "big")) for number in range(LARGE))


def content(tile: Tile) -> bytes:
    start = tile.index * 256
    return b"".join(TREE.node(8 * tile.level, start + at) for at in range(tile.width))


def test_a_tile_has_the_path_of_the_specification() -> None:
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(2, 0, 1).path == "tile/2/000.p/1"
    assert Tile(0, 999).path == "tile/0/999"
    assert Tile(0, 1000).path == "tile/0/x001/000"
    assert Tile(0, 273, 112).entries_path == "tile/entries/273.p/112"


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of(LARGE))
    assert len([tile for tile in tiles if tile.level == 0 and tile.width == 256]) == 273
    assert [tile for tile in tiles if tile.width < 256 or tile.level > 0] == [
        Tile(0, 273, 112),
        Tile(1, 0),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, LARGE), st.integers(0, 2000))
def test_writing_only_the_new_tiles_is_sufficient(old: int, more: int) -> None:
    new = min(old + more, LARGE)
    needed = set(tiles_of(new)) - set(tiles_of(old))
    assert set(new_tiles(old, new)) == needed


@settings(max_examples=examples(40), deadline=None)
@given(st.data())
def test_any_proof_can_be_made_from_the_tiles_alone(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGE))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    published = {tile: content(tile) for tile in tiles_of(size)}
    tiled = TiledTree(published.__getitem__, size, remembered=3)
    assert root_of(tiled, size) == root_of(TREE, size)
    assert inclusion_proof(tiled, index, size) == inclusion_proof(TREE, index, size)
    assert consistency_proof(tiled, old, size) == consistency_proof(TREE, old, size)


def test_a_fuller_tile_can_be_used_for_an_earlier_tree() -> None:
    tiled = TiledTree(lambda tile: content(Tile(tile.level, tile.index)), 300)
    assert root_of(tiled, 300) == root_of(TREE, 300)


def test_trees_of_any_size_share_the_rows_of_the_fullest_tile() -> None:
    tile = Tile(1, 1, 3).in_tree(LARGE)
    assert tile == Tile(1, 1, 17) == Tile(1, 1).in_tree(LARGE)
    rows = {each: rows_in(content(each), each) for each in tiles_of(LARGE)}
    for size in (1, 255, 300, LARGE - 1):
        tiled = TiledTree(content, size, rows_of=lambda tile: rows[tile.in_tree(LARGE)])
        assert root_of(tiled, size) == root_of(TREE, size)
        assert inclusion_proof(tiled, size - 1, size) == inclusion_proof(TREE, size - 1, size)


@pytest.mark.parametrize("encoded", [b"", b"\x00" * 31, b"\x00" * 64 + b"\x01"])
def test_a_truncated_or_unaligned_tile_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedInput, match="malformed_tile"):
        hashes_in(encoded, 2)


def test_there_are_no_tiles_beyond_the_tree() -> None:
    with pytest.raises(IndexError):
        TiledTree(content, 256).node(0, 256)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_entries_are_read_from_a_bundle_as_they_were_written(entries: list[bytes]) -> None:
    assert entries_in(entry_bundle(entries)) == entries


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x05abc", b"\x00\x00" * 257])
def test_a_bundle_cut_short_or_too_long_is_refused(bundle: bytes) -> None:
    with pytest.raises(MalformedInput, match="malformed_bundle"):
        entries_in(bundle)


def test_an_entry_of_more_than_two_bytes_of_length_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        entry_bundle([b"x" * 65_536])
