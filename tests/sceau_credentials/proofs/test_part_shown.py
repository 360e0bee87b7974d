"""A holder may show a part of what was signed (ecdsa-sd-2023); what is withheld never counts in their favour."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from openvc.keys import P256SigningKey
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite

from sceau_credentials import values
from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import CONTEXT_OB_3_0_3
from sceau_credentials.verification.report import CheckId, Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.proofs.test_selective_disclosure import without_invented_names
from tests.support.badges.credentials import DID_URL, NOON, Campus, badge_document

CONTEXTS = {CONTEXT_OB_3_0_3: values.context(CONTEXT_OB_3_0_3)}
ALL = ["/issuer", "/validFrom", "/name", "/credentialSubject", "/validUntil", "/credentialStatus"]


class Issuer:
    """A campus that signs with selective disclosure, with a holder who shows a part."""

    def __init__(self, *mandatory: str) -> None:
        self.campus = Campus()
        key = P256SigningKey.generate(f"{self.campus.did}#p256")
        method = {
            "id": key.kid,
            "type": "JsonWebKey",
            "controller": self.campus.did,
            "publicKeyJwk": key.public_jwk(),
        }
        self.keys = self.campus.did_document
        self.keys["verificationMethod"].append(method)
        self.keys["assertionMethod"].append(key.kid)
        self.base = EcdsaSdProofSuite().add_base_proof(
            small_badge(),
            signing_key=key,
            verification_method=key.kid,
            mandatory_pointers=["/id", "/type", *mandatory],
            created=NOON,
            extra_contexts=CONTEXTS,
        )

        self._shown: dict[tuple[str, ...], dict[str, Any]] = {}

    def shown(self, *pointers: str) -> dict[str, Any]:
        if pointers not in self._shown:
            derived = EcdsaSdProofSuite().derive_proof(
                self.base, selective_pointers=list(pointers), extra_contexts=CONTEXTS
            )
            self._shown[pointers] = without_invented_names(derived)
        return copy.deepcopy(self._shown[pointers])

    def asked(self, presented: dict[str, Any]) -> Report:
        documents = self.campus.documents(**{DID_URL: self.keys})
        return verify(json.dumps(presented), documents=documents, at=NOON)


@cache
def issuing(*mandatory: str) -> Issuer:
    """Made once: this peer needs a tenth of a second for each of its proofs."""
    return Issuer(*mandatory)


def small_badge() -> dict[str, Any]:
    document = {name: value for name, value in badge_document().items() if name != "evidence"}
    subject = document["credentialSubject"]
    achievement = {n: subject["achievement"][n] for n in ("id", "type", "name", "description", "criteria")}
    return document | {
        "credentialSubject": {"id": subject["id"], "type": subject["type"], "achievement": achievement}
    }


def signed_by_the_holder_too(part: dict[str, Any]) -> dict[str, Any]:
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    return add_proof(part, signer=Signer(f"{did}#{key.public.to_multikey()}", key), created=NOON)


CASES = [
    ("all", [], (Verdict.VALID, "in_force", "not_revoked")),
    ("no end", ["/validUntil"], (Verdict.UNDETERMINED, "end_may_be_withheld", "not_revoked")),
    ("no status", ["/credentialStatus"], (Verdict.UNDETERMINED, "in_force", "status_may_be_withheld")),
]


@pytest.mark.parametrize(("name", "hidden", "result"), CASES, ids=[name for name, _, _ in CASES])
def test_a_holder_who_shows_a_part_cannot_hide_an_expiry_or_a_withdrawal(
    name: str, hidden: list[str], result: tuple[Verdict, str, str]
) -> None:
    """Its signature does not detect what a presentation leaves out."""
    issuer = issuing("/issuer", "/validFrom", "/name")
    part = issuer.shown(*(pointer for pointer in ALL[3:] if pointer not in hidden))
    for presented in (part, signed_by_the_holder_too(part)):
        report = issuer.asked(presented)
        found = report.check(CheckId.VALIDITY).reason, report.check(CheckId.STATUS).reason
        assert (report.verdict, *found) == result


@pytest.mark.parametrize("hidden", ["/issuer", "/validFrom", "/credentialSubject"])
def test_a_part_without_required_members_is_neither_valid_nor_forged(hidden: str) -> None:
    """B-059: an issuer should have made these mandatory."""
    issuer = issuing()
    report = issuer.asked(issuer.shown(*(pointer for pointer in ALL if pointer != hidden)))
    answer = report.check(CheckId.SCHEMA)
    assert (answer.reason, answer.details["pointer"]) == ("part_withheld", hidden)
    assert report.verdict is Verdict.UNDETERMINED
    if hidden != "/issuer":
        assert report.check(CheckId.PROOF).reason == "signature_holds"
    if hidden == "/validFrom":
        unasked = report.check(CheckId.VALIDITY)
        assert (unasked.reason, unasked.details) == ("not_reached", {"because": "schema"})


def test_an_altered_part_is_a_forgery_even_without_required_members() -> None:
    issuer = issuing()
    part = issuer.shown(*(pointer for pointer in ALL if pointer != "/credentialSubject"))
    altered = copy.deepcopy(part) | {"name": "Autre chose"}
    report = issuer.asked(altered)
    assert (report.verdict, report.check(CheckId.PROOF).reason) == (Verdict.INVALID, "signature_mismatch")


def test_a_forger_cannot_excuse_missing_members_by_naming_the_suite() -> None:
    """An invalid proof of this suite still refuses the document."""
    issuer = issuing()
    part = issuer.shown(*(pointer for pointer in ALL if pointer != "/credentialSubject"))
    for value in ("u2V0BhVhA", "", "z3", part["proof"]["proofValue"][:-4]):
        forged = part | {"proof": part["proof"] | {"proofValue": value}}
        assert issuer.asked(forged).verdict is Verdict.INVALID
