"""Send a letter: through an SMTP server, or onto the terminal of somebody trying the service."""

from __future__ import annotations

import smtplib
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TextIO
from urllib.parse import unquote, urlsplit

from app.adapters.mail.messages import Message, message_of, one_line, plain_text
from app.adapters.mail.smtp_answers import meaning_of
from app.domain.messages.letters import Letter

TIMEOUT = 15.0
SUBMISSION_PORT, ENCRYPTED_PORT = 587, 465
LETTERS_PER_CONNECTION = 100
IDLE_SECONDS = 20.0
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass
class _Line:
    """An open connection, how many letters it has carried, and when it carried the last."""

    server: smtplib.SMTP
    letters: int = 0
    used_at: float = 0.0


class SmtpMailer:
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…` (TLS from the start).

    Connections stay open for the letters that follow; `ca_file` is for a server whose certificate
    no public authority signed.
    """

    def __init__(
        self,
        url: str,
        *,
        sender: str,
        ca_file: Path | None = None,
        timeout: float = TIMEOUT,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = urlsplit(url)
        self._sender = sender
        self._context = ssl.create_default_context(cafile=ca_file)
        self._timeout = timeout
        self._now = now
        self._free: list[_Line] = []
        self._lock = Lock()

    def send(self, letter: Letter) -> None:
        message = message_of(letter, sender=self._sender)
        try:
            self._deliver(message)
        except (OSError, UnicodeError) as error:
            raise meaning_of(error) from None

    def close(self) -> None:
        with self._lock:
            lines, self._free = self._free, []
        for line in lines:
            _hang_up(line)

    def _deliver(self, message: Message) -> None:
        line = self._line()
        try:
            _hand_over(line.server, message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError):
            self._keep(line)
            raise
        except BaseException:
            line.server.close()
            raise
        self._keep(line)

    def _line(self) -> _Line:
        """One that is free and still answers, else a new one."""
        while True:
            with self._lock:
                line = self._free.pop() if self._free else None
            if line is None:
                return _Line(self._connect())
            if self._is_fresh(line) and _answers(line):
                return line
            _hang_up(line)

    def _is_fresh(self, line: _Line) -> bool:
        return line.letters < LETTERS_PER_CONNECTION and self._now() - line.used_at < IDLE_SECONDS

    def _keep(self, line: _Line) -> None:
        line.letters += 1
        line.used_at = self._now()
        if line.server.sock is None:
            return
        with self._lock:
            self._free.append(line)

    def _connect(self) -> smtplib.SMTP:
        host, port = self._parts.hostname or "localhost", self._parts.port
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port or ENCRYPTED_PORT, timeout=self._timeout, context=self._context
            )
        else:
            server = smtplib.SMTP(host, port or SUBMISSION_PORT, timeout=self._timeout)
        try:
            self._introduce(server, host)
        except BaseException:
            server.close()
            raise
        return server

    def _introduce(self, server: smtplib.SMTP, host: str) -> None:
        encrypted = self._parts.scheme == "smtps"
        server.ehlo_or_helo_if_needed()
        if not encrypted and self._encrypts(server, host):
            server.starttls(context=self._context)
            server.ehlo_or_helo_if_needed()
        if self._parts.username:
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))

    def _encrypts(self, server: smtplib.SMTP, host: str) -> bool:
        # A password never travels in clear: without STARTTLS, signing in fails instead. A relay on this very
        # machine has no certificate to show, and nobody in between.
        return bool(self._parts.username) or (host not in _THIS_MACHINE and server.has_extn("starttls"))


def _hand_over(server: smtplib.SMTP, message: Message) -> None:
    server.ehlo_or_helo_if_needed()
    if message.needs_utf8 and not server.has_extn("smtputf8"):
        raise smtplib.SMTPNotSupportedError("SMTPUTF8 is needed for this address")
    options = ["SMTPUTF8", "BODY=8BITMIME"] if message.needs_utf8 else []
    server.sendmail(message.sender, [message.recipient], message.content, mail_options=options)


def _answers(line: _Line) -> bool:
    try:
        return line.server.noop()[0] == 250
    except OSError:
        return False


def _hang_up(line: _Line) -> None:
    try:
        line.server.quit()
    except OSError:
        line.server.close()


class TerminalMailer:
    """For a service on one's own computer: the letter stands where the service was started."""

    def __init__(self, terminal: TextIO | None = None) -> None:
        self._terminal = terminal

    def send(self, letter: Letter) -> None:
        print(
            f"\n--- {one_line(letter.to)}\n    {one_line(letter.subject)}\n\n{plain_text(letter.text)}",
            file=self._terminal or sys.stderr,
            flush=True,
        )
