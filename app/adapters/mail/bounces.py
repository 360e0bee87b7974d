"""Reports of undelivered mail: which message came back, and why.

Delivery status notifications (RFC 3464), and the plain texts of qmail and of older Exim servers.
"""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from itertools import islice
from typing import Final

from app.adapters.mail import one_text, reason_of
from app.domain.messages import Reason

LONGEST = 200_000
"""Bytes read of one report. What it reports comes first; the message that it quotes may be longer."""
_MOST_KEYS = 20
_MOST_PARTS = 50
_LONGEST_TYPE = 10_000
_TYPES = re.compile(rb"^content-type:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)
"""`Content-Type` headers with their folded lines, of every part."""
_KEY = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{20}")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_NO_SUCH_HOST = ("5.4.4", "5.4.310")


class NotAReport(ValueError):
    """The message reports no delivery: an answer, an absence, a complaint."""


@dataclass(frozen=True)
class Bounce:
    """`keys`: everything in the report that may be the key of a message of ours, the likeliest first."""

    keys: tuple[str, ...]
    reason: Reason
    server_said: str


def read_bounces(content: bytes) -> list[Bounce]:
    """The failed deliveries of a report; empty for a delay or a success. Raises NotAReport."""
    head = content[:LONGEST]
    _check_parsable(head)
    try:
        report = email.message_from_bytes(head, policy=email.policy.compat32)
    except RecursionError as error:
        raise NotAReport from error
    parts = _parts(report)
    blocks = [block for part in parts for block in _status_blocks(part)]
    if report.get_content_type() != "multipart/report" or not blocks:
        return _in_plain_text(report, head)
    keys = tuple(islice(dict.fromkeys(_keys(report, parts, blocks, head)), _MOST_KEYS))
    failed = (block for block in blocks if _field(block, "action").casefold() == "failed")
    return [Bounce(keys, *_cause(block)) for block in islice(failed, _MOST_PARTS)]


def _in_plain_text(report: Message, head: bytes) -> list[Bounce]:
    """Only what begins as these servers begin: an answer of a person may quote such a text."""
    payload = report.get_payload(decode=True)
    if report.get_content_type() != "text/plain" or not isinstance(payload, bytes):
        raise NotAReport
    text = payload.decode("utf-8", "replace").replace("\r\n", "\n").lstrip()
    is_exim = bool(_field(report, "x-failed-recipients"))
    found = (_OF_EXIM if is_exim else _OF_QMAIL).match(text)
    if found is None:
        raise NotAReport
    keys = tuple(islice(dict.fromkeys(_KEY.findall(head.decode("latin-1"))), _MOST_KEYS))
    said = one_text(found["said"])
    return [Bounce(keys, _reason_of(said, ""), said)]


_OF_QMAIL: Final = re.compile(
    r"Hi\. This is the [^\n]{1,300}\n(?:[^\n]{1,300}\n){0,4}\n<[^\n]{1,300}>:\n(?P<said>(?:[^\n]{1,1000}\n){1,20})"
)
_OF_EXIM: Final = re.compile(
    r"This message was created automatically by mail delivery software\.\n\n"
    r"(?:[^\n]{1,300}\n){1,4}\n {1,8}[^ \n]{1,300}\n(?P<said>(?: {1,8}[^\n]{1,1000}\n){1,20})"
)
"""After their first paragraphs, the first address that failed and the reason."""


def _check_parsable(head: bytes) -> None:
    """The parser's time grows with the square of a `Content-Type`, and with the depth of parts in parts."""
    types = list(_TYPES.finditer(head))
    if len(types) > _MOST_PARTS or any(len(each[0]) > _LONGEST_TYPE for each in types):
        raise NotAReport


def _parts(message: Message) -> list[Message]:
    found: list[Message] = []
    waiting = [message]
    while waiting and len(found) < _MOST_PARTS:
        part = waiting.pop(0)
        found.append(part)
        payload = part.get_payload()
        # The blocks of a status are parts too, but not of the message; a quoted message is not a report.
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [each for each in payload if isinstance(each, Message)]
    return found


def _status_blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if part.get_content_type() not in _STATUS_TYPES or not isinstance(payload, list):
        return
    blocks = [block for block in payload if isinstance(block, Message)]
    if _field(part, "content-transfer-encoding").casefold() == "base64":
        # The parser took the encoded text for a block.
        encoded = "".join(str(block.get_payload()) for block in blocks)
        with contextlib.suppress(ValueError):
            plain = b"Content-Type: message/delivery-status\n\n" + base64.b64decode(encoded)
            blocks = email.message_from_bytes(plain, policy=email.policy.compat32).get_payload()  # type: ignore[assignment]
    yield from blocks


def _keys(report: Message, parts: list[Message], blocks: list[Message], content: bytes) -> Iterator[str]:
    """The envelope that we named (RFC 3461), the identifier of the quoted message, then wherever one is."""
    for block in blocks:
        yield from _KEY.findall(_field(block, "original-envelope-id"))
    for part in parts:
        payload = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
            for quoted in payload:
                if isinstance(quoted, Message):
                    yield from _KEY.findall(_field(quoted, "message-id"))
    for name in ("in-reply-to", "references"):
        yield from _KEY.findall(_field(report, name))
    yield from _KEY.findall(content.decode("latin-1"))


def _field(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()


def _cause(block: Message) -> tuple[Reason, str]:
    """The remote server's own answer is more exact than the status of the server that reports."""
    said = one_text(_field(block, "diagnostic-code").partition(";")[2])
    summary = _STATUS.search(_field(block, "status"))
    reported = summary[0] if summary else ""
    return _reason_of(said, reported), said or _exact([reported])


def _exact(statuses: list[str]) -> str:
    return next((each for each in statuses if each and not each.endswith(".0.0")), "")


def _reason_of(said: str, reported: str) -> Reason:
    status = _exact([*_STATUS.findall(said), reported])
    code = re.search(r"\b[45]\d\d\b", said)
    if status in _NO_SUCH_HOST:
        return Reason.UNKNOWN_ADDRESS
    if status.startswith("4.4."):
        return Reason.NO_ANSWER
    return reason_of(int(code[0]) if code else 0, status)
