"""How long a call takes and how much memory it needs at its worst."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

MOST_SECONDS = 1.0
MOST_BYTES = 64 * 1024 * 1024


def bounded(call: Callable[[], Answer]) -> Answer:
    """The answer, had within a second of CPU time and 64 MiB; asked for twice, as watching memory takes time."""
    begun = time.process_time()
    call()
    seconds = time.process_time() - begun
    tracemalloc.start()
    try:
        answer = call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds < MOST_SECONDS, f"took {seconds:.2f} seconds"
    assert peak < MOST_BYTES, f"took {peak >> 20} MiB"
    return answer
