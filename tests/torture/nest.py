"""`python -m tests.torture.nest`: imports the application once, and forks real `sceau` processes from it.

Reads one line of JSON per process: {"argv": [...], "env": {...}, "log": "path"}; answers with its process id.
Importing takes seconds of CPU time, which would dominate a run with hundreds of kills.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence


def main() -> None:
    gc.disable()
    import app.jobs.worker
    import app.main  # noqa: F401 - imported before forking

    gc.freeze()
    gc.enable()
    alive: set[int] = set()
    # Reap zombies: workers check which process ids still run.
    signal.signal(signal.SIGCHLD, lambda *_: _bury(alive))
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(wanted["argv"], wanted["env"], wanted["log"])
        alive.add(pid)
        print(pid, flush=True)
    for pid in list(alive):
        os.kill(pid, signal.SIGKILL)


def _bury(alive: set[int]) -> None:
    while alive:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        alive.discard(pid)


def _live(argv: Sequence[str], env: dict[str, str], log: str) -> None:
    """Run the `sceau` command in the forked process, then exit."""
    from app.cli.__main__ import run

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(env)
    nothing = os.open(os.devnull, os.O_RDONLY)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, file in ((0, nothing), (1, told), (2, told)):
        os.dup2(file, number)
    code = 1
    try:
        code = run(argv)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
