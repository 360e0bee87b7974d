"""Files that back a request: a photo or a PDF, as its first bytes say, whatever its name claims."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from datetime import datetime

from sqlmodel import Field, SQLModel

from app.domain.columns import moment, new_id, part_of, points_to
from app.errors import InvalidInput
from app.language import N_

MOST_FILES = 5
LARGEST_FILE = 5 * 1024 * 1024
_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_UNFIT = re.compile(r'[\\/:*?"<>|]')


class RequestFile(SQLModel, table=True):
    """What is said of a file; its bytes lie apart, and are read for a download alone."""

    __tablename__ = "request_file"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    request_id: uuid.UUID = Field(sa_column=points_to("badge_request"))
    name: str = Field(max_length=120)
    media_type: str = Field(max_length=40)
    size: int
    digest: str = Field(max_length=64)
    added_at: datetime = Field(sa_column=moment())


class RequestFileContent(SQLModel, table=True):
    __tablename__ = "request_file_content"
    file_id: uuid.UUID = Field(sa_column=part_of("request_file"))
    content: bytes


def media_type_of(content: bytes) -> str | None:
    """By its first bytes; None for what we do not take."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def new_file(
    request_id: uuid.UUID, name: str, content: bytes, *, there: int, at: datetime
) -> tuple[RequestFile, RequestFileContent]:
    """Raises InvalidInput with what to do instead; `there` is how many the request holds already."""
    if there >= MOST_FILES:
        raise InvalidInput(N_("Une demande tient {most} fichiers."), most=MOST_FILES)
    if len(content) > LARGEST_FILE:
        raise InvalidInput(N_("Ce fichier est trop lourd : 5 Mo au plus. Une photo plus petite suffit."))
    media_type = media_type_of(content)
    if media_type is None:
        raise InvalidInput(
            N_(
                "Ce fichier n’est ni une photo (JPEG, PNG, WebP) ni un PDF. Enregistrez-le en PDF, puis recommencez."
            )
        )
    row = RequestFile(
        request_id=request_id,
        name=shown_name(name, media_type),
        media_type=media_type,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        added_at=at,
    )
    return row, RequestFileContent(file_id=row.id, content=content)


def shown_name(name: str, media_type: str) -> str:
    """The file's own name without what other systems could take for something else, and with its true ending."""
    plain = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    own = _UNFIT.sub(" ", plain.replace("\\", "/").rpartition("/")[2])
    stem = own.rpartition(".")[0] or own
    return f"{' '.join(stem.split())[:100].strip('. ') or 'fichier'}.{_ENDINGS[media_type]}"
