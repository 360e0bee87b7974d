"""The shared reference data, if present: published contexts, vectors and hostile inputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data"
SHARED_DATA = Path(os.environ.get("SCEAU_SHARED_DATA", str(_DEFAULT)))


def shared(relative: str) -> Path:
    """The path of a shared file or folder; skips the test if it is absent."""
    path = SHARED_DATA / relative
    if not path.exists():
        pytest.skip(f"shared reference data not present: {relative}")
    return path
