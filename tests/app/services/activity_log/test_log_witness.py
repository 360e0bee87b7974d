"""A witness cosigns only a log that has grown; it stores and reports contradictions."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.folders.log_files import FolderLog, WitnessFolder, WitnessKeyUnusable
from app.errors import InvalidInput, Unavailable
from app.services.activity_log.log_monitoring import (
    ContradictsItself,
    FilesDoNotFit,
    WitnessReport,
    cosign_log,
)
from sceau_credentials.errors import MalformedInput
from sceau_credentials.transparency_log.notes import Note, TreeHead, WitnessKey
from tests.support.badges.toy_log import ORIGIN, ToyLog

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> WitnessFolder:
    folder = WitnessFolder(tmp_path / "witness")
    folder.make_key("temoin.exemple.fr")
    return folder


def seen(log: ToyLog, memory: WitnessFolder) -> WitnessReport:
    return cosign_log(log, log.key, memory, memory.key(), at=NOON)


def entries(count: int, start: int = 0) -> list[bytes]:
    return [b"line %d" % number for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("old", "new"), [(0, 0), (0, 1), (1, 1), (1, 2), (7, 300), (256, 257), (255, 70_000)]
)
def test_grown_log_is_cosigned_with_the_time_of_the_check(memory: WitnessFolder, old: int, new: int) -> None:
    log = ToyLog(*entries(old))
    first = seen(log, memory)
    assert (first.before, first.head.size) == (None, old)
    log.entries += entries(new - old, old)
    second = seen(log, memory)
    assert second.before == first.head
    signed = second.note.signed_by([log.key, memory.key().public])
    assert [(each.key.name, each.at) for each in signed] == [(ORIGIN, None), ("temoin.exemple.fr", NOON)]
    assert memory.last(ORIGIN) == log.note()


def test_shorter_log_is_refused_and_both_checkpoints_are_stored(memory: WitnessFolder) -> None:
    log = ToyLog(*entries(300))
    seen(log, memory)
    before = log.note()
    del log.entries[-1]
    with pytest.raises(ContradictsItself, match="a raccourci") as refused:
        seen(log, memory)
    assert memory.last(ORIGIN) == before
    assert Note.from_text(Path(str(refused.value.values["kept"])).read_text()) == log.note()


@given(st.integers(1, 40), st.integers(0, 40), st.data())
def test_log_with_changed_entries_is_refused_at_any_size(
    tmp_path_factory: pytest.TempPathFactory, old: int, more: int, data: st.DataObject
) -> None:
    memory = WitnessFolder(tmp_path_factory.mktemp("witness"))
    memory.make_key("temoin.exemple.fr")
    log = ToyLog(*entries(old))
    seen(log, memory)
    log.entries[data.draw(st.integers(0, old - 1))] = b"rewritten"
    log.entries += entries(more, old)
    with pytest.raises(ContradictsItself, match="deux histoires"):
        seen(log, memory)
    head = TreeHead.from_text(memory.last(ORIGIN).text)  # type: ignore[union-attr]
    assert head.size == old


def test_files_inconsistent_with_the_checkpoint_are_not_cosigned(
    memory: WitnessFolder,
) -> None:
    log = ToyLog(*entries(300))
    log.lost.add("tile/1/000.p/1")
    with pytest.raises(FilesDoNotFit, match="Il manque des fichiers"):
        seen(log, memory)

    class OtherFiles(ToyLog):
        def read(self, path: str) -> bytes:
            return log.read(path) if path == "checkpoint" else ToyLog(*entries(300, 5)).read(path)

    with pytest.raises(FilesDoNotFit, match="ne mènent pas"):
        cosign_log(OtherFiles(), log.key, memory, memory.key(), at=NOON)
    assert memory.last(ORIGIN) is None


def test_a_checkpoint_of_another_key_or_another_log_is_refused(memory: WitnessFolder) -> None:
    log = ToyLog(*entries(2))
    with pytest.raises(InvalidInput, match="n’est pas signé par la clé"):
        cosign_log(log, memory.key().public, memory, memory.key(), at=NOON)

    class Broken(ToyLog):
        def read(self, path: str) -> bytes:
            return super().read(path).replace(b"\n2\n", b"\n3\n")

    with pytest.raises(InvalidInput, match="signature"):
        cosign_log(Broken(*log.entries), log.key, memory, memory.key(), at=NOON)


def test_log_that_does_not_answer_is_not_reported_as_contradictory(
    memory: WitnessFolder, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable) as silent:
        cosign_log(FolderLog(tmp_path), ToyLog().key, memory, memory.key(), at=NOON)
    assert silent.value.values == {"why": "not_found"}


def test_folder_source_refuses_paths_outside_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder := tmp_path / "log").mkdir()
    (folder / "checkpoint").symlink_to(tmp_path / "secret")
    for path in ("../secret", "checkpoint"):
        with pytest.raises(Exception, match="not_found"):
            FolderLog(folder).read(path)


def test_witness_key_is_readable_by_its_owner_only_and_never_overwritten(memory: WitnessFolder) -> None:
    path = memory.folder / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        memory.make_key("autre.exemple.fr")
    assert path.read_bytes() == before
    path.chmod(0o644)
    with pytest.raises(WitnessKeyUnusable, match="readable_by_others"):
        memory.key()


@pytest.mark.parametrize("place", [0, 12, -1, -30])
def test_altered_private_key_is_refused(place: int) -> None:
    line = WitnessKey("temoin.exemple.fr", b"\x01" * 32).to_skey()
    assert WitnessKey.from_skey(line).to_skey() == line
    altered = list(line)
    altered[place] = "A" if altered[place] != "A" else "B"
    with pytest.raises(MalformedInput):
        WitnessKey.from_skey("".join(altered))
