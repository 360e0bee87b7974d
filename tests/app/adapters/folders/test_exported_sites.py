"""Exports into a folder: changed files are written, obsolete ones removed, wherever the previous export was interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.folders.exported_sites import PAGES, WRITING, ExportFolder, FolderUnusable
from tests.support.running.examples import examples

HOST = "badges.exemple.fr"
State = Mapping[str, Mapping[str, bytes]]
"""The files of each unit. Its inputs are their names and bytes; a unit called « each… » has none."""
BEFORE: State = {
    "kept": {"a/kept.html": b"kept", "a/kept.json": b"{}"},
    "changed": {"a/changed.html": b"valid", "a/evidence.json": b"evidence"},
    "closed": {"a/closed.html": b"a name", "b/closed.json": b"{}"},
    "each": {"index.html": b"monday"},
}
AFTER: State = {
    "kept": {"a/kept.html": b"kept", "a/kept.json": b"{}"},
    "changed": {"a/changed.html": b"withdrawn"},
    "new": {"a/new.html": b"new", "c/new.json": b"{}"},
    "each": {"index.html": b"tuesday"},
}
SHUT_SINCE: State = {name: files for name, files in AFTER.items() if name != "new"}


@dataclass
class Unit:
    name: str
    made: Mapping[str, bytes]
    asked: int = 0

    @property
    def inputs(self) -> str:
        return "" if self.name.startswith("each") else repr(sorted(self.made.items()))

    def files(self) -> Iterator[tuple[str, bytes]]:
        self.asked += 1
        yield from self.made.items()


class Killed(BaseException):
    """As by a signal that no program can catch."""


def export(folder: Path, state: State, *, anew: bool = False) -> list[str]:
    """The units that were rendered again."""
    units = [Unit(name, files) for name, files in state.items()]
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    ExportFolder(folder).write(HOST, "itip", units, made_at=at, final=False, anew=anew)
    return [unit.name for unit in units if unit.asked]


def files_in(folder: Path) -> dict[str, bytes]:
    """All but what depends on the file system."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != PAGES
    }


def in_full(folder: Path, state: State) -> dict[str, bytes]:
    shutil.rmtree(folder, ignore_errors=True)
    export(folder, state)
    return files_in(folder)


def test_only_changed_units_are_rendered_again(tmp_path: Path) -> None:
    assert export(tmp_path / "site", BEFORE) == ["kept", "changed", "closed", "each"]
    assert export(tmp_path / "site", BEFORE) == ["each"]
    assert export(tmp_path / "site", AFTER) == ["changed", "new", "each"]
    assert files_in(tmp_path / "site") == in_full(tmp_path / "full", AFTER)
    assert export(tmp_path / "site", AFTER, anew=True) == ["kept", "changed", "new", "each"]
    assert not (tmp_path / "site" / WRITING).exists()


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "each", "each other"]),
            st.dictionaries(
                st.sampled_from(["x", "y/z", "y/w"]), st.sampled_from([b"", b"1", b"22"]), max_size=3
            ),
        ),
        min_size=2,
        max_size=5,
    )
)
@settings(max_examples=examples(40), deadline=None)
def test_any_series_of_exports_ends_like_a_full_export(
    tmp_path_factory: pytest.TempPathFactory, series: list[dict[str, dict[str, bytes]]]
) -> None:
    folder = tmp_path_factory.mktemp("series")
    for drawn in series:
        state = {
            name: {f"{name}/{path}": body for path, body in files.items()} for name, files in drawn.items()
        }
        export(folder / "site", state)
        assert files_in(folder / "site") == in_full(folder / "full", state)


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_now_rendered_by_another_unit_stays(tmp_path: Path, order: int) -> None:
    before: State = {"a": {"x": b"1", "y": b"2"}, "b": {"z": b"3"}, "c": {"w": b"4"}}
    after: State = {"a": {"x": b"1"}, "b": {"z": b"3", "y": b"2"}, "c": {"w": b"4"}}
    export(tmp_path / "site", dict([*before.items()][::order]))
    export(tmp_path / "site", dict([*after.items()][::order]))
    assert files_in(tmp_path / "site") == in_full(tmp_path / "full", after)


@pytest.mark.parametrize("damage", ["removed", "changed", "same_size"])
def test_a_modified_file_is_rendered_again(tmp_path: Path, damage: str) -> None:
    export(tmp_path / "site", BEFORE)
    place = tmp_path / "site" / HOST / "a" / "kept.html"
    if damage == "removed":
        place.unlink()
    else:
        place.write_bytes(b"spoilt" if damage == "changed" else b"KEPT")
    assert export(tmp_path / "site", BEFORE) == ["kept", "each"]
    assert place.read_bytes() == b"kept"


def test_a_copy_of_an_export_is_not_rendered_again(tmp_path: Path) -> None:
    export(tmp_path / "site", BEFORE)
    shutil.copytree(tmp_path / "site", tmp_path / "copy", copy_function=shutil.copyfile)
    assert export(tmp_path / "copy", BEFORE) == ["each"]


@pytest.mark.parametrize(
    "content", ["", "{}\n", "nonsense", '{"format":"sceau-site-pages","version":1}\n{"unit":1}']
)
def test_an_export_with_an_unreadable_list_of_pages_is_rendered_in_full(tmp_path: Path, content: str) -> None:
    export(tmp_path / "site", BEFORE)
    (tmp_path / "site" / PAGES).write_text(content)
    assert export(tmp_path / "site", AFTER) == list(AFTER)
    assert files_in(tmp_path / "site") == in_full(tmp_path / "full", AFTER)


def test_a_list_that_names_files_outside_the_folder_removes_none_of_them(tmp_path: Path) -> None:
    export(tmp_path / "site", BEFORE)
    other = tmp_path / "other.txt"
    other.write_text("à garder")
    listed = tmp_path / "site" / PAGES
    listed.write_text(listed.read_text().replace(f"{HOST}/a/evidence.json", "../other.txt"))
    export(tmp_path / "site", AFTER)
    assert other.read_text() == "à garder"


def test_two_exports_never_write_into_one_folder(tmp_path: Path) -> None:
    class Another(Unit):
        def files(self) -> Iterator[tuple[str, bytes]]:
            with pytest.raises(FolderUnusable, match="in_use"):
                export(tmp_path, BEFORE)
            return super().files()

    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    ExportFolder(tmp_path).write(HOST, "itip", [Another("a", {"a": b"1"})], made_at=at, final=False)
    assert (tmp_path / HOST / "a").read_bytes() == b"1"


class Steps:
    """Every change of the file system by an export; the process is killed after a given one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.left = last
        for name in ("write_bytes", "replace", "unlink", "rmdir", "mkdir"):
            self._count(monkeypatch, name)

    def _count(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        original = getattr(Path, name)

        def counted(place: Path, *given: object, **named: object) -> object:
            self.left -= 1
            if self.left < 0:
                if name == "write_bytes" and isinstance(given[0], bytes):
                    original(place, given[0][: len(given[0]) // 2])
                raise Killed
            return original(place, *given, **named)

        monkeypatch.setattr(Path, name, counted)


@pytest.mark.parametrize("start", [None, BEFORE], ids=["first", "next"])
@pytest.mark.parametrize("then", [BEFORE, AFTER, SHUT_SINCE], ids=["before", "after", "shut_since"])
def test_after_a_kill_at_any_step_no_wrong_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: State | None, then: State
) -> None:
    """Pages are as before or as after, closed pages never come back, and the next export is like any other."""
    true = {f"{HOST}/{path}": {body} for files in AFTER.values() for path, body in files.items()}
    for files in (start or {}).values():
        for path, body in files.items():
            true.setdefault(f"{HOST}/{path}", set()).add(body)
    wanted = in_full(tmp_path / "full", then)
    moments = 0
    while True:
        folder = tmp_path / f"killed-{moments}"
        if start is not None:
            export(folder, start)
        with monkeypatch.context() as patch:
            steps = Steps(patch, moments)
            with suppress(Killed):
                export(folder, AFTER)
        if steps.left >= 0:
            break
        for path, body in files_in(folder).items():
            if path.startswith(HOST) and not path.endswith(".new"):
                assert body in true[path], (moments, path)
        export(folder, then)
        assert files_in(folder) == wanted, moments
        assert export(folder, then) == ["each"], moments
        moments += 1
    assert moments > 15


def test_closed_pages_are_removed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tmp_path / "site", BEFORE)

    def full(*_given: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        export(tmp_path / "site", AFTER)
    assert not list((tmp_path / "site").rglob("closed.*"))


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("à garder")
    with pytest.raises(FolderUnusable, match="not_empty"):
        export(tmp_path, BEFORE)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
