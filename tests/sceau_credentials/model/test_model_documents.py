"""Documents are written in the shapes of the standard, and read back without loss."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from jsonschema import Draft201909Validator, FormatChecker

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.model import (
    Address,
    BitstringStatusListEntry,
    EndorsementCredential,
    EndorsementSubject,
    GeoCoordinates,
    IdentifierEntry,
    OpenBadgeCredential,
    Profile,
)
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2
from tests.support.badges.example_credential import example_credential, example_document
from tests.support.shared_data import shared

EXAMPLES = "open-badges/examples/ob3"
SCHEMAS = "open-badges/schemas/ob3-vcdm20-canonical-2024-07-30"
WHOLE = [
    "achievementAlignmentCase", "achievementAlignmentCe", "basicOpenBadgeCredential", "fullOpenBadge",
    "equality-sample-credential-a", "equality-sample-credential-b", "equality-sample-credential-c",
    "equality-sample-credential-d", "skillAssertionCase", "skillAssertionCtdl",
]  # fmt: skip


def _example(name: str) -> Any:
    return json.loads(shared(f"{EXAMPLES}/{name}.json").read_bytes())


def _endorsement() -> EndorsementCredential:
    return EndorsementCredential(
        id="urn:uuid:8a1f2d60-52a8-4ef5-8d2c-5be4d7c2b6d9",
        name="Avis d'une entreprise",
        issuer=Profile(id="did:web:carrosserie-exemple.fr", name="Carrosserie d'exemple"),
        valid_from=datetime(2022, 12, 1, 9, tzinfo=UTC),
        credential_subject=EndorsementSubject(
            id=example_credential().id, endorsement_comment="Nous embauchons sur ce badge."
        ),
    )


def test_arrays_are_used_exactly_where_the_standard_has_them():  # A-003, A-006
    document: Any = example_document()
    subject = document["credentialSubject"]
    assert document["@context"] == [CONTEXT_V2, CONTEXT_OB_3_0_3]
    assert document["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert subject["type"] == ["AchievementSubject"]
    assert subject["identifier"][0]["type"] == "IdentityObject"
    assert subject["achievement"]["type"] == ["Achievement"]
    assert subject["achievement"]["image"]["type"] == "Image"
    assert [entry["type"] for entry in document["evidence"]] == [["Evidence"]] * 3
    assert document["issuer"]["address"]["type"] == ["Address"]
    assert document["credentialStatus"]["type"] == "BitstringStatusListEntry"
    assert document["credentialStatus"]["statusListIndex"] == "94567"


def test_datetimes_are_written_in_utc_to_the_second():
    summer = timezone(timedelta(hours=2))
    endorsement = _endorsement().model_copy(
        update={"valid_from": datetime(2022, 7, 1, 11, 0, 5, 999, summer)}
    )
    assert endorsement.to_document()["validFrom"] == "2022-07-01T09:00:05Z"


def test_nothing_empty_is_written():  # A-004
    written = json.dumps(example_document())
    assert "null" not in written
    assert "[]" not in written
    assert "{}" not in written


def test_a_written_document_reads_back_as_the_same_value_and_document():
    credential = example_credential()
    again = OpenBadgeCredential.from_document(credential.to_document())
    assert again == credential
    assert again.to_document() == credential.to_document()


def test_a_signature_covers_all_of_a_written_document():
    credential = example_credential()
    issuer = Profile(
        id="did:web:badges.campus-exemple.fr:campus:amf",
        name="AMF",
        address=Address(geo=GeoCoordinates(latitude=47.51, longitude=6.8)),
        other_identifier=(IdentifierEntry(identifier="0251234A", identifier_type="identifier"),),
    )
    document = credential.model_copy(
        update={"issuer": issuer, "endorsement": (_endorsement(),)}
    ).to_document()
    assert "Nous embauchons sur ce badge." in canonical_nquads(document)


@pytest.mark.parametrize("kind", ["achievement", "endorsement"])
def test_a_written_document_satisfies_the_published_json_schema(kind):  # I-003, I-005
    checker = FormatChecker()
    assert "date-time" in checker.checkers
    schema = json.loads(shared(f"{SCHEMAS}/ob_v3p0_{kind}credential_schema.json").read_bytes())
    document = example_document() if kind == "achievement" else _endorsement().to_document()
    Draft201909Validator(schema, format_checker=checker).validate(document)


@pytest.mark.parametrize("name", WHOLE)
def test_published_examples_are_read_without_loss(name):
    document = _example(name)
    assert OpenBadgeCredential.from_document(document).to_document() == document


def test_the_published_endorsement_is_read_without_loss():
    document = _example("endorsement")
    assert EndorsementCredential.from_document(document).to_document() == document


def test_unknown_members_are_retained():  # A-008
    document: Any = copy.deepcopy(example_document())
    document["credentialSubject"]["achievement"]["otherMaking"] = {"deep": [1, {"x": False}]}
    document["issuer"]["founded"] = 1987
    document["credentialStatus"]["statusReference"] = "https://a.example/"
    assert OpenBadgeCredential.from_document(document).to_document() == document


def test_datetimes_in_other_forms_are_written_as_they_were_read():  # a signature covers the text
    document: Any = copy.deepcopy(example_document())
    document["validFrom"] = "2022-11-27T17:30:00.000+01:00"
    document["credentialSubject"]["activityStartDate"] = "2022-11-25T09:00:00"
    credential = OpenBadgeCredential.from_document(document)
    assert credential.valid_from == datetime(2022, 11, 27, 16, 30, tzinfo=UTC)
    assert credential.to_document() == document


def test_single_values_of_compactable_members_are_read():  # A-005
    document: Any = copy.deepcopy(example_document())
    document["credentialSubject"]["type"] = "AchievementSubject"
    document["proof"] = {"type": "DataIntegrityProof", "proofValue": "z1"}
    document["termsOfUse"] = {"type": "ext:Terms"}
    document["credentialSchema"] = {"id": "https://a.example/s.json", "type": "JsonSchemaValidator2019"}
    again: Any = OpenBadgeCredential.from_document(document).to_document()
    assert again["credentialSubject"]["type"] == ["AchievementSubject"]
    assert again["proof"] == [document["proof"]]
    assert again["termsOfUse"] == [document["termsOfUse"]]
    assert again["credentialSchema"] == [document["credentialSchema"]]


def test_an_issuer_may_be_a_bare_identifier():  # X-11
    document: Any = copy.deepcopy(example_document())
    document["issuer"] = "did:web:badges.campus-exemple.fr:campus:amf"
    credential = OpenBadgeCredential.from_document(document)
    assert credential.issuer_id == "did:web:badges.campus-exemple.fr:campus:amf"
    assert credential.to_document() == document


def test_an_issuer_object_is_named_by_its_id():
    assert example_credential().issuer_id == "did:web:badges.campus-exemple.fr:campus:amf"


def test_an_index_written_as_a_number_is_read_as_it_is():  # X-5, D-003
    document: Any = copy.deepcopy(example_document())
    document["credentialStatus"]["statusListIndex"] = 23
    credential = OpenBadgeCredential.from_document(document)
    [entry] = credential.statuses
    assert isinstance(entry, BitstringStatusListEntry)
    assert entry.position == 23
    assert credential.to_document() == document


def test_several_statuses_are_read_each():  # X-6
    document: Any = copy.deepcopy(example_document())
    document["credentialStatus"] = [document["credentialStatus"], {"type": "1EdTechRevocationList"}]
    credential = OpenBadgeCredential.from_document(document)
    assert [entry.type for entry in credential.statuses] == [
        "BitstringStatusListEntry",
        "1EdTechRevocationList",
    ]
    assert credential.to_document() == document


def test_both_names_of_the_class_are_read():  # A-021
    document: Any = copy.deepcopy(example_document())
    document["type"] = ["AchievementCredential", "VerifiableCredential"]
    assert OpenBadgeCredential.from_document(document).to_document() == document


def test_earlier_contexts_are_read():  # A-012
    for name in ("context.json", "context-3.0.1.json", "context-3.0.2.json"):
        document: Any = copy.deepcopy(example_document())
        document["@context"][1] = f"https://purl.imsglobal.org/spec/ob/v3p0/{name}"
        assert OpenBadgeCredential.from_document(document).to_document() == document


def test_a_credential_without_status_has_none():
    assert example_credential().model_copy(update={"credential_status": None}).statuses == ()
