"""The recovery journal: what was logged and awarded lately, sealed, in append-only files beside the anchors.

A file holds the frames of one campus and one day. A frame is its two lengths, a header in JSON, and a body sealed under the
key-encryption key together with the header. A frame that a crash cut short is cut off before the next one is written.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

import orjson

from app.adapters.folders.whole_files import alone_in, for_its_owner, sync_folder
from app.adapters.secrets.key_vault import KeyVault
from app.domain.activity_log.recovery import ERASED, Frame, as_json
from app.domain.core.clock import Clock
from app.errors import Unavailable

_LENGTHS: Final = 8
_PURPOSE: Final = b"sceau/recovery/v1"
_LONGEST: Final = 1 << 31


@dataclass(frozen=True)
class _Place:
    """Where a frame lies in its file."""

    header: dict[str, Any]
    start: int
    body: int
    stop: int


class RecoveryJournal:
    def __init__(self, folder: Path, vault: KeyVault, clock: Clock, *, days: int) -> None:
        """`days`: how long frames are kept; 0: none are written."""
        self.folder = folder
        self.vault = vault
        self.clock = clock
        self.days = days
        self.failure = ""
        """Why nothing could be written when that was last tried; empty where it could."""
        self._sound: dict[Path, int] = {}

    def append(self, frame: Frame) -> None:
        """On disk when it returns; OSError leaves the file as it was."""
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
            self.failure = error.strerror or type(error).__name__
            raise
        self.failure = ""

    def frames(
        self, campus_id: uuid.UUID, origin: str, *, beyond: int, with_erasures: bool = False
    ) -> Iterator[Frame]:
        """The frames of that log with lines from number `beyond` on, in the order of their lines; `with_erasures`: those
        alone that name people who were erased. What is damaged is left out."""
        found: list[tuple[int, int, Path, _Place]] = []
        for path in self._files(campus_id):
            with path.open("rb") as file:
                found += [
                    (place.header["start"], place.header["stop"], path, place)
                    for place in _places(file)
                    if place.header["origin"] == origin
                    and place.header["stop"] > beyond
                    and (place.header.get("erased", 1) or not with_erasures)
                ]
        for _start, _stop, path, place in sorted(found, key=lambda each: each[:2]):
            with path.open("rb") as file:
                frame = self._read(file, place)
            if frame is not None:
                yield frame

    def covered(self, campus_id: uuid.UUID, origin: str) -> list[tuple[int, int]]:
        """The ranges of that log in the files of the last two days there are, in order."""
        found = []
        for path in self._files(campus_id)[-2:]:
            with path.open("rb") as file:
                found += [
                    (place.header["start"], place.header["stop"])
                    for place in _places(file)
                    if place.header["origin"] == origin
                ]
        return sorted(found)

    def damaged(self, campus_id: uuid.UUID) -> list[str]:
        """Files with a frame that cannot be read, by their names."""
        found = []
        for path in self._files(campus_id):
            with path.open("rb") as file:
                places = list(_places(file))
                whole = places[-1].stop if places else 0
                if whole < path.stat().st_size or any(self._read(file, each) is None for each in places):
                    found.append(path.name)
        return found

    def _files(self, campus_id: uuid.UUID) -> list[Path]:
        return sorted((self.folder / campus_id.hex).glob("????-??-??"))

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
                os.truncate(path, sound)  # what a full disk let through of the frame
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
        """None for a frame that changed since it was written, or was sealed under another key."""
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


def _places(file: IO[bytes]) -> Iterator[_Place]:
    """Where the frames lie, up to the first that is not whole."""
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
