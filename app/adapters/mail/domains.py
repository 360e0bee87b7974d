"""DKIM: the key that signs e-mails, and DNS records that let other servers check them."""

from __future__ import annotations

import base64
import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import dkim
import dns.exception
import dns.resolver
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_BITS = 2048
_MOST_BITS = 4096
_SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted",
)  # fmt: skip
"""One-click unsubscription is only believed where both its headers are signed (RFC 8058)."""
_PATIENCE = 3.0
"""Seconds for one name."""


class DkimUnusable(Exception):
    """The key that signs e-mails cannot be used; the message contains the remedy for the operator."""


class DkimSigner:
    def __init__(self, key: rsa.RSAPrivateKey, selector: str) -> None:
        self.selector = selector
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
        self._pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        self._log = logging.getLogger("dkim")
        # The library quotes headers in its log (I23).
        self._log.disabled = True

    def sign(self, content: bytes, domain: str) -> bytes:
        """The message with a signature of `domain` in front."""
        signature: bytes = dkim.sign(
            content,
            self.selector.encode(),
            domain.encode(),
            self._pem,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=list(_SIGNED),
            logger=self._log,
        )
        return signature + content


def dkim_signer_from(source: str, *, selector: str) -> DkimSigner:
    """Reads the key from `file:/path`; raises DkimUnusable."""
    scheme, _, where = source.partition(":")
    path = Path(where)
    if scheme != "file":
        raise DkimUnusable("SCEAU_DKIM_KEY must be file:/path.")
    if not path.is_file():
        raise DkimUnusable(f"There is no DKIM key at {path.name}: make one with `sceau mail make-key`.")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DkimUnusable(f"{path.name} can be read by others: chmod 600 it.")
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise DkimUnusable(f"{path.name} is not an RSA key in PEM without a password.") from error
    if not isinstance(key, rsa.RSAPrivateKey) or not _BITS <= key.key_size <= _MOST_BITS:
        raise DkimUnusable(f"{path.name} must be an RSA key of {_BITS} to {_MOST_BITS} bits.")
    return DkimSigner(key, selector)


def make_dkim_key(path: Path) -> None:
    """Raises OSError, FileExistsError included."""
    key = rsa.generate_private_key(65537, _BITS)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class DnsTexts:
    """TXT records by the resolvers of this machine."""

    def texts(self, name: str) -> Sequence[str] | None:
        try:
            answer = dns.resolver.resolve(name, "TXT", lifetime=_PATIENCE)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, ValueError, OSError):
            return None
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
