"""Names and addresses that a page, a cell or the hand broke into two lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from app.domain.imports.lists.model import Reason
from app.domain.imports.lists.suspicion import Candidate, common_word_in
from app.domain.imports.lists.vocabulary.addresses import is_named_in
from app.domain.imports.lists.vocabulary.names import (
    Kind,
    by_capitals,
    fold,
    is_particle,
    kind_of,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.wording import ORDINAL


def join_broken(lines: Sequence[Candidate], *, is_text: bool) -> None:
    if is_text:
        _join_halves(lines)
        _doubt_broken_names(lines)
        _join_addresses(lines)
        _join_further_addresses(lines)
    _doubt_broken(lines)


def _doubt_broken(lines: Sequence[Candidate]) -> None:
    """« DE OLIVEIRA ; Marie-Lau » and below it « MARTINS ; re »: a cell that a page broke into two rows."""
    people = [one for one in lines if one.is_person]
    numbered = {id(one) for one in people if re.match(rf"\s*{ORDINAL}\s?[.)°/-]\s*\D", one.line.text)}
    apart = {
        id(one)
        for one in people
        if 2 * len(numbered) >= len(people)
        and _WORDS.fullmatch(one.line.text)
        and any(map(may_be_given, one.line.text.split()))
    }
    for at, (one, below) in enumerate(pairwise(people), 2):
        given = below.line.given_name if not below.whole else ""
        if given[:1].islower() and one.line.given_name[:1].isupper() and below.line.line - one.line.line < 3:
            one.line, below.line = one.line.doubting(Reason.SPLIT), below.line.doubting(Reason.SPLIT)
        is_hyphen = re.search(
            r"^(?!\s*-\S).*[^\W\d_]-\s*$" if one.free else r"\w[-–](?: ;|\s*$)", one.line.text
        )
        is_next = below.line.line - one.line.line
        is_cut = is_next == 1 and id(one) in numbered and id(below) in apart
        if not (is_hyphen and is_next < 3) and not is_cut:
            continue
        if is_hyphen and below.line.doubts and people[at:]:
            # The foot of a page may stand between both halves.
            people[at].line = people[at].line.doubting(Reason.SPLIT)
        one.line, below.line = one.line.doubting(Reason.SPLIT), below.line.doubting(Reason.SPLIT)
        if one.whole and below.whole and not one.line.address:
            # « 2. RASOLOFO » and below it « ANDRIANTSOA Haja »: one question
            one.whole = f"{one.whole}{'-' if is_hyphen else ' '}{below.whole}"
            one.line = replace(
                one.line, text=f"{one.line.text} ; {below.line.text}", address=below.line.address
            )
            below.line = replace(below.line, doubts=()).doubting(Reason.REPEATED, line=one.line.line)


_WORDS = re.compile(r"\s*[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)?\s*")


def _join_addresses(lines: Sequence[Candidate]) -> None:
    """A name, and on the next line an address: one person."""
    pairs = [
        (one, below)
        for one, below in pairwise(lines)
        if one.is_person
        and one.whole
        and not one.line.address
        and below.is_person
        and below.line.address
        and not below.whole
        and (not below.line.name or Reason.NO_NAME in {doubt.reason for doubt in below.line.doubts})
        and below.line.line - one.line.line in (1, 2)
    ]
    alternates = len(pairs) > 1 and 2 * len(pairs) == sum(one.is_person for one in lines)
    for one, below in pairs:
        local = fold(below.line.address.partition("@")[0]).replace(" ", "")
        fits = any(len(word) > 2 and word in local for word in fold(one.whole).split())
        if fits or alternates:
            one.line = replace(one.line, address=below.line.address)
            one.line = one.line if fits else one.line.doubting(Reason.ADDRESS_NOT_THEIRS)
            below.line = replace(below.line, doubts=()).doubting(Reason.REPEATED, line=one.line.line)


def _join_further_addresses(lines: Sequence[Candidate]) -> None:
    """« Marie Dupont marie@x.fr, m.dupont@y.fr »: the second address is hers too."""
    for one, below in pairwise(lines):
        words = one.whole.split()
        if (
            len(words) > 1
            and one.line.line == below.line.line
            and one.line.address
            and below.line.address
            and not below.whole
            and is_named_in(below.line.address, words[0], words[-1])
        ):
            others = (*one.line.other_addresses, below.line.address)
            one.line = replace(one.line, other_addresses=others).doubting(Reason.ADDRESS_SEVERAL)
            below.line = replace(below.line, doubts=()).doubting(Reason.REPEATED, line=one.line.line)


def _join_halves(lines: Sequence[Candidate]) -> None:
    """« Élodie », and below it « VAN DEN BROECK », as badges have it: one person, who is asked about."""
    pairs: list[tuple[Candidate, Candidate]] = []
    for one, below in pairwise(lines):
        halves = one.whole, below.whole
        if (
            one.is_person and below.is_person and all(halves) and not one.line.address
            and below.line.line - one.line.line < 3
            and not (pairs and pairs[-1][1] is one)
        ):  # fmt: skip
            capitals = [half.isupper() and len(half) > 1 for half in halves]
            given = halves[capitals.index(False)] if capitals.count(True) == 1 else ""
            if 0 < len(given.split()) < 3 and all(map(may_be_given, given.split())):
                pairs.append((one, below))
    for one, below in pairs if len(pairs) > 1 else ():
        one.line = one.line.doubting(Reason.MAYBE_TITLE)
        _join(one, below)


def _doubt_broken_names(lines: Sequence[Candidate]) -> None:
    """« VAN DER » above « MEERSCH Ludovic », « GARCIA » above « LOPEZ Ana », « PETIT Anne » above « Sophie »: perhaps one name."""
    people = [one for one in lines if one.free and one.whole and Reason.REPEATED not in _reasons_of(one)]
    marked = [one for one in people if by_capitals(one.whole.split())]
    for one, below in pairwise(people):
        distance = below.line.line - one.line.line
        if one.line.address or distance > _FARTHEST or _reasons_of(one) & {Reason.REPEATED}:
            continue
        above, words = one.whole.split(), below.whole.split()
        is_half = 3 * len(marked) >= 2 * (len(people) - 2) > 2 and _are_halves(one, below)
        if is_half or (0 < distance < 3 and all(map(is_particle, above)) and len(words) > 1):
            _join(one, below)
        elif distance < 3 and (
            (
                one.whole.isupper()
                and not any(map(may_be_given, above))
                and len(above) < 3
                and not below.whole.isupper()
                and words[0].isupper()
            )
            or (
                by_capitals(above)
                and not above[-1].isupper()
                and len(words) < 3
                and not below.line.address
                and all(map(_is_given_only, words))
            )
        ):
            one.line, below.line = one.line.doubting(Reason.SPLIT), below.line.doubting(Reason.SPLIT)


_FARTHEST = 6
"""Lines from one half to the other, over the foot of a page and the head of the next."""


def _are_halves(one: Candidate, below: Candidate) -> bool:
    """« N'GORAN » above « Aya Prisca », « Aya Prisca » above « N'GORAN », where other lines have both; « 4. Aya » begins anew."""
    halves = one.whole, below.whole
    is_written = [half.replace("-", "").isupper() for half in halves]
    given = halves[is_written.index(False)].split() if is_written.count(True) == 1 else []
    family = halves[is_written.index(True)].split() if given else []
    return (
        0 < len(given) < 4
        and 0 < len(family) < 4
        and not any(word.isupper() for word in given)
        and all(word[:1].isupper() or is_particle(word) for word in given)
        and not any(map(common_word_in, halves))
        and (any(map(may_be_given, given)) or len(given) == 1)
        and not re.match(rf"\s*{ORDINAL}\s?[.)°/-]", below.line.text)
    )


def _join(one: Candidate, below: Candidate) -> None:
    one.whole = f"{one.whole} {below.whole}"
    one.line = replace(one.line, text=f"{one.line.text} ; {below.line.text}", address=below.line.address)
    one.line = one.line.doubting(Reason.SPLIT)
    below.line = replace(below.line, address="", doubts=()).doubting(Reason.REPEATED, line=one.line.line)


def _is_given_only(word: str) -> bool:
    return kind_of(word) is Kind.GIVEN and not word.isupper()


def _reasons_of(one: Candidate) -> set[Reason]:
    return {doubt.reason for doubt in one.line.doubts}
