"""Uploaded files: accepted types and sizes, detected from the content, whatever the file name claims."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from sqlmodel import Field, Index, SQLModel

from app.domain.core import enum_column, foreign_key, new_id, primary_foreign_key, utc_datetime
from app.errors import Conflict, InvalidInput

MOST_FILES: Final = 5
LARGEST_FILE: Final = 10 * 1024 * 1024
LONGEST_TEXT: Final = 1024 * 1024
LONGEST_WORDS: Final = 200
"""Of a picture's text alternative."""
ACCEPTED: Final = "image/jpeg,image/png,image/webp,application/pdf,text/plain"
"""For file inputs; a phone that stores photos in another format then uploads a JPEG."""
_ENDINGS: Final = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "text/plain": "txt",
}
_UNFIT = re.compile(r'[\\/:*?"<>|]')
_MARKUP = re.compile(r"<\s*(?:[!?]|svg|html|head|body|script|iframe|object|embed|link|style|img)", re.I)
_HEIC: Final = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")


class FileNoun(StrEnum):
    """What a file belongs to."""

    REQUEST = "request"
    CONTRIBUTION = "contribution"
    ACTIVITY = "activity"


class FileState(StrEnum):
    WAITING = "waiting"
    """For the virus scanner: not readable until then."""
    CLEAN = "clean"
    REFUSED = "refused"
    """The scanner found malware; only the row remains, without content."""


class StoredFile(SQLModel, table=True):
    """Metadata of a file; its content is in another table. `digest` is the SHA-256 of the stored bytes, in
    hex.

    `person_id` is the data subject, if the file concerns one person; `words` is a picture's text alternative.
    """

    __tablename__ = "stored_file"
    __table_args__ = (Index("files_of_noun", "noun", "noun_id"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    noun: FileNoun = Field(sa_column=enum_column(FileNoun, name="file_noun"))
    noun_id: uuid.UUID
    person_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    name: str = Field(max_length=120)
    words: str = Field(default="", max_length=LONGEST_WORDS)
    media_type: str = Field(max_length=40)
    size: int
    digest: str = Field(max_length=64)
    state: FileState = Field(sa_column=enum_column(FileState, name="file_state"))
    added_at: datetime = Field(sa_column=utc_datetime())

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")

    @property
    def is_open(self) -> bool:
        return self.state is FileState.CLEAN


class FileContent(SQLModel, table=True):
    """`preview` is a small JPEG of a picture."""

    __tablename__ = "stored_file_content"
    file_id: uuid.UUID = Field(sa_column=primary_foreign_key("stored_file"))
    content: bytes
    preview: bytes | None = None


@dataclass(frozen=True)
class Picture:
    """A picture re-encoded from its pixels alone."""

    content: bytes
    preview: bytes


class Photographs(Protocol):
    def cleaned(self, content: bytes, media_type: str) -> Picture:
        """Raises InvalidInput for an incomplete picture, or one too large to decode."""


class ScannerSilent(Exception):
    """The scanner could not be reached: the file's state is unknown."""


class Scanner(Protocol):
    def is_clean(self, content: bytes) -> bool:
        """Raises ScannerSilent."""


class Infected(InvalidInput):
    """The scanner found something."""


@dataclass(frozen=True)
class TakenFile:
    """A file as it will be stored."""

    name: str
    media_type: str
    content: bytes
    preview: bytes | None
    state: FileState
    words: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def media_type_of(content: bytes) -> str | None:
    """From the first bytes, or all of them for text; None for unsupported types."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain" if _is_plain_text(content) else None


def _is_plain_text(content: bytes) -> bool:
    """Text that a browser could not interpret as HTML, SVG or script."""
    if not content.strip() or len(content) > LONGEST_TEXT:
        return False
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return _MARKUP.search(text) is None and all(
        sign in "\t\n\r\f" or unicodedata.category(sign) != "Cc" for sign in text
    )


def check_content(content: bytes) -> str:
    """The media type of an accepted file; raises InvalidInput with advice."""
    if len(content) > LARGEST_FILE:
        raise InvalidInput("Ce fichier est trop lourd : 10 Mo au plus. Une photo plus petite suffit.")
    media_type = media_type_of(content)
    if media_type is not None:
        return media_type
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise InvalidInput(
            "Cette photo est au format HEIC ou AVIF. Choisissez « Le plus compatible » dans les réglages de "
            "l’appareil photo, ou envoyez une capture d’écran."
        )
    raise InvalidInput(
        "Ce fichier n’est ni une photo (JPEG, PNG, WebP), ni un PDF, ni un texte simple. Enregistrez-le en "
        "PDF, puis recommencez."
    )


def new_file(
    taken: TakenFile,
    *,
    campus_id: uuid.UUID,
    noun: FileNoun,
    noun_id: uuid.UUID,
    person_id: uuid.UUID | None = None,
    at: datetime,
) -> tuple[StoredFile, FileContent]:
    row = StoredFile(
        campus_id=campus_id,
        noun=noun,
        noun_id=noun_id,
        person_id=person_id,
        name=shown_name(taken.name, taken.media_type),
        words=" ".join(taken.words.split())[:LONGEST_WORDS],
        media_type=taken.media_type,
        size=len(taken.content),
        digest=taken.digest,
        state=taken.state,
        added_at=at,
    )
    return row, FileContent(file_id=row.id, content=taken.content, preview=taken.preview)


def check_room(there: int, *, most: int = MOST_FILES) -> None:
    if there > most:
        raise InvalidInput("C’est trop de fichiers : {most} au plus en tout.", most=most)


def check_may_open(file: StoredFile) -> None:
    if file.state is FileState.WAITING:
        raise Conflict("Ce fichier est en attente d’analyse : il s’ouvrira une fois reconnu sans danger.")
    if file.state is FileState.REFUSED:
        raise Conflict("Ce fichier a été refusé par l’antivirus : rien n’en a été gardé.")


def refuse(file: StoredFile) -> None:
    """Only the fact that the file existed remains."""
    file.state, file.digest, file.size, file.words = FileState.REFUSED, "", 0, ""


def shown_name(name: str, media_type: str) -> str:
    """The file's name without what other systems could misinterpret, and with its true extension."""
    plain = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    own = _UNFIT.sub(" ", plain.replace("\\", "/").rpartition("/")[2])
    stem = own.rpartition(".")[0] or own
    return f"{' '.join(stem.split())[:100].strip('. ') or 'fichier'}.{_ENDINGS[media_type]}"


MOST_AT_ONCE: Final = 10
MOST_OF_ACTIVITY: Final = 60
SHORTEST_REASON, LONGEST_REASON = 3, 500


class ActivityFile(SQLModel, table=True):
    """Links a file to an activity, or to one of its sessions; remains when the file is deleted.

    `agreed`: the trainer confirms that everyone recognisable in it agrees to its publication.
    """

    __tablename__ = "activity_file"
    file_id: uuid.UUID = Field(primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    session_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("activity_session", nullable=True, index=False)
    )
    agreed: bool = False
    removed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def check_number(handed_in: int) -> None:
    if not handed_in:
        raise InvalidInput("Choisissez au moins une photo ou un fichier.")
    if handed_in > MOST_AT_ONCE:
        raise InvalidInput("Dix fichiers à la fois au plus : envoyez le reste ensuite.")


def check_reason(reason: str) -> None:
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput(
            "Dites en une phrase pourquoi vous retirez ce fichier : le motif reste au journal."
        )
