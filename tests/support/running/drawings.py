"""Caches drawn pictures for all workers: 600 pixels take 75 ms, and as much again for the palette."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from app.adapters import badge_pictures

FOLDER_VARIABLE = "SCEAU_TEST_DRAWN"
DRAW_THEMSELVES = "tests/app/adapters/"
"""Tests of the drawing code, which run without the cache."""
_of_all_colours, _with_palette = badge_pictures._of_all_colours, badge_pictures.with_palette
_made = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    if FOLDER_VARIABLE not in os.environ:
        # xdist's workers inherit the variable.
        config.stash[_made] = Path(
            tempfile.mkdtemp(prefix="drawn-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
        )
        os.environ[FOLDER_VARIABLE] = str(config.stash[_made])


def pytest_unconfigure(config: pytest.Config) -> None:
    if (folder := config.stash.get(_made, None)) is not None:
        shutil.rmtree(folder)
        del os.environ[FOLDER_VARIABLE]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    draws = item.nodeid.startswith(DRAW_THEMSELVES)
    badge_pictures._of_all_colours = _of_all_colours if draws else _drawn
    badge_pictures.with_palette = _with_palette if draws else _palettes


def _drawn(svg: str, width: int) -> bytes:
    return _once(f"{width} {svg}".encode(), lambda: _of_all_colours(svg, width))


def _palettes(png: bytes) -> bytes:
    return _once(png, lambda: _with_palette(png))


def _once(result: bytes, draw: Callable[[], bytes]) -> bytes:
    file = Path(os.environ[FOLDER_VARIABLE], hashlib.sha256(result).hexdigest())
    try:
        return file.read_bytes()
    except FileNotFoundError:
        drawn = draw()
    beside = file.with_suffix(f".{uuid.uuid4().hex}")
    beside.write_bytes(drawn)
    beside.replace(file)
    return drawn
