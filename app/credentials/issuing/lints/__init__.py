"""What every credential must be before a key touches it, beyond what the model can hold.

A lint looks at the draft and answers with what is wrong, or with nothing. Its function's name is its code.
"""

from __future__ import annotations

from app.credentials.issuing.draft import Draft
from app.credentials.issuing.lints import keys, people, shape, status, times, wording
from app.credentials.issuing.lints.shape import Lint

LINTS: tuple[Lint, ...] = (
    *shape.LINTS,
    *wording.LINTS,
    *times.LINTS,
    *people.LINTS,
    *status.LINTS,
    *keys.LINTS,
)


def faults_of(draft: Draft) -> dict[str, str]:
    """Each lint that found something, with what it found."""
    answers = ((lint.__name__, lint(draft)) for lint in LINTS)
    return {name: fault for name, fault in answers if fault is not None}
