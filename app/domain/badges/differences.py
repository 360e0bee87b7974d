"""Two versions of a badge compared, field by field, so that anybody can read what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from babel.numbers import format_decimal

from app.domain.badges.badges import BadgeVersion
from app.domain.badges.readiness import split_criteria
from app.domain.badges.rule_words import rule_words
from app.domain.badges.rules import rule_of
from app.language import current_locale


class Part(StrEnum):
    """What may differ between two versions; in the order in which one reads a badge."""

    KIND = "kind"
    NAME = "name"
    DESCRIPTION = "description"
    CRITERIA = "criteria"
    JUDGING = "judging"
    COMPETENCIES = "competencies"
    ALIGNMENTS = "alignments"
    REQUIRED_HOURS = "required_hours"
    RULE = "rule"
    VALIDITY = "validity"
    TAGS = "tags"
    LANGUAGE = "language"
    ALTERNATIVE = "alternative"
    COLOURS = "colours"
    EMBLEM = "emblem"


PROSE = frozenset({Part.NAME, Part.DESCRIPTION, Part.CRITERIA, Part.JUDGING, Part.ALTERNATIVE})
"""Texts, which are also compared word by word."""

Content = dict[Part, tuple[str, ...]]
"""What a version says, each part as a list of lines."""


class Stay(StrEnum):
    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class Piece:
    """A run of words that stayed, went or came."""

    stay: Stay
    text: str


@dataclass(frozen=True)
class Difference:
    part: Part
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def removed(self) -> list[str]:
        return [line for line in self.before if line not in self.after]

    @property
    def added(self) -> list[str]:
        return [line for line in self.after if line not in self.before]

    @property
    def pieces(self) -> list[Piece]:
        """The text of before turned into the text of after, word by word."""
        return word_differences("\n".join(self.before), "\n".join(self.after))


def content_of(version: BadgeVersion, competencies: Sequence[str]) -> Content:
    """`competencies` are said in words by whoever knows them."""
    own_colours = version.hue is not None or version.liveliness is not None
    criteria, judging = split_criteria(version.criteria)
    return {
        Part.KIND: (version.kind.value,),
        Part.NAME: (version.name,),
        Part.DESCRIPTION: _lines(version.description),
        Part.CRITERIA: _lines(criteria),
        Part.JUDGING: _lines(judging),
        Part.COMPETENCIES: tuple(competencies),
        Part.ALIGNMENTS: tuple(f"{each['code']} {each['name']}" for each in version.alignments),
        Part.REQUIRED_HOURS: (format_decimal(version.required_hours, locale=current_locale()),)
        if version.required_hours
        else (),
        Part.RULE: (rule_words(rule),) if (rule := rule_of(version.rule)) else (),
        Part.VALIDITY: (str(version.validity_days),) if version.validity_days else (),
        Part.TAGS: tuple(version.tags),
        Part.LANGUAGE: (version.language,),
        Part.ALTERNATIVE: _lines(version.alternative),
        Part.COLOURS: (f"{version.hue or 0:g} / {version.liveliness or 0:g}",) if own_colours else (),
        Part.EMBLEM: _lines(version.emblem),
    }


def differences(before: Content, after: Content) -> list[Difference]:
    """Every part that is not the same, and no other."""
    return [
        Difference(part, before.get(part, ()), after.get(part, ()))
        for part in Part
        if before.get(part, ()) != after.get(part, ())
    ]


def word_differences(before: str, after: str) -> list[Piece]:
    """Runs of words: what is kept or removed makes up `before`, what is kept or added makes up `after`.

    Between two changes a mere space or comma is no rest for the reader: it goes and comes with them.
    """
    old, new = _words(before), _words(after)
    pieces: list[Piece] = []
    gone = come = ""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (deed, first, last, start, end) in enumerate(codes, 1):
        was, is_now = "".join(old[first:last]), "".join(new[start:end])
        if deed != "equal" or ((gone or come) and number < len(codes) and not _is_rest(was)):
            gone, come = gone + was, come + is_now
            continue
        pieces += _changed(gone, come)
        pieces.append(Piece(Stay.KEPT, was))
        gone = come = ""
    return pieces + _changed(gone, come)


def _changed(gone: str, come: str) -> list[Piece]:
    return [Piece(stay, text) for stay, text in ((Stay.REMOVED, gone), (Stay.ADDED, come)) if text]


def _is_rest(kept: str) -> bool:
    """Whether what stayed between two changes is worth reading: a word, or the end of a line."""
    return "\n" in kept or any(each.isalnum() for each in kept)


def _words(text: str) -> list[str]:
    """« l’ » is a word of its own: it goes or stays whole, and never lends its apostrophe to another."""
    return re.findall(r"\w+[’']?|\s+|[^\w\s]", text)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())
