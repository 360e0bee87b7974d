"""A kind of promise for tests, kept as files: so many pieces to do, one line for each that was done.

Run as a program it is a worker of its own, to be killed: `tally.py DATABASE_URL SECRETS FOLDER [SHAPE]`.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from app.container import Process
from app.jobs.kinds import JobType
from app.jobs.worker import Worker
from app.settings import Settings


class Tally:
    """`NAME.todo` holds how many pieces there are; `NAME.done` gets a line for each, with the process that did it."""

    def __init__(self, folder: Path, *, hang_at: int | None = None) -> None:
        self.folder = folder
        self.hang_at = hang_at

    def enqueue(self, pieces: int) -> uuid.UUID:
        row_id = uuid.uuid4()
        (self.folder / f"{row_id}.todo").write_text(str(pieces))
        return row_id

    def done(self, row_id: uuid.UUID) -> list[str]:
        path = self.folder / f"{row_id}.done"
        return path.read_text().split() if path.exists() else []

    def due(self, _process: Process) -> Sequence[uuid.UUID]:
        return [
            row_id
            for path in sorted(self.folder.glob("*.todo"))
            if len(self.done(row_id := uuid.UUID(path.stem))) < int(path.read_text())
        ]

    def perform(self, _process: Process, row_id: uuid.UUID) -> bool:
        pieces, before = int((self.folder / f"{row_id}.todo").read_text()), len(self.done(row_id))
        if before == self.hang_at:
            (self.folder / "hanging").touch()
            threading.Event().wait()
        if before < pieces:
            with (self.folder / f"{row_id}.done").open("a") as file:
                file.write(f"{os.getpid()}\n")
        return before + 1 < pieces

    def kind(self) -> JobType:
        return JobType("tally", self.due, self.perform)


def process_on(database_url: str, secrets: Path) -> Process:
    return Process(Settings(database_url=database_url, development_dir=secrets, fetch=False))


if __name__ == "__main__":
    url, secret_folder, tally_folder, shape, hang_at = sys.argv[1:]
    tally = Tally(Path(tally_folder), hang_at=int(hang_at))
    Worker(process_on(url, Path(secret_folder)), [tally.kind()], shape=shape).start()
    threading.Event().wait()
