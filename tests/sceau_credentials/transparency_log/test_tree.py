"""The Merkle tree: roots as RFC 9162 defines them, valid proofs, and no other accepted ones."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.transparency_log.notes import (
    EMPTY_ROOT,
    Frontier,
    InclusionProofs,
    LeafHashes,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    root_of,
)
from tests.support.running.every import for_each
from tests.support.shared_data import shared

VECTORS = "hostile/merkle/testdata"


def entries(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def tree_of(count: int) -> LeafHashes:
    return LeafHashes(map(leaf_hash, entries(count)))


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, literally."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


@for_each("size", [*range(70), 255, 256, 257, 511, 1000])
def test_the_root_is_the_one_that_the_standard_defines(size: int) -> None:
    tree, frontier = tree_of(size), Frontier()
    for entry in entries(size):
        frontier.append(leaf_hash(entry))
    assert root_of(tree, size) == defined_root(entries(size)) == frontier.root()
    assert Frontier.from_bytes(size, frontier.to_bytes()).root() == frontier.root()


def test_every_leaf_of_every_tree_is_proved_only_at_its_index() -> None:
    tree = tree_of(66)
    for size in range(1, 67):
        root = root_of(tree, size)
        for index in range(size):
            leaf, proof = tree.node(0, index), inclusion_proof(tree, index, size)
            assert is_included(leaf, index, size, proof, root)
            assert not is_included(leaf, (index + 1) % size, size, proof, root) or size == 1
            assert not is_included(leaf_hash(b"another"), index, size, proof, root)


def test_every_tree_is_consistent_with_every_earlier_one() -> None:
    tree = tree_of(66)
    roots = [root_of(tree, size) for size in range(67)]
    for new in range(1, 67):
        for old in range(1, new + 1):
            proof = consistency_proof(tree, old, new)
            assert is_consistent(old, new, proof, roots[old], roots[new])
            forked = roots[old - 1]
            assert not is_consistent(old, new, proof, forked, roots[new])


TALL = tree_of(5000)


@given(st.data())
def test_any_leaf_of_a_tree_of_up_to_five_thousand_is_proved(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5000))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(TALL, index, size)
    assert is_included(TALL.node(0, index), index, size, proof, root_of(TALL, size))


@given(st.data())
def test_a_proof_with_any_bit_changed_or_any_hash_missing_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 5000))
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(TALL, index, size), root_of(TALL, size)
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = bytearray(proof[at])
    changed[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
    leaf = TALL.node(0, index)
    assert not is_included(leaf, index, size, [*proof[:at], bytes(changed), *proof[at + 1 :]], root)
    assert not is_included(leaf, index, size, [*proof[:at], *proof[at + 1 :]], root)
    assert not is_included(leaf, index, size, [*proof, proof[-1]], root)


@given(st.data())
def test_growth_from_any_size_to_any_later_one_is_proved_and_a_rewritten_history_is_refused(
    data: st.DataObject,
) -> None:
    new = data.draw(st.integers(2, 5000))
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(TALL, old, new)
    assert is_consistent(old, new, proof, root_of(TALL, old), root_of(TALL, new))
    rewritten = LeafHashes([leaf_hash(b"rewritten"), *(TALL.node(0, at) for at in range(1, old))])
    assert not is_consistent(old, new, proof, root_of(rewritten, old), root_of(TALL, new))


def test_an_empty_tree_and_a_shorter_one_prove_nothing() -> None:
    root = root_of(TALL, 7)
    assert not is_consistent(0, 7, [], EMPTY_ROOT, root)
    assert not is_consistent(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert not is_consistent(8, 7, [], root, root)
    assert is_consistent(7, 7, [], root, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_for_what_is_not_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="a leaf of the tree"):
        inclusion_proof(TALL, index, size)
    assert not is_included(TALL.node(0, 0), index, size, [], EMPTY_ROOT)


def test_a_frontier_has_one_hash_for_each_bit_of_its_size() -> None:
    with pytest.raises(ValueError, match="one hash for each bit"):
        Frontier(3, [b"\x00" * 32])
    with pytest.raises(ValueError, match="one hash for each bit"):
        Frontier.from_bytes(1, b"\x00" * 31)


def _vectors(kind: str) -> list[tuple[str, dict[str, Any]]]:
    folder = shared(f"{VECTORS}/{kind}")
    return [
        (str(path.relative_to(folder)), json.loads(path.read_text()))
        for path in sorted(folder.rglob("*.json"))
    ]


def _hashes(texts: Sequence[str] | None) -> list[bytes]:
    return [base64.b64decode(text) for text in texts or ()]


def test_the_published_inclusion_vectors_get_their_expected_result() -> None:
    vectors = _vectors("inclusion")
    assert len(vectors) == 98
    for name, vector in vectors:
        (leaf, root) = _hashes([vector["leafHash"], vector["root"]])
        holds = is_included(leaf, vector["leafIdx"], vector["treeSize"], _hashes(vector["proof"]), root)
        assert holds is not vector["wantErr"], f"{name}: {vector['desc']}"


def test_the_published_consistency_vectors_get_their_expected_result() -> None:
    vectors = _vectors("consistency")
    assert len(vectors) == 98
    for name, vector in vectors:
        (old, new) = _hashes([vector["root1"], vector["root2"]])
        holds = is_consistent(vector["size1"], vector["size2"], _hashes(vector["proof"]), old, new)
        assert holds is not vector["wantErr"], f"{name}: {vector['desc']}"


def test_proofs_of_all_leaves_at_once_equal_those_of_each() -> None:
    size = 700  # two whole blocks, and a part of the third
    tree = tree_of(size)
    proofs = InclusionProofs(tree, size)
    assert [proofs.of(index) for index in range(size)] == [
        inclusion_proof(tree, index, size) for index in range(size)
    ]
