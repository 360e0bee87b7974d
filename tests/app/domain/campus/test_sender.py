"""The sender of a campus: its code, and the records that its domain publishes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.campus.sender import (
    CampusSender,
    MailIdentity,
    RecordState,
    check_sender_code,
    dkim_record,
    dmarc_policy,
    read_sender,
    sender_code,
)
from app.domain.core import new_row
from app.errors import InvalidInput

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = b"secret of the service"
IDENTITY = MailIdentity("sceau@service.fr", "sceau", "v=DKIM1; k=rsa; p=MIIBIjANBg+/ab==")


class Records:
    def __init__(self, **names: Sequence[str] | None) -> None:
        self.names = {
            name.replace("__", ".").replace("DK", "_domainkey").replace("DM", "_dmarc"): texts
            for name, texts in names.items()
        }

    def texts(self, name: str) -> Sequence[str] | None:
        return self.names.get(name, ())


def sender(**changed) -> CampusSender:
    return new_row(
        CampusSender,
        **{"campus_id": uuid.UUID(int=1), "address": "badges@lycee.fr", "asked_at": NOON, **changed},
    )


def test_code_is_accepted_however_it_is_typed_until_it_expires():
    one = sender()
    code = sender_code(SECRET, one)
    for typed in (code, code.lower(), f" {code.replace('-', ' ')} "):
        check_sender_code(typed, SECRET, one, at=NOON + timedelta(hours=23))
    with pytest.raises(InvalidInput):
        check_sender_code(code, SECRET, one, at=NOON + timedelta(hours=24))


@pytest.mark.parametrize(
    "other",
    [
        {"campus_id": uuid.UUID(int=2)},
        {"address": "direction@lycee.fr"},
        {"asked_at": NOON + timedelta(seconds=1)},
    ],
)
def test_code_of_another_request_opens_nothing(other):
    with pytest.raises(InvalidInput):
        check_sender_code(sender_code(SECRET, sender(**other)), SECRET, sender(), at=NOON)


@pytest.mark.parametrize("typed", ["", "badges", "badges@gmail.com", "b@laposte.net", "a@b@c.fr"])
def test_address_that_cannot_be_signed_for_is_refused(typed):
    with pytest.raises(InvalidInput):
        read_sender(typed)


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (["v=DKIM1; k=rsa; p=MIIBIjANBg+/ab=="], RecordState.FOUND),
        (["v=spf1 -all", "v=DKIM1;p=MIIBIjA NBg+/ab== "], RecordState.FOUND),
        (["v=DKIM1; k=rsa; p=AAAA"], RecordState.OTHER),
        (["v=DKIM1; k=rsa; p="], RecordState.OTHER),
        (["nonsense"], RecordState.OTHER),
        ([], RecordState.MISSING),
        (None, RecordState.UNKNOWN),
    ],
)
def test_record_is_found_by_its_key(texts, state):
    record = dkim_record(IDENTITY, "lycee.fr", Records(sceau__DK__lycee__fr=texts))
    assert (record.name, record.value, record.state) == ("sceau._domainkey.lycee.fr", IDENTITY.dkim, state)


@pytest.mark.parametrize(
    ("names", "policy"),
    [
        ({"DM__campus__lycee__fr": ["v=DMARC1; p=reject"]}, "reject"),
        ({"DM__lycee__fr": ["v=DMARC1; p=reject; sp=quarantine"]}, "quarantine"),
        ({"DM__lycee__fr": ["v=DMARC1; p=Reject"]}, "reject"),
        ({"DM__lycee__fr": ["v=spf1 -all", "v=DMARC1; p=none"]}, "none"),
        ({"DM__campus__lycee__fr": ["v=spf1 -all"]}, ""),
        ({}, ""),
        ({"DM__campus__lycee__fr": None}, None),
    ],
)
def test_policy_of_the_domain_or_of_one_above(names, policy):
    assert dmarc_policy("campus.lycee.fr", Records(**names)) == policy


def test_long_name_costs_few_questions():
    asked: list[str] = []

    class Counting(Records):
        def texts(self, name: str) -> Sequence[str] | None:
            asked.append(name)
            return ()

    domain = ".".join("a" * 100) + ".lycee.fr"
    assert dmarc_policy(domain, Counting()) == ""
    assert asked == [f"_dmarc.{domain}", *(f"_dmarc.{each}lycee.fr" for each in ("a.a.", "a.", ""))]
