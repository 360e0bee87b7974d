"""Requirements on every credential before a key is used, beyond what the model enforces.

A lint takes the draft and returns a finding, or None. Its function's name is its code.
"""

from __future__ import annotations

from datetime import datetime

from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints import shape, wording
from sceau_credentials.issuing.lints import shape as keys
from sceau_credentials.issuing.lints import shape as people
from sceau_credentials.issuing.lints.shape import Lint
from sceau_credentials.keys import Signer
from sceau_credentials.values import JsonObject

LINTS: tuple[Lint, ...] = (
    *shape.LINTS,
    *wording.LINTS,
    *shape.TIME_LINTS,
    *people.PEOPLE_LINTS,
    *shape.STATUS_LINTS,
    *keys.KEY_LINTS,
)


def text_faults_of(document: JsonObject, *, signer: Signer, at: datetime) -> dict[str, str]:
    """`faults_of`, for an endorsement, a label or a trust list: the lints that apply to any signed text."""
    draft = Draft(document, signer=signer, jwt_signer=signer, at=at)
    return _found_by(wording.TEXT_LINTS, draft)


def faults_of(draft: Draft) -> dict[str, str]:
    """The findings by lint; empty for a good draft."""
    return _found_by(LINTS, draft)


def faults_of_another(draft: Draft) -> dict[str, str]:
    """`faults_of`, for a draft that may differ only in its dates from one without fault."""
    return _found_by(shape.TIME_LINTS, draft)


def _found_by(lints: tuple[Lint, ...], draft: Draft) -> dict[str, str]:
    answers = [(lint.__name__, lint(draft)) for lint in lints]
    return {name: fault for name, fault in answers if fault is not None}
