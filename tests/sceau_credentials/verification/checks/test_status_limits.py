"""The limits of a status list: the last bit, the longest entry, the largest list, and invalid values."""

from __future__ import annotations

import base64
import bz2
import gzip
import zlib
from datetime import timedelta

import pytest

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import encode_multibase
from sceau_credentials.status_list import (
    MINIMUM_SIZE,
    StatusList,
    free_index,
    read_entry,
    read_list,
    status_entry,
    status_list_credential,
)
from tests.sceau_credentials.verification.checks.test_status_list import ALL_ZERO, LIST_URL, NOON, encoded


@pytest.mark.parametrize("index", [7, 8, 15, 100, 131_071])
def test_each_index_is_one_bit_and_no_other(index):
    status_list = StatusList()
    status_list.set(index)
    assert int.from_bytes(status_list.to_bytes(), "big") == 1 << (MINIMUM_SIZE - 1 - index)


def test_the_last_index_is_in_the_list_and_the_next_one_is_not():
    StatusList().set(MINIMUM_SIZE - 1)
    with pytest.raises(IndexError):
        StatusList().set(MINIMUM_SIZE)


@pytest.mark.parametrize(("width", "is_one"), [(1, True), (64, True), (65, False), (0, False)])
def test_an_entry_is_at_most_sixty_four_bits_wide(width, is_one):
    entry = status_entry(LIST_URL, 5) | {"statusSize": width}
    if is_one:
        assert read_entry(entry).width == width
    else:
        with pytest.raises(MalformedInput):
            read_entry(entry)


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_the_purpose_of_a_list_is_written_as_in_the_recommendation(purpose):
    entry = status_entry(LIST_URL, 5, purpose)
    assert entry["statusPurpose"] == purpose
    assert entry["type"] == "BitstringStatusListEntry"


def test_a_list_without_an_end_has_no_valid_until():
    credential = status_list_credential(
        LIST_URL,
        issuer="did:web:badges.example",
        status_list=StatusList(),
        purpose="revocation",
        valid_from=NOON,
        valid_until=None,
        ttl=timedelta(minutes=5),
    )
    assert "validUntil" not in credential


@pytest.mark.parametrize("padding", ["", "=", "=="])
@pytest.mark.parametrize("letter", ["", "u"])
def test_bits_of_2021_are_read_with_and_without_padding_and_letter(padding, letter):
    data = base64.b64encode(gzip.compress(bytes(16_384), mtime=0)).decode().rstrip("=")
    subject = {
        "type": "StatusList2021",
        "statusPurpose": "revocation",
        "encodedList": letter + data + padding,
    }
    published = read_list({"type": ["StatusList2021Credential"], "credentialSubject": subject})
    assert published.status_list.to_bytes() == bytes(16_384)
    assert published.kind == "StatusList2021"


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"type": "x"}, "/type"),
        ({"type": "BitstringStatusListCredential"}, "/credentialSubject"),
        (
            {"type": "BitstringStatusListCredential", "credentialSubject": {"type": "BitstringStatusList"}},
            "/credentialSubject/statusPurpose",
        ),
        (
            {
                "type": "BitstringStatusListCredential",
                "credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "revocation"},
            },
            "/credentialSubject/encodedList",
        ),
    ],
)
def test_an_invalid_list_is_refused_for_one_reason(document, pointer):
    with pytest.raises(MalformedInput) as refusal:
        read_list(document)
    assert (refusal.value.reason, refusal.value.pointer) == ("status_list", pointer)


@pytest.mark.parametrize(
    ("stated", "ttl"),
    [
        (0, timedelta(0)),
        (1, timedelta(milliseconds=1)),
        (10**12 - 1, timedelta(milliseconds=10**12 - 1)),
        (10**12, None),
        (-1, None),
        (True, None),
        ("5", None),
        (1.5, None),
    ],
)
def test_an_invalid_lifetime_is_read_as_none(stated, ttl):
    subject = {
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": ALL_ZERO,
        "ttl": stated,
    }
    assert read_list({"type": "BitstringStatusListCredential", "credentialSubject": subject}).ttl == ttl


def test_a_free_index_is_drawn_thirty_two_times_and_then_searched():
    drawn = []

    def unlucky(limit):
        drawn.append(limit)
        return 0

    assert free_index({0}, choose=unlucky) == 1
    assert drawn == [MINIMUM_SIZE] * 32 + [MINIMUM_SIZE - 1]


def test_a_list_of_exactly_the_limit_is_read_and_one_byte_more_is_not():
    assert StatusList.decode(encoded(bytes(16_384)), max_bytes=16_384).size == MINIMUM_SIZE
    with pytest.raises(MalformedInput) as refusal:
        StatusList.decode(encoded(bytes(16_385)), max_bytes=16_384)
    assert refusal.value.reason == "list_too_large"


def test_messages_beyond_256_are_not_read():
    entry = status_entry(LIST_URL, 5) | {
        "statusSize": 16,
        "statusMessage": [{"status": f"0x{n:x}", "message": str(n)} for n in range(300)],
    }
    assert sorted(read_entry(entry).messages) == list(range(256))


@pytest.mark.parametrize("compress", [zlib.compress, bz2.compress, bytes])
def test_bits_in_another_format_than_gzip_are_refused(compress):
    with pytest.raises(MalformedInput) as refusal:
        StatusList.decode(encode_multibase(compress(bytes(16_384)), "u"))
    assert refusal.value.reason == "encoded_list"
