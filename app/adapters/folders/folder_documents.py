"""Key documents and status lists kept as files: a DocumentSource that needs no network.

A document is found in one of two ways, in this order:

1. by its place, which is its URL without the scheme: `https://badges.exemple.fr/campus/itip/did.json`
   is `badges.exemple.fr/campus/itip/did.json` in the folder, as `wget --force-directories` keeps it;
   where the port makes a name that a file system refuses, `:` may be written `_`; at an address that is a
   folder as well, it is the `index.json` in there;
2. by the `id` that it gives itself, whatever its file is called: a DID whose document is published at
   the URL, or the URL itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.proofs.vc_jwt import parse_compact_jws
from sceau_credentials.values.documents import FetchedDocument
from sceau_credentials.values.json_text import JsonObject, parse_json_object

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
            # A URL out of a stranger's badge must not name a file elsewhere.
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
    """The addresses at which the document says that it is published."""
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
