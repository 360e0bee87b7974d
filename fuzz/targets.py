"""One target for each parser: bytes go in, and only the errors that it promises may come out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.activities.listed_people import without_repeats
from app.domain.imports.lists.text import decode
from app.errors import InvalidInput
from app.http.negotiation import preferred
from app.services.activities.participants import people_of
from app.services.imports.lists import read_list_text
from fuzz import log_samples, samples
from sceau_credentials import bake_png, bake_svg, unbake
from sceau_credentials.canonical import canonical_json, canonical_nquads
from sceau_credentials.dids import resolve_method
from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.evidence.documents import Evidence, Leaf, check_evidence, digest_of, disclosed
from sceau_credentials.keys import (
    VerificationKey,
    decode_base64url,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from sceau_credentials.model import EndorsementCredential, OpenBadgeCredential
from sceau_credentials.package import open_package
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.selective_disclosure import decode_cbor
from sceau_credentials.proofs.vc_jwt import (
    check_header,
    claim_problems,
    credential_of,
    parse_compact_jws,
    verify_jws,
)
from sceau_credentials.status_list import StatusList, read_entry, read_list
from sceau_credentials.transparency_log.notes import EntryProof, Note, NoteKey, TreeHead, WitnessKey
from sceau_credentials.transparency_log.tiles import entries_in, entry_bundle
from sceau_credentials.values import FetchedDocument, JsonObject, JsonValue, dump_json, parse_json
from sceau_credentials.verification.report import Verdict
from sceau_credentials.verification.run_checks import verify

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


class PromiseBroken(AssertionError):
    """The parser accepted what it must not, or says two things of one input."""


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    samples: list[bytes]


class _Serving:
    """Every address leads to the same bytes."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        return FetchedDocument(url, self.body)


@contextmanager
def _only_promised_errors() -> Iterator[None]:
    with suppress(CredentialError):
        yield


def _enqueue(kept: bool, batch: str) -> None:
    if not kept:
        raise PromiseBroken(batch)


def _object(data: bytes) -> JsonObject:
    value = parse_json(data)
    if not isinstance(value, dict):
        raise MalformedInput("not_an_object")
    return value


def jws(data: bytes) -> None:
    with _only_promised_errors():
        token = data.decode(errors="surrogateescape")
        parsed = parse_compact_jws(token)
        check_header(parsed)
        verify_jws(parsed, samples.CAMPUS_KEY)
        _enqueue(data in samples.TOKENS, "another text passes for the signed token")


def claims(data: bytes) -> None:
    """Header and claims of a token that was truly signed."""
    with suppress(MalformedInput):
        parts = _object(data)
        token = samples.signed_token(parts.get("header"), parts.get("claims"))
        verify(token, documents=samples.DOCUMENTS, at=NOON)
        with _only_promised_errors():
            parsed = parse_compact_jws(token)
            verify_jws(parsed, samples.CAMPUS_KEY)
            claim_problems(parsed.payload)
            credential_of(parsed.payload)


def proof(data: bytes) -> None:
    with _only_promised_errors():
        document = _object(data)
        answers = verify_proofs(document, key_for=lambda method: samples.CAMPUS_KEY, at=NOON)
        if answers.accepted is not None:
            said = canonical_nquads({name: value for name, value in document.items() if name != "proof"})
            _enqueue(said in samples.SIGNED_STATEMENTS, "a signature holds for other statements")


def cbor(data: bytes) -> None:
    with _only_promised_errors():
        decode_cbor(data)


def key_document(data: bytes) -> None:
    with _only_promised_errors():
        resolve_method(samples.METHOD, documents=_Serving(data), at=NOON)


def status_list(data: bytes) -> None:
    with _only_promised_errors():
        StatusList.decode(data.decode(errors="replace"))
    with _only_promised_errors():
        read_entry(_object(data))
    with _only_promised_errors():
        listed = read_list(_object(data))
        with suppress(IndexError):
            listed.status_list.get(94_567)


def served(data: bytes) -> None:
    """Whatever the key document's or the status list's address leads to, there is a report."""
    for url in samples.DOCUMENTS.held:
        report = verify(samples.EMBEDDED, documents=samples.DOCUMENTS.with_(url, data), at=NOON)
        json.dumps(report.to_document())


def picture(data: bytes) -> None:
    with _only_promised_errors():
        text = unbake(data).text
        text.encode()
    for bake in (bake_png, bake_svg):
        with _only_promised_errors():
            _enqueue(
                unbake(bake(data, samples.TOKEN)).text == samples.TOKEN, "baked and not to be read again"
            )


def package(data: bytes) -> None:
    with _only_promised_errors():
        kept = open_package(data)
        verify(kept.badge, documents=kept.documents, at=kept.made_at)


def csv_list(data: bytes) -> None:
    with suppress(InvalidInput):
        lines = people_of(read_list_text(decode(data)))
        without_repeats([line.tidied() for line in lines])


def multibase(data: bytes) -> None:
    text = data.decode(errors="replace")
    for base in ("z", "u"):
        with _only_promised_errors():
            _enqueue(
                encode_multibase(decode_multibase(text, base), base) == text, "two spellings of one value"
            )
    with _only_promised_errors():
        _enqueue(encode_base64url(decode_base64url(text)) == text, "two spellings of one value")
    with _only_promised_errors():
        VerificationKey.from_multikey(text)
    with _only_promised_errors():
        VerificationKey.from_jwk(_object(data))


def json_text(data: bytes) -> None:
    with _only_promised_errors():
        value: JsonValue = parse_json(data)
        _enqueue(parse_json(dump_json(value)) == value, "written and read again it differs")
        with suppress(MalformedInput):
            written = canonical_json(value)
            _enqueue(canonical_json(parse_json(written)) == written, "its canonical form is not stable")


def model(data: bytes) -> None:
    for kind in (OpenBadgeCredential, EndorsementCredential):
        with _only_promised_errors():
            written = kind.from_document(_object(data)).to_document()
            again = kind.from_document(written).to_document()
            _enqueue(again == written, "written and read again it differs")


def canonical(data: bytes) -> None:
    with _only_promised_errors():
        canonical_nquads(_object(data)).encode()


def accept(data: bytes) -> None:
    offered = ["text/html", "application/vc+jwt", "application/json"]
    chosen = preferred(data.decode("latin-1"), offered)
    _enqueue(chosen is None or chosen in offered, "a form that was not offered")


def presented(data: bytes) -> None:
    """The whole verifier, as it meets a file that anybody drops: badges of every generation."""
    report = verify(data, documents=samples.DOCUMENTS, at=NOON)
    json.dumps(report.to_document())
    if report.verdict is Verdict.VALID:
        said = canonical_nquads(report.document or {})
        _enqueue(said in samples.SIGNED_STATEMENTS, "valid, and not what was signed")


def log_note(data: bytes) -> None:
    with _only_promised_errors():
        note = Note.from_text(data.decode(errors="replace"))
        _enqueue(Note.from_text(note.to_text()) == note, "written and read again it differs")
        if note.signed_by([log_samples.LOG]):
            _enqueue(TreeHead.from_text(note.text).size == 6, "our key signed another tree")


def log_proof(data: bytes) -> None:
    with _only_promised_errors():
        proof = EntryProof.from_text(data.decode(errors="replace"))
        _enqueue(EntryProof.from_text(proof.to_text()) == proof, "written and read again it differs")
        proof.holds_for(bytes(32))


def log_key(data: bytes) -> None:
    text = data.decode(errors="replace")
    with _only_promised_errors():
        key = NoteKey.from_vkey(text)
        _enqueue(NoteKey.from_vkey(key.to_vkey()) == key, "written and read again it differs")
    with _only_promised_errors():
        WitnessKey.from_skey(text)


def log_bundle(data: bytes) -> None:
    with _only_promised_errors():
        entries = entries_in(data)
        _enqueue(entry_bundle(entries) == data, "two bundles of one content")
        for entry in entries:
            Leaf.from_document(_object(entry)).hash()


def log_evidence(data: bytes) -> None:
    """Under its true digest only the true document holds; under its own, only what the log's key signed."""
    true = log_samples.evidence()
    with _only_promised_errors():
        check_evidence(data, digest=digest_of(true), award=log_samples.AWARD, log=log_samples.LOG)
        _enqueue(data == true, "another document passes for the one that was named")
    with _only_promised_errors():
        check_evidence(data, digest=digest_of(data), award=log_samples.AWARD, log=log_samples.LOG)


def log_disclosure(data: bytes) -> None:
    true = log_samples.evidence()
    with _only_promised_errors():
        disclosed(data, Evidence.from_bytes(true), digest=digest_of(true))


TARGETS: dict[str, Target] = {
    "jws": Target(jws, samples.tokens()),
    "claims": Target(claims, samples.claims()),
    "proof": Target(proof, samples.secured_documents()),
    "cbor": Target(cbor, samples.cbor()),
    "key_document": Target(key_document, samples.key_documents()),
    "status_list": Target(status_list, samples.status_lists()),
    "served": Target(served, samples.key_documents() + samples.status_lists()),
    "png": Target(picture, samples.pngs()),
    "svg": Target(picture, samples.svgs()),
    "pdf": Target(picture, samples.pdfs()),
    "package": Target(package, samples.packages()),
    "csv": Target(csv_list, samples.lists()),
    "multibase": Target(multibase, samples.multibase()),
    "json": Target(json_text, samples.json_texts()),
    "model": Target(model, samples.credentials()),
    "canonical": Target(canonical, samples.credentials()),
    "accept": Target(accept, samples.accept_headers()),
    "log_note": Target(log_note, log_samples.notes()),
    "log_proof": Target(log_proof, log_samples.proofs()),
    "log_key": Target(log_key, log_samples.keys()),
    "log_bundle": Target(log_bundle, log_samples.bundles()),
    "log_evidence": Target(log_evidence, [log_samples.evidence()]),
    "log_disclosure": Target(log_disclosure, log_samples.disclosures()),
    "presented": Target(presented, samples.presented()),
}
