"""The score of the reader of lists on a corpus: people right, asked about, lost; false people that are ready."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from app.domain.imports.lists.model import Line, Reading, State
from app.domain.imports.lists.vocabulary.names import fold
from app.services.imports.lists import read_list_file
from tests.lists.documents import FORMS


@dataclass(frozen=True)
class Expected:
    given: str
    family: str
    address: str
    state: str
    """`ready`, `either`: right without a touch or asked about, the former better; `ask`: never ready."""

    @property
    def key(self) -> tuple[str, str, str]:
        return fold(self.given), fold(self.family), self.address.lower()


@dataclass(frozen=True)
class Entry:
    name: str
    data: bytes
    people: list[Expected]


@dataclass
class Score:
    people: int = 0
    ready: int = 0
    needless: int = 0
    """Asked about although nothing is doubtful."""
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    def __add__(self, other: Score) -> Score:
        return Score(
            self.people + other.people,
            self.ready + other.ready,
            self.needless + other.needless,
            [*self.lost, *other.lost],
            [*self.false, *other.false],
        )


read_once = cache(read_list_file)


@cache
def corpus() -> tuple[Entry, ...]:
    return tuple(_entries(Path(__file__).with_name("corpus")))


def _entries(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.rglob("*.lists")):
        yield from lists_in(path)
    for path in sorted(folder.rglob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        people = [Expected(*one) for one in result["people"]]
        data = (
            FORMS[result["form"]](result["content"])
            if "form" in result
            else path.with_suffix("").read_bytes()
        )
        yield Entry(f"{path.parent.name}/{path.stem}", data, people)


def lists_in(path: Path) -> Iterator[Entry]:
    """Several lists in one file: `=== name form [encoding]`, the list, `---`, and `given|family|address|state` lines."""
    for part in path.read_text(encoding="utf-8").split("=== ")[1:]:
        head, _, body = part.partition("\n")
        name, form, *encoding = head.split()
        content, _, result = body.rpartition("---\n")
        people = [Expected(*(*line.split("|"), "ready")[:4]) for line in result.splitlines() if line]
        data = FORMS[form](_parts(content)) if form in FORMS else content.encode(*encoding)
        yield Entry(f"{path.stem}/{name}", data, people)


def _parts(content: str) -> list[dict[str, Any]]:
    """Lines with bars are rows, `* ` items, `-- ` struck out, other lines paragraphs."""
    parts: list[dict[str, Any]] = []
    for line in content.splitlines():
        if line.startswith("## "):
            parts.append({"name": line[3:], "table": []})
        elif "|" in line:
            if not parts or "table" not in parts[-1]:
                parts.append({"table": []})
            parts[-1]["table"].append([cell.strip() for cell in line.split("|")])
        elif line.startswith("* "):
            if not parts or "items" not in parts[-1]:
                parts.append({"items": []})
            parts[-1]["items"].append(line[2:])
        elif line.startswith("-- "):
            parts.append({"struck": line[3:]})
        else:
            parts.append({"text": line.removeprefix("# ")})
    return parts


def key_of(line: Line) -> tuple[str, str, str]:
    return fold(line.given_name), fold(line.family_name), line.address.lower()


def score_of(entry: Entry, reading: Reading | None = None) -> Score:
    reading = reading or read_list_file(entry.data)
    score = Score(len(entry.people))
    ready = reading.in_state(State.READY)
    asked = reading.in_state(State.ASK)
    for line in ready:
        if not any(one.key == key_of(line) and one.state in ("ready", "either") for one in entry.people):
            score.false.append(
                f"{entry.name}:{line.line} {line.given_name}|{line.family_name}|{line.address} ({line.text})"
            )
    free = list(ready)
    for one in entry.people:
        found = next((line for line in free if key_of(line) == one.key), None)
        if found:
            free.remove(found)
            score.ready += 1
            continue
        wanted = set(fold(f"{one.given} {one.family}").split()) or {fold(one.address)}
        about = next((line for line in asked if wanted <= set(fold(f"{line.text} {line.name}").split()) or (one.address and one.address.lower() == line.address)), None)  # fmt: skip
        if about is None:
            score.lost.append(f"{entry.name}: {one.given} {one.family} {one.address}")
        else:
            asked.remove(about)
            if one.state == "ready":
                score.needless += 1
    return score
