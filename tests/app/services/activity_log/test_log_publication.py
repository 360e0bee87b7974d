"""The files of a log: a mirror can verify everything and contains only signed entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.evidence.documents import Leaf
from sceau_credentials.transparency_log.notes import EntryProof, Note, NoteKey, TreeHead, leaf_hash, root_of
from sceau_credentials.transparency_log.tiles import WIDTH, Tile, TiledTree, TileFile, entries_in, hashes_in
from sceau_credentials.values import parse_json_object
from tests.app.services.activity_log.test_activity_log import checkpoint, record
from tests.support.app import App

JOURNAL = "/campus/itip/journal"


@given(st.integers(0, 63), st.integers(0, 10**12), st.integers(1, WIDTH), st.booleans())
def test_each_tile_has_one_address_and_each_address_one_tile(
    level: int, index: int, width: int, entries: bool
) -> None:
    tile = Tile(0 if entries else level, index, width)
    path = tile.entries_path if entries else tile.path
    assert TileFile.at(path) == TileFile(tile, holds_entries=entries)


@pytest.mark.parametrize(
    "path",
    ["tile/0/1", "tile/0/0001", "tile/64/000", "tile/00/000", "tile/0/x001", "tile/0/000.p/0", "tile/0/000.p/256",
     "tile/0/000.p/007", "tile/0/x000/001", "tile/-1/000", "tile/entries/000.p/", "tile/0/000/", "tile/data/000"],
)  # fmt: skip
def test_non_canonical_tile_address_is_refused(path: str) -> None:
    assert TileFile.at(path) is None


def test_mirror_of_the_files_contains_every_entry_of_the_signed_log(app: App) -> None:
    record(app, 300)
    head = checkpoint(app)
    record(app, 5, start=300)
    client = app.client()
    key = NoteKey.from_vkey(client.get(f"{JOURNAL}/key").text)
    note = Note.from_text(client.get(f"{JOURNAL}/checkpoint").text)
    assert [each.key for each in note.signed_by([key])] == [key]
    assert TreeHead.from_text(note.text) == head
    tree = TiledTree(lambda tile: client.get(f"{JOURNAL}/{tile.path}").content, head.size)
    assert root_of(tree, head.size) == head.root
    bundles = [client.get(f"{JOURNAL}/{tile.entries_path}").content for tile in (Tile(0, 0), Tile(0, 1, 46))]
    entries = [entry for bundle in bundles for entry in entries_in(bundle)]
    assert [leaf_hash(entry) for entry in entries] == [tree.node(0, index) for index in range(302)]
    leaf = Leaf.from_document(parse_json_object(entries[7]))
    proof = EntryProof.from_text(client.get(f"{JOURNAL}/7.tlog-proof").text)
    assert proof.holds_for(leaf.hash())


def test_unsigned_entry_is_not_published(app: App) -> None:
    client = app.client()
    assert client.get(f"{JOURNAL}/checkpoint").status_code == 404
    record(app, 3)
    assert client.get(f"{JOURNAL}/checkpoint").status_code == 404
    checkpoint(app)
    record(app, 400, start=3)
    assert len(client.get(f"{JOURNAL}/tile/0/000.p/5").content) == 160
    for path in ("tile/0/000.p/6", "tile/0/000", "tile/entries/000.p/6", "5.tlog-proof", "tile/1/000.p/1",
                 "2/checkpoint", "tile/8/000.p/1", "autre"):  # fmt: skip
        assert client.get(f"{JOURNAL}/{path}").status_code == 404, path


def test_tiles_are_cached_for_ever_and_checkpoints_briefly(app: App) -> None:
    record(app, 257)
    checkpoint(app)
    client = app.client()
    for path, cache in {
        "tile/0/000": "immutable",
        "tile/0/001.p/1": "immutable",
        "tile/entries/000": "immutable",
        "checkpoint": "max-age=30",
        "0.tlog-proof": "max-age=30",
    }.items():
        answer = client.get(f"{JOURNAL}/{path}")
        assert cache in answer.headers["cache-control"], path
        assert answer.headers["access-control-allow-origin"] == "*"
        again = client.get(f"{JOURNAL}/{path}", headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
    assert len(hashes_in(client.get(f"{JOURNAL}/tile/0/000").content, 256)) == 256


def test_export_equals_the_served_bytes_with_the_checkpoint_last(app: App) -> None:
    record(app, 300)
    checkpoint(app)
    client = app.client()
    with app.unit_of_work(reading=True) as services:
        state = services.log_publication.state("itip")
        assert state.current is not None
        files = [(path, body()) for path, body, _ in services.log_publication.files(state.current)]
    assert [path for path, _ in files] == [
        "key", "keys", "tile/0/000", "tile/entries/000", "tile/0/001.p/46", "tile/entries/001.p/46",
        "tile/1/000.p/1", "checkpoint",
    ]  # fmt: skip
    for path, body in files:
        assert client.get(f"{JOURNAL}/{path}").content == body, path


def test_public_page_shows_the_signed_size_and_the_witnesses(app: App) -> None:
    client = app.client()
    assert "Rien n’est encore signé" in client.get(JOURNAL).text
    record(app, 2)
    checkpoint(app)
    record(app, 1, start=2)
    shown = client.get(JOURNAL).text
    assert "Personne d’extérieur ne l’a encore vu" in shown
    assert "ligne écrite depuis" in shown
    assert "localhost:8000/campus/itip/journal" in shown
