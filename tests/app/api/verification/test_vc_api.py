"""The VC API, driven with the requests that the W3C suites make: data model 2.0, eddsa-rdfc-2022, bitstring status list.

The suites themselves are in no package registry; these are their cases, rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS
from app.domain.campus.audit_log import HistoryEntry
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.proofs.data_integrity import add_plain_proof, add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusList, status_entry, status_list_credential
from tests.app.api import clients
from tests.support.app import COMMAND, NOON, App, build_app
from tests.support.running.every import for_each

VERIFY, ISSUE = "/vc-api/credentials/verify", "/vc-api/credentials/issue"
V2, EXAMPLES = "https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"
LIST = "https://badges.example/listes/1"


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    (database := folder / "database").mkdir()
    copyfile(migrated_sqlite, database / "sceau.sqlite")
    built = build_app(f"sqlite:///{database / 'sceau.sqlite'}", folder, vc_api_issue=True)
    yield built
    built.close()


@pytest.fixture(scope="module")
def issuer(app: App) -> TestClient:
    return clients.program(app, "credential:issue")


@pytest.fixture(scope="module")
def world(app: App) -> TestClient:
    return clients.anybody(app)


def signer() -> Signer:
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    name = key.public.to_multikey()
    return Signer(f"did:key:{name}#{name}", key)


SOMEBODY = signer()


def credential(**changes: Any) -> dict[str, Any]:
    whole = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": SOMEBODY.controller,
        "credentialSubject": {"id": "did:example:subject"},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def signed(document: dict[str, Any] | None = None, by: Signer = SOMEBODY) -> dict[str, Any]:
    return add_proof(document or credential(), signer=by, created=NOON)


def verify(world: TestClient, presented: Any, **options: Any):
    return world.post(
        VERIFY, json={"verifiableCredential": presented, "options": {"checks": ["proof"], **options}}
    )


def refused(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    result = answer.json()
    assert result["verified"] is False
    assert result["problemDetails"]
    return result


# --- data model 2.0, as a verifier

ACCEPTED: dict[str, dict[str, Any]] = {
    "minimal": {},
    "examples context": {"@context": [V2, EXAMPLES], "type": ["VerifiableCredential", "ExampleDegreeCredential"]},
    "type as text": {"type": "VerifiableCredential"},
    "id": {"id": "urn:uuid:6a1c9a3e-1c1a-4b1e-9f52-6a4a3f5f5f0e"},
    "issuer object": {"issuer": {"id": SOMEBODY.controller, "name": "Campus"}},
    "several subjects": {"credentialSubject": [{"id": "did:example:a"}, {"id": "did:example:b"}]},
    "begins and ends": {"validFrom": "2020-01-01T00:00:00Z", "validUntil": "2030-01-01T00:00:00Z"},
    "offset": {"validFrom": "2020-01-01T00:00:00+02:00"},
    "name in a language": {"name": {"@value": "Badge", "@language": "fr"}},
    "names in languages": {"name": [{"@value": "Badge", "@language": "fr"}, {"@value": "B", "@language": "en"}]},
    "evidence": {"evidence": [{"id": "https://a.example/", "type": ["Evidence"]}],
                 "@context": [V2, "https://www.w3.org/ns/credentials/undefined-terms/v2"]},
    "terms of use": {"termsOfUse": [{"type": "TrustFrameworkPolicy"}],
                     "@context": [V2, "https://www.w3.org/ns/credentials/undefined-terms/v2"]},
    "schema": {"credentialSchema": {"id": "https://a.example/s.json", "type": "JsonSchema"}},
}  # fmt: skip


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_verify_accepts_conforming_credential(world, changes):
    answer = verify(world, signed(credential(**changes)))
    assert (answer.status_code, answer.json()["verified"]) == (200, True), answer.text


REFUSED: dict[str, dict[str, Any]] = {
    "no context": {"@context": None},
    "context in another order": {"@context": [EXAMPLES, V2]},
    "context as text": {"@context": V2},
    "context of ours inside": {"@context": [V2, {"@vocab": "https://a.example/"}]},
    "context that cannot be had": {"@context": [V2, "https://a.example/nowhere"]},
    "no type": {"type": None},
    "another type alone": {"type": ["ExampleDegreeCredential"]},
    "type that is no text": {"type": ["VerifiableCredential", 4]},
    "no issuer": {"issuer": None},
    "issuer that is no URL": {"issuer": "campus"},
    "issuer object without id": {"issuer": {"name": "Campus"}},
    "several issuers": {"issuer": ["did:example:a"]},
    "id that is no URL": {"id": "badge"},
    "several ids": {"id": ["urn:a:b", "urn:a:c"]},
    "null id": {"id": 4},
    "no subject": {"credentialSubject": None},
    "empty subject": {"credentialSubject": {}},
    "empty list of subjects": {"credentialSubject": []},
    "subject that is text": {"credentialSubject": "did:example:a"},
    "one empty subject": {"credentialSubject": [{"id": "did:example:a"}, {}]},
    "subject with bad id": {"credentialSubject": {"id": "not a url"}},
    "begins in no form": {"validFrom": "01/01/2020"},
    "begins without offset": {"validFrom": "2020-01-01T00:00:00"},
    "ends before it begins": {"validFrom": "2025-01-01T00:00:00Z", "validUntil": "2024-01-01T00:00:00Z"},
    "over": {"validUntil": "2024-01-01T00:00:00Z"},
    "not yet": {"validFrom": "2090-01-01T00:00:00Z"},
    "status without type": {"credentialStatus": {"id": "urn:a:b"}},
    "status with bad id": {"credentialStatus": {"id": "not a url", "type": "BitstringStatusListEntry"}},
    "evidence without type": {"evidence": [{"id": "urn:a:b"}]},
    "terms without type": {"termsOfUse": {"id": "urn:a:b"}},
    "refresh without type": {"refreshService": {"id": "urn:a:b"}},
    "schema without id": {"credentialSchema": {"type": "JsonSchema"}},
    "schema without type": {"credentialSchema": {"id": "urn:a:b"}},
    "name that is a number": {"name": 4},
    "name with more": {"name": {"@value": "Badge", "url": "urn:a:b"}},
    "name without value": {"name": {"@language": "fr"}},
    "bad direction": {"name": {"@value": "Badge", "@direction": "up"}},
    "related without digest": {"relatedResource": [{"id": "urn:a:b"}]},
    "related twice": {"relatedResource": [{"id": "urn:a:b", "digestSRI": "sha256-A"}] * 2},
    "undefined term": {"undefinedTerm": "x"},
}  # fmt: skip


@for_each("changes", REFUSED.values(), ids=REFUSED)
def test_verify_refuses_what_the_data_model_forbids(world, changes):
    document = credential(**changes)
    try:
        presented = signed(document)
    except Exception:  # what cannot be signed is presented with the proof of another
        presented = document | {"proof": signed()["proof"]}
    refused(verify(world, presented))


# --- eddsa-rdfc-2022, as a verifier

PROOFS: dict[str, dict[str, Any]] = {
    "no proof value": {"proofValue": None},
    "empty proof value": {"proofValue": ""},
    "proof value without prefix": {"proofValue": "abc"},
    "proof value of another base": {"proofValue": "uAAAA"},
    "proof value too short": {"proofValue": "z4oey5q2M3XKaxup3tmzN4DR"},
    "another suite": {"cryptosuite": "invalid-cryptosuite"},
    "a suite that did not sign": {"cryptosuite": "eddsa-jcs-2022"},
    "no suite": {"cryptosuite": None},
    "another type": {"type": "UnknownProof"},
    "no type": {"type": None},
    "another purpose": {"proofPurpose": "authentication"},
    "unknown purpose": {"proofPurpose": "invalidPurpose"},
    "no purpose": {"proofPurpose": None},
    "no method": {"verificationMethod": None},
    "method that is no URL": {"verificationMethod": "key-1"},
    "method of another": {"verificationMethod": signer().verification_method},
    "created in no form": {"created": "28/11/2026"},
    "created elsewhen": {"created": "2025-01-01T00:00:00Z"},
    "expired": {"expires": "2025-01-01T00:00:00Z"},
}


@for_each("changes", PROOFS.values(), ids=PROOFS)
def test_verify_refuses_altered_proof(world, changes):
    whole = signed()
    proof = {name: value for name, value in {**whole["proof"], **changes}.items() if value is not None}
    refused(verify(world, whole | {"proof": proof}))


@pytest.mark.parametrize("add", [add_proof, add_plain_proof], ids=["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_verify_accepts_both_eddsa_suites_and_refuses_each_with_one_member_changed(world, add):
    whole = add(credential(id="urn:a:b"), signer=SOMEBODY, created=NOON)
    assert verify(world, whole).json()["verified"] is True
    changed = deepcopy(whole)
    changed["credentialSubject"]["id"] = "did:example:another"
    result = refused(verify(world, changed))
    assert result["problemDetails"][0]["type"].endswith("CRYPTOGRAPHIC_SECURITY_ERROR")


def test_verify_refuses_credential_signed_by_another_than_its_issuer(world):
    refused(verify(world, signed(by=signer())))


@pytest.mark.parametrize("proof", [None, [], {}, "proof", [{}]])
def test_verify_refuses_credential_without_usable_proof(world, proof):
    refused(verify(world, credential() | ({} if proof is None else {"proof": proof})))


def test_verify_reads_tokens_and_enveloped_credentials(world):
    document = credential(
        id="urn:uuid:6a1c9a3e-1c1a-4b1e-9f52-6a4a3f5f5f0e", validFrom="2026-01-01T00:00:00Z"
    )
    token = sign_jwt(document, signer=SOMEBODY, kind="vc+jwt")
    assert verify(world, token).json()["verified"] is True
    enveloped = {
        "@context": [V2],
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token}",
    }
    assert verify(world, enveloped).json()["verified"] is True
    enveloped["id"] = enveloped["id"][:-4] + "AAAA"
    refused(verify(world, enveloped))


# --- bitstring status list


@pytest.mark.parametrize("raised", [False, True])
def test_verify_follows_status_of_the_issuer(app, world, raised):
    """The list is a document of the campus itself: nothing is fetched."""
    award_id = clients.open_award(app)
    badge = world.get(f"/attributions/{award_id}.json").json()
    if raised:
        with app.unit_of_work() as services:
            services.awards.revoke(app.campus, award_id, "Erreur", by=COMMAND)
    answer = verify(world, badge)
    assert answer.json()["verified"] is not raised, answer.text


def test_verify_accepts_status_list_credential(world):
    bits = StatusList(131_072)
    document = status_list_credential(
        LIST, issuer=SOMEBODY.controller, status_list=bits, purpose="revocation",
        valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_until=None, ttl=timedelta(minutes=5),
    )  # fmt: skip
    assert verify(world, signed(document)).json()["verified"] is True


def test_verify_refuses_credential_with_a_status_list_that_cannot_be_had(world):
    result = refused(verify(world, signed(credential(credentialStatus=status_entry(LIST, 5)))))
    assert result["problemDetails"][0]["type"].endswith("STATUS_RETRIEVAL_ERROR")


# --- the requests themselves


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"verifiableCredential":1,"verifiableCredential":2}', 400),
        (b"{}", 422),
        (b'{"verifiableCredential":null}', 422),
        (b'{"verifiableCredential":""}', 400),
        (b'{"verifiableCredential":"e30.e30.AA"}', 400),
        (b'{"verifiableCredential":{}}', 400),
        (b'{"a":"' + b"x" * 300_000 + b'"}', 413),
        (b'{"verifiableCredential":' + b"[" * 60 + b"]" * 60 + b"}", 400),
    ],
)
def test_hostile_body_is_a_problem_of_its_kind(world, body, status):
    answer = world.post(VERIFY, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", [VERIFY, ISSUE])
def test_another_content_type_is_refused(issuer, path):
    answer = issuer.post(path, content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_verify_has_the_rate_limit_of_programs(tmp_path, sqlite_url):
    built = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key of the tests"))
    world = clients.anybody(built)
    for _ in range(LIMITS["verify by program"].amount):
        built.process.limiter.hit("verify by program", "testclient")
    assert verify(world, "x").status_code == 429
    built.close()


# --- issuing


_OPEN_BADGES = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
_STATUS = "https://www.w3.org/ns/credentials/status#"
"""A proof signs IRIs: a reader may write them as terms afterwards, and it stays valid."""


OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
BADGE = {"id": "urn:uuid:6a1c9a3e-1c1a-4b1e-9f52-6a4a3f5f5f0e", "type": ["Achievement"], "name": "Soudure",
         "description": "Soude.", "criteria": {"narrative": "Soude."}}  # fmt: skip
OUR_STATUS = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1",
              "statusListCredential": "http://localhost:8000/campus/itip/statuts/1"}  # fmt: skip


def for_campus(app: App, **changes: Any) -> dict[str, Any]:
    return credential(**{"issuer": app.campus.did, **changes})


def test_issue_signs_what_verify_accepts(app, issuer, world):
    answer = issuer.post(ISSUE, json={"credential": for_campus(app), "options": {}})
    assert answer.status_code == 201, answer.text
    issued = answer.json()["verifiableCredential"]
    assert issued["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert issued["proof"]["verificationMethod"].startswith(app.campus.did)
    assert verify(world, issued).json()["verified"] is True


def test_issue_fills_in_the_issuer(app, issuer):
    document = for_campus(app)
    del document["issuer"]
    issued = issuer.post(ISSUE, json={"credential": document}).json()["verifiableCredential"]
    assert issued["issuer"] == app.campus.did


@for_each(
    "name",
    [name for name in REFUSED if name not in ("no issuer", "over", "not yet", "ends before it begins")],
)
def test_issue_refuses_what_the_data_model_forbids(app, issuer, name):
    document = for_campus(app) | REFUSED[name]
    document = {member: value for member, value in document.items() if value is not None}
    assert issuer.post(ISSUE, json={"credential": document}).status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "did:web:somebody.example"},
        {"proof": {"type": "DataIntegrityProof"}},
        {"type": ["VerifiableCredential", "OpenBadgeCredential"]},
        {"type": ["VerifiableCredential", "AchievementCredential"]},
        {"type": ["VerifiableCredential", "EndorsementCredential"]},
        {"type": ["VerifiableCredential", "BitstringStatusListCredential"]},
        {"type": ["VerifiableCredential", f"{_OPEN_BADGES}OpenBadgeCredential"]},
        {"type": ["VerifiableCredential", f"{_OPEN_BADGES}EndorsementCredential"]},
        {"type": ["VerifiableCredential", f"{_STATUS}BitstringStatusListCredential"]},
        {"credentialSubject": {"id": "urn:uuid:1", "type": f"{_OPEN_BADGES}OpenBadgeCredential"}},
        {"@context": [V2, OB], "credentialSubject": {"type": ["AchievementSubject"], "achievement": BADGE}},
        {
            "@context": [V2, OB],
            "credentialSubject": {
                "id": "urn:uuid:1",
                "type": ["EndorsementSubject"],
                "endorsementComment": "Bien.",
            },
        },
        {"id": "http://localhost:8000/attributions/6a1c9a3e-1c1a-4b1e-9f52-6a4a3f5f5f0e"},
        {"id": "HTTP://LOCALHOST:8000/attributions/6a1c9a3e-1c1a-4b1e-9f52-6a4a3f5f5f0e"},
        {"credentialStatus": OUR_STATUS},
        {"name": "Rouge\u202eeguoR"},
        {"name": "Zo\u200bé"},
    ],
)
def test_issue_refuses_badges_lists_and_the_name_of_another_issuer(app, issuer, changes):
    assert issuer.post(ISSUE, json={"credential": for_campus(app, **changes)}).status_code == 422


@pytest.mark.parametrize(
    ("path", "options"),
    [
        *((VERIFY, {name: "x"}) for name in ("challenge", "domain", "expectedProofPurpose", "verificationMethod")),
        *((ISSUE, {name: "x"}) for name in ("created", "cryptosuite", "proofPurpose", "credentialStatus")),
        (VERIFY, "checks"), (VERIFY, ["proof"]), (ISSUE, 1),
    ],
)  # fmt: skip
def test_an_unsupported_option_is_refused(app, issuer, world, path, options):
    """A client that asks for a challenge check would take « verified » for a confirmation."""
    body = {"verifiableCredential": signed(), "credential": for_campus(app), "options": options}
    answer = (issuer if path == ISSUE else world).post(path, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_issue_needs_its_own_scope_and_is_in_the_history(app, world):
    sent = {"credential": for_campus(app)}
    assert world.post(ISSUE, json=sent).status_code == 401
    assert clients.program(app, "award:create", "read").post(ISSUE, json=sent).status_code == 403
    other = clients.program(app, "credential:issue", campus=app.other_campus)
    assert other.post(ISSUE, json=sent).status_code == 422
    issued = clients.program(app, "credential:issue").post(ISSUE, json=sent)
    assert issued.status_code == 201
    with Transaction(app.owner) as everything:
        noted = everything.exec(select(HistoryEntry).where(HistoryEntry.action == "sign_credential")).all()
    assert {(each.noun, each.noun_id, each.campus_id) for each in noted} == {
        ("campus", app.campus.id, app.campus.id)
    }


def test_issue_is_off_by_default(sqlite_url, tmp_path):
    built = build_app(sqlite_url, tmp_path)
    answer = clients.program(built, "credential:issue").post(ISSUE, json={"credential": for_campus(built)})
    assert answer.status_code == 404
    built.close()


def test_no_page_offers_the_scope_to_sign_anything(app):
    page = app.client(app.admin).get("/gestion/itip/jetons").text
    assert "award:create" in page
    assert "credential:issue" not in page
