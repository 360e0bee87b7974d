"""What commands of the terminal need without a process or a database."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from app.adapters.folders.folder_documents import FolderDocuments
from app.adapters.folders.kept_folder import FolderUnusable, KeptFolder
from app.adapters.folders.log_sources import FolderLog, WebLog
from app.adapters.folders.witness_folder import WitnessFolder, WitnessKeyUnusable
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets.key_vault import make_secret_file
from app.adapters.web_documents import Reach, WebDocuments
from app.container.process import utc_now
from app.services.activity_log.witness import LogSource
from app.services.verification.kept_edition import KeptEdition
from app.settings import Settings
from sceau_credentials.transparency_log.notes import Note
from sceau_credentials.values.documents import DocumentSource

WITNESS_KEY_UNUSABLE = WitnessKeyUnusable
FOLDER_UNUSABLE = FolderUnusable


def documents_in(folder: Path) -> DocumentSource:
    """Key documents and status lists kept as files, for verifying without a network."""
    return FolderDocuments(folder)


def text_in_pages(file: bytes) -> str:
    """The visible text of a PDF, its pages parted by form feeds; read in a process of its own."""
    return PictureCodes().inspect(file).text


def kept_edition(folder: Path) -> KeptEdition:
    return KeptEdition(KeptFolder(folder))


def make_kek(path: Path) -> None:
    """A new key-encryption key in a file of its own; an existing file stays as it is."""
    make_secret_file(path)


def witness_folder(folder: Path) -> WitnessFolder:
    return WitnessFolder(folder)


def log_at(where: str, settings: Settings) -> LogSource:
    """Somebody else's activity log: an address, or a folder with its files."""
    return WebLog(_documents(settings), where) if "://" in where else FolderLog(Path(where))


def hand_in(where: str, slug: str, note: Note, settings: Settings) -> int:
    """The status that the campus's service answers a cosigned checkpoint with."""
    parts = urlsplit(where)
    url = f"{parts.scheme}://{parts.netloc}/api/v1/campuses/{slug}/log/cosignatures"
    body = json.dumps({"checkpoint": note.to_text()}).encode()
    return _documents(settings).post(url, body).status


def _documents(settings: Settings) -> WebDocuments:
    reach = Reach(settings.ports_to_fetch_from, settings.local_ports_to_fetch_from)
    return WebDocuments(clock=utc_now, reach=reach)
