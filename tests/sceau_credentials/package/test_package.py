"""A package gives the verdict of its own day without a network, and opening a hostile one is cheap."""

from __future__ import annotations

import json
import struct
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from sceau_credentials import Verdict, verify
from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.evidence.documents import Evidence, Leaf, digest_of
from sceau_credentials.evidence.judging import LogKeys, LogKeyState, LogKeyTerm, witnesses_document
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.package import MAX_DOCUMENTS, MAX_FILE, Recorder, make_package, open_package
from sceau_credentials.transparency_log.notes import (
    EntryProof,
    LeafHashes,
    Note,
    NoteKey,
    TreeHead,
    WitnessKey,
    cosign,
    inclusion_proof,
    root_of,
    sign,
)
from sceau_credentials.values import FetchedDocument
from sceau_credentials.verification.report import CheckId
from tests.sceau_credentials.verification.checks.test_checks_withdrawn_key import (
    ADDRESS,
    KEY_ADDRESS,
    LOG_KEY,
    ORIGIN,
    evidence_of,
    logged,
)
from tests.sceau_credentials.verification.legacy.older_issuer import ASSERTION, assertion, published
from tests.support.badges.credentials import DID_URL, HOST, LIST_INDEX, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.running.every import for_each

CAMPUS = Campus()
SIGNED = CAMPUS.issue()


def package(documents: Documents | None = None) -> bytes:
    return make_package(SIGNED.embedded, documents=documents or CAMPUS.documents(), at=NOON)


def repacked(changes: dict[str, bytes | None]) -> bytes:
    """The same package with some of its files changed, added or removed."""
    out = BytesIO()
    with ZipFile(BytesIO(package())) as before, ZipFile(out, "w", ZIP_DEFLATED) as after:
        contents = {name: before.read(name) for name in before.namelist()} | changes
        for name, body in contents.items():
            if body is not None:
                after.writestr(ZipInfo(name), body)
    return out.getvalue()


def manifest(**changes: object) -> bytes:
    with ZipFile(BytesIO(package())) as archive:
        return json.dumps(json.loads(archive.read("manifest.json")) | changes).encode()


@pytest.mark.parametrize("written", [SIGNED.embedded, SIGNED.token.encode()])
def test_a_package_gives_the_same_verdict_without_a_network(written: bytes) -> None:
    online = verify(written, documents=CAMPUS.documents(), at=NOON)
    opened = open_package(make_package(written, documents=CAMPUS.documents(), at=NOON))
    offline = verify(opened.badge, documents=opened.documents, at=opened.made_at)
    assert opened.badge == written
    assert opened.made_at == NOON
    assert offline.verdict is online.verdict is Verdict.VALID
    assert [check.reason for check in offline.checks] == [check.reason for check in online.checks]


def test_a_package_contains_the_status_of_its_day_and_becomes_stale() -> None:
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    opened = open_package(package(revoking.documents()))
    then = verify(opened.badge, documents=opened.documents, at=opened.made_at)
    assert then.check(CheckId.STATUS).reason == "revoked"
    opened = open_package(package())
    later = verify(opened.badge, documents=opened.documents, at=NOON + timedelta(days=60))
    assert later.check(CheckId.STATUS).reason == "status_list_stale"
    assert later.verdict is Verdict.UNDETERMINED


def test_an_unavailable_document_is_left_out_and_stays_unknown() -> None:
    opened = open_package(package(CAMPUS.documents().without(LIST_URL)))
    report = verify(opened.badge, documents=opened.documents, at=NOON)
    assert report.verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize("reason", ["gone", "not_found", "timeout"])
def test_the_reason_of_an_unavailable_document_is_stored(reason: str) -> None:
    """A badge of 2.0 is withdrawn by status 410: that is an answer, and stays one."""
    site = Refusing(published(), ASSERTION, reason)
    badge = json.dumps(assertion()).encode()
    online = verify(badge, documents=site, at=NOON)
    opened = open_package(make_package(badge, documents=site, at=NOON))
    offline = verify(opened.badge, documents=opened.documents, at=opened.made_at)
    assert offline.to_document() == online.to_document()
    assert offline.verdict is (Verdict.INVALID if reason == "gone" else Verdict.UNDETERMINED)


@pytest.mark.parametrize(
    ("size", "verdict"), [(MAX_FILE, Verdict.VALID), (MAX_FILE + 1, Verdict.UNDETERMINED)]
)
def test_a_document_too_large_for_a_package_is_out_of_reach_and_the_package_opens(
    size: int, verdict: Verdict
) -> None:
    listed = json.dumps(CAMPUS.status_list()).encode()
    documents = CAMPUS.documents(**{LIST_URL: listed + b" " * (size - len(listed))})
    opened = open_package(package(documents))
    assert verify(opened.badge, documents=opened.documents, at=opened.made_at).verdict is verdict


def test_a_file_too_large_to_be_a_badge_is_not_packed() -> None:
    with pytest.raises(MalformedInput, match="too_large"):
        make_package(b" " * (MAX_FILE + 1), documents=CAMPUS.documents(), at=NOON)


def test_the_size_of_a_package_is_bounded() -> None:
    held = {f"{HOST}/{number}": bytes(MAX_FILE) for number in range(MAX_DOCUMENTS)}
    recorder = Recorder(Documents(held), 3 * MAX_FILE)
    had = [url for url in held if is_had(recorder, url)]
    assert len(had) == 3
    small = Recorder(Documents(dict.fromkeys([*held, f"{HOST}/one-more"], b"{}")), 3 * MAX_FILE)
    assert [is_had(small, url) for url in [*held, f"{HOST}/one-more"]] == [True] * MAX_DOCUMENTS + [False]
    assert is_had(small, f"{HOST}/0")


def is_had(recorder: Recorder, url: str) -> bool:
    try:
        recorder.fetch(url)
    except DocumentUnavailable:
        return False
    return True


class Refusing(Documents):
    """A site that refuses one address for this reason."""

    def __init__(self, documents: Documents, url: str, reason: str) -> None:
        super().__init__(documents.held)
        self._url, self._reason = url, reason

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        if url == self._url:
            raise DocumentUnavailable(url, self._reason)
        return super().fetch(url, accept=accept)


def test_a_package_explains_itself_in_two_languages_and_lists_its_content() -> None:
    with ZipFile(BytesIO(package())) as archive:
        assert "Pour refaire la vérification" in archive.read("LISEZMOI.txt").decode()
        assert "To verify it again" in archive.read("README.txt").decode()
        result = json.loads(archive.read("manifest.json"))
        for entry in (result["badge"], *result["documents"]):
            assert sha256(archive.read(entry["file"])).hexdigest() == entry["sha256"]
    assert {entry["url"] for entry in result["documents"]} == {DID_URL, LIST_URL}
    assert set(result["contexts"]) == set(json.loads(SIGNED.embedded)["@context"])
    assert result["found"]["key"] == CAMPUS.key.public.to_jwk()


def test_packing_twice_gives_the_same_bytes() -> None:
    documents = CAMPUS.documents()
    assert package(documents) == package(documents)


def bomb() -> bytes:
    return repacked({"documents/1.json": b" " * 3_000_000})


def liar() -> bytes:
    """Claims that its entry is small; a reader that trusted it would unpack sixty megabytes."""
    data = repacked({"documents/1.json": b"\0" * 1_500_000})
    size = struct.pack("<I", 1_500_000)
    assert size in data
    return data.replace(size, struct.pack("<I", 100))


def locked() -> bytes:
    data = bytearray(package())
    at = data.index(b"PK\x01\x02") + 8
    data[at] |= 1
    return bytes(data)


def bzipped() -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_BZIP2) as archive:
        archive.writestr("manifest.json", manifest())
    return out.getvalue()


def with_badge(body: bytes) -> bytes:
    named = {"file": "badge.json", "sha256": sha256(body).hexdigest()}
    return repacked({"badge.json": body, "manifest.json": manifest(badge=named)})


HOSTILE = {
    "nothing": (b"", "not_a_package"),
    "no zip": (b"PK\x03\x04" + b"x" * 1000, "not_a_package"),
    "too large": (package() + b"\0" * 5_000_000, "too_large"),
    "too many files": (repacked({f"x/{n}": b"" for n in range(100)}), "too_large"),
    "bomb": (bomb(), "too_large"),
    "bombs": (repacked({f"x/{n}": b" " * 2_000_000 for n in range(6)}), "too_large"),
    "up": (repacked({"../evil": b"x"}), "unsafe_package"),
    "root": (repacked({"/etc/passwd": b"x"}), "unsafe_package"),
    "drive": (repacked({"C:evil": b"x"}), "unsafe_package"),
    "backslash": (repacked({"a\\..\\b": b"x"}), "unsafe_package"),
    "folder": (repacked({"folder/": b""}), "unsafe_package"),
    "locked": (locked(), "unsafe_package"),
    "other compression": (bzipped(), "unsafe_package"),
    "no manifest": (repacked({"manifest.json": None}), "not_a_package"),
    "other format": (repacked({"manifest.json": manifest(format="x")}), "not_a_package"),
    "no badge": (repacked({"manifest.json": manifest(badge=None)}), "package_damaged"),
    "badge elsewhere": (
        repacked({"manifest.json": manifest(badge={"file": "../badge.json", "sha256": "x"})}),
        "package_damaged",
    ),
    "another paper": (repacked({"diplome.pdf": b"%PDF-1.7"}), "unsafe_package"),
    "badge is a link": (with_badge(b"https://badges.example/attributions/1"), "package_damaged"),
    "badge is a DID": (with_badge(b"did:web:badges.example"), "package_damaged"),
    "badge is a picture": (with_badge(b"\x89PNG\r\n\x1a\n"), "package_damaged"),
    "badge is a drawing": (with_badge(b"<svg/>"), "package_damaged"),
    "changed badge": (repacked({"badge.json": b"{}"}), "package_damaged"),
    "changed document": (repacked({"documents/1.json": b"{}"}), "package_damaged"),
    "documents of numbers": (repacked({"manifest.json": manifest(documents=[1, 2])}), "package_damaged"),
    "refused for no reason": (
        repacked({"manifest.json": manifest(unavailable=[{"url": LIST_URL, "reason": "<b>"}])}),
        "package_damaged",
    ),
    "no date": (repacked({"manifest.json": manifest(made="hier")}), "timestamp"),
    "bad json": (repacked({"manifest.json": b'{"format":1,"format":2}'}), "duplicate_member"),
}


@for_each("name", list(HOSTILE))
def test_a_hostile_package_is_refused_by_name(name: str) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(MalformedInput) as refused:
        open_package(data)
    assert refused.value.reason == reason


def test_sizes_declared_by_a_package_are_not_trusted() -> None:
    with pytest.raises(MalformedInput):
        open_package(liar())


def test_every_cut_or_flipped_byte_gives_a_reason() -> None:
    good = package()
    for position in range(0, len(good), max(1, len(good) // 300)):
        for changed in (
            good[:position],
            good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :],
        ):
            try:
                open_package(changed)
            except MalformedInput:
                continue


class Endless(Documents):
    """An issuer that serves any requested tile of its log."""

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        if "/tile/" in url:
            self.asked.append(url)
            return FetchedDocument(url, bytes(256 * 32))
        return super().fetch(url, accept=accept)


def witnessed_under(stolen: LocalSigningKey, leaf: Leaf, size: int) -> tuple[str, NoteKey, EntryProof]:
    tree, witness = LeafHashes([leaf.hash(), *[bytes(32)] * (size - 1)]), WitnessKey("t.example", bytes(32))
    text = TreeHead(ORIGIN, size, root_of(tree, size)).to_text()
    note = Note(text, (sign(text, ORIGIN, stolen), cosign(text, witness.name, witness.key, at=NOON)))
    return "Témoin", witness.public, EntryProof(0, tuple(inclusion_proof(tree, 0, size)), note)


def test_packing_the_evidence_of_a_stranger_takes_a_bounded_number_of_requests() -> None:
    stolen, badge = LocalSigningKey.generate(Algorithm.EDDSA), badge_document()
    evidence = evidence_of(badge)
    leaf = Evidence.from_bytes(evidence).decision.leaf
    seen = [witnessed_under(stolen, leaf, size) for size in range(2, 18)]
    large = TreeHead(ORIGIN, 2**40 - 1, bytes(32))
    terms = (
        LogKeyTerm(NoteKey(ORIGIN, stolen.public), LogKeyState.REVOKED, NOON, NOON, large),
        LogKeyTerm(LOG_KEY, LogKeyState.ACTIVE, NOON),
    )
    site = Endless(
        CAMPUS.documents().held
        | {
            ADDRESS: evidence,
            f"{ADDRESS}/temoins": witnesses_document(digest_of(evidence), seen),
            KEY_ADDRESS: LOG_KEY.to_vkey(),
            f"https://{ORIGIN}/keys": LogKeys(ORIGIN, terms).to_bytes(),
        }
    )
    make_package(CAMPUS.issue(logged(badge, evidence)).embedded, documents=site, at=NOON)
    assert f"https://{ORIGIN}/keys" in site.asked
    assert len(site.asked) <= 40
