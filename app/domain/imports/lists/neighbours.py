"""People whom the lines around them set apart: a title over one, a label before one, a remark below one, headers of a message."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from app.domain.imports.lists.mentions import mentions_in
from app.domain.imports.lists.model import Reason
from app.domain.imports.lists.names import fold, may_be_given
from app.domain.imports.lists.remarks import announces_participants, is_plain_label, section_status, status_in
from app.domain.imports.lists.suspicion import Candidate, common_word_in
from app.domain.imports.lists.wording import LABELS, LEADERS, OTHER_PARTS, PARTICIPANTS


def doubt_neighbours(lines: Sequence[Candidate], *, is_text: bool) -> None:
    _doubt_only_one_under(lines)
    _doubt_labelled(lines)
    if is_text:
        _doubt_signature(lines)
        _doubt_above(lines)
        _doubt_recipients(lines)


def doubt_not_among_present(people: Sequence[Candidate]) -> None:
    """Where some stand under « Présents », the others were perhaps invited only."""
    if any(one.is_of_present and not one.line.doubts for one in people):
        for one in people:
            if not one.is_of_present:
                one.line = one.line.doubting(Reason.UNTICKED)


def _doubt_recipients(lines: Sequence[Candidate]) -> None:
    """Of a message that names people in its text, whom it was sent to is no participant yet."""
    is_to = [fold(one.line.text.partition(":")[0]) in LABELS["to"] and ":" in one.line.text for one in lines]
    last = max((one.line.line for one, found in zip(lines, is_to, strict=True) if found), default=0)
    below = sum(one.is_person and not one.line.doubts and one.line.line > last for one in lines)
    for one, found in zip(lines, is_to, strict=True):
        if found and one.is_person and below > 1:
            one.line = one.line.doubting(Reason.MAYBE_TITLE)


def _doubt_signature(lines: Sequence[Candidate]) -> None:
    """A name alone at the end of a message may be its writer's."""
    if len(lines) < 2 or not any(
        one.line.doubts and one.line.doubts[0].reason is Reason.SENTENCE for one in lines
    ):
        return
    last, before = lines[-1], lines[-2]
    if last.is_person and (not before.is_person or last.line.line > before.line.line + 1):
        last.line = last.line.doubting(Reason.MAYBE_TITLE)


def _doubt_only_one_under(lines: Sequence[Candidate]) -> None:
    """« Technicienne », and below it one name before a gap: whatever the title means, it sets this person apart."""
    if sum(one.is_person and not _stands_over(one) for one in lines) < 3:
        return
    series = Counter(fold(one.line.text).split(" ")[0] for one in lines if _stands_over(one))
    for index, title in enumerate(lines[:-1]):
        below = lines[index + 1]
        after = lines[index + 2] if index + 2 < len(lines) else None
        if (
            _stands_over(title)
            and series[fold(title.line.text).split(" ")[0]] < 2
            and below.is_person
            and not _stands_over(below)
            and 0 < below.line.line - title.line.line < 3
            and (
                after is None
                or not after.is_person
                or _stands_over(after)
                or after.line.line > below.line.line + 1
            )
        ):
            below.line = below.line.doubting(Reason.UNDER, title.line.text)


def _stands_over(one: Candidate) -> bool:
    """A row that may be a title over others, and is none of a group or of participants."""
    text = one.line.text
    reasons = {doubt.reason for doubt in one.line.doubts}
    bare = text.strip(" ;:|\t")
    if one.is_person:
        name = one.whole or one.line.name
        is_title = (
            not one.line.address
            and (len(name.split()) < 2 or Reason.MAYBE_TITLE in reasons or bool(common_word_in(name)))
            and not any(map(may_be_given, name.split()))
        )
    else:
        is_title = bool(reasons & {Reason.TITLE, Reason.SIGNATURE, Reason.SENTENCE})
    return (
        is_title
        and 0 < len(bare.split()) < 7
        and not re.search(r"[;|:]\s*\S|\t\s*\S|\d", bare)
        and not is_plain_label(bare)
        and not announces_participants(bare)
        and not section_status(bare)[0]
    )


_NAMING = frozenset(("nom", "prenom", "noms", "prenoms", "a", "to", "pour", "destinataires"))


def _doubt_labelled(lines: Sequence[Candidate]) -> None:
    """« Équipe : Léa Petit » among names without such a label."""
    for one in lines:
        label, colon, rest = one.line.text.partition(":")
        words = fold(label).split()
        if (
            colon
            and one.is_person
            and "\n" not in one.line.text
            and 0 < len(words) < 5
            and "@" not in rest
            and not rest.startswith("//")
            and not any(map(str.isdigit, label))
            and not set(words) & (_NAMING | PARTICIPANTS)
            and not section_status(label)[0]
            and sum(other.is_person and other.line.line == one.line.line for other in lines) == 1
            and not mentions_in(label)
        ):
            one.line = one.line.doubting(Reason.EXTRA, label)


def _doubt_above(lines: Sequence[Candidate]) -> None:
    """« organisateur », « absente » alone in a line may be about the person above."""
    for one, below in pairwise(lines):
        text = below.line.text
        words = fold(text).split()
        if (
            one.is_person
            and below.line.line == one.line.line + 1
            and words
            and re.fullmatch(r"\(.*\)", text.strip())
        ):
            # « (remplacée par Paul Roux) »
            one.line = one.line.doubting(Reason.MENTIONED, line=below.line.line)
        if (
            one.is_person
            and below.line.line == one.line.line + 1
            and 0 < len(words) < 4
            and not text.rstrip().endswith(":")
            and not mentions_in(text)
            and (status_in(text) or set(words) & (LEADERS | OTHER_PARTS | _OPTIONAL))
            and not words[0].endswith("s")
            and words[0] != "liste"
        ):
            one.line = one.line.doubting(Reason.MENTIONED, line=below.line.line)


_OPTIONAL = frozenset(("facultatif", "facultative", "optional", "non", "peut", "provisoire"))
