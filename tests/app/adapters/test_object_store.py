"""The bucket's client: published signatures, and a store that refuses, loses, changes, delays or floods."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.object_store import (
    Bucket,
    Keys,
    ObjectStoreUnusable,
    S3Objects,
    bucket_at,
    canonical_query,
    keys_in,
    signed,
)
from app.domain.awards.signed_bytes import LARGEST_OBJECT, ObjectDiffers, ObjectLost, StoreSilent
from tests.support.servers.object_store import BUCKET, KEYS, REGION, FakeStore

CAMPUS = uuid.UUID(int=7)
BODY = "un badge signé".encode()
DIGEST = hashlib.sha256(BODY).hexdigest()


# --- the examples that Amazon publishes for Signature Version 4 of S3

PUBLISHED_KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
PUBLISHED = {
    "get object": (
        ("GET", "/test.txt", {}, b""),
        {"range": "bytes=0-9"},
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "put object": (
        ("PUT", "/test%24file.text", {}, b"Welcome to Amazon S3."),
        {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "get bucket lifecycle": (
        ("GET", "/", {"lifecycle": ""}, b""),
        {},
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "list objects": (
        ("GET", "/", {"max-keys": "2", "prefix": "J"}, b""),
        {},
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


@pytest.mark.parametrize(("request_", "more", "signature"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_signatures(request_: tuple, more: dict[str, str], signature: str) -> None:
    method, path, query, body = request_
    headers = signed(
        method,
        "examplebucket.s3.amazonaws.com",
        path,
        canonical_query(query),
        body,
        PUBLISHED_KEYS,
        "us-east-1",
        at=datetime(2013, 5, 24, tzinfo=UTC),
        more=more,
    )
    assert headers["authorization"].endswith(f"Signature={signature}")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40))
def test_any_prefix_is_signed_as_it_is_sent(prefix: str) -> None:
    parts = [part for part in prefix.split("/") if part not in ("", ".", "..")]
    store = FakeStore(replace(BUCKET, prefix="/".join(parts)))
    objects = store.client()
    objects.write(CAMPUS, DIGEST, BODY)
    assert objects.fetch(CAMPUS, DIGEST) == BODY
    assert list(objects.names()) == [(CAMPUS, DIGEST)]


# --- reads


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def objects(store: FakeStore) -> S3Objects:
    made = store.client()
    made.write(CAMPUS, DIGEST, BODY)
    return made


def test_a_repeated_read_is_cached_for_a_while_and_a_fetch_is_not(store: FakeStore) -> None:
    now = [0.0]
    objects = store.client(ticks=lambda: now[0])
    objects.write(CAMPUS, DIGEST, BODY)
    assert [objects.read(CAMPUS, DIGEST) for _ in range(3)] == [BODY] * 3
    assert len([each for each in store.asked if each[0] == "GET"]) == 1
    objects.fetch(CAMPUS, DIGEST)
    now[0] = 301.0
    objects.read(CAMPUS, DIGEST)
    assert len([each for each in store.asked if each[0] == "GET"]) == 3


def test_changed_object_is_never_returned(store: FakeStore, objects: S3Objects) -> None:
    store.objects[store.key_of(CAMPUS, DIGEST)] = BODY + b" "
    for _ in range(2):
        with pytest.raises(ObjectDiffers):
            objects.read(CAMPUS, DIGEST)


def test_a_lost_object_is_not_reported_as_an_outage(store: FakeStore, objects: S3Objects) -> None:
    store.objects.clear()
    for _ in range(5):
        with pytest.raises(ObjectLost):
            objects.read(CAMPUS, DIGEST)


def test_flood_ends_at_the_largest_object(store: FakeStore, objects: S3Objects) -> None:
    received = [0]

    class Flood(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                received[0] += 65_536
                yield b"x" * 65_536

    store.before = lambda _method, _key: httpx.Response(200, stream=Flood())
    with pytest.raises(StoreSilent):
        objects.read(CAMPUS, DIGEST)
    assert received[0] <= LARGEST_OBJECT + 2 * 65_536


def test_an_endless_answer_is_cut_at_the_time_limit(store: FakeStore) -> None:
    now = [0.0]
    objects = store.client(ticks=lambda: now[0])

    class Dawdles(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                now[0] += 1.0
                yield b"x"

    store.before = lambda _method, _key: httpx.Response(200, stream=Dawdles())
    with pytest.raises(StoreSilent):
        objects.read(CAMPUS, DIGEST)
    assert now[0] < 10.0


def _raising(error: Exception):
    def raise_(_method: str, _key: str) -> None:
        raise error

    return raise_


@pytest.mark.parametrize(
    "fault",
    [
        lambda _method, _key: httpx.Response(500),
        lambda _method, _key: httpx.Response(503, text="<Error><Code>SlowDown</Code></Error>"),
        lambda _method, _key: httpx.Response(301, headers={"location": "http://169.254.169.254/"}),
        lambda _method, _key: httpx.Response(403, text="<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        _raising(httpx.ConnectError("no route")),
        _raising(httpx.ReadTimeout("slow")),
        _raising(httpx.ConnectTimeout("slow")),
    ],
)
def test_a_silent_store_is_not_contacted_for_some_seconds(store: FakeStore, fault) -> None:
    now = [0.0]
    objects = store.client(ticks=lambda: now[0])
    objects.write(CAMPUS, DIGEST, BODY)
    store.before = fault
    for _ in range(3):
        with pytest.raises(StoreSilent):
            objects.read(CAMPUS, DIGEST)
    before = len(store.asked)
    with pytest.raises(StoreSilent):
        objects.read(CAMPUS, DIGEST)
    assert len(store.asked) == before
    store.before, now[0] = (lambda _method, _key: None), 6.0
    assert objects.read(CAMPUS, DIGEST) == BODY


def test_connection_closed_while_idle_is_opened_again(store: FakeStore, objects: S3Objects) -> None:
    faults = [httpx.RemoteProtocolError("closed")]

    def close_once(_method: str, _key: str) -> None:
        if faults:
            raise faults.pop()

    store.before = close_once
    assert objects.fetch(CAMPUS, DIGEST) == BODY


def test_many_pages_of_names_are_listed_and_foreign_names_ignored(
    store: FakeStore, objects: S3Objects
) -> None:
    store.page = 3
    named = set()
    for number in range(10):
        body = f"badge {number}".encode()
        digest = hashlib.sha256(body).hexdigest()
        objects.write(uuid.UUID(int=number), digest, body)
        named.add((uuid.UUID(int=number), digest))
    store.objects[f"{BUCKET.prefix}/essai-1"] = store.objects["ailleurs/x"] = b""
    store.objects[f"{BUCKET.prefix}/{CAMPUS}/00/not-a-digest"] = b""
    assert set(objects.names()) == named | {(CAMPUS, DIGEST)}


def test_removing_a_missing_object_does_nothing(objects: S3Objects, store: FakeStore) -> None:
    objects.remove(CAMPUS, DIGEST)
    objects.remove(CAMPUS, DIGEST)
    assert store.objects == {}
    store.before = lambda _method, _key: httpx.Response(404, text="<Error><Code>NoSuchKey</Code></Error>")
    objects.remove(CAMPUS, DIGEST)


def test_another_body_under_a_digest_is_not_written(objects: S3Objects, store: FakeStore) -> None:
    store.objects.clear()
    with pytest.raises(ObjectDiffers):
        objects.write(CAMPUS, DIGEST, b"autre chose")
    assert store.objects == {}


@pytest.mark.parametrize(
    ("keys", "region", "cause"),
    [
        (Keys("AUTRE", KEYS.secret), REGION, "InvalidAccessKeyId"),
        (Keys(KEYS.access_id, "autre"), REGION, "SignatureDoesNotMatch"),
        (KEYS, "us-east-1", "AuthorizationHeaderMalformed"),
    ],
)
def test_refusals_have_names(store: FakeStore, keys: Keys, region: str, cause: str) -> None:
    objects = S3Objects(
        replace(BUCKET, region=region), keys, transport=httpx.MockTransport(store.answer), clock=store.clock
    )
    with pytest.raises(StoreSilent) as refused:
        objects.try_out()
    assert refused.value.cause.endswith(cause)
    assert keys.secret not in repr(keys) + str(refused.value)


def test_a_wrong_bucket_is_a_refusal_and_not_a_lost_object(store: FakeStore) -> None:
    objects = S3Objects(replace(BUCKET, name="autre"), KEYS, transport=httpx.MockTransport(store.answer))
    with pytest.raises(StoreSilent):
        objects.read(CAMPUS, DIGEST)


def test_the_self_test_leaves_nothing(store: FakeStore) -> None:
    store.client().try_out()
    assert store.objects == {}
    assert [method for method, _ in store.asked] == ["PUT", "GET", "DELETE"]


# --- settings


@pytest.mark.parametrize(
    ("written", "bucket"),
    [
        ("https://s3.exemple.fr/badges", Bucket("https://s3.exemple.fr", "badges", "", REGION)),
        ("https://s3.exemple.fr:443/badges/", Bucket("https://s3.exemple.fr", "badges", "", REGION)),
        ("http://store:9000/badges/a/b/", Bucket("http://store:9000", "badges", "a/b", REGION)),
        (
            "https://réseau.exemple/b/%C3%A9t%C3%A9",
            Bucket("https://xn--rseau-bsa.exemple", "b", "été", REGION),
        ),
        ("http://[::1]:9000/b", Bucket("http://[::1]:9000", "b", "", REGION)),
    ],
)
def test_addresses(written: str, bucket: Bucket) -> None:
    assert bucket_at(written, REGION) == bucket


@pytest.mark.parametrize(
    "written",
    [
        "s3://badges",
        "https://s3.exemple.fr",
        "http://s3.exemple.fr/badges",
        "http://[2001:db8::1]/badges",
        "https://moi:secret@s3.exemple.fr/badges",
        "https://s3.exemple.fr/badges?x=1",
        "https://s3.exemple.fr/badges/../autres",
    ],
)
def test_addresses_refused(written: str) -> None:
    with pytest.raises(ObjectStoreUnusable):
        bucket_at(written, REGION)


def test_keys_are_in_a_private_file_or_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("IDENTIFIANT\nun:secret\n")
    path.chmod(0o644)
    with pytest.raises(ObjectStoreUnusable, match="chmod 600"):
        keys_in(f"file:{path}", {})
    path.chmod(0o600)
    assert keys_in(f"file:{path}", {}) == Keys("IDENTIFIANT", "un:secret")
    assert keys_in("env:CLES", {"CLES": "IDENTIFIANT:un:secret"}) == Keys("IDENTIFIANT", "un:secret")
    for source in ("", "file:", f"file:{path}x", "env:ABSENTE", "IDENTIFIANT:secret"):
        with pytest.raises(ObjectStoreUnusable):
            keys_in(source, {})
