"""Make a package: verify once, and keep every document that was asked for."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from app.credentials.documents import DocumentSource, FetchedDocument
from app.credentials.evidence.judging import judge_evidence
from app.credentials.json_text import JsonObject, JsonValue, dump_json
from app.credentials.package.manifest import FORMAT, MANIFEST, README_ENGLISH, README_FRENCH, VERSION
from app.credentials.timestamps import format_timestamp
from app.credentials.verification.fetching import EVIDENCE_FETCHES, FetchBudget
from app.credentials.verification.ladder import verify
from app.credentials.verification.report import Report
from app.credentials.vocabulary import context_digests

_ENDINGS: Final = {True: "json", False: "txt"}


def make_package(credential: bytes, *, documents: DocumentSource, at: datetime) -> bytes:
    """The credential (JSON or a compact JWS) as it is now, whatever the verdict on it may be."""
    recorder = _Recorder(documents)
    report = verify(credential, documents=recorder, at=at)
    if report.document is not None:
        # For the documents it asks for.
        judge_evidence(report.document, documents=FetchBudget(recorder, EVIDENCE_FETCHES))
    name = f"badge.{'json' if credential.lstrip().startswith(b'{') else 'jwt'}"
    held = [_entry(number, each) for number, each in enumerate(recorder.held.values(), start=1)]
    contents = {
        README_FRENCH: _text(README_FRENCH),
        README_ENGLISH: _text(README_ENGLISH),
        name: credential,
        **{str(entry["file"]): document.body for entry, document in held},
        MANIFEST: dump_json(_manifest(name, credential, [entry for entry, _ in held], report, at)),
    }
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for path, body in contents.items():
            info = ZipInfo(path, date_time=at.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, body)
    return packed.getvalue()


class _Recorder:
    """Remembers what was asked for and had."""

    def __init__(self, documents: DocumentSource) -> None:
        self._documents = documents
        self.held: dict[str, FetchedDocument] = {}

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        found = self._documents.fetch(url, accept=accept)
        self.held[url] = FetchedDocument(url, found.body, found.media_type, found.fetched_at)
        return found


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
    return (files("app.credentials.package") / name).read_bytes()
