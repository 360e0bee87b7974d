"""`sceau log` and `sceau witness`, as an operator and somebody outside use them together."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.activity_log import leaf_of
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.transparency_log.notes import EntryProof, Note, NoteKey, TreeHead
from tests.app.cli.conftest import Operator, Typed
from tests.app.services.activity_log.test_activity_log import record, tamper
from tests.support.app import App


@pytest.fixture
def keeper(stranger: Operator, app: App) -> Operator:
    """An operator of the house; every folder named by commands is beside it."""
    stranger.works_with(app.process.settings)
    stranger.sets(SCEAU_LOG_ANCHORS=str(app.process.anchors.folder))
    return stranger


def signed(keeper: Operator) -> TreeHead:
    result = keeper.types("log", "sign", "itip")
    assert result.code == 0, result.err
    return TreeHead.from_text(Note.from_text(result.out).text)


def test_a_log_is_signed_exported_proved_and_watched_from_a_folder(
    keeper: Operator, app: App, tmp_path: Path
) -> None:
    record(app, 300)
    head = signed(keeper)
    key = NoteKey.from_vkey(keeper.types("log", "key", "itip").out)
    proof = EntryProof.from_text(keeper.types("log", "prove", "itip", "7").out)
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        [entry] = services.activity_log.store.numbered(log.id, [7])
    assert proof.holds_for(leaf_of(entry).hash())
    assert [each.key for each in proof.checkpoint.signed_by([key])] == [key]
    assert keeper.types("log", "prove", "itip", "302").code == 1

    mirror = tmp_path / "mirror"
    assert ": 8." in keeper.types("log", "export", "itip", mirror).err
    assert ": 3." in keeper.types("log", "export", "itip", mirror).err
    vkey = keeper.types("witness", "make-key", "--name", "temoin.exemple.fr").out.strip()
    assert keeper.types("witness", "key").out.strip() == vkey
    look = ("witness", "cosign", mirror, "--key", key.to_vkey())
    first = keeper.types(*look)
    assert (first.code, "Premier regard" in first.err) == (0, True)
    signed_by = Note.from_text(first.out).signed_by([key, NoteKey.from_vkey(vkey)])
    assert [each.key.name for each in signed_by] == [head.origin, "temoin.exemple.fr"]
    record(app, 5, start=300)
    signed(keeper)
    keeper.types("log", "export", "itip", mirror)
    assert "302 avant, 307 maintenant" in keeper.types(*look).err


def test_a_witness_says_loudly_that_a_log_went_back(keeper: Operator, app: App, tmp_path: Path) -> None:
    mirror, before = tmp_path / "mirror", tmp_path / "before"
    record(app, 3)
    signed(keeper)
    keeper.types("log", "export", "itip", before)
    record(app, 3, start=3)
    signed(keeper)
    keeper.types("log", "export", "itip", mirror)
    key = keeper.types("log", "key", "itip").out.strip()
    keeper.types("witness", "make-key", "--name", "temoin.exemple.fr")
    assert keeper.types("witness", "cosign", mirror, "--key", key).code == 0
    refused = keeper.types("witness", "cosign", before, "--key", key)
    assert refused.code == 1
    assert "REFUSÉ" in refused.err
    assert refused.out == ""
    assert keeper.types("witness", "cosign", tmp_path / "nowhere", "--key", key).code == 2


def test_witness_signs_nothing_in_the_name_of_another_host(keeper: Operator, app: App) -> None:
    record(app, 1)
    signed(keeper)
    key = keeper.types("log", "key", "itip").out.strip()
    keeper.types("witness", "make-key", "--name", "temoin.exemple.fr")
    refused = keeper.types("witness", "cosign", "https://autre.exemple.fr/campus/itip/journal", "--key", key)
    assert (refused.code, "est à autre.exemple.fr" in refused.err, refused.out) == (1, True, "")


def test_a_check_names_the_line_that_changed_and_ends_with_one(keeper: Operator, app: App) -> None:
    record(app, 300)
    signed(keeper)
    good = keeper.types("log", "check")
    assert (good.code, good.out) == (0, "")
    assert "lignes telles qu’écrites : 302." in good.err
    tamper(app, "UPDATE log_entry SET kind = 'award' WHERE number = 7")
    bad = keeper.types("log", "check", "itip", "--processes", "1")
    assert bad.code == 1
    assert "La ligne 7 a changé." in bad.out
    assert keeper.types("log", "check", "nulle-part").code == 1


def test_a_check_names_the_first_faults_of_each_kind_and_counts_the_others(
    keeper: Operator, app: App
) -> None:
    record(app, 300)
    signed(keeper)
    for number in range(7, 32):
        tamper(app, f"UPDATE log_entry SET kind = 'award' WHERE number = {number}")
    bad = keeper.types("log", "check", "itip", "--processes", "1")
    changed = [line for line in bad.out.splitlines() if "\tchanged_entry\t" in line]
    assert (bad.code, len(changed)) == (1, 20)
    assert "La ligne 26 a changé." in changed[-1]
    assert [line for line in bad.out.splitlines() if line not in changed], "the other kinds are named"
    assert "changed_entry, défauts : 25. Les 20 premiers sont nommés (tous : --all)." in bad.err
    every = keeper.types("log", "check", "itip", "--processes", "1", "--all")
    assert (every.out.count("\tchanged_entry\t"), "--all" in every.err) == (25, False)


def test_a_log_cut_short_is_signed_again_only_after_it_was_reconciled(keeper: Operator, app: App) -> None:
    record(app, 3)
    head = signed(keeper)
    app.process.anchors.advance(TreeHead(head.origin, 9, b"\x01" * 32))
    record(app, 1, start=3)
    refused = keeper.types("log", "sign", "itip")
    assert (refused.code, "sceau restore" in refused.err) == (1, True)
    assert keeper.types("restore", "--yes", "--reason", " ").code == 1
    done = keeper.types("restore", "--yes", "--reason", "Sauvegarde de la veille.")
    assert done.code == 0, done.err
    assert "lignes signées : 9." in done.err
    assert signed(keeper).origin == f"{head.origin}/2"
    with app.process.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM campus_log")).scalar() == 3


def test_a_key_that_is_changed_is_followed_and_one_after_a_theft_only_when_the_witness_is_reported(
    keeper: Operator, app: App, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    record(app, 3)
    signed(keeper)
    first = keeper.types("log", "key", "itip").out.strip()
    keeper.types("witness", "make-key", "--name", "temoin.exemple.fr")

    def look(key: str) -> Typed:
        assert keeper.types("log", "export", "itip", mirror).code == 0
        return keeper.types("witness", "cosign", mirror, "--key", key)

    assert keeper.types("witness", "change-key", "--key", first).code == 1, "nothing was seen yet"
    assert look(first).code == 0
    rotated = keeper.types("log", "rotate-key", "itip", "--reason", "Le relais de chaque année.")
    second = rotated.out.strip()
    assert rotated.code == 0, rotated.err
    assert "les témoins suivent d’eux-mêmes" in rotated.err
    record(app, 1, start=3)
    signed(keeper)
    followed = look(first)
    assert (followed.code, second in "".join(followed.err.split())) == (0, True)

    since = datetime.now(UTC).isoformat()  # commands have the clock on the wall
    stolen = keeper.types(
        "log", "rotate-key", "itip", "--reason", "Sauvegarde perdue.", "--stolen-since", since
    )
    third = stolen.out.strip()
    assert stolen.code == 0, stolen.err
    assert "sceau witness change-key" in " ".join(stolen.err.split())
    refused = look(first)
    assert (refused.code, "REFUSÉ" in refused.err) == (1, True)
    assert keeper.types("witness", "change-key", "--key", third).code == 0
    assert look(third).code == 0
    assert look(first).code == 1
    assert keeper.types("log", "check", "itip").code == 0


def test_a_copy_from_before_a_change_of_key_is_reconciled_under_a_new_key(keeper: Operator, app: App) -> None:
    record(app, 3)
    head = signed(keeper)
    old = keeper.types("log", "key", "itip").out.strip()
    other = NoteKey(head.origin, LocalSigningKey.generate(Algorithm.EDDSA).public)
    app.process.anchors.advance(TreeHead(head.origin, 9, b"\x01" * 32), other.to_vkey())
    done = keeper.types("log", "reconcile", "itip", "--reason", "Sauvegarde de la veille.")
    assert done.code == 0, done.err
    assert "La clé du journal avait changé" in " ".join(done.err.split())
    new = NoteKey.from_vkey(keeper.types("log", "key", "itip").out)
    assert new.public not in (other.public, NoteKey.from_vkey(old).public)
    assert keeper.types("log", "check", "itip").code == 0


def test_witnesses_are_named_listed_and_retired(keeper: Operator, app: App) -> None:
    record(app, 1)
    vkey = keeper.types("witness", "make-key", "--name", "temoin.exemple.fr").out.strip()
    named = keeper.types("log", "add-witness", "itip", vkey, "--label", "Campus AGT")
    assert named.code == 0, named.err
    assert keeper.types("log", "witnesses", "itip").out.startswith("Campus AGT\ttemoin.exemple.fr")
    assert keeper.types("log", "retire-witness", "itip", "temoin.exemple.fr").code == 0
    assert keeper.types("log", "retire-witness", "itip", "personne").code == 1
    assert keeper.types("log", "name-witness", "itip", "x", "--label", "X").code == 1
