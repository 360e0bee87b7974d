"""Slips of the hand: a name that was cut, mistyped or taken from another row, or two people in one row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise

from app.domain.imports.lists.doubts.marks import are_marks, unclear_numbers
from app.domain.imports.lists.model import Line, Reason
from app.domain.imports.lists.suspicion import Candidate, is_given_first, names_another
from app.domain.imports.lists.vocabulary.addresses import is_named_in
from app.domain.imports.lists.vocabulary.names import (
    Kind,
    by_capitals,
    family_names,
    fold,
    given_names,
    is_likelier_family,
    is_particle,
    is_reversed,
    is_usual_pair,
    kind_of,
    may_be_given,
    ranks_of,
)

_NUMBER = re.compile(r"\d{1,2}(?:[.,]\d{1,2})? ?%?")
"""« Marie Dupont 8 », « Marie Dupont : 50 % »: hours, a mark, or a share of presence."""
_NAMESAKE = re.compile(r"\([2-9]\)")
"""« Marie Dupont (2) »: how a second person of one name is written."""


def _doubt_numbers(people: Sequence[Candidate], *, are_timed: bool) -> None:
    names = Counter((one.line.given_name, one.line.family_name) for one in people)
    behind = [_behind(one) for one in people]
    numbers = [rest.strip(" \t:–—,()-") for rest in behind]
    written = list(filter(_NUMBER.fullmatch, numbers))
    known = not are_timed and 3 * len(written) >= 2 * len(people) and are_marks(written)
    for one, rest, number in zip(people, behind, numbers, strict=True):
        if _NAMESAKE.fullmatch(rest) and names[one.line.given_name, one.line.family_name] > 1:
            continue
        if (
            number in (unclear_numbers(written) if known else written)
            and one.line.hours is None
            and not one.line.address
        ):
            one.line = one.line.doubting(Reason.EXTRA, number)


def _behind(one: Candidate) -> str:
    text = one.line.text
    end = max((text.rfind(word) + len(word) for word in one.whole.split()), default=0)
    return text[end:].strip() if one.free and end else ""


_OF_TIME = frozenset(
    ("heures", "duree", "temps", "presence", "absence", "absences", "seances", "age", "ages")
)


def doubt_slips(lines: Sequence[Candidate]) -> None:
    people = [one for one in lines if one.is_person]
    titles = (fold(one.line.text).split() for one in lines if not one.is_person)
    _doubt_numbers(people, are_timed=any(not _OF_TIME.isdisjoint(words) for words in titles))
    named = [one for one in people if one.line.given_name and one.line.family_name]
    _doubt_halves_of_others(named)
    _doubt_several(named)
    for above, one in pairwise(named):
        # A family name that was drawn down from the row above.
        if fold(one.line.family_name) == fold(above.line.family_name) and names_another(one.line):
            one.line = one.line.doubting(Reason.ADDRESS_NOT_THEIRS)
    _doubt_narrow_column(named)
    orders = Counter(is_given_first(one.line) for one in named)
    for one in named:
        line = one.line
        if line.doubts:
            continue
        if _was_cut(line):
            one.line = line.doubting(Reason.ADDRESS_UNSURE, line.address)
        elif (
            not _spells(line, line.given_name)
            and (
                any(map(is_misspelt_given, _terms(line.given_name)))
                or _is_cut(line.given_name, given_names())
            )
        ) or (
            not re.search(r"[\s-]", line.family_name)
            and _is_cut(line.family_name, family_names())
            and not _spells(line, line.family_name)
        ):
            one.line = line.doubting(Reason.UNUSUAL)
        elif (
            kind_of(line.family_name) is Kind.GIVEN
            and ranks_of(line.given_name)[0] - ranks_of(line.family_name)[0] > 6
            and not is_particle(line.family_name.split()[0])
        ):
            # « VALÉRIE ; Kumar »
            one.line = line.doubting(Reason.SWAPPED)
        elif _is_marked(one) and is_reversed(line.given_name, line.family_name, by_case=True):
            order = is_given_first(line)
            # « THIERRY ; Marchand ; marchand.thierry@ »: the address was made of the halves as they were typed.
            is_sure = is_reversed(line.given_name, line.family_name, by_case=True, steps=_SURELY)
            if is_sure or order is None or 2 * orders[order] <= len(named):
                one.line = line.doubting(Reason.SWAPPED)


_SURELY = 7
"""Steps of two by which halves are likelier the other way round, whatever else speaks for them."""


def _joined(half: str) -> str:
    return fold(half).replace(" ", "")


def _local(line: Line) -> str:
    return re.sub(r"(?<!\d)\d++$", "", _joined(line.address.partition("@")[0]))


def _spells(line: Line, half: str) -> bool:
    """The address has all of it."""
    return bool(line.address) and all(word in _local(line) for word in fold(half).split())


def _terms(half: str) -> list[str]:
    return [word for word in re.split(r"[ -]", half) if len(word) > 2 and not is_particle(word)]


def _names(half: str) -> list[str]:
    return [word for word in half.split() if not is_particle(word)]


def _is_marked(one: Candidate) -> bool:
    """« DUPONT Marie », « DUPONT ; Marie »"""
    given, family = one.written
    return bool(by_capitals(one.whole.split())) if one.whole else (family.isupper() and not given.isupper())


def _was_cut(line: Line) -> bool:
    """`sebastienbailleul@` of Sébastien Ailleul, `lmartin@` of Léa Marti: it spells a known name, which begins or ends so."""
    local = _local(line)
    for half, other in ((line.given_name, line.family_name), (line.family_name, line.given_name)):
        own = _joined(half)
        if half is line.given_name and may_be_given(half) and not is_misspelt_given(half):
            # « Alex » of `alexandre.martin@`
            continue
        beside = (_joined(other), _joined(other)[:1]) if half is line.family_name else (_joined(other),)
        rests = {rest for each in beside for rest in (local.removeprefix(each), local.removesuffix(each))}
        for rest in rests - {local}:
            added = rest.removeprefix(own) if rest.startswith(own) else rest.removesuffix(own)
            if (
                len(own) > 1
                and 0 < len(added) < len(rest)
                and kind_of(rest) is not Kind.UNKNOWN
                # « Jean » of `jeanluc@`
                and (len(added) < 3 or kind_of(added) is Kind.UNKNOWN)
            ):
                return True
    return False


def _doubt_narrow_column(people: Sequence[Candidate]) -> None:
    """« Jocely », « Nathal », « Christ »: where no name is longer than those that were cut, any of that length may be."""
    lengths: list[tuple[bool, Callable[[Candidate], int]]] = [
        (True, lambda one: len(one.line.given_name)),
        (False, lambda one: len(one.line.family_name)),
        (True, lambda one: len(one.whole)),
    ]
    for is_given, length_of in lengths:
        longest = max(map(length_of, people), default=0)
        cut = {
            id(one)
            for one in people
            if max(longest - 1, 0 if is_given else _NARROWEST) <= length_of(one)
            and _ends_cut(one.line, is_given=is_given)
        }
        full = sum(length_of(one) == longest for one in people)
        all_may_be = len(cut) > 1 or (cut and full > 2 and longest >= _NARROWEST)
        for one in people:
            half = one.line.given_name if is_given else one.line.family_name
            is_full = id(one) in cut or (all_may_be and length_of(one) == longest)
            if longest and is_full and not one.line.doubts and not _spells(one.line, half):
                one.line = one.line.doubting(Reason.UNUSUAL)


_NARROWEST = 8
"""Letters of the narrowest column that cuts family names."""


def _ends_cut(line: Line, *, is_given: bool) -> bool:
    if is_given:
        return is_misspelt_given(line.given_name) or _is_cut(line.given_name, given_names())
    return _is_cut(line.family_name, family_names())


def _is_cut(half: str, ranks: Mapping[str, int]) -> bool:
    """« Durand-Ma », « de Carval », « Louis-So »: its last term begins a name far more usual; « Lefebvr » all of one."""
    *before, last = map(_joined, re.split(r"[\s-]+", half.strip()))
    own, usual = ranks.get(last, _RARER_THAN_ANY), _beginnings(ranks is given_names()).get(last)
    if usual is None or own <= _USUAL_GIVEN or own - usual[0] < _CUT or is_particle(last):
        return False
    if ranks is given_names():
        # Not « Thi Lan »
        head = ranks.get(before[-1], _RARER_THAN_ANY) if before else _RARER_THAN_ANY
        return own == _RARER_THAN_ANY and head < _MISSPELT - 1
    if before:
        # Not « Le Bris », « Van den Berg », « Nguyen Thi », « de La Tour »
        is_whole = before == ["le"] or own < _RARE or given_names().get(last, _RARER_THAN_ANY) <= _USUAL_GIVEN
        return not is_whole and not any("".join((*before[at:], last)) in ranks for at in range(len(before)))
    return own == _RARER_THAN_ANY and len(last) > 4 and usual[1] < 3


def _doubt_halves_of_others(people: Sequence[Candidate]) -> None:
    """« Pages ; Bernard » beside « Bernard ; Léa »: a half that is likelier the other half of another person."""
    givens = {fold(one.line.given_name) for one in people}
    families = {fold(one.line.family_name) for one in people}
    beside: dict[int, set[str]] = {id(one): set() for one in people}
    for one, other in pairwise(people):
        beside[id(one)] |= {fold(other.line.given_name), fold(other.line.family_name)}
        beside[id(other)] |= {fold(one.line.given_name), fold(one.line.family_name)}
    for one in people:
        line = one.line
        if line.doubts or is_named_in(line.address, line.given_name, line.family_name):
            continue
        for half, others, is_given in (
            (line.given_name, families, True),
            (line.family_name, givens, False),
        ):
            margin = 0 if fold(half) in beside[id(one)] else 2
            if fold(half) in others and is_likelier_family(half, margin if is_given else -margin) is is_given:
                one.line = line.doubting(Reason.UNUSUAL)


def _doubt_several(people: Sequence[Candidate]) -> None:
    """« Raphaël Aurélie ; Favreau Richard », « Jules Patrick Bernard », « Raphaël Aurélie » where few have several given names."""
    several = [one for one in people if len(_names(one.line.given_name)) > 1]
    if len(several) > 1 and 4 * len(several) >= len(people):
        return
    for one in several:
        line = one.line
        given, family = _names(line.given_name), _names(line.family_name)
        if line.doubts or not all(map(may_be_given, given)) or _spells(line, line.given_name):
            continue
        if (
            (
                len(family) > 1
                and family == line.family_name.split()
                and all(kind_of(word) is not Kind.UNKNOWN for word in family)
            )
            or (len(given) > 2 and kind_of(given[-1]) is Kind.BOTH)
            or (
                all(given_names().get(fold(word), _RARER_THAN_ANY) <= _USUAL_GIVEN for word in given)
                and not is_usual_pair(line.given_name)
            )
        ):
            one.line = line.doubting(Reason.COUPLE)


def is_misspelt_given(word: str) -> bool:
    """« Alexandr », « Mahtieu », « Carnille », « Aurlie »: a slip makes it of a given name that is 128 times as frequent."""
    own = given_names().get(fold(word), _RARER_THAN_ANY)
    return own - _misspelt().get(fold(word), own) >= _MISSPELT


_USUAL_GIVEN, _RARER_THAN_ANY, _MISSPELT, _CUT, _RARE = 10, 20, 7, 5, 14


@cache
def _beginnings(of_given: bool) -> dict[str, tuple[int, int]]:
    """Of usual names, with the rank of the most usual and how many letters it has more."""
    found: dict[str, tuple[int, int]] = {}
    names = given_names() if of_given else family_names()
    for name, rank in sorted(names.items(), key=lambda one: -one[1]):
        if rank <= _USUAL_GIVEN:
            found |= {name[:at]: (rank, len(name) - at) for at in range(1, len(name))}
    return found


@cache
def _misspelt() -> dict[str, int]:
    """Forms that slips make of usual given names, with the rank of the most usual."""
    found: dict[str, int] = {}
    for name, rank in sorted(given_names().items(), key=lambda one: -one[1]):
        if rank <= _USUAL_GIVEN and len(name) > 2:
            found |= dict.fromkeys((form for form in _slips_of(name) if len(form) > 3), rank)
    return found


_SCANNED = (
    ("m", "rn"), ("rn", "m"), ("e", "c"), ("c", "e"), ("l", "i"), ("i", "l"), ("n", "ri"), ("u", "ii"), ("d", "cl"), ("h", "li"), ("g", "q"), ("t", "f"), ("w", "vv"), ("a", "o"),
)  # fmt: skip


def _slips_of(name: str) -> set[str]:
    """Cut by one or two letters; an accented letter or one of many left out; one doubled or exchanged with the next; as a scan reads it."""
    places = range(len(name))
    forms = {name[:-1], name[:-2] if len(name) > 5 else ""}
    forms |= {name[:at] + name[at + 1 :] for at in places if len(name) > 7 or name[at] in "eioc"}
    forms |= {name[: at + 1] + name[at:] for at in places}
    forms |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in places[:-1]}
    forms |= {
        name[:at] + read + name[at + len(written) :]
        for written, read in _SCANNED
        for at in places
        if name.startswith(written, at)
    }
    accents = [at for at in places if name[at] == "e"]
    forms |= {
        "".join(letter for at, letter in enumerate(name) if at not in pair) for pair in pairwise(accents)
    }
    return forms - {name}
