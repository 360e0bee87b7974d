"""From a letter to an Internet message: headers that cannot be forged, text and HTML side by side.

The header section is written here and not by the `email` package: that package reads each value before it
writes it, and up to Python 3.11.9 and 3.12.3 an encoded word inside a name comes out decoded, line breaks
included. What is written in a header here is ASCII of ours, or one encoded word after another (RFC 2047) around
what people typed; the package only writes the parts, into which no text of people goes but encoded.
"""

from __future__ import annotations

import base64
import email.policy
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage, MIMEPart
from email.utils import formatdate, make_msgid, parseaddr
from typing import cast

from app.domain.messages.letters import Letter, LetterRefused, Reason

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.+_-]")
_NOT_IN_A_LANGUAGE = re.compile(r"[^A-Za-z0-9-]")
_NOT_IN_AN_ADDRESS = re.compile(r"[^!-;=?-~]")
"""Outside of what an address (RFC 3986) may hold in a header between `<` and `>`."""
_PLAIN = re.compile(r"[ A-Za-z0-9!#$%&'*+/=?^_`{|}~.,:;()@-]*")
"""ASCII that a subject may show as it is; of a name, only letters, digits and what no address list needs."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9' -]*")
_LONGEST_HEADER_TEXT = 200
_LONGEST_PLAIN = 60
_BYTES_IN_A_WORD = 42
"""An encoded word has at most 75 characters: 12 around it, and 4 for each 3 bytes."""
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 253


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
    """What a mail server is given: the two addresses of the envelope, and the bytes between."""

    sender: str
    recipient: str
    content: bytes

    @property
    def needs_utf8(self) -> bool:
        """Whether an address holds more than ASCII (RFC 6531)."""
        return not (self.sender.isascii() and self.recipient.isascii())


def message_of(letter: Letter, *, sender: str) -> Message:
    """Raises LetterRefused where the address is none."""
    service = mailbox_of(sender, letter.sender_name or parseaddr(sender)[0])
    to = mailbox_of(letter.to, letter.to_name)
    headers = {
        "From": service.header(),
        "To": to.header(),
        "Subject": encoded(one_line(letter.subject), _PLAIN),
        "Date": formatdate(localtime=True),
        "Message-ID": _message_id(letter.key, service.domain),
        # Programs that answer by themselves stay silent (RFC 3834).
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
    return Message(service.address, to.address, head.encode() + _parts_of(letter).as_bytes())


def mailbox_of(written: str, name: str = "") -> Mailbox:
    """One address; whatever would make it two, or a header of its own, is refused."""
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
    # An encoded word in an address is read by some as what it encodes, line breaks included.
    if "=?" in local or "?=" in local or len(local) > _LONGEST_LOCAL or len(ascii_domain) > _LONGEST_DOMAIN:
        raise LetterRefused(Reason.BAD_ADDRESS)
    if any(not sign.isprintable() or sign in ' ,;:<>()[]"\\@?' for sign in ascii_domain):
        raise LetterRefused(Reason.BAD_ADDRESS)
    return Mailbox(f"{local}@{ascii_domain}", one_line(name))


def encoded(text: str, plain: re.Pattern[str]) -> str:
    """Text of one line for a header, as it is or in encoded words; what looks like one is encoded itself."""
    if plain.fullmatch(text) and len(text) <= _LONGEST_PLAIN and "=?" not in text and "?=" not in text:
        return text
    return "\r\n ".join(
        f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in _pieces(text, _BYTES_IN_A_WORD)
    )


def _pieces(text: str, longest: int) -> Iterable[bytes]:
    """Whole characters only: each encoded word is read alone (RFC 2047, section 5)."""
    piece = b""
    for sign in text:
        more = sign.encode()
        if len(piece) + len(more) > longest:
            yield piece
            piece = b""
        piece += more
    yield piece


def one_line(text: str) -> str:
    """Text for one header: no line break, no invisible sign, not endless."""
    visible = "".join(
        " " if sign.isspace() else sign
        for sign in text
        if sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    return " ".join(visible.split())[:_LONGEST_HEADER_TEXT].rstrip()


def plain_text(text: str) -> str:
    """Text of several lines without control characters or halves of a pair."""
    lines = re.split(r"\r\n|\r|\n", text)
    return "\n".join(
        "".join(sign for sign in line if sign == "\t" or unicodedata.category(sign) not in ("Cc", "Cs"))
        for line in lines
    )


def _parts_of(letter: Letter) -> EmailMessage:
    message = EmailMessage(policy=email.policy.SMTP)
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
