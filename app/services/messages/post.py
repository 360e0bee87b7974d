"""Carry promised letters to the mail server: no transaction is open while the server thinks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog

from app.domain.messages.letters import LetterNotSent, Mailer
from app.services.messages.letters import LetterService

log = structlog.get_logger(__name__)


class Post:
    """Killed between the server's yes and our note of it, the same letter leaves once more under the same Message-ID."""

    def __init__(
        self, desk: Callable[[bool], AbstractContextManager[LetterService]], mailer: Mailer | None
    ) -> None:
        """`desk` opens one transaction, for reading or not."""
        self._desk = desk
        self._mailer = mailer

    def due(self) -> list[uuid.UUID]:
        """Nothing where no letter can leave: the promises wait."""
        if self._mailer is None:
            return []
        with self._desk(True) as letters:
            return letters.due()

    def send(self, envelope: uuid.UUID) -> None:
        """Safe to repeat: whoever comes second finds nothing to do."""
        if self._mailer is None:
            return
        with self._desk(False) as letters:
            outgoing = letters.take(envelope)
        if outgoing is None:
            return
        try:
            self._mailer.send(outgoing.letter)
        except LetterNotSent as trouble:
            log.warning("letter not sent", letter=str(envelope), reason=trouble.reason.value)
            with self._desk(False) as letters:
                letters.not_sent(outgoing.envelope, trouble)
            return
        with self._desk(False) as letters:
            letters.sent(outgoing.envelope)
