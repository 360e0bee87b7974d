"""The last signed state of each activity log and status list, in a folder that no database backup restores.

Every file is small, written atomically and checked when read; a damaged file is reported, never repaired.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import orjson

from app.adapters.folders.recovery_files import alone_in, write_whole
from app.adapters.web_documents import WebDocuments
from app.domain.publishing import AnchoredList, SignedList
from app.errors import Unavailable
from app.language import N_
from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.transparency_log.notes import Note, NoteKey, TreeHead, WitnessKey

Read = TypeVar("Read")
LISTS: Final = "lists"
PLACES: Final = "withdrawn"
EDITIONS: Final = "editions"
_BEGUN: Final = "begun"
_FILE_NAME: Final = re.compile(r"[0-9a-f]{32}")
_Stamp = tuple[int, int, int]


class AnchorDamaged(Unavailable):
    """A file of the anchor folder that cannot be read: nothing that depends on it is signed or published."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            N_(
                "Le fichier d’ancre {name} est abîmé. Remettez-le d’une copie du dossier des ancres. Sans copie, et si "
                "vous êtes sûr que la base n’est pas plus ancienne, supprimez-le : il sera écrit de nouveau."
            ),
            name=path.name,
        )


class AnchorUnreadable(OSError):
    """The disk or the host of the anchor folder does not answer: nothing that depends on it is signed."""


@dataclass(frozen=True)
class AnchorState:
    """Heads of logs by their origin, status lists by their number, and unreadable files: those of status
    lists with the list's number."""

    heads: dict[str, TreeHead]
    lists: dict[uuid.UUID, AnchoredList]
    damaged: dict[str, uuid.UUID | None]


class FolderAnchors:
    """One file for each log (its tree head, C2SP tlog-checkpoint unsigned, and its key), each status list of
    a campus (its newest edition, as signed), and each list of a network or an organisation (the revoked
    positions)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, tuple[_Stamp, object]] = {}
        self.failure: OSError | None = None
        """Why the last write to the folder failed; None if it succeeded."""

    # --- heads of activity logs

    def has_heads(self) -> bool:
        """Whether it knows the activity log of any campus."""
        return bool(self._files(self.folder))

    def begun_at(self) -> datetime | None:
        """When the first anchor was written; None for folders of earlier versions."""
        with suppress(FileNotFoundError):
            return datetime.fromtimestamp((self.folder / _BEGUN).stat().st_mtime, UTC)
        return None

    def last(self, origin: str) -> TreeHead | None:
        return self._head_in(self._path(origin))

    def last_key(self, origin: str) -> str:
        return "".join((self._parsed(self._path(origin), bytes.decode) or "").split("\n")[3:4])

    def advance(self, head: TreeHead, vkey: str = "") -> None:
        def write() -> None:
            last = self.last(head.origin)
            if last is None or last.size < head.size:
                text = head.to_text() + (f"{vkey}\n" if vkey else "")
                write_whole(self._path(head.origin), text.encode())

        self._alone(self.folder, write)

    # --- status lists of campuses

    def list_of(self, list_id: uuid.UUID) -> AnchoredList | None:
        """The newest signed edition, as far as this folder knows."""
        return self._parsed(self.folder / LISTS / list_id.hex, _anchored_list)

    def advance_lists(self, lists: Sequence[AnchoredList]) -> None:
        """Stores these editions, unless a newer one of the same list exists already."""

        def write() -> None:
            for each in lists:
                known = self.list_of(each.list_id)
                if known is None or known.signed.sequence < each.signed.sequence:
                    write_whole(self.folder / LISTS / each.list_id.hex, _list_text(each))

        self._alone(self.folder / LISTS, write)

    # --- lists of networks and organisations, signed on every read

    def withdrawn(self, url: str) -> frozenset[int]:
        """The positions of that list that were ever revoked, as far as this folder knows."""
        return self._parsed(self._places(url), _positions) or frozenset()

    def advance_withdrawn(self, url: str, positions: frozenset[int]) -> None:
        def write() -> None:
            known = self.withdrawn(url)
            if positions - known:
                write_whole(self._places(url), _checked({"url": url, "positions": sorted(positions | known)}))

        self._alone(self.folder / PLACES, write)

    # --- numbered editions: trust lists and reports

    def edition(self, name: str) -> tuple[int, bytes]:
        """The highest number ever given, and that edition as signed where it was stored; 0 if none."""
        return self._parsed(self.folder / EDITIONS / _named(name), _edition) or (0, b"")

    def advance_edition(self, name: str, number: int, body: bytes = b"") -> None:
        def write() -> None:
            if self.edition(name)[0] < number:
                content = {"name": name, "number": number, "body": body.decode()}
                write_whole(self.folder / EDITIONS / _named(name), _checked(content))

        self._alone(self.folder / EDITIONS, write)

    def state(self) -> AnchorState:
        """All anchors of campuses. Read it before the database: anchors move only after a commit."""
        state = AnchorState({}, {}, {})
        for path in self._files(self.folder):
            try:
                head = self._head_in(path)
            except AnchorDamaged:
                state.damaged[path.name] = None
                continue
            if head is not None:
                state.heads[head.origin] = head
        for path in self._files(self.folder / LISTS):
            list_id = uuid.UUID(hex=path.name)
            try:
                anchored = self.list_of(list_id)
            except AnchorDamaged:
                state.damaged[path.name] = list_id
                continue
            if anchored is not None:
                state.lists[list_id] = anchored
        return state

    def name_of(self, origin: str) -> str:
        """The name of the file that anchors a log."""
        return _named(origin)

    # --- files

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        return sorted(path for path in folder.glob("*") if _FILE_NAME.fullmatch(path.name))

    def _head_in(self, path: Path) -> TreeHead | None:
        text = self._parsed(path, bytes.decode) or ""
        try:
            for vkey in filter(None, text.split("\n")[3:4]):
                NoteKey.from_vkey(vkey)
            return TreeHead.from_text(text) if text else None
        except MalformedInput as error:
            raise AnchorDamaged(path) from error

    def check_writable(self) -> None:
        """Raises OSError where the folder, or one in it, is not writable; `failure` is the last error."""

        def probe() -> None:
            write_whole(self.folder / "probe", b"1")
            for each in (*self.folder.glob("*/"), *self.folder.glob("*/*/")):
                if each.is_dir() and not os.access(each, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(each))

        self._alone(self.folder, probe, is_anchor=False)

    def _alone(self, folder: Path, write: Callable[[], None], *, is_anchor: bool = True) -> None:
        try:
            is_first = is_anchor and self._holds_nothing()
            with alone_in(folder):
                if is_first:
                    (self.folder / _BEGUN).touch(mode=0o600)
                write()
        except OSError as error:
            self.failure = OSError(*error.args)
            raise
        self.failure = None

    def _holds_nothing(self) -> bool:
        """No anchor, and none of an earlier version: the recovery journal may be older."""
        if (self.folder / _BEGUN).exists():
            return False
        names = {each.name for each in self.folder.iterdir()} if self.folder.is_dir() else set()
        return names <= {"probe", "lock", "journal"}

    def _parsed(self, path: Path, parse: Callable[[bytes], Read]) -> Read | None:
        """None where there is no such file. An unchanged file is not read again."""
        try:
            found = path.stat()
            stamp = found.st_mtime_ns, found.st_size, found.st_ino
            known = self._read.get(path)
            if known is not None and known[0] == stamp:
                return known[1]  # type: ignore[return-value]
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.failure = OSError(*error.args)
            raise AnchorUnreadable(error.errno, error.strerror, str(path)) from error
        try:
            parsed = parse(content)
        except (ValueError, KeyError, TypeError) as error:
            raise AnchorDamaged(path) from error
        if len(self._read) > _MOST_REMEMBERED:
            self._read.clear()
        self._read[path] = stamp, parsed
        return parsed

    def _path(self, origin: str) -> Path:
        return self.folder / _named(origin)

    def _places(self, url: str) -> Path:
        return self.folder / PLACES / _named(url)


_MOST_REMEMBERED: Final = 2_000


def _named(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _checked(content: dict[str, object]) -> bytes:
    """One line of JSON, and its digest on the next."""
    body = orjson.dumps(content)
    return body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n"


def _content(text: bytes) -> dict[str, object]:
    body, _, digest = text.removesuffix(b"\n").rpartition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("digest of an anchor file")
    content = orjson.loads(body)
    if not isinstance(content, dict):
        raise TypeError("an anchor file is one object")
    return content


def _list_text(anchored: AnchoredList) -> bytes:
    signed = anchored.signed
    return _checked(
        {
            "list": anchored.list_id.hex,
            "campus": anchored.campus_id.hex,
            "size": anchored.size,
            "sequence": signed.sequence,
            "signedAt": signed.signed_at.isoformat() if signed.signed_at else None,
            "embedded": signed.embedded.decode(),
            "token": signed.token,
            "statusToken": signed.status_token,
            "suspensions": signed.suspensions.decode(),
            "suspensionsToken": signed.suspensions_token,
        }
    )


def _anchored_list(text: bytes) -> AnchoredList:
    content = _content(text)
    at = content["signedAt"]
    signed = SignedList(
        str(content["embedded"]).encode(),
        str(content["token"]),
        datetime.fromisoformat(at) if isinstance(at, str) else None,
        int(str(content["sequence"])),
        str(content.get("statusToken", "")),
        str(content.get("suspensions", "")).encode(),
        str(content.get("suspensionsToken", "")),
    )
    return AnchoredList(
        uuid.UUID(str(content["list"])), uuid.UUID(str(content["campus"])), int(str(content["size"])), signed
    )


def _positions(text: bytes) -> frozenset[int]:
    positions = _content(text)["positions"]
    if not isinstance(positions, list):
        raise TypeError("positions")
    return frozenset(int(each) for each in positions)


def _edition(text: bytes) -> tuple[int, bytes]:
    content = _content(text)
    return int(str(content["number"])), str(content["body"]).encode()


_LARGEST = 32 * 1024 * 1024


class FolderLog:
    """As written by `sceau log export`, or any mirror of the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def read(self, path: str) -> bytes:
        place = (self.folder / path).resolve()
        if not place.is_relative_to(self.folder) or not place.is_file() or place.stat().st_size > _LARGEST:
            raise DocumentUnavailable(path, "not_found")
        return place.read_bytes()


class WebLog:
    """`url` is the common prefix of the log's files, such as
    `https://badges.exemple.fr/campus/itip/journal`."""

    def __init__(self, documents: WebDocuments, url: str) -> None:
        self.documents = documents
        self.url = url.rstrip("/")

    def read(self, path: str) -> bytes:
        accept = "text/plain, application/octet-stream"
        return self.documents.fetch(f"{self.url}/{path}", accept=accept).body


class WitnessKeyUnusable(Exception):
    """The message contains the remedy."""


@dataclass(frozen=True, eq=False)
class WitnessFolder:
    """`key` is readable by its owner only; each log has a folder with its `checkpoint` and refused
    checkpoints."""

    folder: Path

    def make_key(self, name: str) -> WitnessKey:
        """A new key in a file of its own; FileExistsError where there is one: its signatures would be
        orphaned."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = WitnessKey(name, secrets.token_bytes(32))
        text = f"{key.to_skey()}\n"
        descriptor = os.open(self.folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return key

    def key(self) -> WitnessKey:
        path = self.folder / "key"
        if not path.is_file():
            raise WitnessKeyUnusable("no_key")
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise WitnessKeyUnusable("readable_by_others")
        return WitnessKey.from_skey(path.read_text(encoding="utf-8"))

    @contextmanager
    def alone(self, origin: str) -> Iterator[None]:
        with alone_in(self._place(origin)):
            yield

    def last(self, origin: str) -> Note | None:
        try:
            text = (self._place(origin) / "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return Note.from_text(text)

    def keep(self, origin: str, note: Note) -> None:
        """Durable on return: a cosignature may be sent only after that (C2SP tlog-witness)."""
        write_whole(self._place(origin) / "checkpoint", note.to_text().encode())

    def keys(self, origin: str) -> list[NoteKey]:
        try:
            lines = (self._place(origin) / "keys").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [NoteKey.from_vkey(line) for line in lines.splitlines()]

    def keep_keys(self, origin: str, keys: Sequence[NoteKey]) -> None:
        """Durable before the first checkpoint under the newest of them."""
        text = "".join(f"{each.to_vkey()}\n" for each in keys)
        write_whole(self._place(origin) / "keys", text.encode())

    def keep_refused(self, origin: str, note: Note) -> Path:
        """A checkpoint that contradicts the last one: both together are public proof of it."""
        content = note.to_text().encode()
        path = self._place(origin) / f"refused-{hashlib.sha256(content).hexdigest()[:16]}"
        write_whole(path, content)
        return path

    def _place(self, origin: str) -> Path:
        return self.folder / "logs" / hashlib.sha256(origin.encode()).hexdigest()[:32]
