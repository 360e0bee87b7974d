"""An anchor folder without write permission, and a process killed between commit and anchor."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.adapters.folders.recovery_files import alone_in
from app.domain.awards import AwardState, Visibility
from tests.support.app import COMMAND, App
from tests.support.content.restores import (
    ADA,
    REASON,
    ROOF,
    award_row,
    bit,
    choose,
    given,
    place_of,
    withdraw,
)
from tests.support.databases.copies import Backup, drop_copies


@pytest.fixture(autouse=True)
def copies_dropped() -> Iterator[None]:
    yield
    drop_copies()


def read_only(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Simulate a file system that is mounted read-only, which stops root as well."""
    opened, made = os.open, os.mkdir

    def refuse(path: object) -> None:
        if isinstance(path, str | Path) and Path(path).is_relative_to(folder):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def open_(path: Any, flags: int, *args: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refuse(path)
        return opened(path, flags, *args, **named)

    def mkdir(path: Any, *args: Any, **named: Any) -> None:
        refuse(path)
        made(path, *args, **named)

    patch.setattr(os, "open", open_)
    patch.setattr(os, "mkdir", mkdir)


def test_every_folder_of_the_anchors_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with alone_in(tmp_path / "anchors" / "journal" / "day"):
            pass
    finally:
        os.umask(before)
    folders = (tmp_path / "anchors" / "journal", tmp_path / "anchors" / "journal" / "day")
    assert [each.stat().st_mode & 0o777 for each in folders] == [0o700, 0o700]


def test_read_only_anchor_folder_stops_no_withdrawal_and_is_reported(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    r, a = given(app, ROOF), given(app, ADA)
    list_id, position = place_of(app, r)
    client, backup = app.client(), Backup(app)
    with monkeypatch.context() as disk:
        read_only(app.process.anchors.folder, disk)
        withdraw(app, r)
        choose(app, lambda services: services.awards.set_visibility(a, Visibility.CLOSED, by=COMMAND))
        ready = client.get("/health/ready")
        assert (ready.status_code, "ce disque est en lecture seule" in ready.text) == (503, True)
        assert bit(client, list_id, position)
    assert client.get("/health/ready").status_code == 200
    app.process.check()
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert award_row(copy, r).state is AwardState.REVOKED
        assert award_row(copy, a).visibility is Visibility.CLOSED


KILLED = """
import json, os, signal, sys, uuid
from datetime import datetime
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.settings import Settings
from app.container import Process
given = json.load(sys.stdin)
at, award_id = datetime.fromisoformat(given["at"]), uuid.UUID(given["award"])
process = Process(Settings(**given["settings"]), clock=lambda: at)
process.check()
with process.unit_of_work() as services:
    services.settle = lambda: os.kill(os.getpid(), signal.SIGKILL)  # the transaction stands, its anchor does not
    campus = services.stores.campuses.get_by_id(uuid.UUID(given["campus"]))
    services.status.raise_for(campus, [award_id], at=at)
    services.awards.set_visibility(award_id, Visibility.CLOSED, by=Actor.command("test"))
"""


def test_process_that_is_killed_between_commit_and_anchor_loses_no_withdrawal_and_no_choice(
    app: App,
) -> None:
    r = given(app, ROOF)
    list_id, position = place_of(app, r)
    backup = Backup(app)
    given_to = {
        "settings": app.process.settings.model_dump(mode="json"),
        "at": app.clock(),
        "award": r,
        "campus": app.campus.id,
    }
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], input=json.dumps(given_to, default=str), text=True, capture_output=True, check=False
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert app.process.anchors.list_of(list_id).signed.sequence == 1
    app.process.check()
    assert (app.process.behind, app.process.anchors.list_of(list_id).signed.sequence) == ({}, 2)
    with backup.restored() as copy:
        copy.process.put_back(copy.campus, REASON, by=COMMAND)
        assert bit(copy.client(), list_id, position)
        assert award_row(copy, r).visibility is Visibility.CLOSED
