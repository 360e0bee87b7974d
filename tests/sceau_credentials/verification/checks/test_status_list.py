"""The status list: the right bit, in the published encoding, and no decompression bomb."""

from __future__ import annotations

import base64
import gzip
import json
import random
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import encode_base64url, encode_multibase
from sceau_credentials.status_list import (
    INVALID,
    MAX_DECOMPRESSED,
    MINIMUM_SIZE,
    SUSPENDED,
    StatusEntry,
    StatusList,
    free_index,
    read_entry,
    read_list,
    read_token_list,
    status_entry,
    status_list_credential,
    token_list_claims,
)
from sceau_credentials.values import JsonObject
from tests.support.running.every import for_each
from tests.support.shared_data import shared

LIST_URL = "https://badges.example/statuts/1"
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
# Bitstring Status List 1.0, example 3: 131,072 zero bits.
ALL_ZERO = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def encoded(data: bytes) -> str:
    return encode_multibase(gzip.compress(data, mtime=0), "u")


def test_index_zero_is_the_most_significant_bit_of_the_first_byte():
    status_list = StatusList()
    status_list.set(0)
    status_list.set(23)  # 1EdTech's fixture: a reader from the wrong end sees 16
    assert status_list.to_bytes()[:4] == bytes([0x80, 0x00, 0x01, 0x00])
    assert [status_list.get(index) for index in (0, 16, 23)] == [True, False, True]


def test_the_encoding_is_prefixed_base64url_of_gzip_without_a_time():
    status_list = StatusList()
    status_list.set(131_071)
    text = status_list.encode()
    assert text[0] == "u"
    assert "=" not in text
    compressed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    assert compressed[4:8] == bytes(4)  # mtime
    assert gzip.decompress(compressed) == bytes(16_383) + b"\x01"
    assert text == status_list.encode()


def test_published_list_of_zeros_is_read():
    status_list = StatusList.decode(ALL_ZERO)
    assert status_list.size == MINIMUM_SIZE
    assert status_list.to_bytes() == bytes(16_384)


@given(st.sets(st.integers(0, MINIMUM_SIZE - 1), max_size=40), st.integers(0, MINIMUM_SIZE - 1))
def test_what_was_set_is_read_back_and_nothing_else(indexes, other):
    status_list = StatusList()
    for index in indexes:
        status_list.set(index)
    read = StatusList.decode(status_list.encode())
    assert all(read.get(index) for index in indexes)
    assert read.get(other) == (other in indexes)
    assert sum(byte.bit_count() for byte in read.to_bytes()) == len(indexes)


def test_suspension_can_be_lifted():
    status_list = StatusList()
    status_list.set(7)
    status_list.set(7, False)
    assert status_list.to_bytes() == bytes(16_384)


@pytest.mark.parametrize("index", [-1, MINIMUM_SIZE, 2**31])
def test_no_bit_is_read_outside_the_list(index):
    with pytest.raises(IndexError):
        StatusList().get(index)
    with pytest.raises(IndexError):
        StatusList().set(index)


@pytest.mark.parametrize("size", [0, 8, MINIMUM_SIZE - 8, MINIMUM_SIZE + 1])
def test_a_list_too_small_for_privacy_is_refused(size):
    with pytest.raises(ValueError, match="at least"):
        StatusList(size)


def test_a_bomb_is_refused_after_two_mebibytes():
    bomb = encoded(bytes(64 * 1024 * 1024))
    with pytest.raises(MalformedInput, match="list_too_large"):
        StatusList.decode(bomb)
    assert StatusList.decode(encoded(bytes(2 * 1024 * 1024))).size == 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "encoded_list"),
        (ALL_ZERO[1:], "encoded_list"),
        ("z" + ALL_ZERO[1:], "encoded_list"),
        (ALL_ZERO + "==", "encoded_list"),
        (ALL_ZERO[:-4], "encoded_list"),
        ("u" + "A" * 5_000_000, "encoded_list"),
        (encode_multibase(bytes(16_384), "u"), "encoded_list"),
        (encode_multibase(gzip.compress(bytes(16_384), mtime=0) + b"more", "u"), "encoded_list"),
        (encode_multibase(gzip.compress(bytes(16_384), mtime=0)[:-8] + bytes(8), "u"), "encoded_list"),
        (encoded(bytes(16_383)), "list_too_short"),
        (encoded(b""), "list_too_short"),
    ],
)
def test_an_invalid_list_is_refused_with_a_reason(text, reason):
    with pytest.raises(MalformedInput) as refusal:
        StatusList.decode(text)
    assert refusal.value.reason == reason


def test_entry_is_written_with_its_index_as_text_and_read_back():
    entry = status_entry(LIST_URL, 94567)
    assert entry == {
        "id": f"{LIST_URL}#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": LIST_URL,
    }
    assert read_entry(entry) == StatusEntry(LIST_URL, 94567, "revocation")
    assert read_entry(entry | {"statusListIndex": 94567}) == StatusEntry(LIST_URL, 94567, "revocation")


def test_a_service_on_localhost_may_name_its_list_over_plain_http():
    url = "http://localhost:8000/statuts/1"
    assert read_entry(status_entry(url, 3)).list_url == url


@for_each(
    ("changes", "pointer"),
    [
        ({"type": "1EdTechRevocationList"}, "/type"),
        ({"type": None}, "/type"),
        *[
            ({"statusListIndex": index}, "/statusListIndex")
            for index in (-1, "-1", "1e3", "", " 1", "1 ", "+1", "1.0", 1.0, "0x1", True, None, [], "٣", "1" * 5000, 10**12)
        ],
        ({"statusListCredential": "http://badges.example/1"}, "/statusListCredential"),
        ({"statusListCredential": "file:///etc/passwd"}, "/statusListCredential"),
        ({"statusListCredential": "http://localhost.evil.example/1"}, "/statusListCredential"),
        ({"statusListCredential": "https://badges.example/ 1"}, "/statusListCredential"),
        ({"statusListCredential": None}, "/statusListCredential"),
        ({"statusPurpose": None}, "/statusPurpose"),
        ({"statusPurpose": ""}, "/statusPurpose"),
        ({"statusSize": 0}, "/statusSize"),
        ({"statusSize": True}, "/statusSize"),
        ({"statusSize": 10**9}, "/statusSize"),
    ],
)  # fmt: skip
def test_entry_with_a_wrong_member_is_refused_and_the_member_named(changes, pointer):
    with pytest.raises(MalformedInput) as refusal:
        read_entry(status_entry(LIST_URL, 1) | changes)
    assert (refusal.value.reason, refusal.value.pointer) == ("status_entry", pointer)


def test_status_of_several_bits_is_read_at_index_times_width():
    status_list = StatusList()
    status_list.set(6)  # index 3 of width 2: bits 6 and 7
    assert StatusEntry(LIST_URL, 3, "message", width=2).value_in(status_list) == 2
    assert StatusEntry(LIST_URL, 2, "message", width=2).value_in(status_list) == 0
    with pytest.raises(IndexError):
        StatusEntry(LIST_URL, MINIMUM_SIZE // 2, "message", width=2).value_in(status_list)


def test_list_credential_carries_the_bits_its_purpose_and_its_lifetime_in_milliseconds():
    status_list = StatusList()
    status_list.set(5)
    credential = status_list_credential(
        LIST_URL,
        issuer="did:web:badges.example:campus:itip",
        status_list=status_list,
        purpose="suspension",
        valid_from=NOON,
        valid_until=NOON + timedelta(days=7),
        ttl=timedelta(minutes=5),
    )
    assert credential["id"] == LIST_URL
    assert credential["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert credential["validUntil"] == "2026-07-07T12:00:00Z"
    assert credential["credentialSubject"]["id"] == f"{LIST_URL}#list"
    assert credential["credentialSubject"]["ttl"] == 300_000
    published = read_list(credential)
    assert published.purposes == ("suspension",)
    assert published.ttl == timedelta(minutes=5)
    assert published.status_list.to_bytes() == status_list.to_bytes()


def test_a_list_may_have_several_purposes_and_no_lifetime():
    subject = {
        "type": "BitstringStatusList",
        "statusPurpose": ["revocation", "suspension"],
        "encodedList": ALL_ZERO,
    }
    published = read_list({"type": ["BitstringStatusListCredential"], "credentialSubject": subject})
    assert published.purposes == ("revocation", "suspension")
    assert published.ttl is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": "BitstringStatusListEntry"}, "/credentialSubject"),
        ({"statusPurpose": None}, "/credentialSubject/statusPurpose"),
        ({"statusPurpose": []}, "/credentialSubject/statusPurpose"),
        ({"encodedList": None}, "/credentialSubject/encodedList"),
    ],
)
def test_list_credential_that_lacks_a_part_is_refused(changes, pointer):
    subject = {
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": ALL_ZERO,
    } | changes
    with pytest.raises(MalformedInput) as refusal:
        read_list({"type": ["BitstringStatusListCredential"], "credentialSubject": subject})
    assert refusal.value.pointer == pointer


def test_credential_of_another_type_is_no_status_list():
    subject = {"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": ALL_ZERO}
    for types in ("VerifiableCredential", ["OpenBadgeCredential"], None):
        with pytest.raises(MalformedInput) as refusal:
            read_list({"type": types, "credentialSubject": subject})
        assert refusal.value.pointer == "/type"


def test_bits_and_size_must_agree():
    with pytest.raises(ValueError, match="as many bits"):
        StatusList(MINIMUM_SIZE, bytes(16_385))


def test_free_index_is_never_a_taken_one_even_when_only_one_is_left():
    everything_but = set(range(MINIMUM_SIZE)) - {4711}
    assert free_index(everything_but, choose=secrets.randbelow) == 4711
    assert free_index(set(range(MINIMUM_SIZE)), choose=secrets.randbelow) is None


def test_indexes_are_spread_over_the_list_and_do_not_tell_the_order_of_awards():
    choose = random.Random(1).randrange
    taken: set[int] = set()
    for _ in range(8_000):
        taken.add(free_index(taken, choose=choose))
    assert len(taken) == 8_000
    expected = 8_000 / 16
    eighths = [sum(index * 16 // MINIMUM_SIZE == part for index in taken) for part in range(16)]
    chi_square = sum((count - expected) ** 2 / expected for count in eighths)
    assert chi_square < 37.7  # 15 degrees of freedom, 0.1 %


def test_lists_of_the_recommendation_are_read():
    for name in ("rec-example-02", "rec-example-04"):
        document = json.loads(
            shared(f"open-badges/test-vectors/bitstring-status-list/{name}.json").read_text()
        )
        assert read_list(document).status_list.to_bytes() == bytes(16_384)
    entry = json.loads(
        shared("open-badges/test-vectors/bitstring-status-list/rec-example-01.json").read_text()
    )
    assert read_entry(entry["credentialStatus"][0]).purpose


# --- the same list as a Status List Token

_PUBLISHED = Path(__file__).parents[2] / "vectors" / "sd-jwt" / "status-lists.json"


def test_token_list_is_read_as_published() -> None:
    (one_bit,) = (each for each in json.loads(_PUBLISHED.read_text()) if each["bits"] == 1)
    read = StatusList.decode_from_token(one_bit["lst"])
    assert [index for index in range(16) if read.get(index)] == [0, 3, 4, 5, 7, 8, 9, 13, 15]
    assert not read.get(16)


def test_token_list_of_two_bits_is_read_as_published() -> None:
    (two_bits,) = (each for each in json.loads(_PUBLISHED.read_text()) if each["bits"] == 2)
    claims = {"sub": "u", "status_list": {"bits": 2, "lst": two_bits["lst"]}}
    found = [
        [index for index in range(20) if read_token_list(claims, url="u", status=status).get(index)]
        for status in (INVALID, SUSPENDED, 3)
    ]
    assert found == [[0, 5, 7, 8], [1, 9], [3, 10, 11]]


@given(*[st.sets(st.integers(0, MINIMUM_SIZE - 1), max_size=40)] * 2)
def test_token_list_tells_suspended_from_invalid(invalid: set[int], suspended: set[int]) -> None:
    lists = StatusList(), StatusList()
    for bits, indexes in zip(lists, (invalid, suspended), strict=True):
        for index in indexes:
            bits.set(index)
    claims = token_list_claims(
        "u", issuer="i", status_list=lists[0], suspended=lists[1],
        valid_from=datetime(2026, 6, 30, tzinfo=UTC), valid_until=None, ttl=timedelta(minutes=1),
    )  # fmt: skip
    for status, expected in ((INVALID, invalid), (SUSPENDED, suspended - invalid)):
        read = read_token_list(claims, url="u", status=status)
        assert all(read.get(index) for index in expected)
        assert sum(byte.bit_count() for byte in read.to_bytes()) == len(expected)


def test_token_list_of_lists_of_different_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="same size"):
        token_list_claims(
            "u", issuer="i", status_list=StatusList(), suspended=StatusList(2 * MINIMUM_SIZE),
            valid_from=datetime(2026, 6, 30, tzinfo=UTC), valid_until=None, ttl=timedelta(minutes=1),
        )  # fmt: skip


@given(st.sets(st.integers(0, MINIMUM_SIZE - 1), max_size=40))
def test_token_list_and_bitstring_list_have_the_same_bits(raised: set[int]) -> None:
    bits = StatusList()
    for index in raised:
        bits.set(index)
    claims = token_list_claims(
        "https://badges.example/statuts/1.jwt",
        issuer="https://badges.example",
        status_list=bits,
        valid_from=datetime(2026, 6, 30, tzinfo=UTC),
        valid_until=None,
        ttl=timedelta(minutes=1),
    )
    as_token = read_token_list(claims, url="https://badges.example/statuts/1.jwt")
    assert as_token.to_bytes() == StatusList.decode(bits.encode()).to_bytes() == bits.to_bytes()


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "https://other.example"},
        {"sub": "u", "status_list": []},
        {"sub": "u", "status_list": {"bits": 4, "lst": "eNo76fITAAPfAgc"}},
        {"sub": "u", "status_list": {"bits": 1, "lst": 3}},
        {"sub": "u", "status_list": {"bits": 1, "lst": "!"}},
        {"sub": "u", "status_list": {"bits": 1, "lst": "AAAA"}},
    ],
)
def test_other_token_lists_are_refused(claims: JsonObject) -> None:
    with pytest.raises(MalformedInput):
        read_token_list(claims, url="u")


def test_token_list_that_decompresses_too_far_is_refused() -> None:
    bomb = encode_base64url(zlib.compress(b"\0" * (MAX_DECOMPRESSED + 1), 9))
    with pytest.raises(MalformedInput, match="list_too_large"):
        StatusList.decode_from_token(bomb)
