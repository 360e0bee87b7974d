"""A release of a framework as its publisher wrote it, and how it differs from what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from app.domain.frameworks import MOST_LEVELS, AssociationKind, Competency, CompetencyVersion, Framework
from app.domain.frameworks.text_search import SAME_MEANING, similarity
from app.errors import InvalidInput
from app.language import N_

LONGEST_LABEL, LONGEST_CODE, LONGEST_ADDRESS = 2000, 300, 600
_LONGEST_NAME, _LONGEST_KIND, _LONGEST_LEVEL = 60, 40, 120


class Unreadable(InvalidInput):
    """A fault in a file, with its name and line."""


@dataclass(frozen=True)
class Entry:
    """One item. None means that the source is silent about it, and what is known stays."""

    code: str
    label: str
    kind: str = "competency"
    identifier: str = ""
    parent: str | None = None
    """The code of the item above; empty at the top."""
    position: int = 0
    description: str | None = None
    other_labels: tuple[str, ...] | None = None
    levels: tuple[str, ...] | None = None
    rubric: tuple[str, ...] | None = None
    ended_on: date | None = None
    extra: Mapping[str, Any] | None = None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    """Where it was read, for the sentence about a fault."""


@dataclass(frozen=True)
class Link:
    """`origin` is the code of an item; `target` a code, "register:code" or a URI."""

    origin: str
    kind: str
    target: str
    identifier: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Source:
    """Everything that one import brings about one framework."""

    code: str
    name: str
    version: str
    published_on: date | None
    entries: list[Entry]
    links: list[Link] = field(default_factory=list)
    link_kinds: frozenset[str] = frozenset()
    """Kinds of associations that this source lists completely: others stay."""
    publisher: str = ""
    licence: str = ""
    source: str = ""
    language: str = "fr"
    description: str = ""
    identifier: str = ""
    levels: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    is_partial: bool = False
    """Items that it lacks have not ended."""
    domain_of: int = 0
    """Characters of a code that are the code of its domain, for releases that do not list domains."""
    has_positions: bool = False
    """It numbers its items; otherwise they are in the order of its rows."""
    has_order: bool = True
    """False for registers: rows in another order, or labels of an item in another order, are no change."""

    @property
    def title(self) -> str:
        return f"{self.name}, v{self.version}" if self.version else self.name


class ChangeKind(StrEnum):
    NEW = "new"
    LABEL = "label"
    MEANING = "meaning"
    ENDED = "ended"
    REPLACED = "replaced"
    BACK = "back"
    DETAIL = "detail"
    ORDER = "order"


CHANGE_LABELS = {
    ChangeKind.NEW: N_("Nouveau"),
    ChangeKind.LABEL: N_("Libellé changé"),
    ChangeKind.MEANING: N_("Sens changé"),
    ChangeKind.ENDED: N_("Éteint"),
    ChangeKind.REPLACED: N_("Remplacé"),
    ChangeKind.BACK: N_("De nouveau en vigueur"),
    ChangeKind.DETAIL: N_("Détail changé"),
    ChangeKind.ORDER: N_("Rang changé"),
}


@dataclass(frozen=True)
class Change:
    kind: ChangeKind
    code: str
    before: str
    after: str
    entry: Entry
    """As it will be stored: what the source did not mention is taken from the item."""


@dataclass
class Difference:
    """What an import changes: nothing, when it was imported before."""

    source: Source
    changes: list[Change] = field(default_factory=list)
    new_links: list[Link] = field(default_factory=list)
    gone_links: list[Link] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    """Columns of the framework that change."""

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.new_links or self.gone_links or self.metadata)

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(change.kind.value for change in self.changes)
        return {kind.value: found[kind.value] for kind in ChangeKind if found[kind.value]}


def metadata_of(source: Source) -> dict[str, Any]:
    return {
        "name": source.name[:200],
        "description": source.description[:2000],
        "identifier": source.identifier,
        "publisher": source.publisher,
        "licence": source.licence,
        "source": source.source,
        "language": source.language,
        "version": source.version,
        "published_on": source.published_on,
        "levels": list(source.levels),
        "extra": dict(source.extra),
    }


def entry_of(item: Competency, parent: str) -> Entry:
    """An item as an entry, to compare it."""
    return Entry(
        item.code,
        item.statement,
        item.kind,
        item.identifier,
        parent,
        item.position,
        item.description,
        tuple(item.other_labels),
        tuple(item.levels),
        tuple(item.rubric),
        item.ended_on,
        item.extra,
    )


def columns_of(entry: Entry) -> dict[str, Any]:
    """The columns of an item, without its framework and parent."""
    return {
        "code": entry.code,
        "statement": entry.label,
        "kind": entry.kind,
        "identifier": entry.identifier,
        "position": entry.position,
        "description": entry.description or "",
        "other_labels": list(entry.other_labels or ()),
        "levels": list(entry.levels or ()),
        "rubric": list(entry.rubric or ()),
        "ended_on": entry.ended_on,
        "extra": dict(entry.extra or {}),
    }


def content_of(entry: Entry) -> dict[str, Any]:
    """What a version of an item stores."""
    columns = columns_of(entry) | {"parent": entry.parent or ""}
    columns["ended_on"] = entry.ended_on.isoformat() if entry.ended_on else None
    return {name: value for name, value in columns.items() if value not in ("", [], {}, None, 0)}


def item_at(item: Competency, version: CompetencyVersion) -> Competency:
    """The item as that version has it; not stored."""
    content = version.content
    return Competency(
        id=item.id,
        framework_id=item.framework_id,
        code=content.get("code", item.code),
        statement=content.get("statement", item.statement),
        kind=content.get("kind", item.kind),
        levels=content.get("levels", []),
        rubric=content.get("rubric", []),
        description=content.get("description", ""),
        other_labels=content.get("other_labels", []),
        archived_at=item.archived_at,
    )


def check_source(source: Source, known: Container[str] = ()) -> None:
    """Codes are unique, texts fit, each parent is there or known; raises Unreadable with file and line."""
    for value in (source.code, source.version):
        if len(value) > _LONGEST_NAME:
            raise Unreadable(N_("« {value} » est trop long : {most} caractères au plus."), value=value[:60], most=_LONGEST_NAME)  # fmt: skip
    seen: dict[str, Entry] = {}
    for entry in source.entries:
        if not entry.code or not entry.label:
            raise _fault(source, entry, N_("{file}, ligne {line} : il faut un code et un libellé."))
        for value, most in _lengths(entry):
            _check_length(source, entry, value, most)
        if len(entry.levels or ()) > MOST_LEVELS:
            raise _fault(source, entry, N_("{file}, ligne {line} : « {code} » a plus de dix niveaux."), code=entry.code)  # fmt: skip
        if entry.code in seen:
            raise _fault(source, entry, N_("{file}, ligne {line} : le code « {value} » figure deux fois."), value=entry.code)  # fmt: skip
        seen[entry.code] = entry
    for entry in source.entries:
        if entry.parent and entry.parent not in seen and entry.parent not in known:
            raise _fault(
                source,
                entry,
                N_("{file}, ligne {line} : « {code} » est rangé sous « {value} », un code qui n’existe pas."),
                code=entry.code,
                value=entry.parent,
            )
    for link in source.links:
        if link.origin in seen:
            _check_length(source, seen[link.origin], link.target, LONGEST_ADDRESS)
    _check_tree(source, seen)


def _lengths(entry: Entry) -> list[tuple[str, int]]:
    """What is stored of it, and how long each may be."""
    return [
        (entry.code, LONGEST_CODE),
        (entry.label, LONGEST_LABEL),
        (entry.kind, _LONGEST_KIND),
        (entry.identifier, LONGEST_ADDRESS),
        *((level, _LONGEST_LEVEL) for level in entry.levels or ()),
    ]


def _check_length(source: Source, entry: Entry, value: str, most: int) -> None:
    if len(value) > most:
        sentence = N_("{file}, ligne {line} : « {value} » est trop long : {most} caractères au plus.")
        raise _fault(source, entry, sentence, value=f"{value[:40]}…", most=most)


def _fault(source: Source, entry: Entry, sentence: str, **values: object) -> Unreadable:
    """The line in its file; without one, its number among the items."""
    number = next((at for at, each in enumerate(source.entries, 1) if each is entry), 0)
    return Unreadable(sentence, file=entry.file or source.name, line=entry.line or number, **values)


def _check_tree(source: Source, entries: Mapping[str, Entry]) -> None:
    safe: set[str] = set()
    for code in entries:
        path, here = dict[str, None](), code
        while here in entries and here not in safe:
            path[here] = None
            here = entries[here].parent or ""
            if here in path:
                raise _fault(source, entries[here], N_("{file}, ligne {line} : « {code} » est rangé sous lui-même."), code=here)  # fmt: skip
        safe.update(path)


def compare(
    source: Source,
    framework: Framework | None,
    known: Mapping[str, Entry],
    links: Iterable[Link],
    *,
    today: date,
) -> Difference:
    """`known` and `links`: the items by code and the associations there are."""
    difference = Difference(source)
    fresh = metadata_of(source)
    if source.is_partial:
        fresh = {name: value for name, value in fresh.items() if value}
    before = {name: getattr(framework, name) for name in fresh} if framework else {}
    difference.metadata = {name: value for name, value in fresh.items() if before.get(name) != value}
    replaced = {link.origin for link in source.links if link.kind == AssociationKind.REPLACED}
    replaced -= {link.origin for link in links if link.kind == AssociationKind.REPLACED}
    day = source.published_on or today
    entries = source.entries if source.has_positions else _in_order_of_rows(source, known)
    for entry in entries:
        if not source.has_order:
            entry = _with_labels_in_order(entry, known.get(entry.code))
        above = entry.code[: source.domain_of]
        if entry.parent is None and above in known:
            entry = replace(entry, parent=above)
        change = _change(known.get(entry.code), entry, replaced, day)
        if change:
            difference.changes.append(change)
    if not source.is_partial:
        difference.changes += _ended(source, known, day)
    _compare_links(difference, source, links)
    return difference


def _in_order_of_rows(source: Source, known: Mapping[str, Entry]) -> Sequence[Entry]:
    """A row more or less is no change of those behind it: while known items keep their order, they keep their positions."""
    kept = [known[entry.code].position for entry in source.entries if entry.code in known]
    if not kept or (source.has_order and kept != sorted(kept)):
        return source.entries
    found, last = list[Entry](), 0
    for entry in source.entries:
        last = known[entry.code].position if entry.code in known else last
        found.append(replace(entry, position=last))
    return found


def _with_labels_in_order(entry: Entry, known: Entry | None) -> Entry:
    """With the other labels as they are known, if they are the same ones."""
    others = known.other_labels if known else None
    is_same = others is not None and sorted(others) == sorted(entry.other_labels or ())
    return replace(entry, other_labels=others) if is_same else entry


def _change(known: Entry | None, entry: Entry, replaced: set[str], day: date) -> Change | None:
    after = _completed(entry, known)
    if known is None:
        return Change(ChangeKind.NEW, entry.code, "", entry.label, after)
    if after == known:
        return None
    kind = ChangeKind.DETAIL
    if known.label != after.label:
        alike = similarity(known.label, after.label) >= SAME_MEANING
        kind = ChangeKind.LABEL if alike else ChangeKind.MEANING
    elif _has_ended(after, day) and not _has_ended(known, day):
        kind = ChangeKind.REPLACED if entry.code in replaced else ChangeKind.ENDED
    elif _has_ended(known, day) and not _has_ended(after, day):
        kind = ChangeKind.BACK
    elif replace(after, position=known.position) == known:
        kind = ChangeKind.ORDER
    return Change(kind, entry.code, known.label, after.label, after)


def _has_ended(entry: Entry, day: date) -> bool:
    return entry.ended_on is not None and entry.ended_on <= day


def _completed(entry: Entry, known: Entry | None) -> Entry:
    """With what the source does not mention, from the known item or empty."""
    blank = Entry("", "", parent="", description="", other_labels=(), levels=(), rubric=(), extra={})
    silent = known or blank
    return Entry(
        entry.code,
        entry.label,
        entry.kind,
        entry.identifier or silent.identifier,
        silent.parent if entry.parent is None else entry.parent,
        entry.position,
        silent.description if entry.description is None else entry.description,
        silent.other_labels if entry.other_labels is None else entry.other_labels,
        silent.levels if entry.levels is None else entry.levels,
        silent.rubric if entry.rubric is None else entry.rubric,
        entry.ended_on,
        silent.extra if entry.extra is None else dict(entry.extra),
    )


def _ended(source: Source, known: Mapping[str, Entry], day: date) -> list[Change]:
    """Items in force that a complete release lacks; of the kinds that it lists at all."""
    listed = {entry.code for entry in source.entries}
    kinds = {entry.kind for entry in source.entries}
    found = []
    for code, entry in known.items():
        if code in listed or entry.kind not in kinds or entry.ended_on is not None:
            continue
        after = Entry(**{**vars(entry), "ended_on": day})
        found.append(Change(ChangeKind.ENDED, code, entry.label, entry.label, after))
    return found


def _compare_links(difference: Difference, source: Source, links: Iterable[Link]) -> None:
    there = {(link.origin, link.kind, link.target): link for link in links}
    given = {(link.origin, link.kind, link.target): link for link in source.links}
    difference.new_links = [
        link
        for key, link in given.items()
        if key not in there
        or (there[key].identifier, dict(there[key].extra)) != (link.identifier, dict(link.extra))
    ]
    renewed = {(link.origin, link.kind, link.target) for link in difference.new_links}
    difference.gone_links = [
        link
        for key, link in there.items()
        if key in renewed or (key not in given and link.kind in source.link_kinds)
    ]


def sample_of(changes: Sequence[Change], kind: ChangeKind, most: int) -> list[Change]:
    return [change for change in changes if change.kind is kind][:most]
