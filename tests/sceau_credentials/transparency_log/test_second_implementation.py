"""The log against a second implementation that shares no code with it (`tests/support/badges/second_log.py`)."""

from __future__ import annotations

import ast
import base64
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.transparency_log.notes import (
    EntryProof,
    LeafHashes,
    Note,
    NoteKey,
    SignatureType,
    TreeHead,
    consistency_proof,
    cosign,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    root_of,
    sign,
)
from sceau_credentials.transparency_log.tiles import TiledTree, entry_bundle, hashes_in, tiles_of, tiles_read
from tests.support.badges import second_log
from tests.support.running.every import for_each
from tests.support.shared_data import shared

SIZES = [*range(1, 34), 63, 64, 65, 127, 128, 129, 255, 256, 257]
MOMENT = datetime(2026, 11, 28, 9, tzinfo=UTC)


def entries(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def leaves(count: int) -> list[bytes]:
    return [second_log.leaf(each) for each in entries(count)]


def ours(count: int) -> LeafHashes:
    return LeafHashes(map(leaf_hash, entries(count)))


def hashes(texts: list[str] | None) -> list[bytes]:
    return [base64.b64decode(text) for text in texts or ()]


def vectors(kind: str) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text())
        for path in sorted(shared(f"hostile/merkle/testdata/{kind}").rglob("*.json"))
    ]


def test_second_implementation_imports_nothing_of_the_application():
    source = ast.parse(Path(second_log.__file__).read_text("utf-8"))
    named = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not [name for name in named if name.startswith(("app", "tests"))]


@for_each("size", SIZES)
def test_roots_and_inclusion_proofs_are_the_same(size):
    tree, theirs = ours(size), leaves(size)
    assert root_of(tree, size) == second_log.root(theirs)
    for index in {0, size // 2, size - 1}:
        proof = inclusion_proof(tree, index, size)
        assert proof == second_log.path(index, theirs)
        assert second_log.leads_to(theirs[index], index, size, proof, root_of(tree, size))


@for_each("size", SIZES)
def test_consistency_proofs_are_the_same(size):
    tree, theirs = ours(size), leaves(size)
    for old in {1, size // 2 or 1, max(size - 1, 1), size}:
        proof = consistency_proof(tree, old, size)
        assert proof == second_log.consistency(old, theirs)
        assert second_log.grew(old, size, proof, root_of(tree, old), root_of(tree, size))


def test_both_give_the_same_verdict_on_thousands_of_altered_proofs():
    chance = random.Random(9162)
    verdicts = []
    for _ in range(2000):
        size = chance.randrange(1, 70)
        tree, index = ours(size), chance.randrange(size)
        proof, root, leaf = (
            inclusion_proof(tree, index, size),
            root_of(tree, size),
            leaf_hash(entries(size)[index]),
        )
        match chance.randrange(6):
            case 0:
                proof = proof[:-1]
            case 1:
                proof = [*proof, chance.randbytes(32)]
            case 2 if proof:
                proof[chance.randrange(len(proof))] = chance.randbytes(32)
            case 3:
                index += chance.choice([-1, 1, size])
            case 4:
                size += chance.choice([-1, 1, 2])
        mine = is_included(leaf, index, size, proof, root)
        assert mine is second_log.leads_to(leaf, index, size, proof, root), (index, size)
        verdicts.append(mine)
        old, new = sorted((chance.randrange(1, 70), chance.randrange(1, 70)))
        tree = ours(new)
        proof, first, second = consistency_proof(tree, old, new), root_of(tree, old), root_of(tree, new)
        match chance.randrange(6):
            case 0:
                proof = proof[:-1]
            case 1:
                proof = [*proof, chance.randbytes(32)]
            case 2:
                first, second = second, first
            case 3:
                old = max(0, old + chance.choice([-1, 1]))
            case 4 if proof:
                proof[chance.randrange(len(proof))] = chance.randbytes(32)
        mine = is_consistent(old, new, proof, first, second)
        assert mine is second_log.grew(old, new, proof, first, second), (old, new)
        verdicts.append(mine)
    assert 400 < sum(verdicts) < 3600


def test_second_implementation_agrees_with_the_published_vectors():
    """Checks the second implementation itself."""
    for vector in vectors("inclusion"):
        (leaf, root) = hashes([vector["leafHash"], vector["root"]])
        holds = second_log.leads_to(
            leaf, vector["leafIdx"], vector["treeSize"], hashes(vector["proof"]), root
        )
        assert holds is not vector["wantErr"], vector["desc"]
    for vector in vectors("consistency"):
        (old, new) = hashes([vector["root1"], vector["root2"]])
        holds = second_log.grew(vector["size1"], vector["size2"], hashes(vector["proof"]), old, new)
        assert holds is not vector["wantErr"], vector["desc"]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700, 66_000])
def test_tiles_lead_to_the_same_tree_when_read_by_the_second_implementation(size):
    written = entries(size)
    tree = LeafHashes(map(leaf_hash, written))
    files: dict[str, bytes] = {}
    for tile in tiles_of(size):
        first = tile.index * 256
        files[tile.path] = b"".join(tree.node(8 * tile.level, first + at) for at in range(tile.width))
        if tile.level == 0:
            files[tile.entries_path] = entry_bundle(written[first : first + tile.width])
    found = second_log.leaves_of(files.__getitem__, size)
    assert second_log.root(found) == root_of(tree, size)
    assert second_log.entries_of(files.__getitem__, size) == written
    assert [second_log.leaf(each) for each in written] == found
    read = TiledTree(tiles_read(files.__getitem__), size)
    assert root_of(read, size) == second_log.root(found)
    assert hashes_in(files[second_log.tile_path(0, 0, min(size, 256))], min(size, 256)) == found[:256]


def test_checkpoint_cosignature_and_proof_are_read_by_the_second_implementation():
    log, witness = (LocalSigningKey.generate(Algorithm.EDDSA) for _ in range(2))
    tree = ours(11)
    head = TreeHead("badges.example/campus/itip/journal", 11, root_of(tree, 11))
    text = head.to_text()
    note = Note(text, (sign(text, head.origin, log), cosign(text, "temoin.example", witness, at=MOMENT)))
    keys = (
        NoteKey(head.origin, log.public).to_vkey(),
        NoteKey("temoin.example", witness.public, SignatureType.COSIGNATURE).to_vkey(),
    )
    origin, size, root, signers = second_log.opened(note.to_text(), *keys)
    assert (origin, size, root) == (head.origin, 11, head.root)
    assert signers == [(head.origin, None), ("temoin.example", int(MOMENT.timestamp()))]
    with pytest.raises(ValueError, match="does not hold"):
        second_log.opened(note.to_text().replace("\n11\n", "\n12\n"), *keys)
    proof = EntryProof(5, tuple(inclusion_proof(tree, 5, 11)), note).to_text()
    before, _, checkpoint = proof.partition("\n\n")
    _, index, *lines = before.splitlines()
    _, size, root, _ = second_log.opened(checkpoint, *keys)
    assert second_log.leads_to(leaves(11)[5], int(index.removeprefix("index ")), size, hashes(lines), root)
