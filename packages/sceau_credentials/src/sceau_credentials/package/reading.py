"""Open a package: nothing is extracted to disk, and only files named by its manifest are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.values.documents import FetchedDocument
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.values.timestamps import parse_timestamp

MANIFEST: Final = "manifest.json"
README_FRENCH: Final = "LISEZMOI.txt"
README_ENGLISH: Final = "README.txt"
FORMAT: Final = "sceau-verification-package"
VERSION: Final = 1

MAX_PACKAGE: Final = 4 * 1024 * 1024
MAX_FILES: Final = 64
MAX_FILE: Final = 1024 * 1024
MAX_DOCUMENTS: Final = MAX_FILES - 4  # besides the badge, the manifest and two texts
MAX_HELD: Final = MAX_PACKAGE - 128 * 1024
"""Total of badge and documents uncompressed, however well they compress."""


SIGNATURE: Final = b"PK\x03\x04"
_REASON: Final = re.compile(r"[a-z_]{1,40}")
_ENCRYPTED: Final = 0x1


class _PackedDocuments:
    def __init__(self, held: dict[str, FetchedDocument], refused: dict[str, str]) -> None:
        self._held = held
        self._refused = refused

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        if url not in self._held:
            raise DocumentUnavailable(url, self._refused.get(url, "not_in_package"))
        return self._held[url]


@dataclass(frozen=True)
class Package:
    """The result of `open_package`: a badge (JSON or a compact JWS, in UTF-8) and its documents."""

    badge: bytes
    documents: _PackedDocuments
    """The documents in the package only; none of them is authenticated."""
    made_at: datetime
    """The status lists inside describe the status at this datetime."""


def open_package(data: bytes) -> Package:
    """MalformedInput with a reason: `not_a_package`, `too_large`, `unsafe_package`, `package_damaged`."""
    if len(data) > MAX_PACKAGE:
        raise MalformedInput("too_large")
    try:
        with ZipFile(BytesIO(data)) as archive:
            return _read(archive)
    except MalformedInput:
        raise
    # zipfile raises each of these for some damaged archive.
    except (BadZipFile, EOFError, OSError, ValueError, RuntimeError, NotImplementedError, KeyError):
        raise MalformedInput("not_a_package") from None
    except Exception as error:  # zlib.error and struct.error share no superclass with the rest
        raise MalformedInput("package_damaged", detail=type(error).__name__) from None


def _read(archive: ZipFile) -> Package:
    entries = _entries(archive)
    manifest = parse_json_object(_body(archive, entries, MANIFEST))
    if manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
        raise MalformedInput("not_a_package", "/format")
    badge = _listed(archive, entries, manifest.get("badge"), "/badge")
    named = manifest.get("documents")
    held: dict[str, FetchedDocument] = {}
    for index, each in enumerate(named if isinstance(named, list) else []):
        pointer = f"/documents/{index}"
        body = _listed(archive, entries, each, pointer)
        url = each.get("url") if isinstance(each, dict) else None
        if not isinstance(url, str) or url in held:
            raise MalformedInput("package_damaged", pointer)
        held[url] = FetchedDocument(url, body, fetched_at=_fetched(each))
    documents = _PackedDocuments(held, _refused_in(manifest.get("unavailable")))
    return Package(badge, documents, parse_timestamp(manifest.get("made")))


def _refused_in(written: JsonValue) -> dict[str, str]:
    """Why a document could not be fetched when the package was made, by URL."""
    refused = {}
    for index, each in enumerate(written if isinstance(written, list) else []):
        url, reason = (each.get("url"), each.get("reason")) if isinstance(each, dict) else (None, None)
        if not isinstance(url, str) or not isinstance(reason, str) or not _REASON.fullmatch(reason):
            raise MalformedInput("package_damaged", f"/unavailable/{index}")
        refused[url] = reason
    return refused


def _entries(archive: ZipFile) -> dict[str, ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise MalformedInput("too_large", detail="files")
    if sum(info.file_size for info in infos) > 2 * MAX_PACKAGE:
        raise MalformedInput("too_large", detail="unpacked")
    entries = {info.filename: info for info in infos}
    if len(entries) != len(infos) or not all(map(_is_safe, infos)):
        raise MalformedInput("unsafe_package")
    return entries


def _is_safe(info: ZipInfo) -> bool:
    name = info.filename
    return (
        not name.startswith(("/", "\\"))
        and ".." not in name
        and "\\" not in name
        and ":" not in name
        and not info.is_dir()
        and not info.flag_bits & _ENCRYPTED
        and info.compress_type in (ZIP_STORED, ZIP_DEFLATED)
    )


def _listed(archive: ZipFile, entries: dict[str, ZipInfo], named: JsonValue, pointer: str) -> bytes:
    entry: JsonObject = named if isinstance(named, dict) else {}
    name = entry.get("file")
    if not isinstance(name, str):
        raise MalformedInput("package_damaged", pointer)
    body = _body(archive, entries, name)
    if sha256(body).hexdigest() != entry.get("sha256"):
        raise MalformedInput("package_damaged", f"{pointer}/sha256")
    return body


def _body(archive: ZipFile, entries: dict[str, ZipInfo], name: str) -> bytes:
    """Read up to the limit, whatever size the entry declares."""
    if name not in entries:
        raise MalformedInput("not_a_package" if name == MANIFEST else "package_damaged", detail=name[:100])
    with archive.open(entries[name]) as file:
        body = file.read(MAX_FILE + 1)
    if len(body) > MAX_FILE:
        raise MalformedInput("too_large", detail=name[:100])
    return body


def _fetched(entry: JsonValue) -> datetime | None:
    value = entry.get("fetched") if isinstance(entry, dict) else None
    return None if value is None else parse_timestamp(value)
