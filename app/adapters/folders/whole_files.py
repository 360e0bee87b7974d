"""Small private files that are there whole or not at all, whenever the power goes (I16), one writer at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def for_its_owner(path: str, flags: int) -> int:
    """Opener of a file that only its owner reads and writes (0600)."""
    return os.open(path, flags, 0o600)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else who asks so works in the folder meanwhile; it is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(folder / "lock", "w", opener=for_its_owner) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, content: bytes) -> None:
    """On disk when it returns; an interrupted write leaves what was there before."""
    new = path.with_name(f"{path.name}.new")
    with open(new, "wb", opener=for_its_owner) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names of its files are on disk when it returns."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
