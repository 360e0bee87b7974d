"""For any value of any member of an older badge's documents, the answer is a report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sceau_credentials import verify
from sceau_credentials.verification.report import CheckId
from tests.sceau_credentials.verification.legacy.older_issuer import (
    NOON,
    assertion,
    badge_class,
    issuer,
    jws,
    key_document,
    published,
    revocations,
    signed_assertion,
)

ODD: list[Any] = [None, 7, [[]], {}, {"id": 5}, ["a", {"b": 1}]]
TOKEN = jws(signed_assertion())
HOSTED = json.dumps(assertion())
DOCUMENTS = {
    "assertion": assertion(),
    "badge_class": badge_class(),
    "issuer": issuer(),
    "key": key_document(),
    "revocations": revocations(signed_assertion()["id"]),
}


@pytest.mark.parametrize("name", list(DOCUMENTS))
@pytest.mark.parametrize("presented", [HOSTED, TOKEN], ids=["hosted", "signed"])
def test_odd_members_of_any_document_make_a_report(name: str, presented: str) -> None:
    for member in DOCUMENTS[name]:
        for odd in ODD:
            documents = published(**{name: DOCUMENTS[name] | {member: odd}})
            report = verify(presented, documents=documents, at=NOON)
            assert [answer.id for answer in report.checks] == list(CheckId)
            json.dumps(report.to_document())


@pytest.mark.parametrize("member", list(assertion()))
def test_odd_members_of_the_presented_badge_make_a_report(member: str) -> None:
    for odd in ODD:
        for written in (json.dumps(assertion() | {member: odd}), jws(signed_assertion() | {member: odd})):
            report = verify(written, documents=published(), at=NOON)
            assert [answer.id for answer in report.checks] == list(CheckId)
            json.dumps(report.to_document())


def test_a_list_that_names_the_badge_withdraws_it_even_if_other_members_are_odd() -> None:
    listed = revocations(*ODD, {"id": signed_assertion()["id"]})
    report = verify(TOKEN, documents=published(revocations=listed), at=NOON)
    assert report.check(CheckId.STATUS).reason == "revoked"
