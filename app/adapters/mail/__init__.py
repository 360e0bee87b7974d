"""E-mails as bytes: signed with DKIM, sent through a server, and what comes back."""

from __future__ import annotations

import base64
import email.policy
import io
import logging
import os
import re
import smtplib
import ssl
import stat
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage, MIMEPart
from email.utils import formatdate, make_msgid, parseaddr
from pathlib import Path
from threading import Lock
from typing import TextIO, cast
from urllib.parse import unquote, urlsplit

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

from app.adapters import Unusable
from app.domain.messages import Letter, LetterDelayed, LetterNotSent, LetterRefused, Reason, is_reserved

# --- DKIM: the key that signs e-mails, and DNS records that let other servers check them


_BITS = 2048
_MOST_BITS = 4096
_SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted",
)  # fmt: skip
"""One-click unsubscription is only believed where both its headers are signed (RFC 8058)."""
_PATIENCE = 3.0
"""Seconds for one name."""


class DkimUnusable(Unusable):
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
        raise DkimUnusable("SCEAU_DKIM_KEY s’écrit file:/chemin.")
    if not path.is_file():
        raise DkimUnusable(
            "La clé DKIM n’est pas dans {path} : créez-en une par `sceau mail make-key`.", path=path
        )
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DkimUnusable("D’autres peuvent lire {path} : chmod 600 {path}.", path=path)
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise DkimUnusable("{path} n’est pas une clé RSA en PEM sans mot de passe.", path=path) from error
    if not isinstance(key, rsa.RSAPrivateKey) or not _BITS <= key.key_size <= _MOST_BITS:
        raise DkimUnusable(
            "{path} doit être une clé RSA de {least} à {most} bits.", path=path, least=_BITS, most=_MOST_BITS
        )
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


# --- E-mails as bytes: sent through a server, and what comes back


__all__ = ["SmtpMailer", "TerminalMailer", "mailbox_of", "message_of", "one_line", "plain_text"]

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.+_-]")
_NOT_IN_A_LANGUAGE = re.compile(r"[^A-Za-z0-9-]")
_NOT_IN_AN_ADDRESS = re.compile(r"[^!-;=?-~]")
"""Characters not allowed in an address (RFC 3986) between `<` and `>` of a header."""
_PLAIN = re.compile(r"[ A-Za-z0-9!#$%&'*+/=?^_`{|}~.,:;()@-]*")
"""ASCII allowed unencoded in a subject; in a name, only letters, digits and characters without meaning in
address lists."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9' -]*")
_LONGEST_HEADER_TEXT = 200
_LONGEST_PLAIN = 60
_BYTES_IN_A_WORD = 42
"""An `encoded-word` has at most 75 characters: 12 around it, and 4 for each 3 bytes."""
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 253
_SEVEN_BITS = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Mailbox:
    """One address, ASCII after the @, and the name before it."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def header(self) -> str:
        return f"{encoded(self.name, _PLAIN_NAME)}\r\n <{self.address}>" if self.name else self.address


@dataclass(frozen=True)
class Message:
    """SMTP input: the two envelope addresses, and the bytes of the message."""

    sender: str
    recipient: str
    content: bytes
    key: str = ""
    domain: str = ""
    """Of the author: who answers for the message."""

    @property
    def needs_utf8(self) -> bool:
        """Whether an address contains non-ASCII characters (RFC 6531)."""
        return not (self.sender.isascii() and self.recipient.isascii())


def message_of(letter: Letter, *, sender: str, bounces: str = "") -> Message:
    """Raises LetterRefused where the address is invalid; `bounces`: where it comes back, if not to `sender`."""
    service = mailbox_of(sender)
    author = mailbox_of(letter.sender or sender, letter.sender_name or parseaddr(sender)[0])
    to = mailbox_of(letter.to, letter.to_name)
    headers = {
        "From": author.header(),
        "To": to.header(),
        "Subject": encoded(one_line(letter.subject), _PLAIN),
        "Date": formatdate(localtime=True),
        "Message-ID": _message_id(letter.key, service.domain),
        # Suppresses automatic replies (RFC 3834).
        "Auto-Submitted": "auto-generated",
    }
    if letter.reply_to:
        headers["Reply-To"] = mailbox_of(letter.reply_to).header()
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{_NOT_IN_AN_ADDRESS.sub('', letter.unsubscribe_url)}>"
        # One click, without a page in between (RFC 8058).
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if letter.language:
        headers["Content-Language"] = _NOT_IN_A_LANGUAGE.sub("", letter.language)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    back = mailbox_of(bounces).address if bounces else service.address
    return Message(back, to.address, head.encode() + _parts_of(letter).as_bytes(), letter.key, author.domain)


def mailbox_of(written: str, name: str = "") -> Mailbox:
    """One address; anything that would add a second one, or a header, is refused."""
    plain = parseaddr(written)[1] if "<" in written else written.strip()
    local, at, domain = plain.rpartition("@")
    if not (at and local and domain) or any(
        sign in ' ,;:<>()[]"\\@' or not sign.isprintable() for sign in local + domain
    ):
        raise LetterRefused(Reason.BAD_ADDRESS)
    try:
        ascii_domain = domain.encode("idna").decode()
        local.encode()
    except (UnicodeError, ValueError, IndexError) as error:
        raise LetterRefused(Reason.BAD_ADDRESS) from error
    # Some clients decode an `encoded-word` in an address, line breaks included.
    if "=?" in local or "?=" in local or len(local) > _LONGEST_LOCAL or len(ascii_domain) > _LONGEST_DOMAIN:
        raise LetterRefused(Reason.BAD_ADDRESS)
    if any(not sign.isprintable() or sign in ' ,;:<>()[]"\\@?' for sign in ascii_domain):
        raise LetterRefused(Reason.BAD_ADDRESS)
    return Mailbox(f"{local}@{ascii_domain}", one_line(name))


def encoded(text: str, plain: re.Pattern[str]) -> str:
    """Text of one line for a header, unencoded or as `encoded-word` tokens; text that resembles one is encoded
    itself."""
    if plain.fullmatch(text) and len(text) <= _LONGEST_PLAIN and "=?" not in text and "?=" not in text:
        return text
    return "\r\n ".join(
        f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in _pieces(text, _BYTES_IN_A_WORD)
    )


def _pieces(text: str, longest: int) -> Iterable[bytes]:
    """Whole characters only: each `encoded-word` is decoded separately (RFC 2047, section 5)."""
    piece = b""
    for sign in text:
        more = sign.encode()
        if len(piece) + len(more) > longest:
            yield piece
            piece = b""
        piece += more
    yield piece


def one_line(text: str) -> str:
    """Text for one header: no line break, no invisible character, limited length."""
    visible = "".join(
        " " if sign.isspace() else sign
        for sign in text
        if sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    return " ".join(visible.split())[:_LONGEST_HEADER_TEXT].rstrip()


def plain_text(text: str) -> str:
    """Text of several lines without control characters or lone surrogates."""
    lines = re.split(r"\r\n|\r|\n", text)
    return "\n".join(
        "".join(sign for sign in line if sign == "\t" or unicodedata.category(sign) not in ("Cc", "Cs"))
        for line in lines
    )


def _parts_of(letter: Letter) -> EmailMessage:
    # Without 8-bit bytes, which a relay may encode: that would break the signature.
    message = EmailMessage(policy=_SEVEN_BITS)
    message.set_content(plain_text(letter.text))
    if letter.html:
        _add_html(message, letter)
    for file in letter.files:
        message.add_attachment(
            file.body, "application", "json", filename=_NOT_IN_AN_ID.sub("", file.name) or "document.json"
        )
    return message


def _add_html(message: EmailMessage, letter: Letter) -> None:
    message.add_alternative(plain_text(letter.html), subtype="html")
    parts = cast("list[MIMEPart]", message.get_payload())
    for picture in letter.pictures:
        name = _NOT_IN_AN_ID.sub("", picture.name)
        parts[-1].add_related(
            picture.png, "image", "png", cid=f"<{name}>", disposition="inline", filename=f"{name}.png"
        )


def _message_id(key: str, domain: str) -> str:
    return f"<{_NOT_IN_AN_ID.sub('-', key)[:120]}@{domain}>" if key else make_msgid(domain=domain)


_CONTROL = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b")
_LONGEST = 300


def meaning_of(error: Exception) -> LetterNotSent:
    """For anything that sending may raise."""
    match error:
        case LetterNotSent():
            return error
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            code, said = next(iter(recipients.values()))
            return _answer(code, said)
        case smtplib.SMTPDataError(smtp_code=code, smtp_error=said):
            return _answer(code, said)
        case smtplib.SMTPSenderRefused(smtp_code=552, smtp_error=said) if (
            reason_of(552, words := _words(552, said)) is not Reason.MAILBOX_FULL
        ):
            # The size announced with the sender (RFC 1870): the same message is never taken. A quota is our own.
            return LetterRefused(Reason.REFUSED, words)
        case smtplib.SMTPNotSupportedError():
            # The library names the missing extension in its own fixed text.
            if "SMTPUTF8" in str(error):
                return LetterRefused(Reason.NOT_ASCII)
            return LetterDelayed(Reason.OUR_SERVER, "STARTTLS or AUTH is not offered")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            # Greeting, sign-in or our own sender: independent of the recipient's address.
            return LetterDelayed(Reason.OUR_SERVER, _words(code, said))
        case UnicodeError():
            return LetterRefused(Reason.NOT_ASCII)
        case _:
            return LetterDelayed(Reason.NO_ANSWER, type(error).__name__)


_ABOUT_US = re.compile(
    r"\brelay|\bsend as\b|authenticat\w{1,4} (?:is )?(?:required|needed)|must authenticate|not authenticated|"
    r"client (?:host|was not)|helo command|sender (?:address )?(?:rejected|not owned)|"
    r"\b5\.(?:1\.[78]|7\.(?:3|8|57|60|64))\b",
    re.IGNORECASE,
)
"""Many servers refuse our connection, sign-in or sender only once they know the recipient."""
_CODES_ABOUT_US = (500, 502, 503, 504, 530, 534, 535, 538)


_TOO_LARGE = re.compile(r"\bmessage\b[\w ]{0,20}\b(?:size|exceeds|too (?:large|big|long))\b", re.IGNORECASE)
"""The size of this message, as limited by the server; a full mailbox is its reader's trouble."""


def _answer(code: int, said: bytes | str) -> LetterNotSent:
    words = _words(code, said)
    if 400 <= code < 500:
        return LetterDelayed(Reason.LATER, words)
    if not 500 <= code < 600 or code in _CODES_ABOUT_US or _ABOUT_US.search(words):
        return LetterDelayed(Reason.OUR_SERVER, words)
    return LetterRefused(reason_of(code, words), words)


def reason_of(code: int, words: str) -> Reason:
    """The enhanced code (RFC 3463) where there is one, else the usual meaning of the plain one."""
    enhanced = _ENHANCED.search(words)
    subject, detail = (int(enhanced[1]), int(enhanced[2])) if enhanced else (0, 0)
    if (subject, detail) in ((1, 1), (1, 2), (1, 3), (1, 10), (2, 1)):
        return Reason.UNKNOWN_ADDRESS
    if (subject, detail) == (2, 2) or (not enhanced and code == 552 and not _TOO_LARGE.search(words)):
        return Reason.MAILBOX_FULL
    if subject == 7 or (not enhanced and code == 554):
        return Reason.BLOCKED
    if not enhanced and code in (550, 551, 553):
        return Reason.UNKNOWN_ADDRESS
    return Reason.REFUSED


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {one_text(text)}"[:_LONGEST]


def one_text(said: str) -> str:
    """The answer of a server, without control characters or line breaks."""
    return " ".join(_CONTROL.sub(" ", said).split())[:_LONGEST]


TIMEOUT = 15.0
SUBMISSION_PORT, ENCRYPTED_PORT = 587, 465
LONGEST_REPLY = 64 * 1024
LETTERS_PER_CONNECTION = 100
IDLE_SECONDS = 20.0
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class _Server(smtplib.SMTP):
    """The time limit is for each whole reply: a tarpit sends one character, or line, at a time."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Replies(self))
        self.until, self.left = time.monotonic() + self.timeout, LONGEST_REPLY
        try:
            return super().getreply()
        finally:
            if self.sock is not None:
                self.sock.settimeout(self.timeout)


class _EncryptedServer(_Server, smtplib.SMTP_SSL):
    pass


class _Replies(io.RawIOBase):
    def __init__(self, server: _Server) -> None:
        self._server = server

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        server = self._server
        seconds = server.until - time.monotonic()
        if seconds <= 0 or server.left <= 0 or server.sock is None:
            raise TimeoutError
        server.sock.settimeout(seconds)
        received = server.sock.recv_into(buffer)
        server.left -= received
        return received


@dataclass
class _Line:
    """An open connection, the number of e-mails sent on it, and the time of the last."""

    server: smtplib.SMTP
    letters: int = 0
    used_at: float = 0.0


class SmtpMailer:
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…` (TLS from the start).

    Connections stay open for further e-mails; `ca_file` is for a server with a certificate not signed by a
    public authority. Where `is_demo`, only reserved addresses are written to.
    """

    def __init__(
        self,
        url: str,
        *,
        sender: str,
        bounces: str = "",
        signer: DkimSigner | None = None,
        is_demo: Callable[[], bool] = lambda: False,
        ca_file: Path | None = None,
        timeout: float = TIMEOUT,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = urlsplit(url)
        self._sender, self._bounces = sender, bounces
        self._is_demo = is_demo
        self._signer = signer
        self._context = ssl.create_default_context(cafile=ca_file)
        self._timeout = timeout
        self._now = now
        self._free: list[_Line] = []
        self._lock = Lock()

    def send(self, letter: Letter) -> None:
        message = message_of(letter, sender=self._sender, bounces=self._bounces)
        if not is_reserved(message.recipient) and self._is_demo():
            raise LetterRefused(Reason.DEMO)
        if self._signer is not None:
            message = replace(message, content=self._signer.sign(message.content, message.domain))
        try:
            self._deliver(message)
        except (OSError, UnicodeError) as error:
            raise meaning_of(error) from None

    def check(self) -> None:
        """Signs in and sends nothing; raises LetterNotSent where the server does not accept us."""
        try:
            self._keep(self._line())
        except (OSError, UnicodeError) as error:
            raise meaning_of(error) from None
        self.close()

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
        """An idle connection that still answers, else a new one."""
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
            server: smtplib.SMTP = _EncryptedServer(
                host, port or ENCRYPTED_PORT, timeout=self._timeout, context=self._context
            )
        else:
            server = _Server(host, port or SUBMISSION_PORT, timeout=self._timeout)
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
        # A password is never sent in clear: without STARTTLS, sign-in fails instead. A relay on this very
        # machine has no certificate, and no network in between.
        return bool(self._parts.username) or (host not in _THIS_MACHINE and server.has_extn("starttls"))


def _hand_over(server: smtplib.SMTP, message: Message) -> None:
    server.ehlo_or_helo_if_needed()
    if message.needs_utf8 and not server.has_extn("smtputf8"):
        raise smtplib.SMTPNotSupportedError("SMTPUTF8 is needed for this address")
    options = ["SMTPUTF8", "BODY=8BITMIME"] if message.needs_utf8 else []
    wanted = []
    if message.key and server.has_extn("dsn"):
        # A report then names the message by itself, quotes no body and comes for failures only (RFC 3461).
        options += ["RET=HDRS", f"ENVID={message.key}"]
        wanted = ["NOTIFY=FAILURE"]
    server.sendmail(
        message.sender, [message.recipient], message.content, mail_options=options, rcpt_options=wanted
    )


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


@dataclass(frozen=True, eq=False)
class TerminalMailer:
    """For a service on one's own computer: prints the e-mail to the terminal where the service runs."""

    terminal: TextIO | None = None

    def send(self, letter: Letter) -> None:
        print(
            f"\n--- {one_line(letter.to)}\n    {one_line(letter.subject)}\n\n{plain_text(letter.text)}",
            file=self.terminal or sys.stderr,
            flush=True,
        )
