"""Every kind of promise there is."""

from __future__ import annotations

from app.worker.letters import LETTERS, REMINDERS
from app.worker.promises import Kind

KINDS: tuple[Kind, ...] = (LETTERS, REMINDERS)
