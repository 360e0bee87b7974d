"""A worker alone in its process, until it is told to stop."""

from __future__ import annotations

import signal
import threading

from app.container import Process
from app.container.memory import collect_rarely
from app.jobs.worker import Worker


def work(process: Process) -> None:
    """Carry out promises until SIGTERM or Ctrl+C."""
    told_to_stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told_to_stop.set())
    worker = Worker(process)
    worker.start()
    collect_rarely()
    told_to_stop.wait()
    worker.stop()
    process.engine.dispose()
