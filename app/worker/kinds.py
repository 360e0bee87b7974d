"""Every kind of promise there is."""

from __future__ import annotations

from app.worker.promises import Kind

KINDS: tuple[Kind, ...] = ()
