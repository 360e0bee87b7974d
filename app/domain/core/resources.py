"""Folders of files that are installed inside the package and stand beside it in the repository."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def resource_folder(name: str) -> Path:
    """`alembic` or `badge_templates`."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
