"""Send a letter: through an SMTP server, or onto the terminal of somebody trying the service."""

from __future__ import annotations

import smtplib
import ssl
import sys
from email.message import EmailMessage
from email.utils import make_msgid
from typing import TextIO
from urllib.parse import unquote, urlsplit

from app.domain.letters import Letter

TIMEOUT = 15.0
SUBMISSION_PORT, ENCRYPTED_PORT = 587, 465


class SmtpMailer:
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…` (TLS from the start)."""

    def __init__(self, url: str, *, sender: str) -> None:
        self._parts = urlsplit(url)
        self._sender = sender

    def send(self, letter: Letter) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, letter.to, letter.subject
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        # Programs that answer by themselves stay silent.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        with self._connection() as server:
            server.send_message(message)

    def _connection(self) -> smtplib.SMTP:
        host, port = self._parts.hostname or "localhost", self._parts.port
        context = ssl.create_default_context()
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port or ENCRYPTED_PORT, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(host, port or SUBMISSION_PORT, timeout=TIMEOUT)
            # A password never travels in clear: without STARTTLS, signing in below fails instead.
            if self._parts.username or server.has_extn("starttls"):
                server.starttls(context=context)
        if self._parts.username:
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        return server


class TerminalMailer:
    """For a service on one's own computer: the letter stands where the service was started."""

    def __init__(self, terminal: TextIO | None = None) -> None:
        self._terminal = terminal

    def send(self, letter: Letter) -> None:
        print(
            f"\n--- {letter.to}\n    {letter.subject}\n\n{letter.text}",
            file=self._terminal or sys.stderr,
            flush=True,
        )
