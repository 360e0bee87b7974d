"""Hand each service the stores, keys and clock it works with; a unit of work is one transaction."""

from app.wiring.commands import documents_in, make_kek
from app.wiring.process import CANNOT_START, DatabaseUnreachable, Process, utc_now
from app.wiring.services import Services

__all__ = [
    "CANNOT_START",
    "DatabaseUnreachable",
    "Process",
    "Services",
    "documents_in",
    "make_kek",
    "utc_now",
]
