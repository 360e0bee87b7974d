"""What an SMTP server's answer means for one letter: never, or not now, and why."""

from __future__ import annotations

import re
import smtplib

from app.domain.messages.letters import LetterDelayed, LetterNotSent, LetterRefused, Reason

_CONTROL = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b")
_LONGEST = 300


def meaning_of(error: Exception) -> LetterNotSent:
    """Of anything that sending may raise."""
    match error:
        case LetterNotSent():
            return error
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            code, said = next(iter(recipients.values()))
            return _answer(code, said)
        case smtplib.SMTPDataError(smtp_code=code, smtp_error=said):
            return _answer(code, said)
        case smtplib.SMTPNotSupportedError():
            # The library says which extension is missing in its own fixed words.
            if "SMTPUTF8" in str(error):
                return LetterRefused(Reason.NOT_ASCII)
            return LetterDelayed(Reason.OUR_SERVER, "STARTTLS or AUTH is not offered")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            # Greeting, sign-in or our own sender: nothing that the reader's address could change.
            return LetterDelayed(Reason.OUR_SERVER, _words(code, said))
        case UnicodeError():
            return LetterRefused(Reason.NOT_ASCII)
        case _:
            return LetterDelayed(Reason.NO_ANSWER, type(error).__name__)


def _answer(code: int, said: bytes | str) -> LetterNotSent:
    words = _words(code, said)
    if 400 <= code < 500:
        return LetterDelayed(Reason.LATER, words)
    return LetterRefused(_reason(code, words), words)


def _reason(code: int, words: str) -> Reason:
    """The enhanced code (RFC 3463) where there is one, else what the plain one usually means."""
    enhanced = _ENHANCED.search(words)
    subject, detail = (int(enhanced[1]), int(enhanced[2])) if enhanced else (0, 0)
    if (subject, detail) in ((1, 1), (1, 2), (1, 3), (1, 10), (2, 1)):
        return Reason.UNKNOWN_ADDRESS
    if (subject, detail) == (2, 2) or (not enhanced and code == 552):
        return Reason.MAILBOX_FULL
    if subject == 7 or (not enhanced and code == 554):
        return Reason.BLOCKED
    if not enhanced and code in (550, 551, 553):
        return Reason.UNKNOWN_ADDRESS
    return Reason.REFUSED


def _words(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(_CONTROL.sub(' ', text).split())}"[:_LONGEST]
