"""What commands of the terminal need without a process or a database."""

from __future__ import annotations

from pathlib import Path

from app.adapters.folder_documents import FolderDocuments
from app.adapters.key_vault import make_secret_file
from app.credentials.documents import DocumentSource


def documents_in(folder: Path) -> DocumentSource:
    """Key documents and status lists kept as files, for verifying without a network."""
    return FolderDocuments(folder)


def make_kek(path: Path) -> None:
    """A new key-encryption key in a file of its own; an existing file stays as it is."""
    make_secret_file(path)
