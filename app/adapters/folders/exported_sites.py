"""Editions of a static export in a folder: only what changed is written, and what is gone is removed.

Beside the site, `SHA256SUMS` lists every file and `sceau-site-pages.jsonl` what each was made from. While an export
writes, `sceau-site-writing` names every file before it exists: whatever an interrupted export left is known to the
next, and so is removed where it no longer belongs. The two lists are replaced last.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b, file_digest, sha256
from importlib.resources import files
from pathlib import Path
from typing import IO, Final, Protocol, TypeVar

import orjson

from app.adapters.folders.recovery_files import FolderDocuments

SUMS: Final = "SHA256SUMS"
ABOUT: Final = "sceau-site.json"
FORMAT: Final = "sceau-site"
PAGES: Final = "sceau-site-pages.jsonl"
WRITING: Final = "sceau-site-writing"
_GUIDES: Final = ("LISEZMOI.txt", "README.txt", "nginx.conf", "htaccess.txt")
_SUM: Final = re.compile(r"([0-9a-f]{64})  (.+)")


class FolderUnusable(Exception):
    """The folder contains no edition, or something else that must not be overwritten, or is being written."""


class Unit(Protocol):
    """Files that are made together. `inputs`: a digest of all they depend on; empty: they are made each time."""

    @property
    def name(self) -> str: ...

    @property
    def inputs(self) -> str: ...

    def files(self) -> Iterator[tuple[str, bytes]]: ...


U = TypeVar("U", bound=Unit)


@dataclass(frozen=True)
class Entry:
    """What the last edition knows of one unit: its inputs, and the digest of each of its files."""

    inputs: str
    files: Mapping[str, str]
    stamp: str
    """Of sizes, times and inodes: files with the same stamp are not read again."""


@dataclass(frozen=True)
class Written:
    """What an export did: `paths` are the files that were made again, whether or not their bytes changed."""

    count: int
    paths: Collection[str]
    removed: int


@dataclass(frozen=True)
class ExportFolder:
    folder: Path

    def write(
        self,
        host: str,
        slug: str,
        units: Sequence[U],
        *,
        made_at: datetime,
        final: bool,
        anew: bool = False,
        each: Callable[[Sequence[U]], Iterable[U]] = iter,
    ) -> Written:
        """Make the units with changed inputs, or all of them if `anew`; `each` may show the progress.

        What no unit has any more is removed first: a badge closed since must not remain. Raises FolderUnusable, or
        OSError.
        """
        with self._alone() as journal:
            earlier = self._entries()
            before = self._left_behind(journal) | set(self._listed() if self._is_edition() else ())
            root = host.replace(":", "_")
            found = {} if anew else self._unchanged(units, earlier)
            if earlier:
                planned = {unit.name for unit in units}
                self._remove(before - _paths(entry for name, entry in earlier.items() if name in planned))
            made, kept = set[str](), _paths(found.values())
            for unit in each(_in_order([unit for unit in units if unit.name not in found], earlier)):
                files = self._make(unit, root, journal)
                made |= files.keys()
                if unit.name in earlier:
                    self._remove(earlier[unit.name].files.keys() - made - kept)
                found[unit.name] = Entry(unit.inputs, files, "")
            sums = {path: digest for entry in found.values() for path, digest in entry.files.items()}
            self._remove(before - sums.keys())
            os.sync()
            self._write_beside(host, slug, found, sums, made_at=made_at, final=final)
        return Written(len(sums), made, len(before - sums.keys()))

    def _unchanged(self, units: Iterable[Unit], earlier: Mapping[str, Entry]) -> dict[str, Entry]:
        """Those with the same inputs as in the last edition and with unmodified files."""
        found = {}
        for unit in units:
            entry = earlier.get(unit.name)
            if entry is not None and unit.inputs and entry.inputs == unit.inputs:
                stamp = self._stamp(entry.files)
                if stamp and (stamp == entry.stamp or self._are_as_written(entry.files)):
                    found[unit.name] = Entry(entry.inputs, entry.files, stamp)
        return found

    def changed(self, among: Collection[str] | None = None) -> Iterator[str]:
        """Files that are missing or modified since they were written, of these paths or of all."""
        for path, digest in self._listed().items():
            if among is None or path in among:
                place = self.folder / path
                if not place.is_file() or _digest_of(place) != digest:
                    yield path

    def files(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, Path]]:
        """The listed files with a path below the host's folder that matches `pattern`."""
        for path in self._listed():
            if pattern.fullmatch(path.partition("/")[2]):
                yield path, self.folder / path

    @property
    def documents(self) -> FolderDocuments:
        return FolderDocuments(self.folder)

    # --- one export at a time, and what an interrupted one left

    @contextmanager
    def _alone(self) -> Iterator[IO[bytes]]:
        """The journal of this export, locked; it is removed once the lists are written."""
        path = self.folder / WRITING
        is_ours = self._is_edition() or path.is_file()
        if not is_ours and self.folder.is_dir() and any(self.folder.iterdir()):
            raise FolderUnusable("not_empty")
        self.folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as journal:
            try:
                fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_current = path.stat().st_ino == os.fstat(journal.fileno()).st_ino
            except (BlockingIOError, FileNotFoundError):
                is_current = False
            if not is_current:
                raise FolderUnusable("in_use")
            yield journal
            path.unlink()

    def _left_behind(self, journal: IO[bytes]) -> set[str]:
        """The files that an interrupted export wrote or was about to; half-written ones are removed."""
        journal.seek(0)
        left, is_within = set(), _Within(self.folder)
        for line in journal.read().decode("utf-8", errors="replace").splitlines(keepends=True):
            path = line.removesuffix("\n")
            if line.endswith("\n") and is_within(path):
                self._beside(self.folder / path).unlink(missing_ok=True)
                left.add(path)
        return left

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            place = self.folder / path
            place.unlink(missing_ok=True)
            for parent in place.parents:
                if parent == self.folder or not parent.is_dir() or any(parent.iterdir()):
                    break
                parent.rmdir()

    # --- files

    def _make(self, unit: Unit, root: str, journal: IO[bytes]) -> dict[str, str]:
        """Each file of the unit, and its digest; those with the same bytes are left as they are."""
        bodies = {f"{root}/{path}": body for path, body in unit.files()}
        differing = [path for path, body in bodies.items() if not _holds(self.folder / path, body)]
        if differing:
            journal.write("".join(f"{path}\n" for path in differing).encode())
            journal.flush()
        for path in differing:
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            new = self._beside(place)
            new.write_bytes(bodies[path])
            new.replace(place)
        return {path: sha256(body).hexdigest() for path, body in bodies.items()}

    @staticmethod
    def _beside(place: Path) -> Path:
        return place.with_name(f"{place.name}.new")

    def _are_as_written(self, files: Mapping[str, str]) -> bool:
        try:
            return all(_digest_of(self.folder / path) == digest for path, digest in files.items())
        except OSError:
            return False

    def _stamp(self, paths: Iterable[str]) -> str:
        """Empty if one is missing."""
        digest = blake2b(digest_size=16)
        for path in sorted(paths):
            try:
                seen = os.stat(self.folder / path)
            except OSError:
                return ""
            digest.update(b"%d %d %d\n" % (seen.st_size, seen.st_mtime_ns, seen.st_ino))
        return digest.hexdigest()

    # --- the lists beside the site

    def _is_edition(self) -> bool:
        return (self.folder / ABOUT).is_file() and (self.folder / SUMS).is_file()

    def _listed(self) -> dict[str, str]:
        if not self._is_edition():
            raise FolderUnusable("no_edition")
        found, is_within = {}, _Within(self.folder)
        for line in (self.folder / SUMS).read_text("utf-8").splitlines():
            entry = _SUM.fullmatch(line)
            if entry is None or not is_within(entry[2]):
                raise FolderUnusable("no_edition")
            found[entry[2]] = entry[1]
        return found

    def _entries(self) -> dict[str, Entry]:
        """Of the last edition; none if it is of an earlier version, or cannot be read: all is made again."""
        try:
            head, *lines = (self.folder / PAGES).read_bytes().splitlines()
            if orjson.loads(head) != _HEAD:
                return {}
            found, is_within = {}, _Within(self.folder)
            for line in lines:
                entry = orjson.loads(line)
                if all(map(is_within, entry["files"])):
                    found[entry["unit"]] = Entry(entry["inputs"], dict(entry["files"]), entry["stamp"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return found

    def _write_beside(
        self,
        host: str,
        slug: str,
        entries: Mapping[str, Entry],
        sums: Mapping[str, str],
        *,
        made_at: datetime,
        final: bool,
    ) -> None:
        for name in _GUIDES:
            text = (files("app.adapters.folders.kept_guides") / name).read_text("utf-8")
            root = host.replace(":", "_")
            self._replace(name, text.replace("HOST", host).replace("ROOT", root).encode())
        about = {
            "format": FORMAT,
            "version": 1,
            "host": host,
            "campus": slug,
            "made": made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "final": final,
        }
        written = (
            {
                "unit": name,
                "inputs": entry.inputs,
                "stamp": entry.stamp or self._stamp(entry.files),
                "files": dict(sorted(entry.files.items())),
            }
            for name, entry in sorted(entries.items())
        )
        self._replace(PAGES, b"".join(orjson.dumps(each) + b"\n" for each in (_HEAD, *written)))
        self._replace(ABOUT, (json.dumps(about, indent=1) + "\n").encode())
        lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
        self._replace(SUMS, lines.encode())

    def _replace(self, name: str, content: bytes) -> None:
        """Atomic and durable; readable by all, as the site is."""
        place = self.folder / name
        new = self._beside(place)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(place)


class _Within:
    """Whether a listed path, with links resolved, is in the folder; each directory is resolved once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._known: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        if parent not in self._known:
            self._known[parent] = (self.folder / parent).resolve().is_relative_to(self.folder)
        return self._known[parent] and name not in ("", ".", "..")


def _in_order(units: Sequence[U], earlier: Mapping[str, Entry]) -> list[U]:
    """Outdated pages first, then new ones; last those that are made each time."""
    return sorted(units, key=lambda unit: (not unit.inputs, unit.name not in earlier))


def _paths(entries: Iterable[Entry]) -> set[str]:
    return {path for entry in entries for path in entry.files}


_HEAD: Final = {"format": "sceau-site-pages", "version": 1}


def _holds(place: Path, body: bytes) -> bool:
    return place.is_file() and place.read_bytes() == body


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
