"""Delivery status notifications (RFC 3464): which message came back, and why."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from itertools import islice

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
        raise NotAReport
    keys = tuple(islice(dict.fromkeys(_keys(report, parts, blocks, head)), _MOST_KEYS))
    failed = (block for block in blocks if _field(block, "action").casefold() == "failed")
    return [Bounce(keys, *_cause(block)) for block in islice(failed, _MOST_PARTS)]


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
    if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
        payload = part.get_payload()
        if isinstance(payload, list):
            yield from (block for block in payload if isinstance(block, Message))


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
    found = [*_STATUS.findall(said), summary[0] if summary else ""]
    status = next((each for each in found if each and not each.endswith(".0.0")), "")
    code = re.search(r"\b[45]\d\d\b", said)
    if status in _NO_SUCH_HOST:
        reason = Reason.UNKNOWN_ADDRESS
    elif status.startswith("4.4."):
        reason = Reason.NO_ANSWER
    else:
        reason = reason_of(int(code[0]) if code else 0, status)
    return reason, said or status
