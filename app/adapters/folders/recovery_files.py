"""Key documents and status lists stored as files: a DocumentSource that needs no network.

A document is found in one of two ways, in this order:

1. by path, which is its URL without the scheme: `https://badges.exemple.fr/campus/itip/did.json`
   is `badges.exemple.fr/campus/itip/did.json` in the folder, as saved by
   `wget --force-directories`; where a file system refuses the `:` of a port, `_` may replace it; at a URL
   that is also a folder, it is the folder's `index.json`;
2. by its own `id`, whatever the file name: a DID with a document published at the URL, or the URL itself.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

import orjson

from app.adapters.secrets import KeyVault
from app.domain.activity_log.recovery import ERASED, Frame, as_json
from app.domain.core import Clock
from app.errors import Unavailable
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.proofs.vc_jwt import parse_compact_jws
from sceau_credentials.values import FetchedDocument, JsonObject, parse_json_object

INDEX = "index.json"
_LARGEST = 2 * 1024 * 1024
_SUFFIXES = {".json", ".jsonld", ".jwt", ".vc", ".txt", ""}


class FolderDocuments:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        path = self._at_its_place(url) or self._by_id.get(url)
        if path is None:
            raise DocumentUnavailable(url, "not_found")
        body = _bytes_of(path)
        if body is None:
            raise DocumentUnavailable(url, "too_large")
        return FetchedDocument(url, body)

    def _at_its_place(self, url: str) -> Path | None:
        parts = urlsplit(url)
        if parts.query or not parts.netloc:
            return None
        for host in (parts.netloc, parts.netloc.replace(":", "_")):
            path = (self.folder / host / unquote(parts.path).lstrip("/")).resolve()
            # A URL from an untrusted badge must not address a file elsewhere.
            if not path.is_relative_to(self.folder):
                continue
            if path.is_dir():
                path /= INDEX
            if path.is_file():
                return path
        return None

    @cached_property
    def _by_id(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix.lower() in _SUFFIXES and (body := _bytes_of(path)):
                for url in _urls_of(body):
                    found.setdefault(url, path)
        return found


def _bytes_of(path: Path) -> bytes | None:
    if path.stat().st_size > _LARGEST:
        return None
    return path.read_bytes()


def _urls_of(body: bytes) -> Iterator[str]:
    """The URLs at which the document declares that it is published."""
    try:
        identifier = _read(body).get("id")
        if isinstance(identifier, str):
            yield did_web_document_url(identifier) if identifier.startswith("did:web:") else identifier
    except (CredentialError, UnicodeDecodeError):
        return


def _read(body: bytes) -> JsonObject:
    text = body.strip()
    if text.startswith(b"{"):
        return parse_json_object(text, max_bytes=_LARGEST)
    return parse_compact_jws(text.decode()).payload


def for_its_owner(path: str, flags: int) -> int:
    """Opener of a file that only its owner reads and writes (0600)."""
    return os.open(path, flags, 0o600)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Exclusive lock on the folder; creates it where it is missing."""
    # `mode` is of the last folder alone: with a wide umask the one above it would be open to others.
    for each in (folder.parent, folder):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(folder / "lock", "w", opener=for_its_owner) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, content: bytes) -> None:
    """Atomic and durable on return; an interrupted write leaves the previous content."""
    new = path.with_name(f"{path.name}.new")
    with open(new, "wb", opener=for_its_owner) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The directory entries are durable on return."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_LENGTHS: Final = 8
_PURPOSE: Final = b"sceau/recovery/v1"
_LONGEST: Final = 1 << 31


@dataclass(frozen=True)
class _Place:
    """Position of a frame in its file."""

    header: dict[str, Any]
    start: int
    body: int
    stop: int


class RecoveryJournal:
    def __init__(self, folder: Path, vault: KeyVault, clock: Clock, *, days: int) -> None:
        """`days`: retention of frames; 0: none are written."""
        self.folder = folder
        self.vault = vault
        self.clock = clock
        self.days = days
        self.failure: OSError | None = None
        """Why the last write failed; None if it succeeded."""
        self._sound: dict[Path, int] = {}

    def append(self, frame: Frame) -> None:
        """Durable on return; OSError leaves the file unchanged."""
        if not self.days:
            return
        at = frame.at.astimezone(UTC)
        folder = self.folder / frame.campus_id.hex
        try:
            with alone_in(folder):
                path = folder / at.date().isoformat()
                is_new = not path.exists()
                self._write(path, self._encoded(frame))
                if is_new:
                    sync_folder(folder)
                    self._drop_old(folder, at.date())
        except OSError as error:
            self.failure = OSError(*error.args)
            raise
        self.failure = None

    def frames(self, campus_id: uuid.UUID, origin: str, *, beyond: int) -> Iterator[Frame]:
        """The frames of that log with lines from number `beyond` on, in the order of their lines.

        Damaged frames are skipped.
        """
        return self._found(campus_id, lambda header: header["origin"] == origin and header["stop"] > beyond)

    def with_erasures(self, campus_id: uuid.UUID) -> Iterator[Frame]:
        """The frames that name people who were erased, of every log of the campus."""
        return self._found(campus_id, lambda header: bool(header.get("erased", 1)))

    def _found(self, campus_id: uuid.UUID, is_wanted: Callable[[dict[str, Any]], bool]) -> Iterator[Frame]:
        found: list[tuple[int, int, Path, _Place]] = []
        for path in self._files(campus_id):
            with path.open("rb") as file:
                found += [
                    (place.header["start"], place.header["stop"], path, place)
                    for place in _places(file)
                    if is_wanted(place.header)
                ]
        for _start, _stop, path, place in sorted(found, key=lambda each: each[:2]):
            with path.open("rb") as file:
                frame = self._read(file, place)
            if frame is not None:
                yield frame

    def covered(self, campus_id: uuid.UUID, origin: str) -> list[tuple[int, int]]:
        """The line ranges of that log in the files of the last two days with files, in order."""
        found = []
        for path in self._files(campus_id)[-2:]:
            with path.open("rb") as file:
                found += [
                    (place.header["start"], place.header["stop"])
                    for place in _places(file)
                    if place.header["origin"] == origin
                ]
        return sorted(found)

    def reached(self) -> dict[str, int]:
        """The number after the last line of each log, by the headings of the same files; nothing is opened."""
        stops: dict[str, int] = {}
        for folder in self.folder.glob("*/"):
            for path in _days_in(folder)[-2:]:
                with path.open("rb") as file:
                    for place in _places(file):
                        origin = place.header["origin"]
                        stops[origin] = max(stops.get(origin, 0), place.header["stop"])
        return stops

    def _files(self, campus_id: uuid.UUID) -> list[Path]:
        return _days_in(self.folder / campus_id.hex)

    def _write(self, path: Path, encoded: bytes) -> None:
        with open(path, "ab", opener=for_its_owner) as file:
            sound = self._sound.get(path)
            if sound is None or file.tell() != sound:
                with path.open("rb") as written:
                    sound = max((place.stop for place in _places(written)), default=0)
                if file.tell() != sound:
                    file.truncate(sound)
            try:
                file.write(encoded)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(path, sound)  # the part of the frame written before the disk was full
                raise
            self._sound = {path: sound + len(encoded)}

    def _drop_old(self, folder: Path, today: date) -> None:
        oldest = (today - timedelta(days=self.days)).isoformat()
        for path in folder.glob("????-??-??"):
            if path.name < oldest:
                path.unlink()

    def _encoded(self, frame: Frame) -> bytes:
        header = orjson.dumps(
            {
                "campus": frame.campus_id,
                "origin": frame.origin,
                "start": frame.start,
                "stop": frame.stop,
                "at": frame.at,
                "erased": len(frame.content.get(ERASED, ())),
                "kek": self.vault.kek.id,
            }
        )
        body = self.vault.seal_bytes(orjson.dumps(frame.content, default=as_json), _PURPOSE + header)
        lengths = len(header).to_bytes(4, "big") + len(body).to_bytes(4, "big")
        return b"".join((lengths, header, body))

    def _read(self, file: IO[bytes], place: _Place) -> Frame | None:
        """None for a frame modified since it was written, or sealed under another key."""
        file.seek(place.start + _LENGTHS)
        header = file.read(place.body - place.start - _LENGTHS)
        body = file.read(place.stop - place.body)
        try:
            content = orjson.loads(self.vault.open_bytes(body, _PURPOSE + header))
        except (Unavailable, ValueError):
            return None
        said = place.header
        at = datetime.fromisoformat(said["at"])
        return Frame(uuid.UUID(said["campus"]), said["origin"], said["start"], said["stop"], at, content)


def _days_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("????-??-??"))


def _places(file: IO[bytes]) -> Iterator[_Place]:
    """Positions of the frames, up to the first incomplete one."""
    end, start = os.fstat(file.fileno()).st_size, 0
    while start + _LENGTHS <= end:
        file.seek(start)
        lengths = file.read(_LENGTHS)
        header, body = int.from_bytes(lengths[:4], "big"), int.from_bytes(lengths[4:], "big")
        stop = start + _LENGTHS + header + body
        if not header or header > _LONGEST or stop > end:
            return
        try:
            said = orjson.loads(file.read(header))
        except ValueError:
            return
        yield _Place(said, start, start + _LENGTHS + header, stop)
        start = stop
