"""Nothing inside a package authenticates itself: the verifier must already know keys and witnesses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.services.verification.answers import keys_in
from sceau_credentials import Verdict
from sceau_credentials.dids import did_key
from sceau_credentials.evidence.documents import Evidence, digest_of
from sceau_credentials.evidence.judging import EvidenceOutcome, witnesses_document
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.package import Anchors, Package, make_package, open_package, verify_package
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.transparency_log.notes import EntryProof, WitnessKey, cosign
from sceau_credentials.trust import Entry, Standing, TrustList
from sceau_credentials.verification.report import CheckId, Report
from tests.sceau_credentials.verification.checks.test_checks_withdrawn_key import (
    ADDRESS,
    KEY_ADDRESS,
    LOG_KEY,
    evidence_of,
    logged,
)
from tests.sceau_credentials.verification.legacy.older_issuer import assertion, published
from tests.support.badges.credentials import DID, DID_URL, LIST_INDEX, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.running.every import for_each

CAMPUS = Campus()
KEY = CAMPUS.key.public.thumbprint()
LATER = NOON + timedelta(days=3)


def packed(
    campus: Campus = CAMPUS, documents: Documents | None = None, badge: bytes | None = None
) -> Package:
    written = badge or campus.issue().embedded
    return open_package(make_package(written, documents=documents or campus.documents(), at=NOON))


def asked(package: Package, anchors: Anchors = Anchors()) -> Report:
    return verify_package(package, anchors=anchors, at=LATER).report


def listed(entry: Entry, days: int = 7) -> TrustList:
    return TrustList(
        "https://reseau.example/liste", "did:web:reseau.example", "Réseau", 1,
        NOON - timedelta(days=1), NOON + timedelta(days=days), (entry,),
    )  # fmt: skip


OF_A_LIST = Entry(DID, "Campus", keys=(KEY,))


@pytest.mark.parametrize(
    "anchors",
    [
        Anchors({"": frozenset({KEY})}),
        Anchors({DID: frozenset({KEY, "another"})}),
        Anchors().with_keys(keys_in([listed(OF_A_LIST)], at=LATER)),
    ],
)
def test_a_package_verifies_where_the_key_of_its_issuer_is_known(anchors: Anchors):
    report = asked(packed(), anchors)
    assert report.verdict is Verdict.VALID
    assert report.check(CheckId.ISSUER).reason == "issuer_trusted"


STRANGER = LocalSigningKey.generate(Algorithm.EDDSA).public.thumbprint()


@for_each(
    "anchors",
    [
        Anchors(),
        Anchors({"": frozenset({STRANGER})}),
        Anchors({DID: frozenset({STRANGER})}),
        Anchors({"did:web:autre.example": frozenset({KEY})}),
        Anchors().with_keys(keys_in([listed(OF_A_LIST, days=1)], at=LATER)),
        Anchors().with_keys(
            keys_in([listed(replace(OF_A_LIST, standing=Standing.ENDED, until=NOON))], at=LATER)
        ),
        Anchors().with_keys(keys_in([listed(replace(OF_A_LIST, keys=()))], at=LATER)),
        Anchors().with_keys(keys_in([listed(replace(OF_A_LIST, keys=(STRANGER,)))], at=LATER)),
    ],
)
@for_each("form", ["embedded", "token"])
def test_a_package_with_an_unknown_key_is_undetermined(anchors: Anchors, form: str):
    written = getattr(CAMPUS.issue(), form)
    badge = written.encode() if isinstance(written, str) else written
    report = asked(packed(badge=badge), anchors)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check(CheckId.KEY).reason == "key_not_authenticated"
    assert report.document is None


def test_a_badge_packed_with_the_keys_of_an_attacker_is_never_accepted():
    """In the name of a known campus, under an unknown key."""
    attacker = Campus()
    report = asked(packed(attacker), Anchors({DID: frozenset({KEY})}))
    assert report.verdict is Verdict.UNDETERMINED
    assert report.document is None


def test_false_documents_do_not_make_a_genuine_badge_invalid():
    """The packed key document names another key under the same identifier."""
    other = Campus()
    documents = CAMPUS.documents()
    package = packed(documents=documents.with_({DID_URL: other.did_document}))
    for anchors in (Anchors(), Anchors({DID: frozenset({KEY})})):
        assert asked(package, anchors).verdict is Verdict.UNDETERMINED


def test_a_changed_badge_is_invalid_under_a_known_key():
    changed = CAMPUS.issue().embedded.replace(b"Robotique", b"Robotisme")
    anchors = Anchors({DID: frozenset({KEY})})
    assert asked(packed(badge=changed), anchors).verdict is Verdict.INVALID
    assert asked(packed(badge=changed)).verdict is Verdict.UNDETERMINED


def test_a_status_list_under_an_added_key_does_not_count():
    """A withdrawn badge with a genuine key, with a key document and a list that the holder made."""
    forger = Campus()
    document = json.loads(json.dumps(CAMPUS.did_document))
    theirs = json.loads(json.dumps(forger.did_document))
    methods = [{**each, "id": each["id"] + "x"} for each in theirs["verificationMethod"]]
    document["verificationMethod"] += methods
    document["assertionMethod"] += [each["id"] for each in methods]
    forged = add_proof(
        {name: value for name, value in CAMPUS.status_list(at=NOON).items() if name != "proof"},
        signer=replace(forger.signer, verification_method=f"{forger.signer.verification_method}x"),
        created=NOON,
    )
    package = packed(documents=Documents({DID_URL: document, LIST_URL: forged}))
    report = asked(package, Anchors({DID: frozenset({KEY})}))
    assert report.check(CheckId.PROOF).reason == "signature_holds"
    assert report.check(CheckId.STATUS).reason != "not_revoked"
    assert report.verdict is Verdict.UNDETERMINED


def test_a_withdrawn_badge_is_withdrawn_in_a_package_with_a_known_key():
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    report = asked(packed(documents=revoking.documents()), Anchors({"": frozenset({KEY})}))
    assert report.check(CheckId.STATUS).reason == "revoked"


def test_a_package_cannot_hide_the_expiry_of_a_badge():
    """The date it declares for itself does not make an expired badge current."""
    end = (NOON + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    badge = json.dumps(add_proof(badge_document() | {"validUntil": end}, signer=CAMPUS.signer, created=NOON))
    report = asked(packed(badge=badge.encode()), Anchors({"": frozenset({KEY})}))
    assert (report.check(CheckId.VALIDITY).reason, report.verdict) == ("expired", Verdict.INVALID)


def test_a_did_key_is_known_like_any_other():
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    issuer = did_key(key.public)
    document = badge_document()
    document["issuer"] |= {"id": issuer}
    document.pop("credentialStatus")
    signer = replace(CAMPUS.signer, verification_method=f"{issuer}#{issuer[8:]}", key=key)
    package = packed(badge=json.dumps(add_proof(document, signer=signer, created=NOON)).encode())
    assert asked(package).verdict is Verdict.UNDETERMINED
    known = Anchors().with_keys(keys_in([listed(Entry(issuer, "Un campus sans site"))], at=LATER))
    assert asked(package, known).verdict is Verdict.VALID


def test_a_key_authenticated_only_by_its_site_stays_open_without_the_site():
    badge = json.dumps(assertion()).encode()
    report = asked(packed(documents=published(), badge=badge))
    assert report.verdict is Verdict.UNDETERMINED
    assert report.check(CheckId.KEY).reason == "key_not_authenticated"


def witnessed(
    witness: WitnessKey,
    document: dict,
    campus: Campus = CAMPUS,
    *,
    form: str = "embedded",
    changed: dict | None = None,
    **decided: str,
) -> tuple[Package, Anchors]:
    body = witnessed_package(witness, document, campus, form=form, changed=changed, **decided)
    return open_package(body), Anchors(witnesses=frozenset({witness.public.to_vkey()}))


def witnessed_package(
    witness: WitnessKey,
    document: dict,
    campus: Campus = CAMPUS,
    *,
    at: datetime = NOON,
    form: str = "embedded",
    changed: dict | None = None,
    **decided: str,
) -> bytes:
    """A badge of `campus` with evidence that a witness saw; `changed` replaces documents of the campus."""
    evidence = evidence_of(document, **decided)
    read = Evidence.from_bytes(evidence)
    decision = read.decision
    note = read.checkpoint.with_signatures([cosign(read.checkpoint.text, witness.name, witness.key, at=NOON)])
    proof = EntryProof(decision.index, tuple(decision.hashes), note)
    beside = witnesses_document(digest_of(evidence), [("Témoin", witness.public, proof)])
    documents = campus.documents().with_(
        {ADDRESS: evidence, f"{ADDRESS}/temoins": beside, KEY_ADDRESS: LOG_KEY.to_vkey()} | (changed or {})
    )
    written = getattr(campus.issue(logged(document, evidence)), form)
    badge = written.encode() if isinstance(written, str) else written
    return make_package(badge, documents=documents, at=at)


WITNESS = WitnessKey("t.example", bytes(32))


@pytest.mark.parametrize("form", ["embedded", "token"])
def test_a_known_witness_of_the_log_suffices_if_the_decision_names_the_key(form: str):
    package, anchors = witnessed(WITNESS, badge_document(), form=form, signingKey=KEY)
    found = verify_package(package, anchors=anchors, at=LATER)
    assert found.report.check(CheckId.KEY).reason == "key_witnessed"
    assert found.report.check(CheckId.STATUS).reason == "not_revoked"
    assert found.report.verdict is Verdict.VALID
    assert found.evidence is not None
    other = Anchors(witnesses=frozenset({WitnessKey("t.example", bytes([1]) * 32).public.to_vkey()}))
    for unknown in (Anchors(), other):
        assert asked(package, unknown).verdict is Verdict.UNDETERMINED
        assert asked(package, unknown).document is None


def test_a_withdrawn_badge_is_withdrawn_in_a_package_that_a_witness_confirms():
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    package, anchors = witnessed(WITNESS, badge_document(), revoking, signingKey=KEY)
    report = asked(package, anchors)
    assert (report.check(CheckId.STATUS).reason, report.verdict) == ("revoked", Verdict.INVALID)


def test_a_badge_signed_again_under_another_key_than_the_log_names_is_refused():
    """The same contents under the key of an attacker, who adds their own keys and status list."""
    package, anchors = witnessed(WITNESS, badge_document(), Campus(), signingKey=KEY)
    report = asked(package, anchors)
    assert (report.verdict, report.document) == (Verdict.UNDETERMINED, None)
    assert report.check(CheckId.KEY).reason == "key_not_authenticated"


def test_a_list_under_a_key_that_the_log_does_not_name_leaves_the_status_open():
    forger = Campus()
    document = json.loads(json.dumps(CAMPUS.did_document))
    theirs = json.loads(json.dumps(forger.did_document))
    methods = [{**each, "id": each["id"] + "x"} for each in theirs["verificationMethod"]]
    document["verificationMethod"] += methods
    document["assertionMethod"] += [each["id"] for each in methods]
    forged = add_proof(
        {name: value for name, value in CAMPUS.status_list(at=NOON).items() if name != "proof"},
        signer=replace(forger.signer, verification_method=f"{forger.signer.verification_method}x"),
        created=NOON,
    )
    changed = {DID_URL: document, LIST_URL: forged}
    package, anchors = witnessed(WITNESS, badge_document(), changed=changed, signingKey=KEY)
    report = asked(package, anchors)
    assert report.check(CheckId.KEY).reason == "key_witnessed"
    assert report.verdict is Verdict.UNDETERMINED


def test_a_known_witness_of_the_log_confirms_the_content_of_the_badge():
    """Not the status list, if the decision is of an earlier version and names no key."""
    document = badge_document()
    package, anchors = witnessed(WitnessKey("t.example", bytes(32)), document)
    found = verify_package(package, anchors=anchors, at=LATER)
    assert found.evidence is not None
    assert found.evidence.outcome is EvidenceOutcome.PROVED
    assert found.report.check(CheckId.KEY).reason == "key_witnessed"
    assert found.report.check(CheckId.STATUS).reason == "status_list_not_authentic"
    assert found.report.verdict is Verdict.UNDETERMINED
    assert verify_package(package, anchors=Anchors(), at=LATER).report.document is None


def test_a_badge_without_status_is_valid_by_its_witness_alone():
    document = badge_document()
    document.pop("credentialStatus")
    package, anchors = witnessed(WitnessKey("t.example", bytes(32)), document)
    assert asked(package, anchors).verdict is Verdict.VALID
    other = Anchors(witnesses=frozenset({WitnessKey("t.example", bytes([1]) * 32).public.to_vkey()}))
    assert asked(package, other).verdict is Verdict.UNDETERMINED
