"""Record the golden set, or compare today's with a recording: `python -m tests.golden record|compare FOLDER`."""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from pathlib import Path

from tests.golden.recording import record

_MOST_LINES = 40
"""Of the difference in one file."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("action", choices=("record", "compare"))
    parser.add_argument("folder", type=Path, nargs="?", default=Path("var/golden"))
    chosen = parser.parse_args()
    if chosen.action == "record":
        record(chosen.folder)
        return 0
    with tempfile.TemporaryDirectory() as today:
        record(Path(today))
        return compare(chosen.folder, Path(today))


def compare(before: Path, after: Path) -> int:
    """Print what differs; 1 where anything does."""
    old, new = _files(before), _files(after)
    changed = sorted(name for name in old | new if old.get(name) != new.get(name))
    for name in changed:
        difference = difflib.unified_diff(
            old.get(name, "").splitlines(),
            new.get(name, "").splitlines(),
            f"before/{name}",
            f"after/{name}",
            "",
            "",
            1,
            "",
        )
        print(*list(difference)[:_MOST_LINES], sep="\n")
    print(f"{len(changed)} of {len(old | new)} files differ", file=sys.stderr)
    return 1 if changed else 0


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


if __name__ == "__main__":
    sys.exit(main())
