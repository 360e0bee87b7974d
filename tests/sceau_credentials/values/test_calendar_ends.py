"""Dates at the ends of the calendar, leap seconds and 14-hour offsets get an answer wherever a date is read."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from app.language import day, moment, short_day, speaking
from app.services.verification import verdicts
from app.services.verification.answers import Answer
from sceau_credentials import verify
from sceau_credentials.errors import CredentialError
from sceau_credentials.evidence.documents import Leaf
from sceau_credentials.model.conforming import period_members
from sceau_credentials.package import make_package, open_package
from sceau_credentials.proofs.data_integrity import add_plain_proof, add_proof
from sceau_credentials.proofs.vc_jwt import claim_problems, claims_of, credential_of
from sceau_credentials.trust import TrustListRefused, read_trust_list
from sceau_credentials.values import (
    EARLIEST,
    LATEST,
    epoch_seconds,
    format_timestamp,
    parse_timestamp,
    shifted,
)
from sceau_credentials.verification.report import Report, Verdict
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.sceau_credentials.trust.test_trust_lists import NOON as LIST_NOON
from tests.sceau_credentials.trust.test_trust_lists import PINNED, SIGNER
from tests.sceau_credentials.trust.test_trust_lists import signed as signed_list
from tests.sceau_credentials.verification.legacy.older_issuer import assertion, published
from tests.sceau_credentials.verification.test_endorsements import (
    CAMPUS,
    ENDORSER,
    badge,
    endorsement,
    signed,
    world,
)
from tests.support.badges.credentials import DID_URL, LIST_URL, NOON, badge_document, without_status
from tests.support.running.every import for_each

ENDS = [
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59+14:00",
    "9999-12-31T10:00:00-14:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00-14:00",
    "0001-01-01T00:00:00.000001+00:01",
    "2016-12-31T23:59:60Z",
    "2016-12-31T23:59:60+14:00",
    "2026-06-30T12:00:00+14:00",
    "2026-06-30T12:00:00-14:00",
    "2024-02-29T24:00:00Z",
]
AT = [NOON, EARLIEST, LATEST]


def answered(report: Report) -> Report:
    """Every question has its answer, and each interface has a text for it."""
    for language in ("fr", "en"):
        with speaking(language):
            answer = Answer(report)
            assert verdicts.headline(answer).title()
            assert verdicts.headline(answer).text()
            assert all(result.sentence.text() for result in verdicts.check_messages(report))
            assert all(each.text() for each in verdicts.limits(answer))
    assert json.dumps(report.to_document())
    return report


def issued(document: dict[str, Any]) -> str:
    return json.dumps(add_proof(document, signer=CAMPUS.signer, created=NOON))


@for_each("at", AT, ids=["noon", "earliest", "latest"])
@for_each("text", ENDS)
@for_each("member", ["validFrom", "validUntil", "awardedDate"])
def test_date_of_a_credential_gets_an_answer(member: str, text: str, at: datetime) -> None:
    document = badge_document() | {member: text}
    answered(verify(issued(document), documents=CAMPUS.documents(), at=at))


@for_each("text", ENDS)
@for_each("member", ["activityStartDate", "activityEndDate"])
def test_date_of_an_activity_gets_an_answer(member: str, text: str) -> None:
    document = badge_document()
    document["credentialSubject"][member] = text
    answered(verify(issued(document), documents=CAMPUS.documents(), at=NOON))


@for_each("at", AT, ids=["noon", "earliest", "latest"])
@for_each("text", ENDS)
@for_each("member", ["created", "expires"])
def test_date_of_a_proof_gets_an_answer(member: str, text: str, at: datetime) -> None:
    document = json.loads(issued(badge_document()))
    document["proof"][member] = text
    answered(verify(json.dumps(document), documents=CAMPUS.documents(), at=at))


@for_each("at", AT, ids=["noon", "earliest", "latest"])
@for_each("text", ENDS)
@for_each("member", ["validFrom", "validUntil"])
def test_date_of_a_status_list_gets_an_answer(member: str, text: str, at: datetime) -> None:
    documents = CAMPUS.documents(**{LIST_URL: CAMPUS.status_list(**{member: text})})
    answered(verify(issued(badge_document()), documents=documents, at=at))


@for_each("text", ENDS)
@for_each("member", ["revoked", "expires"])
def test_date_of_a_key_gets_an_answer(member: str, text: str) -> None:
    published_keys = copy.deepcopy(CAMPUS.did_document)
    for method in published_keys["verificationMethod"]:
        method[member] = text
    documents = CAMPUS.documents(**{DID_URL: published_keys})
    signed_badge = CAMPUS.issue()
    for presented in (signed_badge.embedded, signed_badge.token):
        answered(verify(presented, documents=documents, at=NOON))


@for_each("text", ENDS)
@for_each("member", ["validFrom", "validUntil"])
def test_date_of_an_embedded_endorsement_gets_an_answer(member: str, text: str) -> None:
    inside = signed(endorsement(**{member: text}))
    report = answered(verify(issued(badge("credential", inside)), documents=world(), at=NOON))
    assert len(report.endorsements) <= 1
    alone = signed(endorsement(**{member: text}), ENDORSER)
    assert verify_endorsement(json.dumps(alone), documents=world(), at=NOON).reason


@for_each("text", ENDS)
@for_each("member", ["issuedOn", "expires"])
def test_date_of_an_older_badge_gets_an_answer(member: str, text: str) -> None:
    hosted = assertion(**{member: text})
    answered(verify(json.dumps(hosted), documents=published(assertion=hosted), at=NOON))


@for_each("text", ENDS)
@for_each("member", ["made", "fetched"])
def test_date_of_a_package_gets_an_answer(member: str, text: str) -> None:
    made = make_package(CAMPUS.issue().embedded, documents=CAMPUS.documents(), at=NOON)
    changed = BytesIO()
    with ZipFile(BytesIO(made)) as before, ZipFile(changed, "w") as after:
        for name in before.namelist():
            body = before.read(name)
            if name == "manifest.json":
                manifest = json.loads(body)
                for owner in [manifest] if member == "made" else manifest["documents"]:
                    owner[member] = text
                body = json.dumps(manifest).encode()
            after.writestr(name, body)
    try:
        package = open_package(changed.getvalue())
    except CredentialError:
        return
    answered(verify(package.badge, documents=package.documents, at=package.made_at))


@for_each("at", [LIST_NOON, EARLIEST, LATEST], ids=["noon", "earliest", "latest"])
@for_each("text", ENDS)
@for_each("member", ["validFrom", "validUntil", "since", "until", "label"])
def test_date_of_a_trust_list_gets_an_answer(member: str, text: str, at: datetime) -> None:
    document = json.loads(signed_list())
    document.pop("proof")
    entry = document["credentialSubject"]["issuers"][0]
    if member == "label":
        entry["labels"][0] |= {"validFrom": text, "validUntil": text}
    else:
        (entry if member in ("since", "until") else document)[member] = text
    data = json.dumps(add_plain_proof(document, signer=SIGNER, created=LIST_NOON)).encode()
    with suppress(TrustListRefused):
        assert read_trust_list(data, PINNED, at=at).is_current(at) in (True, False)


@pytest.mark.parametrize("text", ["9999-12-31T23:59Z", "0001-01-01T00:00Z"])
def test_minute_of_a_log_entry_is_written_as_it_was_read(text: str) -> None:
    document = {"at": text, "commitment": "A" * 43, "kind": "award", "v": 1}
    assert Leaf.from_document(document).to_document() == document


@pytest.mark.parametrize(
    ("valid_until", "exp"),
    [("9999-12-31T23:59:59-14:00", 253_402_351_199), ("0001-01-01T00:00:00+14:00", -62_135_647_200)],
)
def test_claim_beyond_the_calendar_repeats_a_date_beyond_it(valid_until: str, exp: int) -> None:
    document = badge_document()
    claims = document | claims_of(document) | {"validUntil": valid_until, "exp": exp}
    assert claim_problems(claims) == ()
    assert [each.claim for each in claim_problems(claims | {"exp": exp + 1})] == ["exp"]


@pytest.mark.parametrize("exp", [10**400, 1e308, -1e308, 253_402_300_800, -62_135_596_801, 1782810000000])
def test_claim_of_any_size_gets_an_answer(exp: float) -> None:
    document = without_status() | {"exp": exp}
    assert period_members(credential_of(document))
    claim_problems(document)


def test_offset_that_leads_beyond_the_calendar_is_read_as_its_end() -> None:
    assert parse_timestamp("9999-12-31T23:59:59-14:00") == LATEST
    assert parse_timestamp("0001-01-01T00:00:00+14:00") == EARLIEST
    assert parse_timestamp("0001-01-01T00:00:00-14:00") == datetime(1, 1, 1, 14, tzinfo=UTC)
    assert format_timestamp(LATEST) == "9999-12-31T23:59:59Z"
    assert epoch_seconds("9999-12-31T23:59:59-14:00") == 253_402_351_199


@pytest.mark.parametrize("at", AT)
def test_shifting_past_the_calendar_stops_at_its_end(at: datetime) -> None:
    assert EARLIEST <= shifted(at, timedelta(days=-1)) <= at <= shifted(at, timedelta(days=1)) <= LATEST


@pytest.mark.parametrize("at", [EARLIEST, LATEST])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Noumea", "America/Guadeloupe"])
def test_date_at_the_end_of_the_calendar_is_shown(at: datetime, zone: str) -> None:
    with speaking("fr"):
        assert day(at, zone)
        assert moment(at, zone)
        assert short_day(at, zone)


def test_date_at_the_end_of_the_calendar_leaves_a_badge_valid() -> None:
    document = without_status() | {"validUntil": "9999-12-31T23:59:59-14:00"}
    assert verify(issued(document), documents=CAMPUS.documents(), at=NOON).verdict is Verdict.VALID
