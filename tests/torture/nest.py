"""`python -m tests.torture.nest`: has the program read once, and hatches real `sceau` processes from it by fork.

One line of JSON for each: {"argv": [...], "env": {...}, "log": "path"}; the answer is its process number.
Reading the program takes seconds of a processor; somebody who kills hundreds of processes would mostly measure that.
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
    import app.main  # noqa: F401 - read here so that nobody who is hatched has to

    gc.freeze()
    gc.enable()
    alive: set[int] = set()
    # Nobody may stay behind as a zombie: workers ask the system which of them still run.
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
    """The rest of the process's life is that of the `sceau` command."""
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
