"""The model refuses what the standard forbids: one case for each of its clauses."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model import (
    Achievement,
    AchievementSubject,
    BitstringStatusListEntry,
    CredentialSchema,
    CredentialStatus,
    Criteria,
    EndorsementCredential,
    IdentityObject,
    OpenBadgeCredential,
    RefreshService,
    Result,
    ResultDescription,
)
from sceau_credentials.values import CONTEXT_EXTENSIONS, CONTEXT_OB_3_0_3, CONTEXT_V1, CONTEXT_V2
from tests.support.badges.example_credential import example_credential, example_document
from tests.support.running.every import for_each

ABSENT = object()
SUBJECT = "credentialSubject"
ACHIEVEMENT = "credentialSubject/achievement"
DESCRIPTION = "credentialSubject/achievement/resultDescription/0"
PNG = "data:image/png;base64,iVBORw0KGgo="

# path, new value, reason, pointer (if it is not the path)
FORBIDDEN: list[tuple[str, str, Any, str, str]] = [
    ("A-002", "credentialSubject/creditsEarned", "1.5", "wrong_type", ""),
    ("A-002", "credentialSubject/creditsEarned", True, "wrong_type", ""),
    ("A-002", "name", 7, "wrong_type", ""),
    ("A-003", "evidence", {"type": ["Evidence"]}, "wrong_type", ""),
    ("A-004", "validUntil", None, "null_member", ""),
    ("A-004", "credentialSubject/achievement/tag/0", None, "null_member", ""),
    ("A-005", "credentialSubject/achievement/tag", "x", "wrong_type", ""),
    ("A-006", "credentialSubject/achievement/image/type", ["Image"], "wrong_value", ""),
    ("A-006", "credentialStatus/type", ["BitstringStatusListEntry"], "wrong_type", ""),
    ("A-006", "evidence/0/type", [], "wrong_class", ""),
    ("A-008", "credentialSubject/achievement/image/alt", "x", "unknown_member", ""),
    ("A-008", "credentialSubject/identifier/0/name", "x", "unknown_member", ""),
    ("A-009", "validFrom", "2022-11-27T16:30:00", "timestamp", ""),
    ("A-009", "validUntil", "2022-11-27", "timestamp", ""),
    ("A-009", "awardedDate", "yesterday", "timestamp", ""),
    ("A-010", "credentialSubject/achievement/inLanguage", "français", "not_a_language_code", ""),
    ("A-011", "@context", [CONTEXT_V2], "context_order", ""),
    ("A-011", "@context", [CONTEXT_OB_3_0_3, CONTEXT_V2], "context_order", ""),
    ("A-011", "@context", [CONTEXT_V1, CONTEXT_OB_3_0_3], "context_order", ""),
    ("A-011", "@context", CONTEXT_V2, "wrong_type", ""),
    ("A-012", "@context/1", "https://purl.imsglobal.org/spec/ob/v3p0/context-4.json", "context_order", "/@context"),
    ("A-013", "@context/2", 7, "wrong_type", ""),
    ("A-021", "type", ["VerifiableCredential"], "wrong_class", ""),
    ("A-021", "type", ["OpenBadgeCredential"], "wrong_class", ""),
    ("A-023", "id", ABSENT, "missing_member", ""),
    ("A-023", "id", "attributions/1", "not_an_absolute_iri", ""),
    ("A-024", "issuer", ABSENT, "missing_member", ""),
    ("A-024", "issuer", "campus", "not_an_absolute_iri", ""),
    ("A-024", "issuer", ["did:web:a"], "wrong_type", ""),
    ("A-026", "validFrom", ABSENT, "missing_member", ""),
    ("A-027", SUBJECT, ABSENT, "missing_member", ""),
    ("A-027", SUBJECT, [], "wrong_type", ""),
    ("A-028", "image", "https://a.example/x.png", "wrong_type", ""),
    ("A-029", "proof", [{"proofValue": "z"}], "missing_member", "/proof/0/type"),
    ("A-030", "credentialSchema", [{"type": "1EdTechJsonSchemaValidator2019"}], "missing_member",
     "/credentialSchema/0/id"),
    ("A-031", "credentialStatus", {"id": "urn:s"}, "missing_member", "/credentialStatus/type"),
    ("A-032", "refreshService", {"type": "x"}, "missing_member", "/refreshService/id"),
    ("A-032", "termsOfUse", [{"id": "urn:t"}], "missing_member", "/termsOfUse/0/type"),
    ("A-035", "credentialSubject/type", ["Person"], "wrong_class", ""),
    ("A-035", ACHIEVEMENT, ABSENT, "missing_member", ""),
    ("A-035", ACHIEVEMENT, "https://a.example/badge", "wrong_type", ""),
    ("A-037", "credentialSubject/activityStartDate", "soon", "timestamp", ""),
    ("A-038", "credentialSubject/image", {"id": "data:image/gif;base64,R0lG", "type": "Image"},
     "not_png_or_svg", "/credentialSubject/image/id"),
    ("A-040", "credentialSubject/achievement/id", ABSENT, "missing_member", ""),
    ("A-040", "credentialSubject/achievement/type", ["Badge"], "wrong_class", ""),
    ("A-040", "credentialSubject/achievement/name", ABSENT, "missing_member", ""),
    ("A-040", "credentialSubject/achievement/description", ABSENT, "missing_member", ""),
    ("A-040", "credentialSubject/achievement/criteria", ABSENT, "missing_member", ""),
    ("A-040", "credentialSubject/achievement/criteria", "be good", "wrong_type", ""),
    ("A-041", "credentialSubject/achievement/creator", "did:web:a", "wrong_type", ""),
    ("A-041", "credentialSubject/achievement/creditsAvailable", "36", "wrong_type", ""),
    ("A-045", "issuer/id", ABSENT, "missing_member", ""),
    ("A-045", "issuer/type", ABSENT, "missing_member", ""),
    ("A-045", "issuer/type", ["Organization"], "wrong_class", ""),
    ("A-046", "issuer/dateOfBirth", "3 mai 2001", "date", ""),
    ("A-046", "issuer/image", {"id": "data:image/jpeg,x", "type": "Image"}, "not_png_or_svg", "/issuer/image/id"),
    ("A-049", "credentialSubject/identifier/0/hashed", "false", "wrong_type", ""),
    ("A-049", "credentialSubject/identifier/0/identityHash", ABSENT, "missing_member", ""),
    ("A-050", "credentialSubject/identifier/0/hashed", True, "identity_hash",
     "/credentialSubject/identifier/0/identityHash"),
    ("A-054", "credentialSubject/identifier/0/identityType", "email", "not_in_vocabulary", ""),
    ("A-056", "issuer/otherIdentifier", [{"type": "IdentifierEntry", "identifier": "1"}], "missing_member",
     "/issuer/otherIdentifier/0/identifierType"),
    ("A-057", "evidence/0/type", ["Proof"], "wrong_class", ""),
    ("A-057", "evidence/0/id", "preuve.pdf", "not_an_absolute_iri", ""),
    ("A-059", "credentialSubject/achievement/alignment/0/targetName", ABSENT, "missing_member", ""),
    ("A-059", "credentialSubject/achievement/alignment/0/targetUrl", "rome/H3203", "not_an_absolute_iri", ""),
    ("A-060", "credentialSubject/achievement/alignment/0/targetType", "ROME", "not_in_vocabulary", ""),
    ("A-062", "credentialSubject/achievement/related", [{"type": ["Related"]}], "missing_member",
     "/credentialSubject/achievement/related/0/id"),
    ("A-063", "credentialSubject/achievement/image", PNG, "wrong_type", ""),
    ("A-064", "issuer/address/type", ["Place"], "wrong_class", ""),
    ("A-065", "issuer/address/geo", {"type": "GeoCoordinates", "latitude": "47", "longitude": 6.8},
     "wrong_type", "/issuer/address/geo/latitude"),
    ("A-066", "credentialSubject/result/0/value", 3, "wrong_type", ""),
    ("A-067", "credentialSubject/result/0/resultDescription", "urn:uuid:other", "result_not_described", ""),
    ("A-068", f"{DESCRIPTION}/resultType", "Status", "result_status_missing",
     "/credentialSubject/result/0/status"),
    ("A-069", "credentialSubject/result/0/status", "ext:Almost", "not_in_vocabulary", ""),
    ("A-070", f"{DESCRIPTION}/name", ABSENT, "missing_member", ""),
    ("A-071", f"{DESCRIPTION}/resultType", "Stars", "not_in_vocabulary", ""),
    ("A-072", f"{DESCRIPTION}/rubricCriterionLevel", [{"id": "urn:l", "type": ["RubricCriterionLevel"]}],
     "missing_member", f"/{DESCRIPTION}/rubricCriterionLevel/0/name"),
    ("A-077", "endorsementJwt", ["a.b"], "not_compact_jws", "/endorsementJwt/0"),
    ("A-080", "credentialSubject/achievement/achievementType", "ext:", "not_in_vocabulary", ""),
    ("A-084", "credentialSubject/achievement/achievementType", "Diplôme", "not_in_vocabulary", ""),
    ("D-001", "credentialStatus/statusListIndex", "-1", "status_list_index", ""),
    ("D-001", "credentialStatus/statusListIndex", "1e3", "status_list_index", ""),
    ("D-001", "credentialStatus/statusListIndex", -1, "status_list_index", ""),
    ("D-001", "credentialStatus/statusListIndex", True, "wrong_type", ""),
    ("D-001", "credentialStatus/statusPurpose", ABSENT, "missing_member", ""),
    ("D-002", "credentialStatus/id", "https://badges.campus-exemple.fr/statuts/4", "status_id_is_the_list", ""),
    ("D-006", "credentialStatus/statusSize", 2, "status_message_missing", "/credentialStatus/statusMessage"),
    ("J-001", "validUntil", "2020-01-01T00:00:00Z", "ends_before_it_begins", ""),
]  # fmt: skip


def change(document: Any, path: str, value: Any) -> None:
    *parents, last = path.split("/")
    target = document
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    if value is ABSENT:
        del target[last]
    elif isinstance(target, list):
        target[int(last) : int(last) + 1] = [value]
    else:
        target[last] = value


@for_each(
    ("path", "value", "reason", "pointer"),
    [case[1:] for case in FORBIDDEN],
    ids=[f"{case[0]} {case[1].rpartition('/')[2]}" for case in FORBIDDEN],
)
def test_a_document_that_violates_the_standard_is_refused(path, value, reason, pointer):
    document = copy.deepcopy(example_document())
    change(document, path, value)
    with pytest.raises(MalformedInput) as refusal:
        OpenBadgeCredential.from_document(document)
    assert (refusal.value.reason, refusal.value.pointer) == (reason, pointer or f"/{path}")


def test_a_recipient_is_identified():  # A-036
    document: Any = copy.deepcopy(example_document())
    del document[SUBJECT]["id"]
    assert OpenBadgeCredential.from_document(document).credential_subject.identifier
    del document[SUBJECT]["identifier"]
    with pytest.raises(MalformedInput) as refusal:
        OpenBadgeCredential.from_document(document)
    assert (refusal.value.reason, refusal.value.pointer) == ("recipient_missing", "/credentialSubject")


def test_the_hash_of_the_standard_is_an_identity_hash():  # A-050, A-051
    digest = sha256(b"a@example.comKosher").hexdigest()
    assert digest == "b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"
    for spelling in (digest, digest.upper()):
        IdentityObject(
            hashed=True, identity_hash=f"sha256${spelling}", identity_type="emailAddress", salt="Kosher"
        )


def test_extended_terms_are_allowed_where_the_vocabulary_is_open():  # A-080
    document: Any = copy.deepcopy(example_document())
    document[SUBJECT]["achievement"]["achievementType"] = "ext:Explor-ICI_2022"
    document[SUBJECT]["achievement"]["alignment"][0]["targetType"] = "ext:ROME"
    OpenBadgeCredential.from_document(document)


def _written(**changes: Any) -> OpenBadgeCredential:
    credential = example_credential()
    members = {name: getattr(credential, name) for name in type(credential).model_fields}
    return OpenBadgeCredential(**{**members, **changes})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"credential_status": (CredentialStatus(type="x"), CredentialStatus(type="y"))}, "several_statuses"),
        ({"context": (CONTEXT_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json")}, "context_order"),
        ({"context": (CONTEXT_V2, CONTEXT_OB_3_0_3, {"grade": "urn:g"})}, "context_order"),
        ({"refresh_service": RefreshService(id="urn:r", type="1EdTechCredentialRefresh")},
         "extensions_context_missing"),
        ({"context": (CONTEXT_V2, CONTEXT_OB_3_0_3, CONTEXT_EXTENSIONS),
          "credential_schema": (CredentialSchema(id="https://a.example/schema.json"),)},
         "open_badges_schema_missing"),
    ],
)  # fmt: skip
def test_we_write_more_strictly_than_we_read(changes, reason):  # A-015, A-016, A-030, A-031
    with pytest.raises(ValidationError) as refusal:
        _written(**changes)
    assert refusal.value.errors()[0]["type"] == reason


def test_an_index_is_written_as_text():  # D-003
    with pytest.raises(ValidationError):
        BitstringStatusListEntry(
            status_purpose="revocation",
            status_list_index=23,
            status_list_credential="https://a.example/statuts/1",
        )


def test_criteria_must_not_be_empty():  # A-042
    with pytest.raises(ValidationError):
        Criteria()


def test_a_datetime_without_a_zone_is_refused():
    with pytest.raises(ValidationError):
        _written(valid_from=datetime(2022, 11, 27, 16, 30))  # noqa: DTZ001


def test_written_requirements_can_be_met():  # A-073
    with pytest.raises(ValidationError):
        ResultDescription(id="urn:d", name="x", result_type="RawScore", required_level="urn:none")
    with pytest.raises(ValidationError):
        ResultDescription(
            id="urn:d", name="x", result_type="RawScore", allowed_value=("1", "2"), required_value="3"
        )
    description = ResultDescription(id="urn:d", name="x", result_type="RawScore")
    achievement = Achievement(
        id="urn:a",
        name="x",
        description="y",
        criteria=Criteria(narrative="z"),
        result_description=(description,),
    )
    with pytest.raises(ValidationError):
        AchievementSubject(
            id="urn:s",
            achievement=achievement,
            result=(Result(result_description="urn:d", achieved_level="urn:none"),),
        )


def test_an_endorsement_has_a_name():  # A-075
    endorsement: dict[str, Any] = {
        "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": "did:web:entreprise.example",
        "validFrom": "2022-11-28T08:00:00Z",
        "credentialSubject": {"id": "urn:uuid:2", "type": ["EndorsementSubject"]},
    }
    with pytest.raises(MalformedInput) as refusal:
        EndorsementCredential.from_document(endorsement)
    assert (refusal.value.reason, refusal.value.pointer) == ("missing_member", "/name")


def test_values_are_immutable():
    credential = example_credential()
    with pytest.raises(ValidationError):
        credential.name = "Autre"  # type: ignore[misc]
    assert credential.valid_from == datetime(2022, 11, 27, 16, 30, tzinfo=UTC)
