"""Old signed bytes in a bucket of an S3-compatible object store, signed with Signature Version 4.

Path-style addresses, one request per object, no redirect followed. What is read is compared with the SHA-256 that
names it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import ssl
import stat
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import httpx
import structlog
from defusedxml.ElementTree import fromstring

from app.adapters import Unusable
from app.domain.awards.signed_bytes import (
    LARGEST_OBJECT,
    BytesUnavailable,
    ObjectDiffers,
    ObjectLost,
    StoreSilent,
    checked,
)
from app.language import system_cause
from app.telemetry import span

log = structlog.get_logger("object store")

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNRESERVED: Final = "-_.~"
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_CODE: Final = re.compile(r"[A-Za-z0-9]{1,60}")
_LARGEST_LISTING: Final = 8 * 1024 * 1024
_LARGEST_ERROR: Final = 64 * 1024
_UNREADABLE: Final = (SyntaxError, ValueError)
"""What XML that is none, or that may not be read, raises."""
_AT_ONCE: Final = 32
_FAILURES: Final = 3
_PAUSE: Final = 5.0
"""After so many failures in a row, reads are refused at once for so many seconds."""
_CACHED_BYTES: Final = 16 * 1024 * 1024
_CACHED_FOR: Final = 300.0


class ObjectStoreUnusable(Unusable):
    """Invalid settings; the message contains the remedy."""


@dataclass(frozen=True)
class Keys:
    access_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Bucket:
    """Where objects are: `address` without a final slash, the bucket, and a prefix that may be empty."""

    address: str
    name: str
    prefix: str
    region: str

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    def path(self, key: str = "") -> str:
        """Encoded once, as it is sent and signed."""
        whole = "/".join(filter(None, (self.name, key)))
        return "/" + quote(whole, safe=f"/{_UNRESERVED}")

    def key(self, *parts: str) -> str:
        return "/".join(filter(None, (self.prefix, *parts)))


@dataclass(frozen=True)
class Patience:
    """Seconds."""

    connect: float = 2.0
    read: float = 4.0
    whole: float = 8.0
    """Of one request with its answer."""


class S3Objects:
    """An ObjectStore. Thread-safe; `note` counts operations by their outcome."""

    def __init__(
        self,
        bucket: Bucket,
        keys: Keys,
        *,
        note: Callable[[str, str, int], None] = lambda _operation, _outcome, _size: None,
        transport: httpx.BaseTransport | None = None,
        ca_file: Path | None = None,
        patience: Patience = Patience(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self.bucket = bucket
        self._keys, self._note, self._clock, self._ticks = keys, note, clock, ticks
        self._transport, self._ca_file, self._patience = transport, ca_file, patience
        self._places = BoundedSemaphore(_AT_ONCE)
        self._cache = _Cache(ticks)
        self._failures, self._paused_until = 0, 0.0

    @property
    def place(self) -> str:
        return f"{self.bucket.address}{self.bucket.path(self.bucket.prefix)}"

    def read(self, campus_id: uuid.UUID, digest: str) -> bytes:
        if (known := self._cache.find(digest)) is not None:
            return known
        if self._ticks() < self._paused_until:
            raise StoreSilent("paused after failures")
        body = self.fetch(campus_id, digest)
        self._cache.keep(digest, body)
        return body

    def fetch(self, campus_id: uuid.UUID, digest: str) -> bytes:
        with self._noted("read", digest) as sized:
            body = self._get(self._key(campus_id, digest), digest)
            sized.append(len(body))
            return checked(body, digest)

    def write(self, campus_id: uuid.UUID, digest: str, body: bytes) -> None:
        with self._noted("write", digest) as sized:
            checked(body, digest)
            self._ask("PUT", self._key(campus_id, digest), body=body)
            sized.append(len(body))

    def remove(self, campus_id: uuid.UUID, digest: str) -> None:
        self._cache.drop(digest)
        with self._noted("remove", digest):
            self._ask("DELETE", self._key(campus_id, digest))

    def names(self) -> Iterator[tuple[uuid.UUID, str]]:
        start, token = f"{self.bucket.prefix}/" if self.bucket.prefix else "", ""
        while True:
            query = {"list-type": "2", "prefix": start, "encoding-type": "url"}
            if token:
                query["continuation-token"] = token
            try:
                listed = fromstring(self._ask("GET", query=query, limit=_LARGEST_LISTING))
            except _UNREADABLE as error:
                raise StoreSilent("unreadable listing") from error
            for each in listed.iterfind("{*}Contents/{*}Key"):
                name = unquote(each.text or "")[len(start) :].split("/")
                if len(name) == 3 and _DIGEST.fullmatch(name[2]) and (campus := _uuid(name[0])):
                    yield campus, name[2]
            token = listed.findtext("{*}NextContinuationToken") or ""
            if listed.findtext("{*}IsTruncated") != "true" or not token:
                return

    def try_out(self) -> None:
        body = secrets.token_bytes(32)
        key = self.bucket.key(f"essai-{secrets.token_hex(8)}")
        self._ask("PUT", key, body=body)
        try:
            if self._get(key, "") != body:
                raise ObjectDiffers(key)
        finally:
            self._ask("DELETE", key)

    def _key(self, campus_id: uuid.UUID, digest: str) -> str:
        """Two characters of the digest first: some stores keep a prefix in one folder."""
        if not _DIGEST.fullmatch(digest):
            raise ObjectDiffers(digest)
        return self.bucket.key(str(campus_id), digest[:2], digest)

    @contextmanager
    def _noted(self, operation: str, digest: str) -> Iterator[list[int]]:
        size: list[int] = []
        try:
            with span("object store", operation=operation):
                yield size
        except BytesUnavailable as error:
            outcome = _OUTCOMES[type(error)]
            self._note(operation, outcome, 0)
            log.error(
                "signed bytes unavailable", operation=operation, why=outcome, digest=digest, cause=error.cause
            )
            raise
        self._note(operation, "done", sum(size))

    def _get(self, key: str, digest: str) -> bytes:
        try:
            return self._ask("GET", key, limit=LARGEST_OBJECT)
        except _Missing as error:
            raise ObjectLost(digest) from error

    def _ask(
        self,
        method: str,
        key: str = "",
        *,
        body: bytes = b"",
        query: Mapping[str, str] | None = None,
        limit: int = _LARGEST_ERROR,
    ) -> bytes:
        """The body of a good answer. A connection that the store closed while idle is opened again, once."""
        until = self._ticks() + self._patience.whole
        if not self._places.acquire(timeout=self._patience.whole):
            raise StoreSilent("too many requests under way")
        try:
            try:
                answer = self._exchange(method, key, body, query or {}, limit, until)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                answer = self._exchange(method, key, body, query or {}, limit, until)
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            self._failed()
            raise StoreSilent(type(error).__name__) from error
        except _Refused as error:
            self._failed()
            raise StoreSilent(str(error)) from error
        finally:
            self._places.release()
        self._failures = 0
        return answer

    def _exchange(
        self, method: str, key: str, body: bytes, query: Mapping[str, str], limit: int, until: float
    ) -> bytes:
        path, sent = self.bucket.path(key), canonical_query(query)
        headers = signed(
            method, self.bucket.host, path, sent, body, self._keys, self.bucket.region, at=self._clock()
        )
        url = httpx.URL(f"{self.bucket.address}{path}" + (f"?{sent}" if sent else ""))
        with self._client.stream(method, url, headers=headers, content=body or None) as answer:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise _Refused("encoded")
            received = bytearray()
            for part in answer.iter_bytes():
                received += part
                if len(received) > limit or self._ticks() > until:
                    raise _Refused("too long")
            if answer.status_code in (200, 204):
                return bytes(received)
            code = _code_of(bytes(received))
            if answer.status_code == 404 and code != "NoSuchBucket" and method != "PUT" and key:
                if method == "DELETE":
                    return b""
                raise _Missing
            raise _Refused(f"{answer.status_code} {code}".strip())

    @cached_property
    def _client(self) -> httpx.Client:
        verify = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)
        return httpx.Client(
            transport=self._transport,
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(self._patience.read, connect=self._patience.connect),
            limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE),
            headers={"Accept-Encoding": "identity", "User-Agent": "sceau"},
        )

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._paused_until = self._ticks() + _PAUSE


class _Missing(Exception):
    """No such object; the store itself works."""


class _Refused(Exception): ...


_OUTCOMES: Final = {StoreSilent: "silent", ObjectLost: "lost", ObjectDiffers: "differs"}


class _Cache:
    """The last objects read and found good: they never change."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks, self._lock = ticks, Lock()
        self._held: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    def find(self, digest: str) -> bytes | None:
        with self._lock:
            body, until = self._held.get(digest, (None, 0.0))
            if body is not None and self._ticks() >= until:
                self._drop(digest)
                return None
            return body

    def keep(self, digest: str, body: bytes) -> None:
        with self._lock:
            self._drop(digest)
            self._held[digest] = body, self._ticks() + _CACHED_FOR
            self._bytes += len(body)
            while self._bytes > _CACHED_BYTES:
                self._drop(next(iter(self._held)))

    def drop(self, digest: str) -> None:
        with self._lock:
            self._drop(digest)

    def _drop(self, digest: str) -> None:
        body, _ = self._held.pop(digest, (b"", 0.0))
        self._bytes -= len(body)


# --- Signature Version 4


def signed(
    method: str,
    host: str,
    path: str,
    query: str,
    body: bytes,
    keys: Keys,
    region: str,
    *,
    at: datetime,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers of a request with this encoded path and canonical query, and its signature over them."""
    moment, digest = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": moment, **(more or {})}
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join((method, path, query, listed, names, digest))
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{keys.access_id}/{scope}"
    return headers | {
        "authorization": f"{_ALGORITHM} Credential={credential},SignedHeaders={names},Signature={signature}"
    }


def canonical_query(query: Mapping[str, str]) -> str:
    pairs = sorted(
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in query.items()
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


# --- settings


_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def bucket_at(address: str, region: str) -> Bucket:
    """From https://host/bucket/prefix; over http only within this machine or a network where hosts have short names."""
    parts = urlsplit(address)
    name, _, prefix = unquote(parts.path).strip("/").partition("/")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not name
        or parts.query
        or parts.username
    ):
        raise ObjectStoreUnusable(
            "SCEAU_OBJECT_STORE est une adresse avec un bucket : https://s3.example.fr/bucket ou …/bucket/dossier."
        )
    is_near = parts.hostname in _LOOPBACK or not {".", ":"} & set(parts.hostname)
    if parts.scheme == "http" and not is_near:
        raise ObjectStoreUnusable(
            "SCEAU_OBJECT_STORE est en https, sauf pour cette machine ou un nom d’hôte sans point."
        )
    if {".", ".."} & set(prefix.split("/")):
        raise ObjectStoreUnusable("Le dossier dans SCEAU_OBJECT_STORE n’a ni « . » ni « .. ».")
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port and parts.port != default else ""
    return Bucket(f"{parts.scheme}://{host}{port}", name, prefix.strip("/"), region)


def keys_from(text: str) -> Keys:
    access_id, _, secret = text.strip().replace("\n", ":").partition(":")
    if not access_id.strip() or not secret.strip():
        raise ObjectStoreUnusable(
            "SCEAU_OBJECT_STORE_KEYS mène à un identifiant et un secret, avec deux-points ou sur deux lignes."
        )
    return Keys(access_id.strip(), secret.strip())


def keys_in(source: str, environment: Mapping[str, str]) -> Keys:
    kind, _, where = source.partition(":")
    if kind == "env" and where:
        return keys_from(environment.get(where, ""))
    path = Path(where)
    if kind != "file" or not where:
        raise ObjectStoreUnusable("SCEAU_OBJECT_STORE_KEYS s’écrit file:/chemin (mode 0600) ou env:NOM.")
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ObjectStoreUnusable("D’autres peuvent lire {path} : chmod 600 {path}.", path=path)
        return keys_from(path.read_text("utf-8-sig", "replace"))
    except OSError as error:
        raise ObjectStoreUnusable("{path} : {reason}", path=path, reason=system_cause(error)) from error


def _code_of(body: bytes) -> str:
    """The code of an error in XML; empty if there is none."""
    try:
        code = fromstring(body).findtext("Code") or fromstring(body).findtext("{*}Code") or ""
    except _UNREADABLE:
        return ""
    return code if _CODE.fullmatch(code) else ""


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
