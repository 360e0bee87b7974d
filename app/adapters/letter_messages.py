"""From a letter to an Internet message: headers that cannot be forged, text and HTML side by side."""

from __future__ import annotations

import email.policy
import re
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.utils import localtime, make_msgid, parseaddr
from typing import cast

from app.domain.letters import Letter, LetterRefused, Reason

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.+_-]")
_LONGEST_HEADER_TEXT = 200


def message_of(letter: Letter, *, sender: str) -> EmailMessage:
    """Raises LetterRefused where the address is none."""
    message = EmailMessage(policy=email.policy.SMTP)
    service = address_of(sender)
    message["From"] = address_of(sender, letter.sender_name or parseaddr(sender)[0])
    message["To"] = address_of(letter.to, letter.to_name)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = localtime()
    message["Message-ID"] = _message_id(letter.key, service.domain)
    # Programs that answer by themselves stay silent (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    if letter.reply_to:
        message["Reply-To"] = address_of(letter.reply_to)
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{one_line(letter.unsubscribe_url)}>"
        # One click, without a page in between (RFC 8058).
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _fill(message, letter)
    if letter.language:
        # Only now: headers named Content-… that were there before go into the first part.
        message["Content-Language"] = _NOT_IN_AN_ID.sub("", letter.language)
    return message


def _fill(message: EmailMessage, letter: Letter) -> None:
    message.set_content(letter.text)
    if letter.html:
        _fill_with_html(message, letter)
    for file in letter.files:
        message.add_attachment(file.body, "application", "json", filename=one_line(file.name))


def _fill_with_html(message: EmailMessage, letter: Letter) -> None:
    message.add_alternative(letter.html, subtype="html")
    parts = cast("list[MIMEPart]", message.get_payload())
    for picture in letter.pictures:
        name = _NOT_IN_AN_ID.sub("", picture.name)
        parts[-1].add_related(
            picture.png, "image", "png", cid=f"<{name}>", disposition="inline", filename=f"{name}.png"
        )


def _message_id(key: str, domain: str) -> str:
    return f"<{_NOT_IN_AN_ID.sub('-', key)}@{domain}>" if key else make_msgid(domain=domain)


def address_of(written: str, name: str = "") -> Address:
    """One address; whatever would make it two, or a header of its own, is refused."""
    plain = parseaddr(written)[1] if "<" in written else written.strip()
    local, at, domain = plain.rpartition("@")
    if not (at and local and domain) or any(
        sign in ' ,;:<>()[]"\\' or not sign.isprintable() for sign in plain
    ):
        raise LetterRefused(Reason.BAD_ADDRESS)
    try:
        ascii_domain = domain.encode("idna").decode()
        return Address(one_line(name), username=local, domain=ascii_domain)
    except (UnicodeError, ValueError, IndexError) as error:
        raise LetterRefused(Reason.BAD_ADDRESS) from error


def one_line(text: str) -> str:
    """Text for one header: no line break, no invisible sign, not endless."""
    visible = "".join(
        " " if sign.isspace() else sign
        for sign in text
        if sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    return " ".join(visible.split(" ")).strip()[:_LONGEST_HEADER_TEXT]
