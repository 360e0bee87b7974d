"""One file with a badge and every document read to verify it, so that it can be verified again offline.

Nothing inside authenticates itself: `verify_package` trusts only keys and witnesses that the verifier knows
already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput
from sceau_credentials.evidence.judging import EvidenceOutcome, EvidenceReport, judge_evidence
from sceau_credentials.keys import VerificationKey
from sceau_credentials.values import (
    DocumentSource,
    FetchedDocument,
    JsonObject,
    JsonValue,
    check_aware,
    context_digests,
    dump_json,
    format_timestamp,
    parse_json_object,
    parse_timestamp,
)
from sceau_credentials.verification.answers import EVIDENCE_FETCHES, FetchBudget, Policy, looks_secured
from sceau_credentials.verification.checks import issuer_of, validity
from sceau_credentials.verification.findings import Reason, found, not_reached
from sceau_credentials.verification.reading import read
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report
from sceau_credentials.verification.run_checks import verify

__all__ = [
    "Anchors",
    "Package",
    "PackageAnswer",
    "make_package",
    "open_package",
    "verify_anchored",
    "verify_package",
]

# --- Open a package: nothing is extracted to disk, and only files named by its manifest are read

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
    if not _is_text_of_a_credential(badge):
        raise MalformedInput("package_damaged", "/badge")
    named = manifest.get("documents")
    listed = named if isinstance(named, list) else []
    held: dict[str, FetchedDocument] = {}
    for index, each in enumerate(listed):
        pointer = f"/documents/{index}"
        body = _listed(archive, entries, each, pointer)
        url = each.get("url") if isinstance(each, dict) else None
        if not isinstance(url, str) or url in held:
            raise MalformedInput("package_damaged", pointer)
        held[url] = FetchedDocument(url, body, fetched_at=_fetched(each))
    files = {entry.get("file") for entry in (manifest["badge"], *listed) if isinstance(entry, dict)}
    if not entries.keys() <= {MANIFEST, README_FRENCH, README_ENGLISH, *files}:
        # Another paper beside the badge would seem to be verified with it.
        raise MalformedInput("unsafe_package")
    documents = _PackedDocuments(held, _refused_in(manifest.get("unavailable")))
    return Package(badge, documents, parse_timestamp(manifest.get("made")))


def _is_text_of_a_credential(badge: bytes) -> bool:
    """Not a link, which would be answered by what it leads to, nor a picture, of which only a part is signed."""
    try:
        return looks_secured(badge.decode().lstrip("\ufeff \t\r\n"))
    except UnicodeDecodeError:
        return False


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


# --- Make a package: verify once, and store every document that was fetched

_ENDINGS: Final = {True: "json", False: "txt"}
_EARLIEST_IN_ZIP: Final = (1980, 1, 1, 0, 0, 0)
_LATEST_IN_ZIP: Final = (2107, 12, 31, 23, 59, 58)


def make_package(credential: bytes, *, documents: DocumentSource, at: datetime) -> bytes:
    """The credential (JSON or a compact JWS) packaged as it is now, whatever its verdict.

    MalformedInput `too_large` for input too large to be a credential. `at` must be timezone-aware, else
    ValueError.
    """
    check_aware(at)
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
            info = ZipInfo(path, date_time=min(max(at.timetuple()[:6], _EARLIEST_IN_ZIP), _LATEST_IN_ZIP))
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


# --- Verify a package: nothing inside it authenticates itself, so keys and witnesses must be known from
# elsewhere

_OLDER: Final = ("open_badges_1", "open_badges_2")
_KEY_MEMBERS: Final = ("publicKeyJwk", "publicKeyMultibase", "publicKeyBase58", "publicKeyPem", "kty")


@dataclass(frozen=True)
class Anchors:
    """What the verifier knows without the package: keys, and witnesses of activity logs.

    `keys` are SHA-256 thumbprints (RFC 7638) by issuer identifier; those under the empty string count for any
    issuer. `witnesses` are verifier keys in the C2SP signed-note format.
    """

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    witnesses: frozenset[str] = frozenset()

    def of(self, issuer: str) -> frozenset[str]:
        return self.keys.get(issuer, frozenset()) | self.keys.get("", frozenset())

    def __bool__(self) -> bool:
        return bool(self.keys or self.witnesses)

    def with_keys(self, keys: Mapping[str, Collection[str]]) -> Anchors:
        """A copy with more keys by issuer."""
        issuers = {*self.keys, *keys}
        every = {each: self.keys.get(each, frozenset()) | frozenset(keys.get(each, ())) for each in issuers}
        return replace(self, keys={issuer: known for issuer, known in every.items() if known})


@dataclass(frozen=True)
class PackageAnswer:
    """The report on the badge, and on its evidence: None where the badge names none."""

    report: Report
    evidence: EvidenceReport | None
    """Proved only if the key of the badge is known; lists only witnesses that the verifier knows."""


def verify_package(
    package: Package, *, anchors: Anchors, at: datetime, policy: Policy | None = None
) -> PackageAnswer:
    """Verify a package's badge by the documents in it, as of the day it was made; its dates as of `at`.

    The verdict is undetermined unless `anchors` hold the issuer's key, or the log of the issuer holds the
    award in a tree that a known witness signed. Even then the revocation list must be signed by a known key.
    `at` must be timezone-aware, else ValueError.
    """
    check_aware(at)
    made = min(package.made_at, at)
    answer = verify_anchored(
        package.badge, documents=package.documents, anchors=anchors, at=made, policy=policy
    )
    document = answer.report.document
    if document is None or made == at:
        return answer
    today = validity(document, at, policy or Policy())
    if today.outcome is not Outcome.FAILED:
        return answer
    checks = tuple(today if each.id is CheckId.VALIDITY else each for each in answer.report.checks)
    return replace(answer, report=replace(answer.report, checks=checks))


def verify_anchored(
    presented: bytes | str,
    *,
    documents: DocumentSource,
    anchors: Anchors,
    at: datetime,
    policy: Policy | None = None,
) -> PackageAnswer:
    """As `verify_package`, for a badge with documents of unknown origin."""
    check_aware(at)
    policy = policy or Policy()
    issuer = _issuer_in(presented)
    known = anchors.of(issuer)
    if known:
        policy = replace(policy, trusted_issuers=policy.trusted_issuers | {issuer})
    believed = _KnownKeysOnly(documents, known)
    report = verify(presented, documents=believed, at=at, policy=policy)
    evidence = _evidence(report.document, documents, anchors)
    if report.document is None or report.form in _OLDER or _thumbprint(report) not in known:
        seen = _witnessed(presented, documents, anchors, at, policy)
        if seen is not None:
            return seen
        return PackageAnswer(_unauthenticated(report), None)
    return PackageAnswer(report, evidence)


def _issuer_in(presented: bytes | str) -> str:
    secured = read(presented).secured
    return (issuer_of(secured.document) or "") if secured else ""


class _KnownKeysOnly:
    """Key documents without unknown keys: a signature by an unknown key counts as none."""

    def __init__(self, documents: DocumentSource, known: frozenset[str]) -> None:
        self._documents = documents
        self._known = known

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        fetched = self._documents.fetch(url, accept=accept)
        try:
            document = parse_json_object(fetched.body)
        except MalformedInput:
            return fetched
        filtered = {name: self._without_unknown(value) for name, value in document.items()}
        return fetched if filtered == document else replace(fetched, body=dump_json(filtered), holds=None)

    def _without_unknown(self, value: JsonValue) -> JsonValue:
        if isinstance(value, list):
            return [each for each in value if not _holds_key(each) or _key_in(each) in self._known]
        return None if _holds_key(value) and _key_in(value) not in self._known else value


def _holds_key(value: JsonValue) -> bool:
    return isinstance(value, dict) and any(member in value for member in _KEY_MEMBERS)


def _key_in(value: JsonValue) -> str:
    """The thumbprint of a verification method or JWK; empty where it cannot be read."""
    method = value if isinstance(value, dict) else {}
    jwk, multikey = (
        method.get("publicKeyJwk", method if "kty" in method else None),
        method.get("publicKeyMultibase"),
    )
    prints = set()
    try:
        if isinstance(jwk, dict):
            prints.add(VerificationKey.from_jwk(jwk).thumbprint())
        if isinstance(multikey, str):
            prints.add(VerificationKey.from_multikey(multikey).thumbprint())
    except CredentialError:
        return ""
    return prints.pop() if len(prints) == 1 else ""


def _thumbprint(report: Report) -> str:
    try:
        return VerificationKey.from_jwk(report.key).thumbprint() if report.key else ""
    except CredentialError:
        return ""


def _evidence(
    document: JsonObject | None, documents: DocumentSource, anchors: Anchors
) -> EvidenceReport | None:
    """The package names its witnesses itself: only known ones are counted."""
    if document is None:
        return None
    asked = FetchBudget(documents, EVIDENCE_FETCHES)
    evidence = judge_evidence(document, documents=asked, known_witnesses=anchors.witnesses)
    return replace(evidence, witnesses=None) if evidence and not evidence.witnesses else evidence


def _witnessed(
    presented: bytes | str, documents: DocumentSource, anchors: Anchors, at: datetime, policy: Policy
) -> PackageAnswer | None:
    """A known witness saw these contents in the log of the issuer.

    Where the log's decision names the key that signs the award, that key is known, and with it the revocation
    list that it signs. Decisions of earlier versions name none: an attacker re-signing logged content could
    add a list of their own, so the status stays undetermined.
    """
    if not anchors.witnesses:
        return None
    report = verify(presented, documents=documents, at=at)
    evidence = _evidence(report.document, documents, anchors)
    if evidence is None or evidence.outcome is not EvidenceOutcome.PROVED or not evidence.witnesses:
        return None
    named = evidence.signing_key
    if named is not None:
        if _thumbprint(report) != named:
            return None
        report = verify(
            presented, documents=_KnownKeysOnly(documents, frozenset({named})), at=at, policy=policy
        )
    key = found(Reason.KEY_WITNESSED, witness=evidence.witnesses[0].name)
    checks = []
    for each in report.checks:
        is_key = each.id is CheckId.KEY and (named is None or each.outcome is Outcome.PASSED)
        answered = key if is_key else each
        if each.id is CheckId.STATUS and not each.void and named is None:
            answered = found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause=Reason.KEY_NOT_AUTHENTICATED)
        checks.append(answered)
    return PackageAnswer(replace(report, checks=tuple(checks)), evidence)


def _unauthenticated(report: Report) -> Report:
    """Discard every finding that rests on a document of the package, for the badge or against it."""
    key = found(Reason.KEY_NOT_AUTHENTICATED, issuer=(report.issuer or "")[:500])
    readable = report.check(CheckId.READABLE).outcome is Outcome.PASSED
    if not readable:
        return report
    checks = tuple(_but_for_key(each, key, report) for each in report.checks)
    return replace(report, checks=checks, document=None, endorsements=(), remarks=())


def _but_for_key(check: CheckResult, key: CheckResult, report: Report) -> CheckResult:
    proof = report.check(CheckId.PROOF)
    if check.id is CheckId.KEY:
        # A fault in the badge itself is one under any key.
        return check if _is_false_itself(proof, report) else key
    if check.id is CheckId.PROOF and not _is_false_itself(check, report):
        return check if check.reason == Reason.SIGNATURE_HOLDS else found(Reason.KEY_NOT_AT_HAND)
    if check.id is CheckId.SCHEMA and report.form in _OLDER:
        return not_reached(CheckId.SCHEMA, CheckId.KEY)
    if check.id in (CheckId.ISSUER, CheckId.STATUS, CheckId.RECIPIENT) and not check.void:
        return not_reached(check.id, CheckId.KEY)
    return check


def _is_false_itself(proof: CheckResult, report: Report) -> bool:
    """The proof failed independently of any document of the package."""
    if proof.outcome is not Outcome.FAILED:
        return False
    return report.form not in _OLDER or proof.reason == Reason.NO_PROOF
