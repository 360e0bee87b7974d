"""Where somebody else's activity log is read from: its address, or a folder that mirrors it."""

from __future__ import annotations

from pathlib import Path

from app.adapters.web_documents import WebDocuments
from sceau_credentials.errors import DocumentUnavailable

_LARGEST = 32 * 1024 * 1024


class FolderLog:
    """As `sceau log export` writes it, or any mirror of the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def read(self, path: str) -> bytes:
        place = (self.folder / path).resolve()
        if not place.is_relative_to(self.folder) or not place.is_file() or place.stat().st_size > _LARGEST:
            raise DocumentUnavailable(path, "not_found")
        return place.read_bytes()


class WebLog:
    """`url` is what the log's files have in common, such as `https://badges.exemple.fr/campus/itip/journal`."""

    def __init__(self, documents: WebDocuments, url: str) -> None:
        self.documents = documents
        self.url = url.rstrip("/")

    def read(self, path: str) -> bytes:
        accept = "text/plain, application/octet-stream"
        return self.documents.fetch(f"{self.url}/{path}", accept=accept).body
