"""The demo's selections of ROME, ESCO and RNCP, read as an operator's import reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from app.domain.frameworks.releases import Source
from app.services.frameworks.readers import open_tables, read_esco, read_rncp, read_rome

FOLDER = Path(__file__).with_name("frameworks")


def read_registers() -> list[Source]:
    """Partial: importing a whole register later adds the rest."""
    with open_tables([FOLDER]) as tables:
        found = [
            *read_rome(tables, day=date(2025, 11, 24)),
            *read_esco(tables, "1.2.1", date(2026, 8, 1)),
            *read_rncp(tables, day=date(2026, 11, 1)),
        ]
    for source in found:
        source.is_partial = True
    return found
