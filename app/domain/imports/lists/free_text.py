"""Names in running text: lines without columns, and people mentioned in remarks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.imports.lists.doubts.notices import names_nobody
from app.domain.imports.lists.mentions import mentions_in
from app.domain.imports.lists.model import Column, Line, Reason, Row
from app.domain.imports.lists.suspicion import Candidate, common_word_in
from app.domain.imports.lists.titles import is_mere_title, is_understood
from app.domain.imports.lists.vocabulary.addresses import addresses_in, name_from
from app.domain.imports.lists.vocabulary.hours import HOURS, hours_in
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    DAMAGED,
    Kind,
    fold,
    is_less_common_word,
    is_particle,
    kind_of,
    lean_of,
    looks_like_word,
    may_be_given,
    repaired,
    without_civility,
)
from app.domain.imports.lists.vocabulary.remarks import (
    ASKED,
    affirms,
    age_band_of,
    denial_in,
    is_class,
    is_neutral,
    is_ticked,
    speaks_for_itself,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import (
    CLOSINGS,
    HEADING_WORDS,
    LEADERS,
    OF_OTHERS,
    ORDINAL,
    OTHER_PARTS,
    THINGS,
    looks_like_name,
    not_a_person,
    role_of_heading,
)

_PHONE = re.compile(r"(?:(?:t[ée]l|port(?:able)?|mob(?:ile)?)\s*+[.:]*+\s*+)?(?<!\d)(?:\+\d{2,3}|00\d{2}|0)\s?\(?0?\)?\s?[1-9](?:[ .\-/]?\d{2}){4}(?!\d)", re.IGNORECASE)  # fmt: skip
_DATE = re.compile(
    r"(?:\bn[ée]e?(?:\(e\))?\s+le\s+)?\b\d{1,2}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?\d{2,4}\b(?:\s+à\s+\d{1,2}[h:]\d{0,2})?|"
    r"\bn[ée]e?(?:\(e\))?\s+le\s+\d{1,2}(?:er)?\s+\w+\s+\d{4}|\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?\b|\b\d{1,2}\s+ans\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"^\s*(?:de\s+)?\d{1,2}\s?[h:]\s?\d{0,2}(?:\s*(?:[-–>]|à|a)\s*\d{1,2}\s?[h:]\s?\d{0,2})?(?:\s*+[:\-–])?\s+(?=\D)", re.IGNORECASE)  # fmt: skip
_MARK = re.compile(r"(?<!\d)\d{1,3}(?:[.,]\d{1,2})?\s?/\s?(?:20|10|100)(?!\d)")

_NOTHING_DONE = re.compile(
    r"(?<![\d.,/])0+(?:[.,]0{1,2})?\s?(?:h(?:eures?)?(?!\s?\d)|/\s?(?:10|20|100))(?!\w)", re.IGNORECASE
)
"""« 0 h », « 0/20 »"""

_LASTED = re.compile(r"\((?!0?0:\d\d\))([01]?\d|2[0-4]):(\d\d)(?::\d\d)?\)")
"""« Léa Martin (02:01:10) », not « (45:10) » and « (00:12) », which may be minutes"""
_PARENTHESES = re.compile(r"\(([^()]*)\)?|\[([^\[\]]*)\]?")
_NEE = re.compile(
    r"(?:(?<!\s)\s++)?+(?:[,(]\s*+)?+\b(?:n[ée]e|épouse|epouse|ép\.|ep\.|ép|veuve|alias|dit|dite)\b(?!\s+le\b)\s*+(.+)$",
    re.IGNORECASE,
)
_COUPLE = re.compile(r"(?:^|\s)(?:et|&|and|\+)(?:\s|$)", re.IGNORECASE)
_QUOTED = re.compile(r"['’‘]\s*+([^'’‘\s].*)['’]")
"""As Outlook writes a recipient: 'Marie Dupont' <marie@exemple.fr>"""
_HANDLE = re.compile(r"(?<!\S)@(?![\w.]*\.[a-z]{2,4}(?!\S))[\w.]{2,30}(?!\S)")
"""« @louane_p », as social networks name people; « @exemple.fr » is what an address lost."""
_PICTURES = re.compile(r"(?<=\w)(?:\s?[\u2600-\u27bf\u2b50\U0001f300-\U0001faff]\ufe0f?)+$")
"""« Emma Durand 👍 »: what such a sign means is asked where not all have it."""
_LEADERS = re.compile(r"(?<![.…_])(?:[.…_]{4,}|…{2,}|(?<=\s)[.…_]{2,}(?=\s|$))")
"""Dots that lead from a name to its mark; « Martin… » may be cut."""
_TO_SIGN = re.compile(
    r"(?<=\s)(?:signature|visa|[ée]margement|paraphe)s?\s{0,3}:?\s{0,3}[.…_]{3,}", re.IGNORECASE
)
_EDGES = ' \t,;:.•·*–—-|/=>→"“”«»'
_GUEST = re.compile(r"(invite|invitee|guest|externe|external|vous|you|organisateur|presentateur)")


_REFUSALS = frozenset(("no", "non", "n", "0", "zero"))


def refused_or_asked(line: Line, cells: Sequence[str], reason: Reason | None) -> Candidate:
    if reason:
        return Candidate(replace(line, doubts=()).doubting(reason))
    text = " ".join(cells)
    return Candidate(
        line.doubting(Reason.MAYBE_TITLE), whole=cleaned_name(text).name if looks_like_name(text) else ""
    )


@dataclass
class CleanedName:
    """A name without what else its cell contained."""

    name: str
    homonym: int = 0
    addresses: tuple[str, ...] = ()
    doubts: tuple[tuple[Reason, str], ...] = ()


def cleaned_name(text: str) -> CleanedName:
    doubts: list[tuple[Reason, str]] = []
    for found in _HANDLE.finditer(text):
        handle, rest = fold(found[0]).replace(" ", ""), fold(_HANDLE.sub(" ", text))
        is_own = any(len(word) > 2 and word in handle for word in rest.split()) or handle[-1:].isdigit()
        if not is_own or not text[: found.start()].strip(_EDGES):
            doubts.append((Reason.EXTRA, found[0]))
    text = _HANDLE.sub(" ", text)
    if DAMAGED.search(text):
        text = repaired(text)
        doubts.append((Reason.DAMAGED, text))
    addresses, rest = addresses_in(text)
    homonym = 0

    def note(found: re.Match[str]) -> str:
        nonlocal homonym
        inside = (found[1] or found[2] or "").strip()
        folded = fold(inside)
        if re.fullmatch(r"[1-9]", inside):
            homonym = int(inside)
        elif folded in _REFUSALS or "?" in inside:
            doubts.append((Reason.EXTRA, inside))
        elif reason := status_in(inside):
            doubts.append((reason, inside))
        elif set(folded.split()) & LEADERS:
            doubts.append((Reason.LEADER, inside))
        elif found_name := _NEE.match(" " + inside):
            doubts.append((Reason.SEVERAL_NAMES, found_name[1]))
        elif folded in ASKED and inside[0].islower():
            # Not « (Invité) », which meeting programs write.
            doubts.append((Reason.EXTRA, inside))
        elif folded and not (
            speaks_for_itself(inside)
            or _GUEST.fullmatch(folded)
            or _DATE.fullmatch(inside)
            or hours_in(inside)[0] is not None
        ):
            doubts.append((Reason.EXTRA, inside))
        return " "

    rest = _PARENTHESES.sub(note, rest)
    if born := _NEE.search(rest):
        doubts.append((Reason.SEVERAL_NAMES, born[1]))
        rest = rest[: born.start()] or rest
    rest = re.sub(rf"^{ORDINAL}\s*[.)°-]?\s+(?=[^\W\d_]{{2}})", "", rest.strip(_EDGES))
    if _COUPLE.search(rest):
        doubts.append((Reason.COUPLE, rest))
        words = [
            word
            for word in rest.split()
            if fold(word) not in CIVILITIES and fold(word) not in ("et", "and") and word not in "&+"
        ]
        rest = " ".join(words)
    if quoted := _QUOTED.fullmatch(rest.strip(_EDGES)):
        rest = quoted[1].rstrip()
    name = without_civility(_PICTURES.sub("", " ".join(rest.split()))).strip(_EDGES)
    if re.search(r"\w/\w|\w\s/\s\w", name):
        ahead, _, behind = name.partition("/")
        if set(fold(behind).split()) & LEADERS:
            doubts.append((Reason.LEADER, behind))
        elif not is_neutral(behind) and not (is_class(behind) and len(behind.strip()) > 1):
            # « Léa PETIT / stagiaire », « Léa PETIT / 2nde B »
            doubts.append((Reason.SEVERAL_NAMES, name))
        name = ahead.rstrip()
    return CleanedName(name, homonym, tuple(addresses), tuple(doubts))


def are_halves(family: str, given: str) -> bool:
    """« Dupont, Marie », not « Marie Dupont, PMP »."""
    words = given.split()
    if fold(family) in CLOSINGS:
        return False
    if given[:1].islower() and family[:1].isupper():
        return False
    if len(words) > 1 and may_be_given(words[0]) and not may_be_given(words[-1]):
        return False
    if len(words) > 1 and len(family.split()) > 1 and may_be_given(family.split()[0]):
        return False
    if may_be_given(words[0]):
        return True
    return not (looks_like_name(family) and any(kind_of(word) is Kind.GIVEN for word in family.split()))


def with_hours(line: Line, cell: str) -> Line:
    hours, readable = hours_in(cell)
    if readable:
        line = replace(line, hours=hours)
        return line.doubting(Reason.HOURS_UNREADABLE, cell) if hours == 0 else line
    return replace(line, hours_as_written=cell).doubting(Reason.HOURS_UNREADABLE, cell)


_LABELLED = re.compile(r"(?:(?<!\s)\s++)?+(?:élève|eleve|stagiaire|participant(?:e)?|apprenti(?:e)?|nom(?:,? (?:et )?prénom)?|nom complet|candidat(?:e)?|apprenant(?:e)?|nom prénom)\s*:\s*(?=\S)", re.IGNORECASE)  # fmt: skip
_BOTH_LABELLED = re.compile(r"\bnom\s*:\s*+(?P<family>[^:;,\s][^:;,]*?)(?<![\s,;])[\s,;]++pr[ée]nom\s*:\s*+(?P<given>[^:;,\s][^:;,]*?)(?:[,;]|(?:e-?)?mail|courriel|\Z)", re.IGNORECASE)  # fmt: skip


def from_text(row: Row, line: Line) -> Candidate:
    text = " ; ".join(row.filled) if len(row.filled) > 1 else row.filled[0]
    addresses, bare = addresses_in(_LEADERS.sub(" ; ", _TO_SIGN.sub(" ; ", text)), mark=" ; ")
    if (
        addresses
        and (inside := re.fullmatch(r"[\s;]*\(([^()]+)\)[\s;]*", bare))
        and looks_like_name(inside[1])
    ):
        # « marie@exemple.fr (Marie Dupont) »
        bare = inside[1]
    if nothing := _NOTHING_DONE.search(bare):
        line = line.doubting(Reason.EXTRA, nothing[0].strip())
    bare = _LASTED.sub(lambda found: f" ({int(found[1])} h {found[2]})", bare)
    bare = _MARK.sub(" ; ", _DATE.sub(" ; ", _PHONE.sub(" ; ", " ".join(_CLOCK.sub("", bare).split()))))
    if not addresses and (reason := not_a_person([text]) or (Reason.TITLE if is_mere_title(text) else None)):
        return refused_or_asked(line, [text], reason)
    label, colon, rest = bare.partition(":")
    if colon and names_nobody(text):
        return refused_or_asked(line, [text], Reason.TITLE)
    if colon and not addresses and not _LABELLED.match(text) and not _may_be_name(label.strip(_EDGES)):
        if not looks_like_name(rest.strip(_EDGES)):
            is_field = role_of_heading(label)[1] and "," not in rest and is_understood(text)
            return refused_or_asked(
                line, [text], Reason.TITLE if is_field or not rest.strip(_EDGES) else None
            )
        line = line.doubting(Reason.EXTRA, label)
        bare = rest.strip()
    if both := _BOTH_LABELLED.search(bare):
        given, *more = _BESIDE.split(both["given"].strip(_EDGES))
        for part in more:
            line = with_note(line, part)
        line = replace(line, given_name=given, family_name=both["family"].strip(_EDGES))
        return Candidate(_with_found(line, addresses), named_pair=True)
    bare = _LABELLED.sub("", bare, count=1)
    return _from_name_and_more(line, bare, addresses, text)


def _may_be_name(label: str) -> bool:
    """« Li ADEYEMI : 13/20 », « Tsiory Rakoto : 13/20 », not « Moyenne Générale : 13/20 »"""
    words = label.split()
    return looks_like_name(label) or (
        1 < len(words) < 6
        and all(looks_like_word(word) and word[:1].isupper() for word in words)
        and not any(is_less_common_word(word) for word in words)
        and not set(fold(label).split()) & (HEADING_WORDS | THINGS)
        and not role_of_heading(label)[1]
    )


def _with_found(line: Line, addresses: Sequence[str]) -> Line:
    if not addresses:
        return line
    line = replace(line, address=addresses[0], other_addresses=tuple(addresses[1:]))
    return line.doubting(Reason.ADDRESS_SEVERAL) if len(addresses) > 1 else line


_TIME_OF_DAY = re.compile(
    r"(?:(?<!\w)(?:à|a|vers|d[èe]s|depuis|jusqu['’ ]?[àa]|avant|apr[èe]s|arriv[ée]e?s?|d[ée]parts?|part(?:ie?|ir|ant)?s?|rdv|"
    r"cr[ée]neaux?|(?:ce )?(?:matin|soir|midi|apr[èe]s-midi)|reçue?|pass(?:e|ée?|age)|venue?|entr[ée]e|sorti[e]?|d[ée]but|fin|convoqu[ée]e?|"
    r"until|from|at|since|(?P<late>(?:en )?retard(?: de)?|late)|pause)(?: (?:à|a|de|vers|d['’]))? ?|(?<=\d)/)"
    + HOURS.pattern.replace(r"(?<![\w.,])", "")
    + "|"
    + HOURS.pattern
    + r"(?: ?/ ?\w+| (?:par|du|sur) \w+)",
    re.IGNORECASE,
)
"""« arrivé à 10h », « retard 10 min », « 2/4 h », « 7h/jour »: how long a person was there is something else."""


_BESIDE = re.compile(r"[;|\t:]|\s(?:[-–—]+>?|=?>|→)\s|\s\s")
"""What separates a name from a remark."""


def _from_name_and_more(line: Line, bare: str, addresses: Sequence[str], text: str) -> Candidate:
    times = [found[0].strip(" ([)]") for found in _TIME_OF_DAY.finditer(bare) if not found["late"]]
    for time in times:
        line = line.doubting(Reason.EXTRA, time)
    bare = _TIME_OF_DAY.sub(" ; ", bare)
    hours = HOURS.findall(bare)
    if hours and (times or re.search(r"\b(retard|late)", bare, re.IGNORECASE)):
        line, hours = line.doubting(Reason.EXTRA, hours[0]), []
    bare = HOURS.sub(" ; ", bare)
    if len(hours) == 1:
        line = with_hours(line, hours[0])
    elif hours:
        line = line.doubting(Reason.EXTRA, hours[1])
    found = cleaned_name(bare)
    for reason, word in found.doubts:
        line = line.doubting(reason, word)
    line = replace(_with_found(line, addresses), homonym=found.homonym)
    parts = [part.strip(_EDGES) for part in _BESIDE.split(found.name)]
    parts = [part for part in parts if part]
    if len(parts) == 2 and _is_organisation(parts[0]) and looks_like_name(parts[1]):
        # « SODIMECA – LECLERC Aurore »
        line, parts = line.doubting(Reason.EXTRA, parts[0]), parts[1:]
    if parts and "," in parts[0]:
        halves = [half.strip(_EDGES) for half in parts[0].split(",") if half.strip(_EDGES)]
        is_stated = any(doubt.reason is Reason.SPLIT for doubt in line.doubts)
        most = (5, 4) if is_stated else (3, 2)
        as_name = len(halves) == 2 and len(halves[0].split()) <= most[0] and len(halves[1].split()) <= most[1]
        if (
            as_name
            and fold(halves[0]) not in CLOSINGS
            and not denial_in(halves[1])
            and not set(fold(halves[1]).split()) & (OTHER_PARTS | OF_OTHERS)
            and not _is_note(halves[1])
            and (
                len(halves[0].split()) == 1
                or is_stated
                or not looks_like_name(halves[0])
                or (
                    (halves[0].isupper() or is_particle(halves[0].split()[0]))
                    and may_be_given(halves[1].split()[0])
                )
            )
        ):
            for extra in parts[1:]:
                line = with_note(line, extra)
            line = replace(line, given_name=halves[1], family_name=halves[0])
            return Candidate(line, pair_order=Column.FAMILY_FIRST)
        parts = [*halves, *parts[1:]]
    if (
        len(parts) > 1
        and all(len(part.split()) == 1 for part in parts[:2])
        and not any(map(_is_note, parts[:2]))
    ):
        first, second = parts[:2]
        lean = lean_of(first, second)
        given, family = (first, second) if lean > 0 else (second, first)
        for extra in parts[2:]:
            line = with_note(line, extra)
        line = replace(line, given_name=given, family_name=family)
        return Candidate(line if lean else line.doubting(Reason.ORDER))
    name = parts[0] if parts else ""
    for extra in parts[1:]:
        line = with_note(line, extra)
    name, line = _without_tail(name, line)
    if common_word_in(name) and (mentions := mentions_in(name)):
        line, name = line.doubting(Reason.EXTRA, name).doubting(Reason.MAYBE_TITLE), mentions[0]
    if not name:
        if addresses:
            given, family = name_from(addresses[0])
            return Candidate(replace(line, given_name=given, family_name=family).doubting(Reason.NO_NAME))
        return refused_or_asked(line, [text], not_a_person([text]))
    return Candidate(line, whole=name, free=True)


def _is_organisation(part: str) -> bool:
    words = part.split()
    is_term = len(words) == 1 and len(part) > 3 and kind_of(part) is Kind.UNKNOWN
    return (is_term or fold(words[0]) in THINGS) and not any(map(may_be_given, words)) and not _is_note(part)


def _is_coded(part: str) -> bool:
    """« BTS 2ème année », « n° 12 », not « passée en G2 »."""
    return any(c.isdigit() for c in part) and (
        not any(len(word) > 3 and word.isalpha() and not is_class(word) for word in fold(part).split())
        or speaks_for_itself(part)
    )


def _is_note(part: str) -> bool:
    return bool(
        is_class(part)
        or status_in(part)
        or affirms(part)
        or is_ticked(part)
        or _is_coded(part)
        or fold(part) in CIVILITIES
    )


def with_note(line: Line, part: str) -> Line:
    """What stands beside a name: its presence, its class; anything else is a question."""
    if reason := status_in(part):
        return line.doubting(reason)
    if fold(part) in _REFUSALS or "?" in part:
        return line.doubting(Reason.EXTRA, part)
    if set(fold(part).split()) & LEADERS:
        return line.doubting(Reason.LEADER)
    if re.search(r"\b(retard\w*|late)\b", fold(part)):
        return line
    if band := age_band_of(part):
        return replace(line, age_band=band)
    if _is_note(part) or not any(c.isalpha() for c in part):
        return line
    if (is_neutral(part) or speaks_for_itself(part)) and not set(fold(part).split()) & _NOTHING:
        return line
    return line.doubting(Reason.EXTRA, part)


_NOTHING = frozenset(("rien", "aucun", "aucune", "neant", "sans", "ras"))


_TAIL_CODES = {"A": Reason.ABSENT, "E": Reason.EXCUSED, "ABS": Reason.ABSENT, "EXC": Reason.EXCUSED}


def _without_tail(name: str, line: Line) -> tuple[str, Line]:
    """« Marie Dupont 2nde B », « Marie Dupont absente », « 12 Marie Dupont X »: the name, and its remarks as doubts."""
    words = re.sub(rf"^{ORDINAL}\s+(?=[^\W\d])", "", name).split()
    if reason := status_in(" ".join(words)):
        line = line.doubting(reason)
        at = next(
            (
                i
                for i, word in enumerate(words)
                if status_in(word) or fold(word) in ("non", "pas", "ne", "en")
            ),
            len(words),
        )
        words = words[:at] if at >= 2 else words
    while len(words) > 2:
        last = words[-1]
        if last in _TAIL_CODES:
            line = line.doubting(_TAIL_CODES[last])
        elif last != "R" and not ((is_ticked(last) and fold(last) not in ("o", "y", "v")) or affirms(last)):
            break
        elif len(last) > 2 and last.isupper() and words[-2].isupper():
            # « Lou ZHANG-LE BON », « Léa MARTIN VALIDÉ »: part of the name, or none
            line = line.doubting(Reason.SPLIT)
        words = words[:-1]
    digits = next((i for i, word in enumerate(words) if any(c.isdigit() for c in word)), None)
    if digits and digits >= 2:
        tail = " ".join(words[digits:])
        start = (
            digits - 1
            if digits >= 3 and is_class(words[digits - 1]) and len(words[digits - 1]) > 1
            else digits
        )
        if is_class(tail) or re.fullmatch(r"\d{5,10}", tail):
            # « 2nde B », « 21904433 »
            words = words[:start]
    return " ".join(words), line
