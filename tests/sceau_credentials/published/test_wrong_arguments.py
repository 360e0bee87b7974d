"""Public functions of the library raise at once for arguments that can never be right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sceau_credentials import (
    DocumentsAtHand,
    LocalSigningKey,
    OpenBadgeCredential,
    Signer,
    StatusList,
    Verdict,
    issue,
    issue_endorsement,
    issue_many,
    make_template,
    verify,
    verify_endorsement,
)
from sceau_credentials.canonical import NotCovered, canonical_json, mark
from sceau_credentials.dids import (
    PublishedKey,
    did_document,
    did_web_document_url,
    jwt_method_id,
    resolve_key,
)
from sceau_credentials.errors import CredentialError, MalformedInput, NotFitToSign
from sceau_credentials.issuing import Batch
from sceau_credentials.keys import Algorithm
from sceau_credentials.model import EndorsementCredential
from sceau_credentials.package import Anchors, make_package, open_package, verify_anchored, verify_package
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.status_list import status_entry, status_list_credential, token_list_claims
from sceau_credentials.transparency_log import (
    LeafHashes,
    TreeHead,
    cosign,
    leaf_hash,
    new_tiles,
    root_of,
    tiles_of,
)
from sceau_credentials.trust import PinnedNetwork, read_trust_list
from sceau_credentials.values import EARLIEST, LATEST, JsonObject, dump_json
from tests.sceau_credentials.signed import DID, NOON, credential

KEY = LocalSigningKey.generate(Algorithm.EDDSA)
PUBLISHED = PublishedKey(f"{DID}#{KEY.public.thumbprint()}", KEY.public)
SIGNERS: Any = {
    "signer": Signer(PUBLISHED.id, KEY),
    "jwt_signer": Signer(jwt_method_id(PUBLISHED.id), KEY),
}
BADGE = OpenBadgeCredential.from_document(credential())
SIGNED = dump_json(add_proof(credential(), signer=SIGNERS["signer"], created=NOON))
WORLD = DocumentsAtHand({did_web_document_url(DID): did_document(DID, [PUBLISHED])})
WORDS = EndorsementCredential.from_document(
    credential(
        type=["VerifiableCredential", "EndorsementCredential"],
        credentialSubject={
            "id": "https://badges.example/badges/cablage/v1",
            "type": ["EndorsementSubject"],
            "endorsementComment": "Bien.",
        },
    )
)
LIST_URL = "https://badges.example/statuts/1"

TIMED: dict[str, Callable[[datetime], object]] = {
    "verify": lambda at: verify(SIGNED, documents=WORLD, at=at),
    "verify_endorsement": lambda at: verify_endorsement(SIGNED.decode(), documents=WORLD, at=at),
    "issue": lambda at: issue(BADGE, **SIGNERS, at=at),
    "issue_many": lambda at: issue_many([BADGE], **SIGNERS, at=at),
    "issue_many of none": lambda at: issue_many([], **SIGNERS, at=at),
    "issue_endorsement": lambda at: issue_endorsement(WORDS, **SIGNERS, at=at),
    "make_package": lambda at: make_package(SIGNED, documents=WORLD, at=at),
    "verify_package": lambda at: verify_package(
        open_package(make_package(SIGNED, documents=WORLD, at=NOON)), anchors=Anchors(), at=at
    ),
    "verify_anchored": lambda at: verify_anchored(SIGNED, documents=WORLD, anchors=Anchors(), at=at),
    "resolve_key": lambda at: resolve_key(KEY.public, DID, documents=WORLD, at=at),
    "read_trust_list": lambda at: read_trust_list(b"{}", PinnedNetwork(KEY.public), at=at),
    "cosign": lambda at: cosign("a\n", "witness", KEY, at=at),
    "status list": lambda at: status_list_credential(
        LIST_URL,
        issuer=DID,
        status_list=StatusList(),
        purpose="revocation",
        valid_from=at,
        valid_until=None,
        ttl=timedelta(hours=1),
    ),
    "token list": lambda at: token_list_claims(
        LIST_URL, issuer=DID, status_list=StatusList(), valid_from=at, valid_until=at, ttl=timedelta(hours=1)
    ),
    "add_proof": lambda at: add_proof(credential(), signer=SIGNERS["signer"], created=at),
}


@pytest.mark.parametrize("name", TIMED)
def test_a_datetime_without_a_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        TIMED[name](NOON.replace(tzinfo=None))


@pytest.mark.parametrize("at", [EARLIEST, LATEST], ids=["first", "last"])
@pytest.mark.parametrize("name", TIMED)
def test_datetimes_at_the_ends_of_the_calendar_are_accepted(name: str, at: datetime) -> None:
    with suppress(CredentialError, ValueError):
        TIMED[name](at)


def test_a_badge_of_another_century_is_not_fit_to_sign() -> None:
    for at in (EARLIEST, LATEST):
        with pytest.raises(NotFitToSign):
            issue(BADGE, **SIGNERS, at=at)


def test_a_package_is_read_back_in_years_that_an_archive_cannot_write() -> None:
    for year in (1971, 2500):
        at = datetime(year, 1, 1, tzinfo=UTC)
        package = open_package(make_package(SIGNED, documents=WORLD, at=at))
        assert package.made_at == at
        report = verify_package(package, anchors=Anchors(), at=at).report
        assert report.verdict is not Verdict.VALID


LEAVES = LeafHashes(map(leaf_hash, (b"a", b"b", b"c")))
NEGATIVE: dict[str, Callable[[], object]] = {
    "root_of": lambda: root_of(LEAVES, -1),
    "tiles_of": lambda: next(tiles_of(-1)),
    "new_tiles to": lambda: next(new_tiles(0, -1)),
    "new_tiles from": lambda: next(new_tiles(-1, 5)),
    "head of fewer than none": lambda: TreeHead("log", -1, bytes(32)).to_text(),
    "head of two lines": lambda: TreeHead("log\n7", 3, bytes(32)).to_text(),
    "head of no log": lambda: TreeHead("", 3, bytes(32)).to_text(),
    "head of a short root": lambda: TreeHead("log", 3, b"").to_text(),
    "head of a long count": lambda: TreeHead("log", 10**19, bytes(32)).to_text(),
    "status index": lambda: status_entry(LIST_URL, -1),
    "status index too large": lambda: status_entry(LIST_URL, 10**10),
    "time to live": lambda: _listed(ttl=timedelta(seconds=-1)),
    "edition": lambda: _listed(sequence=-1),
    "before the epoch": lambda: cosign("a\n", "witness", KEY, at=EARLIEST),
}


def _listed(*, ttl: timedelta = timedelta(hours=1), sequence: int = 0) -> JsonObject:
    return status_list_credential(
        LIST_URL,
        issuer=DID,
        status_list=StatusList(),
        purpose="revocation",
        valid_from=NOON,
        valid_until=None,
        ttl=ttl,
        sequence=sequence,
    )


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_value_that_no_reader_would_accept_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"number|origin|index|negative|1970"):
        NEGATIVE[name]()


def _nested(times: int) -> JsonObject:
    inside: Any = "a"
    for _ in range(times):
        inside = [inside]
    return credential(note=inside)


def _within_itself() -> JsonObject:
    document = credential()
    document["note"] = document
    return document


DEEP: dict[str, Callable[[JsonObject], object]] = {
    "model": OpenBadgeCredential.from_document,
    "canonical_json": canonical_json,
    "dump_json": dump_json,
    "issue_many": lambda document: issue_many([document], **SIGNERS, at=NOON),
    "Batch": lambda document: Batch(**SIGNERS, at=NOON).issue(document),
    "add_proof": lambda document: add_proof(document, signer=SIGNERS["signer"], created=NOON),
}


@pytest.mark.parametrize("make", [lambda: _nested(2_000), _within_itself], ids=["deep", "within itself"])
@pytest.mark.parametrize("name", DEEP)
def test_a_document_of_unbounded_depth_is_malformed(name: str, make: Callable[[], JsonObject]) -> None:
    with pytest.raises(CredentialError):
        DEEP[name](make())


def test_one_document_of_unbounded_depth_does_not_stop_a_batch() -> None:
    bad, good = Batch(**SIGNERS, at=NOON - timedelta(hours=3)).issue_each([_nested(2_000), credential()])
    assert isinstance(bad, MalformedInput)
    assert not isinstance(good, CredentialError)


def test_an_uncovered_template_is_an_error_of_the_library() -> None:
    with pytest.raises(CredentialError):
        make_template({})
    template = make_template(credential(id=f"urn:uuid:{mark(0)}"))
    with pytest.raises(NotCovered):
        template.canonical_bytes(["a b"])
