"""A local SMTP server with scripted answers that stores accepted letters."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ipaddress
import ssl
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "sceau", "un mot: de passe @ part"
HANG_UP = "hang up"


class PostOffice:
    """Accepts letters by default; `answers[address]` queues the next answers for that recipient."""

    def __init__(
        self, *, certificate: Path | None = None, needs_password: bool = False, utf8: bool = True
    ) -> None:
        self.answers: dict[str, deque[str]] = defaultdict(deque)
        self.to_sender: deque[str] = deque()
        self.after_data: deque[str] = deque()
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.signed_in: list[str] = []
        self.on_letter: Callable[[], None] = lambda: None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
        if context is not None and certificate is not None:
            context.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        # Tests disconnect on purpose: ignore errors of the loop.
        self._loop.set_exception_handler(lambda *_: None)
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._new = partial(
            SMTP,
            self,
            hostname="localhost",
            enable_SMTPUTF8=utf8,
            tls_context=context,
            authenticator=self._may_enter,
            auth_required=needs_password,
            auth_require_tls=True,
            loop=self._loop,
        )

    @property
    def port(self) -> int:
        assert self._server is not None, "the post office is open"
        return cast(int, self._server.sockets[0].getsockname()[1])

    def start(self) -> None:
        self._thread.start()
        opening = self._loop.create_server(self._new, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(timeout=10)

    def stop(self) -> None:
        assert self._server is not None, "the post office is open"
        asyncio.run_coroutine_threadsafe(self._close(self._server), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    @staticmethod
    async def _close(server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # --- aiosmtpd handler methods

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_sender:
            return self.to_sender.popleft()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers[address]:
            answer = self.answers[address].popleft()
            if answer == HANG_UP:
                cast(Any, server.transport).abort()
                return "421 bye"
            if not answer.startswith("250"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = cast(bytes, envelope.content)
        answer = self.after_data.popleft() if self.after_data else "250 OK"
        if answer.startswith("250") or answer == HANG_UP:
            self.received.append(
                cast(EmailMessage, email.message_from_bytes(content, policy=email.policy.default))
            )
            self.recipients += envelope.rcpt_tos
            self.on_letter()
        if answer == HANG_UP:
            cast(Any, server.transport).abort()
        return "421 bye" if answer == HANG_UP else answer

    def _may_enter(
        self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any
    ) -> AuthResult:
        login = cast(LoginPassword, data)
        allowed = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        if allowed:
            self.signed_in.append(login.login.decode())
        return AuthResult(success=allowed, handled=False)


def make_certificate(folder: Path) -> Path:
    """A self-signed certificate for localhost and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "post-office.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def report(
    key: str,
    recipient: str,
    *,
    status: str = "5.1.1",
    said: str = "smtp; 550 5.1.1 <{recipient}>: Recipient address rejected: User unknown",
    action: str = "failed",
    headers_only: bool = False,
    envelope: bool = False,
) -> bytes:
    """A delivery status notification in the format of Postfix, for the message with this key."""
    quoted = (
        f"From: sceau@exemple.fr\r\nTo: {recipient}\r\nMessage-ID: <{key}@exemple.fr>\r\nSubject: Badge\r\n"
    )
    kind = "text/rfc822-headers" if headers_only else "message/rfc822"
    named = f"Original-Envelope-Id: {key}\r\n" if envelope else ""
    return (
        "Return-Path: <>\r\n"
        "From: MAILER-DAEMON@relais.exemple.fr (Mail Delivery System)\r\n"
        "To: rebonds@exemple.fr\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="AB.C/relais"\r\n'
        "\r\nThis is a MIME-encapsulated message.\r\n\r\n"
        "--AB.C/relais\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nI'm sorry to have to inform you …\r\n\r\n"
        "--AB.C/relais\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; relais.exemple.fr\r\n{named}Arrival-Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nOriginal-Recipient: rfc822;{recipient}\r\nAction: {action}\r\n"
        f"Status: {status}\r\nRemote-MTA: dns; mx.exemple.org\r\n"
        f"Diagnostic-Code: {said.format(recipient=recipient)}\r\n\r\n"
        f"--AB.C/relais\r\nContent-Type: {kind}\r\n\r\n{quoted}\r\nBonjour Zoé\r\n\r\n--AB.C/relais--\r\n"
    ).encode()
