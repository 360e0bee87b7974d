"""Lines compared with all others: names written elsewhere, titles and labels around a person, headers of a message."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from app.domain.imports.lists.doubts.notices import contradicts_counts, is_legend
from app.domain.imports.lists.mentions import (
    given_names_in,
    is_one_name,
    lone_given_names_in,
    mentions_in,
    unknown_names_in,
)
from app.domain.imports.lists.model import NOT_A_PERSON, OF_PRESENCE, Line, Reason, State
from app.domain.imports.lists.suspicion import Candidate
from app.domain.imports.lists.vocabulary.names import (
    Kind,
    by_capitals,
    fold,
    is_common_word,
    is_less_common_word,
    is_particle,
    kind_of,
    looks_like_word,
    may_be_given,
    without_civility,
)
from app.domain.imports.lists.vocabulary.others import organisations_among
from app.domain.imports.lists.vocabulary.remarks import denial_in, is_not_yet, is_of_others, status_in
from app.domain.imports.lists.vocabulary.wording import THINGS

_SPEAKS_OF_SEVERAL = frozenset((Reason.COUPLE, Reason.EXTRA, Reason.SEVERAL_NAMES))
_ACROSS = (OF_PRESENCE - {Reason.UNTICKED}) | {Reason.SENDER, Reason.COPIED}
_NO_NAMES = frozenset((Reason.COMMON_WORD, Reason.HEADING_WORD, Reason.ONE_WORD, Reason.LONG, Reason.NO_NAME))
_POINTS = re.compile(
    r"\b(en (?:rouge|jaune|vert|bleu|orange|gris|couleur|gras|italique)|surlign\w*|soulign\w*|barre(?:e|s|es)?|grise(?:e|s|es)?|"
    r"asterisques?|ci dessus|ci dessous|dernier(?:e|s|es)?|premier(?:e|s|es)?|suivie?s? d)\b|\*\s*[:=]"
)
"""« Les deux derniers ne sont pas venus », « en rouge : absents »."""
_ADDRESS = re.compile(r"(?<![^\s;,<>@])[^\s;,<>@]++@[^\s;>]+")
_MEANT = re.compile(
    r"\b(?:pas|plus|non|sauf|jamais|hors|excepte\w*|a la place|remplac\w*|manque\w*|peut etre)\b"
)


def show_all_people(segments: Sequence[list[Candidate]]) -> None:
    """A person named in text that was not read as a name, and nowhere else, becomes a question."""
    # By each of its parts, so that a long list is not compared with itself.
    known: dict[str, list[set[str]]] = defaultdict(list)

    def note(words: set[str]) -> None:
        for word in words:
            known[word].append(words)

    for lines in segments:
        for one in lines:
            note(_words_of(one))
    for lines in segments:
        shown: list[Candidate] = []
        titles = {one.unread for one in lines if not one.is_person and not one.line.name}
        firsts = Counter(text.split()[0] for text in titles if len(text.split()) > 2)
        for one in _apart(lines):
            own = _words_of(one)
            missing: list[Candidate] = []
            first, _, rest = one.unread.partition(" ")
            # « CFA Rémi Lacroix », « CFA Mathilde Fontaine »: of their school, not two schools.
            mentions = _names_in(one) or (
                mentions_in(rest) if firsts[first] > 1 and one.unread in titles else []
            )
            inside = [words for mention in mentions if (words := set(fold(mention).split())) <= own]
            for mention in mentions:
                words = set(fold(mention).split())
                beside = len(inside) > 1 and words in inside[1:]
                holders = [other for other in known.get(next(iter(words), ""), ()) if words <= other]
                elsewhere = any(other != own for other in holders)
                if words and ((beside and not elsewhere) or not (holders or (len(own) > 1 and own <= words))):
                    note(words)
                    line = Line(one.line.line, one.line.text, sheet=one.line.sheet).doubting(
                        Reason.MAYBE_TITLE
                    )
                    for doubt in one.line.doubts:
                        if doubt.reason in OF_PRESENCE:
                            line = line.doubting(doubt.reason)
                    missing.append(
                        Candidate(line, whole=without_civility(mention), named_pair=False, free=True)
                    )
            if not missing or own or one.line.address:
                shown.append(one)
            shown += missing
        lines[:] = shown


def _names_in(one: Candidate) -> list[str]:
    """Nothing of a line that is refused may be a name; of one that is asked about, whatever statistics know."""
    if not one.unread:
        return []
    found = [
        *mentions_in(one.unread),
        *_marked_by_capitals(one.unread),
        *_couples_in(one.unread),
        *_halves_in(one.unread),
    ]
    several = one.free and {d.reason for d in one.line.doubts} & _SPEAKS_OF_SEVERAL
    is_nobody = not _words_of(one) and not one.line.address
    if is_nobody:
        found += given_names_in(one.unread)
    if is_nobody or several:
        found += [*lone_given_names_in(one.unread), *unknown_names_in(one.unread)]
    # « Marie » of « Marie Dupont » is no further person.
    words = [set(fold(name).split()) for name in found]
    return [
        name
        for index, name in enumerate(found)
        if not any(
            words[index] < other or (words[index] == other and index > at) for at, other in enumerate(words)
        )
    ]


def _halves_in(text: str) -> list[str]:
    """« VERNOTTE ; Élise » in two cells side by side."""
    found = []
    for pair in pairwise(text.split(" ; ")):
        if not all(0 < len(cell.split()) < 4 and all(map(looks_like_word, cell.split())) for cell in pair):
            continue
        given = [kind_of(cell.split()[0]) is Kind.GIVEN and not cell.isupper() for cell in pair]
        family = pair[given.index(False)] if given.count(True) == 1 else ""
        if (
            family
            and family[:1].isupper()
            and not is_less_common_word(family)
            and not set(fold(family).split()) & THINGS
        ):
            found.append(" ".join(pair))
    return found


def _couples_in(text: str) -> list[str]:
    """« Luc et Sonia » alone in a cell, « Les jumelles Hélie (Ana et Mia) »."""
    return [
        name
        for pair in _COUPLE.finditer(text)
        if all(name[:1].isupper() and may_be_given(name) for name in pair.groups())
        for name in pair.groups()
    ]


_COUPLE = re.compile(r"(?:^|[(;,])\s*([^\W\d_][\w'’-]+)\s+(?:et|&)\s+([^\W\d_][\w'’-]+)\s*(?=$|[);,])")


def _marked_by_capitals(text: str) -> list[str]:
    """« TARRIDE Una » in a cell of its own, which no statistics know."""
    return [
        cell
        for cell in text.split(" ; ")
        if 2 <= len(cell.split()) <= 4
        and by_capitals(cell.split())
        and all(map(looks_like_word, cell.split()))
        and not any(is_less_common_word(word) or fold(word) in THINGS for word in cell.split())
    ]


def _apart(lines: Sequence[Candidate]) -> Iterator[Candidate]:
    """« Yasmine et Zoé Amar » are two, each with a question."""
    for one in lines:
        words = one.whole.split()
        couple = next((doubt.word for doubt in one.line.doubts if doubt.reason is Reason.COUPLE), None)
        is_couple = couple is not None
        halves = [each.split() for each in _AND.split(couple or "")]
        if len(halves) == 2 and all(len(half) > 1 and any(map(may_be_given, half)) for half in halves):
            # « Jade Lemoine et Rayan Aït Ahmed »
            other = replace(one, whole=" ".join(halves[1]))
            one.whole = " ".join(halves[0])
            yield one
            yield other
        elif is_couple and len(words) == 2:
            other = replace(one, whole=words[1])
            one.whole = words[0]
            yield one
            yield other
        elif is_couple and len(words) > 2 and all(map(may_be_given, words[:2])):
            other = replace(one, whole=" ".join(words[1:]))
            one.whole = " ".join([words[0], *words[2:]])
            yield one
            yield other
        elif is_couple and len(words) > 2 and all(map(may_be_given, words[-2:])):
            other = replace(one, whole=" ".join([*words[:-2], words[-1]]))
            one.whole = " ".join(words[:-1])
            yield one
            yield other
        else:
            yield one


_AND = re.compile(r"(?<!\s)\s++(?:et|and|&|\+)\s++", re.IGNORECASE)


def _words_of(one: Candidate) -> set[str]:
    return set(fold(f"{one.whole} {one.line.name}").split()) if one.is_person else set()


def doubt_named_once(lines: Sequence[Line]) -> list[Line]:
    """Where a second list repeats several people, as « Présents » below « Inscrits », those who stand only in one of them."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        if line.name and (line.state is not State.REFUSED or line.doubts):
            places[_key(line.name)].append(index)
    twice = [found for found in places.values() if len(found) > 1]
    # One after the other, not one person entered twice.
    if len(twice) < 2 or max(found[0] for found in twice) >= min(found[1] for found in twice):
        return list(lines)
    return [
        line.doubting(Reason.UNTICKED)
        if line.state is State.READY and len(places[_key(line.name)]) == 1
        else line
        for line in lines
    ]


def doubt_stated_elsewhere(lines: Sequence[Line]) -> list[Line]:
    """A person who is ready becomes a question where another line names them as absent, as leading, or in a sentence."""
    by_name: dict[str, list[Line]] = defaultdict(list)
    by_word: dict[str, list[Line]] = defaultdict(list)
    by_any: dict[str, list[Line]] = defaultdict(list)
    counting, pointing = contradicts_counts(lines), None
    for line in lines:
        reasons = {doubt.reason for doubt in line.doubts}
        said = _ADDRESS.sub(" ", line.text) if "@" in line.text else line.text
        if line.state is State.ASK and line.name and reasons & _ACROSS:
            by_name[_key(line.name)].append(line)
        elif Reason.HEADING in reasons:
            for inside in re.findall(r"\(([^()]*)\)", line.text):
                if denial_in(inside) or status_in(inside):
                    for word in set(fold(inside).split()):
                        by_word[word].append(line)
            continue
        elif Reason.REPEATED in reasons or not line.text:
            continue
        if reasons - {Reason.SAME_NAME} or _TAKEN_OFF.match(line.text):
            # « Moussa Keïta » beside « Moussa Keïta (2) » is a namesake: their line tells nothing of the other.
            for word in set(fold(said).split()):
                by_any[word].append(line)
        is_nobody = bool(reasons & (NOT_A_PERSON | _NO_NAMES)) or (
            Reason.MAYBE_TITLE in reasons and not any(map(may_be_given, line.name.split()))
        )
        is_nobody = is_nobody and not (is_one_name(said) or is_one_name(line.name))
        is_name = re.search(r"[;\t|]", said) or any(map(may_be_given, line.name.split()))
        points = _is_clause(said) or re.match(
            r"\s*(?:le |la |les )?(?:n ?[°o] ?|num[ée]ros? |lignes? )\d", said.lower()
        )
        denies = denial_in(said) or status_in(said)
        if (
            denies
            and reasons & OF_PRESENCE
            and not is_name
            and points
            and not mentions_in(said)
            and not is_legend(said)
        ):
            # « Le 3e n’était pas là », « L’un d’eux a abandonné »
            pointing = pointing or line
        says = bool(reasons & {Reason.SENTENCE, Reason.TITLE, Reason.SIGNATURE}) or (
            bool(line.doubts)
            and bool(
                reasons & OF_PRESENCE
                or denial_in(said)
                or _CORRECTS.search(fold(said))
                or _MEANT.search(fold(said))
                or _is_prose(line)
            )
        )
        if says:
            for word in set(fold(line.text).split()):
                by_word[word].append(line)
            folded = f"{fold(line.text)} {line.text if '*' in line.text else ''}"
            if is_nobody and denial_in(said) and _POINTS.search(folded):
                pointing = pointing or line
    if not by_name and not by_any and not pointing and not counting:
        return list(lines)
    shared = Counter(word for line in lines if not line.doubts for word in set(fold(line.name).split()))
    checked = []
    for line in lines:
        if not line.doubts:
            if other := _teller_of(line, by_name, by_word, shared) or _again(line, by_any):
                line = line.doubting(Reason.MENTIONED, line=other.line)
            elif counting:
                line = line.doubting(Reason.COUNTED, counting.text, line=counting.line)
            elif pointing:
                line = line.doubting(Reason.CONCERNED, pointing.text, line=pointing.line)
        checked.append(line)
    return checked


_TAKEN_OFF = re.compile(r"\s*[-–—](?=[^\W\d_])")
"""« -Odile Brun » at the end of a list that has her"""


def _again(line: Line, by_any: dict[str, list[Line]]) -> Line | None:
    """Another line with the whole name, in whatever terms: « Jules Traoré décommandé » at the end."""
    whole = set(fold(line.name).split())
    if len(whole) < 2:
        return None
    rarest = min(whole, key=lambda word: len(by_any.get(word, ())))
    return next(
        (
            one
            for one in by_any.get(rarest, ())
            if one.text != line.text
            and not (_TAKEN_OFF.match(one.text) and _TAKEN_OFF.match(line.text))
            and whole <= set(fold(_ADDRESS.sub(" ", one.text)).split())
        ),
        None,
    )


def _teller_of(
    line: Line, by_name: dict[str, list[Line]], by_word: dict[str, list[Line]], shared: Counter[str]
) -> Line | None:
    def others(found: Sequence[Line]) -> Iterator[Line]:
        return (
            one for one in found if (one.line, one.sheet) != (line.line, line.sheet) or one.text != line.text
        )

    if same := next(others(by_name.get(_key(line.name), ())), None):
        return same
    given, family = fold(line.given_name).split(), fold(line.family_name).split()
    whole = {*given, *family}
    for other in others(by_word.get(given[0], ())) if given else ():
        words = set(fold(other.text).split())
        if whole <= words or (_is_remark(other) and may_be_given(line.given_name) and set(given) <= words):
            return other
    if given and family:
        # « (Tom B. absent) »
        first, last = given[0], family[0]
        for word, short in (
            (first, f"{first} {last[0]}"), (last, f"{first[0]} {last}"), (f"{first[0]}{last[0]}", f"{first[0]}{last[0]}")
        ):  # fmt: skip
            for other in others(by_word.get(word, ())):
                tells = _is_remark(other) or OF_PRESENCE & {doubt.reason for doubt in other.doubts}
                is_letters = len(word) > 2 or word.upper() in other.text
                if tells and is_letters and re.search(rf"\b{re.escape(short)}\b", fold(other.text)):
                    return other
    telling = [word for word in family if len(word) > 2 and not is_particle(word) and shared[word] == 1]
    return next(
        (
            one
            for word in telling
            for one in others(by_word.get(word, ()))
            if _is_remark(one) and (not is_common_word(word) or _stands_as_name(word, one.text))
        ),
        None,
    )


def _stands_as_name(word: str, text: str) -> bool:
    """« Rayer BOULANGER », not « le boulanger »."""
    return any(found.isupper() and fold(found) == word for found in re.findall(r"[^\W\d_]+", text)) and (
        not text.isupper()
    )


def _is_remark(line: Line) -> bool:
    """A remark about another person."""
    is_named = line.state is not State.REFUSED and all(doubt.reason not in _NO_NAMES for doubt in line.doubts)
    is_half = bool(line.doubts) and len(fold(line.name).split()) == 1 and len(fold(line.text).split()) > 1
    denies = bool(OF_PRESENCE & {doubt.reason for doubt in line.doubts})
    is_order = denies and bool(line.given_name) and not any(map(may_be_given, line.given_name.split()))
    return not is_named or is_order or is_half or _is_prose(line) or bool(_CORRECTS.search(fold(line.text)))


_VERB = re.compile(r"\b(?:est|sont|a|ont|etai(?:t|ent)|avai(?:t|ent)|n|ne)\b")


def _is_clause(text: str) -> bool:
    return len(text.split()) > 2 and not text.rstrip().endswith(":") and bool(_VERB.search(fold(text)))


_CORRECTS = re.compile(
    r"remplac|\bcorrections?\b|\berreur\b|\bpardon\b|\bs ecrit\b|\bavec (?:un|une|deux|\d) [a-z]\b|\bau lieu de\b|\bplutot\b"
)


def _is_prose(line: Line) -> bool:
    """« NB : Orane part en juin »"""
    return any(_reads_as_prose(text) for text in (line.text, line.name) if "@" not in text)


def _reads_as_prose(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text)
    small = [word for word in words if word.islower() and len(word) > 1 and not is_particle(word)]
    return len(words) > 3 and len(small) > 1


def settle_notes_of_all(people: Sequence[Candidate]) -> None:
    """A note beside a name that all have alike, as a class, or that names the company of each, is no doubt about any of them."""
    free = [
        one
        for one in people
        if (one.free or one.pair_order)
        and Reason.MAYBE_TITLE not in {doubt.reason for doubt in one.line.doubts}
    ]
    notes = [[doubt.word for doubt in one.line.doubts if doubt.reason is Reason.EXTRA] for one in free]
    is_noted = all("(" in one.line.text for one in free) or all("," in one.line.text for one in free)
    firms = organisations_among([note for own in notes for note in own])
    if len(free) > 2 and 3 * sum(map(bool, notes)) >= len(free) and firms:
        for one, own in zip(free, notes, strict=True):
            if len(own) == 1 and own[0] in firms:
                one.line = one.line.without(Reason.EXTRA)
                _refuse_named_in(own[0], one, people)
        return
    if len(free) < 3 or not any(notes) or not all(len(one) == 1 or (is_noted and not one) for one in notes):
        return
    said = [one[0] for one in notes if one]
    if any(denial_in(text) or is_not_yet(text) or "?" in text or is_of_others(text) for text in said):
        return
    is_same = (
        len(said) == len(free)
        and len(set(map(fold, said))) == 1
        and any(map(str.isalpha, said[0]))
        and len(said[0].split()) < 4
    )
    mixed = [text for text in said if not text.isupper()]
    if is_same or (2 * len(mixed) >= len(said) and _name_companies(said)):
        for one in free:
            one.line = one.line.without(Reason.EXTRA)


def _refuse_named_in(firm: str, of: Candidate, people: Sequence[Candidate]) -> None:
    """« Renault Retail » behind a name is no further person."""
    for other in people:
        if (
            other is not of
            and other.line.line == of.line.line
            and _words_of(other) <= set(fold(firm).split())
        ):
            other.line = replace(other.line, doubts=()).doubting(Reason.REPEATED, line=of.line.line)


def _name_companies(said: Sequence[str]) -> bool:
    """« Alstom », « Safran », of which French knows few."""
    words = {word for text in said for word in text.split() if not is_particle(word)}
    known = sum(map(is_less_common_word, words))
    return 3 * known <= len(words) and all(
        word[:1].isupper()
        and len(word) > 2
        and word.isalpha()
        and not is_common_word(fold(word))
        and not may_be_given(word)
        for word in words
    )


def _key(name: str) -> str:
    return " ".join(sorted(fold(name).split()))
