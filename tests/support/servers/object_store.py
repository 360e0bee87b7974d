"""An in-memory S3-compatible store for httpx: verifies signatures independently, and fails on demand."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

import httpx
from sqlalchemy import text

from app.adapters.object_store import Bucket, Keys, Patience, S3Objects
from app.services.awards.signed_bytes import BytesMover
from tests.support.app import App

KEYS = Keys("SCEAUKEYID", "un-secret/de+recette")
REGION = "eu-west-9"
BUCKET = Bucket("https://objets.exemple.fr", "badges", "été/reçus & autres", REGION)
_SKEW = timedelta(minutes=15)


class Killed(BaseException):
    """Simulates that the process is killed."""


class FakeStore:
    def __init__(self, bucket: Bucket = BUCKET, clock: Callable[[], datetime] | None = None) -> None:
        self.bucket, self.clock = bucket, clock or (lambda: datetime.now(UTC))
        self.keys = {KEYS.access_id: KEYS.secret}
        self.objects: dict[str, bytes] = {}
        self.page = 1000
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], httpx.Response | None] = lambda _method, _key: None
        """Called before each request is answered; may return an answer, or raise."""
        self.after: Callable[[str, str], None] = lambda _method, _key: None

    def client(self, **more: object) -> S3Objects:
        settings: dict = {"patience": Patience(), "clock": self.clock} | more
        return S3Objects(self.bucket, KEYS, transport=httpx.MockTransport(self.answer), **settings)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        self.asked.append((request.method, key))
        if (fault := self._fault_of(request, path, query)) is not None:
            return fault
        if bucket != self.bucket.name:
            return _error(404, "NoSuchBucket")
        if (made := self.before(request.method, key)) is not None:
            return made
        answered = self._do(request, key, dict(parse_qsl(query, keep_blank_values=True)))
        self.after(request.method, key)
        return answered

    def _do(self, request: httpx.Request, key: str, query: dict[str, str]) -> httpx.Response:
        if request.method == "PUT":
            self.objects[key] = request.content
            return httpx.Response(200)
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return httpx.Response(204)
        if not key:
            return self._listed(query)
        found = self.objects.get(key)
        return httpx.Response(200, content=found) if found is not None else _error(404, "NoSuchKey")

    def _listed(self, query: dict[str, str]) -> httpx.Response:
        names = sorted(name for name in self.objects if name.startswith(query["prefix"]))
        start = int(query.get("continuation-token", "0"))
        some, is_more = names[start : start + self.page], start + self.page < len(names)
        inside = "".join(f"<Contents><Key>{quote(name)}</Key></Contents>" for name in some)
        token = f"<NextContinuationToken>{start + self.page}</NextContinuationToken>" if is_more else ""
        return httpx.Response(
            200,
            text='<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(is_more).lower()}</IsTruncated>{token}{inside}</ListBucketResult>",
        )

    def _fault_of(self, request: httpx.Request, path: str, query: str) -> httpx.Response | None:
        """Checks Signature Version 4: all x-amz headers are signed, the body digest matches, the time is within 15 minutes."""
        headers = request.headers
        if hashlib.sha256(request.content).hexdigest() != headers["x-amz-content-sha256"]:
            return _error(400, "XAmzContentSHA256Mismatch")
        parts = dict(
            part.strip().split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(",")
        )
        access_id, day, region, service, end = parts["Credential"].split("/")
        names = parts["SignedHeaders"].split(";")
        if any(name.startswith("x-amz-") and name not in names for name in headers) or "host" not in names:
            return _error(403, "AccessDenied")
        if access_id not in self.keys:
            return _error(403, "InvalidAccessKeyId")
        if (region, service, end) != (REGION, "s3", "aws4_request"):
            return _error(400, "AuthorizationHeaderMalformed")
        at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(at - self.clock()) > _SKEW or at.strftime("%Y%m%d") != day:
            return _error(403, "RequestTimeTooSkewed")
        pairs = sorted(each.partition("=") for each in query.split("&") if each)
        canonical = "\n".join(
            [
                request.method,
                quote(unquote(path), safe="/-_.~"),
                "&".join(f"{name}={value}" for name, _, value in pairs),
                *(f"{name}:{headers[name]}" for name in names),
                "",
                parts["SignedHeaders"],
                headers["x-amz-content-sha256"],
            ]
        )
        key = b"AWS4" + self.keys[access_id].encode()
        for part in (day, region, service, end):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{day}/{region}/{service}/{end}\n{digest}"
        good = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return None if hmac.compare_digest(good, parts["Signature"]) else _error(403, "SignatureDoesNotMatch")

    def key_of(self, campus_id: uuid.UUID, digest: str) -> str:
        return f"{self.bucket.prefix}/{campus_id}/{digest[:2]}/{digest}"

    def digests(self) -> set[str]:
        return {key.rpartition("/")[2] for key in self.objects}


def _error(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, text=f"<?xml version='1.0'?><Error><Code>{escape(code)}</Code></Error>")


def with_objects(app: App, **more: object) -> FakeStore:
    """Configures this store as the app's object store for old signed bytes."""
    store = FakeStore(clock=app.clock)
    attach(app, store, **more)
    return store


def attach(app: App, store: FakeStore, **more: object) -> None:
    objects = store.client(**more)
    app.process.object_store = objects
    app.process.public_documents.elsewhere = objects


def keys_file(folder: Path) -> str:
    path = folder / "object-store-keys"
    path.write_text(f"{KEYS.access_id}\n{KEYS.secret}\n")
    path.chmod(0o600)
    return f"file:{path}"


@dataclass
class Stored:
    """A document's row, read as the table owner."""

    award_id: uuid.UUID
    embedded: bytes | None
    token: str | None
    digests: tuple[str, str]


def documents(app: App) -> list[Stored]:
    found = []
    with app.owner.connect() as connection:
        for table in ("signed_credential", "newer_credential"):
            query = text(
                f"SELECT award_id, embedded, token, embedded_digest, token_digest FROM {table} ORDER BY award_id"
            )
            for award_id, embedded, token, *digests in connection.execute(query):
                body = bytes(embedded) if embedded is not None else None
                found.append(Stored(uuid.UUID(str(award_id)), body, token, (digests[0], digests[1])))
    return found


def digests_of(stored: list[Stored]) -> set[str]:
    return {digest for each in stored for digest in each.digests}


def removals(app: App) -> int:
    with app.owner.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM object_removal")).scalar_one()


def check_nothing_is_lost(app: App, store: FakeStore) -> None:
    """Each document is complete: in its row, or in the store under its digests."""
    for each in documents(app):
        if each.embedded is None or each.token is None:
            assert each.embedded is each.token is None
            for digest in each.digests:
                body = store.objects[store.key_of(app.campus.id, digest)]
                assert hashlib.sha256(body).hexdigest() == digest
        else:
            forms = (each.embedded, each.token.encode())
            assert tuple(hashlib.sha256(form).hexdigest() for form in forms) == each.digests


def mover_of(app: App) -> BytesMover:
    assert app.process.object_store is not None
    return app.process.bytes_mover(app.process.object_store)


def move_all(app: App) -> int:
    mover, done = mover_of(app), 0
    while not (batch := mover.move_some(app.clock() - timedelta(days=365))).is_empty:
        done += batch.documents
    return done


def back_all(app: App) -> int:
    mover, done = mover_of(app), 0
    while not (batch := mover.take_back_some()).is_empty:
        done += batch.documents
    return done


def remove_all(app: App) -> int:
    mover, done = mover_of(app), 0
    while removed := mover.remove_some():
        done += removed
    return done
