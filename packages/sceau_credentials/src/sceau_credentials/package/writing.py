"""Make a package: verify once, and store every document that was fetched."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.evidence.judging import judge_evidence
from sceau_credentials.package.reading import (
    FORMAT,
    MANIFEST,
    MAX_DOCUMENTS,
    MAX_FILE,
    MAX_HELD,
    README_ENGLISH,
    README_FRENCH,
    VERSION,
)
from sceau_credentials.values.documents import DocumentSource, FetchedDocument
from sceau_credentials.values.json_text import JsonObject, JsonValue, dump_json
from sceau_credentials.values.timestamps import format_timestamp
from sceau_credentials.values.vocabulary import context_digests
from sceau_credentials.verification.answers import EVIDENCE_FETCHES, FetchBudget
from sceau_credentials.verification.report import Report
from sceau_credentials.verification.run_checks import verify

_ENDINGS: Final = {True: "json", False: "txt"}


def make_package(credential: bytes, *, documents: DocumentSource, at: datetime) -> bytes:
    """The credential (JSON or a compact JWS) packaged as it is now, whatever its verdict.

    MalformedInput `too_large` for input too large to be a credential.
    """
    if len(credential) > MAX_FILE:
        raise MalformedInput("too_large")
    recorder = Recorder(documents, MAX_HELD - len(credential))
    report = verify(credential, documents=recorder, at=at)
    if report.document is not None:
        # For the documents it fetches.
        judge_evidence(report.document, documents=FetchBudget(recorder, EVIDENCE_FETCHES))
    name = f"badge.{'json' if credential.lstrip().startswith(b'{') else 'jwt'}"
    held = [_entry(number, each) for number, each in enumerate(recorder.held.values(), start=1)]
    contents = {
        README_FRENCH: _text(README_FRENCH),
        README_ENGLISH: _text(README_ENGLISH),
        name: credential,
        **{str(entry["file"]): document.body for entry, document in held},
        MANIFEST: dump_json(
            _manifest(name, credential, [entry for entry, _ in held], report, at) | recorder.refusals()
        ),
    }
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for path, body in contents.items():
            info = ZipInfo(path, date_time=at.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, body)
    return packed.getvalue()


class Recorder:
    """Records fetched documents, and failures with their reason: a missing document stays missing.

    A document that would not fit into a package counts as unavailable, so that the verdict is that of the
    package.
    """

    def __init__(self, documents: DocumentSource, room: int) -> None:
        self._documents = documents
        self._room = room
        self._refused: dict[str, str] = {}
        self.held: dict[str, FetchedDocument] = {}

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        try:
            found = self._documents.fetch(url, accept=accept)
            if url not in self.held:
                self._make_room(url, len(found.body))
        except DocumentUnavailable as error:
            self._refused[url] = error.reason
            raise
        self.held[url] = FetchedDocument(url, found.body, found.media_type, found.fetched_at)
        return found

    def _make_room(self, url: str, size: int) -> None:
        if len(self.held) >= MAX_DOCUMENTS:
            raise DocumentUnavailable(url, "too_many_fetches")
        if size > min(MAX_FILE, self._room):
            raise DocumentUnavailable(url, "too_large")
        self._room -= size

    def refusals(self) -> JsonObject:
        refused: list[JsonValue] = [
            {"url": url, "reason": reason} for url, reason in self._refused.items() if url not in self.held
        ]
        return {"unavailable": refused} if refused else {}


def _entry(number: int, document: FetchedDocument) -> tuple[JsonObject, FetchedDocument]:
    ending = _ENDINGS[document.body.lstrip().startswith(b"{")]
    entry: JsonObject = {
        "url": document.url,
        "file": f"documents/{number}.{ending}",
        "sha256": sha256(document.body).hexdigest(),
    }
    if document.fetched_at is not None:
        entry["fetched"] = format_timestamp(document.fetched_at)
    return entry, document


def _manifest(
    name: str, credential: bytes, entries: list[JsonObject], report: Report, at: datetime
) -> JsonObject:
    listed: list[JsonValue] = [*entries]
    key: JsonValue = report.key
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": format_timestamp(at),
        "badge": {"file": name, "sha256": sha256(credential).hexdigest()},
        "documents": listed,
        "contexts": {**context_digests(report.presented or {})},
        "found": {
            "verdict": report.verdict.value,
            "issuer": report.issuer,
            "verificationMethod": report.verification_method,
            "key": key,
        },
    }


def _text(name: str) -> bytes:
    return (files("sceau_credentials.package") / name).read_bytes()
