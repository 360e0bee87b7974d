"""Disaster recovery, per award: awards restored from the recovery journal, and everything signed verified
again."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from app.container import IntegrityRun, Process
from app.container.process import collect_rarely
from app.db.engine import session
from app.jobs.kinds import AWARDS
from bench.measuring.measure import Row
from tests.support.app import COMMAND, App, build_app

MANY = 10_000
"""Awards: different people, in bulk awards of 500. A million would take as long for each."""
_TOGETHER = 500


def run(many: int = MANY) -> list[Row]:
    collect_rarely()  # as every server process does
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        url = f"sqlite:///{folder}/database/sceau.sqlite"
        session.upgrade(url)
        app = build_app(url, Path(folder))
        app.award("P; p@exemple.fr")
        app.process.engine.dispose()
        copy = Path(folder) / "backup" / "sceau.sqlite"
        copy.parent.mkdir()
        shutil.copyfile(Path(folder) / "database" / "sceau.sqlite", copy)
        _award(app, many)
        rows = [_row("sceau check: an award, both forms", many, lambda: _check(app.process))]
        app.close()
        restored = Process(
            app.process.settings.model_copy(update={"database_url": f"sqlite:///{copy}"}),
            clock=app.clock,
        )
        restored.check()
        rows.append(_row("sceau restore: an award put back", many, lambda: _restore(restored, app)))
        restored.engine.dispose()
        return rows


def _award(app: App, many: int) -> None:
    for start in range(0, many, _TOGETHER):
        people = [f"Prénom Nom{number}; p{number}@exemple.fr" for number in range(start, start + _TOGETHER)]
        app.award(*people)
        for batch_id in AWARDS.due(app.process):
            while AWARDS.perform(app.process, batch_id):
                pass


def _check(process: Process) -> None:
    run_ = IntegrityRun(process)
    state = run_.begin(by=COMMAND)
    for each in run_.run(state):
        state = each
    assert state.fault_count == 0, state.faults


def _restore(process: Process, app: App) -> None:
    done = process.put_back(app.campus, "Mesure.", by=COMMAND)
    assert not done.reconciled
    assert not done.unregistered


def _row(name: str, many: int, work: Callable[[], None]) -> Row:
    """CPU time, of one process."""
    began = time.process_time()
    work()
    took = (time.process_time() - began) / many
    return Row(name, took * 1e6, 0.0, "µs")


if __name__ == "__main__":
    for row in run(int(sys.argv[1]) if len(sys.argv) > 1 else MANY):
        print(f"{row.name}: {row.median:.0f} µs of processor time each")
