"""Limits on CPU time and peak memory of a call."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

MOST_SECONDS = 1.0
MOST_BYTES = 64 * 1024 * 1024


def bounded(call: Callable[[], Answer]) -> Answer:
    """The result of `call`; fails above one second of CPU time (if slow, the best of three more runs) or 64 MiB."""
    seconds = _seconds(call)
    if seconds >= MOST_SECONDS:
        seconds = min(_seconds(call) for _ in range(3))
    tracemalloc.start()
    try:
        answer = call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds < MOST_SECONDS, f"took {seconds:.2f} seconds"
    assert peak < MOST_BYTES, f"took {peak >> 20} MiB"
    return answer


def _seconds(call: Callable[[], object]) -> float:
    begun = time.thread_time()
    call()
    return time.thread_time() - begun
