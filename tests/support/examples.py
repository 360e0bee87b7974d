"""How many examples Hypothesis makes up for a property: ten times as many in `make test-long`."""

from __future__ import annotations

import os

_TIMES = 10 if os.environ.get("SCEAU_TEST_LONG") else 1


def examples(everyday: int) -> int:
    return everyday * _TIMES
