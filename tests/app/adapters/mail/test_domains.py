"""Signed messages verify at the recipient with the DNS record that we publish, and altered ones do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dkim
import dns.exception
import dns.resolver
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.adapters.mail import DkimSigner, DkimUnusable, DnsTexts, SmtpMailer, dkim_signer_from, make_dkim_key
from app.domain.messages import Letter, LetterPicture
from tests.support.servers.post_office import PostOffice

LETTER = Letter(
    "zoe@exemple.org",
    "Votre badge « Robotique » est prêt",
    "Bonjour Zoé,\n\n.Une ligne qui commence par un point.\n" + "é" * 300 + "\n",
    html="<html><body><p>Bonjour Zoé</p></body></html>",
    sender_name="Campus ITIP",
    key="a.b",
    unsubscribe_url="https://sceau.example/rappels/x",
    pictures=(LetterPicture("badge", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),),
)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> DkimSigner:
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    make_dkim_key(path)
    return dkim_signer_from(f"file:{path}", selector="sceau")


def is_good(content: bytes, signer: DkimSigner, domain: str) -> bool:
    def published(name: bytes, timeout: float = 5) -> bytes | None:
        return signer.record.encode() if name == f"sceau._domainkey.{domain}.".encode() else None

    return bool(dkim.verify(content, dnsfunc=published))


def received_by(office: PostOffice, signer: DkimSigner, letter: Letter) -> bytes:
    taken: list[bytes] = []
    handle: Callable = office.handle_DATA

    async def keep(server, session, envelope):
        taken.append(envelope.content)
        return await handle(server, session, envelope)

    office.handle_DATA = keep  # type: ignore[method-assign]
    mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="Sceau <sceau@exemple.fr>", signer=signer)
    mailer.send(letter)
    mailer.close()
    return taken[0]


@pytest.mark.parametrize(
    ("sender", "domain"), [("", "exemple.fr"), ("badges@campus.exemple", "campus.exemple")]
)
def test_message_arrives_signed_for_the_domain_of_its_author(
    office: PostOffice, signer: DkimSigner, sender: str, domain: str
):
    content = received_by(office, signer, Letter(**{**vars(LETTER), "sender": sender}))
    assert content.isascii(), "a relay has nothing to encode"
    assert is_good(content, signer, domain)
    (author,) = office.received[0]["From"].addresses
    assert (author.domain, author.display_name) == (domain, "Campus ITIP")
    assert office.received[0]["Message-ID"] == "<a.b@exemple.fr>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"To: zoe@exemple.org", b"To: eve@exemple.org"),
        (b"From: Campus ITIP", b"From: Campus AGT"),
        (b"rappels/x", b"rappels/y"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
        (b"Content-Type: text/html", b"Content-Type: text/htmx"),
    ],
)
def test_altered_message_does_not_verify(office: PostOffice, signer: DkimSigner, before: bytes, after: bytes):
    content = received_by(office, signer, LETTER)
    assert before in content
    assert not is_good(content.replace(before, after), signer, "exemple.fr")


def test_relay_that_adds_headers_and_folds_them_does_not_break_the_signature(
    office: PostOffice, signer: DkimSigner
):
    content = received_by(office, signer, LETTER)
    relayed = b"Received: from a by b;\r\n Tue, 24 Nov 2026 12:00:00 +0000\r\n" + content
    assert is_good(relayed, signer, "exemple.fr")


def _pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        b"not a key",
        _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(rsa.generate_private_key(65537, 1024)),
    ],
    ids=["text", "another algorithm", "too short"],
)
def test_key_of_another_kind_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DkimUnusable):
        dkim_signer_from(f"file:{path}", selector="sceau")


def test_key_that_others_can_read_is_refused_and_a_generated_one_never_overwritten(tmp_path: Path):
    path = tmp_path / "key.pem"
    make_dkim_key(path)
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        make_dkim_key(path)
    path.chmod(0o640)
    with pytest.raises(DkimUnusable, match="chmod 600"):
        dkim_signer_from(f"file:{path}", selector="sceau")
    for source in ("env:KEY", f"file:{tmp_path / 'absent'}"):
        with pytest.raises(DkimUnusable):
            dkim_signer_from(source, selector="sceau")


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (dns.resolver.NXDOMAIN(), ()),
        (dns.resolver.NoNameservers(), None),
        (dns.exception.Timeout(), None),
        (OSError(), None),
    ],
)
def test_a_missing_record_differs_from_a_resolver_without_an_answer(monkeypatch, error, found):
    def resolve(*given, **options):
        raise error

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    assert DnsTexts().texts("sceau._domainkey.exemple.fr") == found
