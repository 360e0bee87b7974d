"""Nowhere else does a line become ready: with its evidence, or with one more question.

Everything else of the reader finds people and doubts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from itertools import pairwise

from app.domain.imports.lists.model import OF_IDENTITY, OF_PLACE, OF_SPLIT, Column, Evidence, Line, Reason
from app.domain.imports.lists.suspicion import Candidate, is_given_first, margin_of, names_another
from app.domain.imports.lists.tables import Segment
from app.domain.imports.lists.vocabulary.addresses import KNOWN, is_named_in, names_somebody
from app.domain.imports.lists.vocabulary.names import (
    PLACES,
    SURE_PARTICLES,
    TITLES,
    Kind,
    by_capitals,
    fold,
    is_double_given,
    is_less_common_word,
    is_namesake,
    is_no_given,
    is_particle,
    is_placeholder,
    is_reversed,
    is_usual_pair,
    kind_of,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.wording import CALENDAR, is_literal_heading


def admit(tables: Sequence[tuple[Segment, Sequence[Candidate]]]) -> None:
    """Give each person without a doubt the evidence for it; `asked_without_evidence` asks about who has too little."""
    for table, lines in tables:
        people = [one for one in lines if one.is_person]
        _doubt_alone(lines, people, is_text=len(table.columns) < 2)
        _doubt_addresses(people)
        marked = sum(bool(by_capitals(one.whole.split())) for one in people if one.whole)
        by_case = len(people) >= 3 and 5 * marked >= 4 * len(people)
        single = sum(Reason.ONE_WORD in {doubt.reason for doubt in one.line.doubts} for one in people)
        in_columns = [one for one in people if not one.whole and not one.free]
        split = sum(map(_has_halves_by_case, in_columns))
        columns_by_case = 5 * split >= 4 * len(in_columns)
        small = sum(map(_is_in_small_letters, people))
        known = sum(any(map(may_be_given, one.line.given_name.split())) for one in people)
        is_coherent = len(people) >= 3 and 5 * known >= 3 * len(people)
        beside = _words_beside_names(people)
        repeated = frozenset(
            word
            for word, count in beside.items()
            if count > 1 and (kind_of(word) is Kind.UNKNOWN or (count > 2 and 2 * count > len(people)))
        )
        # « DENIED PETIT Léa » among « GRANTED … »
        in_most = any(2 * beside[word] > max(3, len(people)) for word in repeated)
        for index, one in enumerate(people):
            if one.line.doubts:
                continue
            ends = _ends_of_halves(one.line)
            if (words := repeated.intersection(ends)) or (in_most and any(ends[1:])):
                one.line = one.line.doubting(Reason.EXTRA, min(words or ends[1:]))
            elif 2 * marked < len(people) and _ends_with_capitals(one.whole):
                one.line = one.line.doubting(Reason.SPLIT)
            elif len(people) < 3 and _may_be_either_way(one):
                one.line = one.line.doubting(Reason.ORDER)
            elif 3 * small <= len(people) and _is_in_small_letters(one):
                one.line = one.line.doubting(Reason.MAYBE_TITLE)
            elif 3 * single >= len(people) and _is_known_by_order_only(one):
                one.line = one.line.doubting(Reason.UNUSUAL)
            elif reason := _unproved(one, by_case, columns_by_case=columns_by_case and len(in_columns) > 2):
                one.line = one.line.doubting(reason)
            else:
                found = _evidence_of(one, table, columns_by_case=columns_by_case)
                if table.columns_known:
                    found.add(Evidence.CONFIRMED)
                elif (one.whole or not one.named_pair) and not is_coherent and len(found & OF_IDENTITY) < 2:
                    # « Zabihullah Wahidi » among few, where statistics know one half at most.
                    one.line = one.line.doubting(Reason.UNUSUAL)
                    continue
                if table.surely and not one.free:
                    found.add(Evidence.BODY)
                elif _is_one_of_a_series(index, people, lines):
                    found.add(Evidence.SERIES)
                one.line = replace(one.line, evidence=tuple(kind for kind in Evidence if kind in found))


def asked_without_evidence(line: Line) -> Line:
    """A line is ready only where something shows that it is a name, how it is split, and that it stands in a list."""
    if line.doubts:
        return replace(line, evidence=())
    found = frozenset(line.evidence)
    names = found & OF_IDENTITY
    is_name = (
        bool(names & {Evidence.GIVEN_NAME, Evidence.ADDRESS}) or len(names) > 1 or Evidence.CONFIRMED in found
    )
    if not is_name or not found & OF_SPLIT:
        return replace(line, evidence=()).doubting(Reason.UNUSUAL)
    if not found & OF_PLACE:
        return replace(line, evidence=()).doubting(Reason.MAYBE_TITLE)
    return line


def _evidence_of(one: Candidate, table: Segment, *, columns_by_case: bool) -> set[Evidence]:
    line = one.line
    given = [word for word in line.given_name.split() if not is_particle(word)]
    family = line.family_name.split()
    found: set[Evidence] = set()
    if any(may_be_given(word) and len(word) > 1 for word in given):
        found.add(Evidence.GIVEN_NAME)
    if any(kind_of(word) in (Kind.FAMILY, Kind.BOTH) or fold(word) in SURE_PARTICLES for word in family):
        found.add(Evidence.FAMILY_NAME)
    if line.address and is_named_in(line.address, line.given_name, line.family_name):
        found.add(Evidence.ADDRESS)
    if by_capitals(one.whole.split()) if one.whole else columns_by_case and _has_halves_by_case(one):
        found.add(Evidence.CAPITALS)
    if one.has_row:
        found.add(Evidence.ROW)
    if _names_a_place(given, family):
        found -= {Evidence.GIVEN_NAME, Evidence.FAMILY_NAME, Evidence.CAPITALS}
    found.add(Evidence.ORDER if one.whole or not table.surely else Evidence.COLUMNS)
    return found


def _names_a_place(given: Sequence[str], family: Sequence[str]) -> bool:
    """« Académie de Lyon », « UIMM Loire »; not « Kevin Lyon »."""
    if given and all(fold(word) in PLACES for word in given):
        return True
    is_given = any(may_be_given(word) and fold(word) != "france" for word in given)
    return not is_given and _are_places(" ".join(family))


def _are_places(half: str) -> bool:
    places = [word for word in half.split() if not is_particle(word)]
    return bool(places) and all(fold(word) in PLACES for word in places)


def _is_one_of_a_series(index: int, people: Sequence[Candidate], lines: Sequence[Candidate]) -> bool:
    """Beside another name, with an address, or with no text around it."""
    at = people[index].line.line
    near = (*people[max(0, index - 1) : index], *people[index + 1 : index + 2])
    return (
        bool(people[index].line.address)
        or any(abs(other.line.line - at) <= _NEAR for other in near)
        or not any(_is_text(other.line) for other in lines if other is not people[index])
    )


_NEAR = 4


def _is_text(line: Line) -> bool:
    return any(map(str.isalpha, line.text)) and not any(
        doubt.reason in (Reason.HEADING, Reason.REPEATED) for doubt in line.doubts
    )


def _words_beside_names(people: Sequence[Candidate]) -> Counter[str]:
    """« Salariée Noémie Coulibaly », « Salariée Sarah Petit »; « Léa PETIT VALIDE », « Tom ROUX VALIDE »: no part of the names."""
    families = {fold(one.line.family_name): one.line for one in people}
    return Counter(word for one in people if (word := _ends_of_halves(one.line)[0])) + Counter(
        word for line in families.values() for word in {*_ends_of_halves(line)[1:]} if word
    )


def _ends_of_halves(line: Line) -> tuple[str, str, str]:
    """The first of several given names, and both ends of a family name of several terms."""
    given, family = (
        fold(line.given_name).split(),
        [word for word in line.family_name.split() if not is_particle(word)],
    )
    several = (fold(family[0]), fold(family[-1])) if len(family) > 1 else ("", "")
    return (given[0] if len(given) > 1 else "", *several)


def _ends_with_capitals(whole: str) -> bool:
    """« Emma Sorel BRAVO », where few have capitals; not « Anne Sophie DUPONT »."""
    small = [word for word in whole.split() if not word.isupper() and not is_particle(word)]
    return bool(by_capitals(whole.split())) and len(small) > 1 and kind_of(small[-1]) is not Kind.GIVEN


def _may_be_either_way(one: Candidate) -> bool:
    """« Kim Noël-Baptiste », where nothing else shows the order."""
    words = one.whole.split()
    return (
        len(words) == 2
        and not by_capitals(words)
        and not one.line.address
        and any("-" in word for word in words)
        and all(kind_of(word) in (Kind.GIVEN, Kind.BOTH) for word in words)
    )


def _has_halves_by_case(one: Candidate) -> bool:
    """« DUPONT ; Marie »"""
    given, family = one.written
    return family.isupper() and len(family) > 1 and not given.isupper()


def _exchanged(line: Line) -> Reason | None:
    """« Naïg ; Kermabon ; kermabon.naig@ » under « Nom ; Prénom »: an address made of the columns repeats their error.

    Where statistics do not know one of the halves, the other has to speak for the columns; « O’Sullivan » does by itself."""
    halves = (line.given_name, line.family_name)
    unknown = [all(kind_of(word) is Kind.UNKNOWN for word in half.split()) for half in halves]
    margin = margin_of(*halves)
    if not any(unknown) or margin > 0 or re.match(r"[OD]['’]|Mc[A-Z]", line.family_name, re.IGNORECASE):
        return None
    return Reason.SWAPPED if margin < 0 else Reason.ORDER


def _holds_another_name(family: str, address: str) -> bool:
    """Three terms, or a given name behind the family name, which the address does not spell."""
    words = [word for word in family.split() if not is_particle(word)]
    is_long = len(words) > 2 or any(kind_of(word) is Kind.GIVEN for word in words[1:])
    local = _joined(address.partition("@")[0])
    return is_long and not all(_joined(word) in local for word in words)


def _is_marked(one: Candidate) -> bool:
    """Capitals show the family name: « DUPONT Marie », « DUPONT ; Marie »."""
    return bool(by_capitals(one.whole.split())) if one.whole else _has_halves_by_case(one)


def _is_in_small_letters(one: Candidate) -> bool:
    """« dupont marie »"""
    return (one.whole or " ".join(one.written)).islower()


def _is_known_by_order_only(one: Candidate) -> bool:
    """Among halves of names, two terms may be one half: « Robert Dubois, Tom »."""
    own = bool(one.line.address) and is_named_in(one.line.address, one.line.given_name, one.line.family_name)
    return bool(one.whole) and not own and not by_capitals(one.whole.split())


def _words_of(name: str) -> list[str]:
    return fold(name).split()


_JOINED = (
    "mc",
    "mac",
    "de",
    "le",
    "la",
    "du",
    "van",
    "fitz",
    "di",
    "san",
    "da",
    "del",
    "des",
    "ben",
    "el",
    "al",
    "abd",
    "o",
)


def _is_glued(word: str) -> bool:
    """« TomPrésent », « BALLANDPrésent », not « McDonald » nor « LeGall »."""
    if re.search(r"[A-ZÀ-ÖØ-Ý]{4}[a-zà-ÿ]{2}", word):
        return True
    found = re.search(r"[a-zà-ÿ](?=[A-ZÀ-ÖØ-Ý])", word)
    return (
        found is not None
        and fold(word[: found.end()]).split()[-1:] != []
        and fold(word[: found.end()]).split()[-1] not in _JOINED
    )


_VOWEL = re.compile(r"[aeiouyœæ]")
_ROMAN = re.compile(r"X{0,2}(?:I[XV]|V?I{1,3}|X)|X?V")
"""« Louis XIV », « Pierrot II »"""


def _has_lone_particle(whole: str) -> bool:
    """« LE Minh Anh », where the particle alone is in capitals and may be the family name; « Abd El Kader Belkacem »."""
    words = whole.split()
    apart = any(
        one.isupper()
        and len(one) > 1
        and is_particle(one)
        and not after.isupper()
        and not (index and words[index - 1].isupper())
        for index, (one, after) in enumerate(pairwise(words))
    )
    return apart or (
        len(words) > 3 and fold(words[0]) in ("abd", "abdoul", "abdel") and is_particle(words[1])
    )


def _mixes_cases(whole: str) -> bool:
    """« Léa ajournée GARCIA »: a lower-case part that no statistics know, among capitals."""
    words = [word for word in whole.split() if not is_particle(word)]
    return any(word[:1].isupper() for word in words) and any(
        word[:1].islower() and kind_of(word) is Kind.UNKNOWN and len(words) > 2 for word in words
    )


def _is_of_two_cases(half: str) -> bool:
    """« LEMOINE nouveau », « Visio PELLETIER », « Manon ULIS » in a column of names."""
    if any(word.endswith(".") and len(word) > 2 and fold(word) not in ("st", "ste") for word in half.split()):
        # « El. KAYA »
        return True
    words = [word for word in half.split() if not is_particle(word) and len(word.strip(".")) > 1]
    if len(words) > 1 and _is_code(words[-1]):
        # « HAMELIN EDF »
        return True
    small = [word for word in words if word.islower()]
    capitals = [word for word in words if word.isupper()]
    return 0 < len(small) < len(words) or 0 < len(capitals) < len(words)


def _is_code(word: str) -> bool:
    return word.isupper() and len(word) < 4 and kind_of(word) is Kind.UNKNOWN


def _is_unknown(word: str) -> bool:
    return "-" not in word and not is_particle(word) and kind_of(word) is Kind.UNKNOWN


def _unproved(one: Candidate, by_case: bool, *, columns_by_case: bool) -> Reason | None:
    line = one.line
    if is_placeholder(line.name):
        return Reason.PLACEHOLDER
    if any(
        len(words := [word for word in _words_of(half) if len(word) > 2]) > len(set(words))
        for half in (line.given_name, line.family_name)
    ):
        # « LECLERC Stéphane Stéphane »
        return Reason.UNUSUAL
    halves = [set(map(fold, half.split())) for half in (line.given_name, line.family_name)]
    if halves[0] & halves[1] and max(map(len, halves)) > 1:
        # « Morvan ; Morvan Baptiste »
        return Reason.SPLIT
    own = bool(line.address) and is_named_in(line.address, line.given_name, line.family_name)
    if not own and (
        # « Frère ; Petit »
        any(map(is_no_given, line.given_name.split())) or fold(line.given_name) == fold(line.family_name)
    ):
        return Reason.UNUSUAL
    has_given, has_other = (
        any(map(may_be_given, half.split())) for half in (line.given_name, line.family_name)
    )
    if is_given_first(line) is False and has_other and not has_given:
        # « Noémie ; Etxeberria » with « noemie.etxeberria@ », under « Nom ; Prénom »
        return Reason.SWAPPED
    is_headed = not one.free and (one.named_pair and not one.whole)
    if is_headed and own and not _is_marked(one) and (reason := _exchanged(line)):
        return reason
    if _holds_another_name(line.family_name, line.address):
        # « Moreno Anna Robert ; Lila »
        return Reason.SPLIT
    words = one.whole.split()
    if not is_headed and not _is_marked(one) and is_reversed(line.given_name, line.family_name):
        # « Joaquim Stéphanie » among given names that come first
        return Reason.ORDER
    if _has_lone_particle(one.whole) or (
        # « Noémie Pascal AB »
        len(words) > 2 and _is_code(words[-1])
    ):
        return Reason.SPLIT
    if any(map(_is_of_two_cases, one.written)) or (not own and is_literal_heading(line.family_name)):
        return Reason.UNUSUAL
    given = line.given_name.split()
    is_pair = is_usual_pair(line.given_name) or any(map(is_particle, given)) or by_case or columns_by_case
    if len(given) > 1 and (
        (not one.whole and not one.named_pair and not is_pair)
        or (is_named_in(line.address, given[0], given[-1]) and not _spells(line))
    ):
        # « Robert Gérard ; Dassault ; robert.gerard@ »
        return Reason.SPLIT
    if len(given) > 1 and _is_unknown(given[0]) and kind_of(given[1]) is Kind.GIVEN:
        # « Décocher Maëlle HADDAD », « Melle Sarah PETIT »
        return Reason.UNUSUAL
    if len(given) > 1 and not is_headed and not own and not one.whole and _are_places(line.family_name):
        # « Noémie Simon ; Pau »
        return Reason.SPLIT
    if (
        len(given) > 1
        and not own
        and _is_unknown(given[-1])
        and all(map(_is_unknown, line.family_name.split()))
    ):
        # « Cohorte ; Marie Curie »
        return Reason.SPLIT
    # « Jean Moulin », « EHPAD Louise Michel »
    pairs = (" ".join(pair) for pair in pairwise(line.name.split()))
    if any(map(is_namesake, (line.name, *(() if is_headed else pairs)))) and not own:
        return Reason.NAMESAKE
    if any(map(_is_glued, (*one.whole.split(), *" ".join(one.written).split()))):
        return Reason.UNUSUAL
    if any(
        len(word) > 1
        and (not _VOWEL.search(fold(word)) or _ROMAN.fullmatch(word.upper()))
        and kind_of(word) is Kind.UNKNOWN
        for word in line.name.split()
    ):
        return Reason.UNUSUAL
    if not is_headed and not own and _are_both_given(one):
        return Reason.COUPLE
    if set(_words_of(line.name)) <= CALENDAR and not own:
        # « Toussaint ; Férié »
        return Reason.UNUSUAL
    if is_headed or one.prior or own:
        return None
    words = [word for word in line.name.split() if not is_particle(word)]
    folded = [fold(half) for half in (line.given_name, line.family_name)]
    if (
        _mixes_cases(one.whole)
        or folded[0] == folded[1]
        or (is_double_given(one.whole) and not (by_case and _is_marked(one)))
    ):
        return Reason.UNUSUAL
    if set(_words_of(line.name)) & TITLES:
        return Reason.MAYBE_TITLE
    if any(map(is_less_common_word, _not_after_article(line.name.split()))):
        return Reason.UNUSUAL
    unknown = [word for word in words if kind_of(word) is Kind.UNKNOWN]
    if by_case and one.whole:
        # Among names with the family part in capitals, one without may be a title.
        return None if by_capitals(one.whole.split()) else Reason.MAYBE_TITLE
    if columns_by_case and not one.whole and not one.free and _has_halves_by_case(one):
        return None
    if len(unknown) > 1 or (unknown and len(words) > 2):
        return Reason.UNUSUAL
    return None


def _not_after_article(words: Sequence[str]) -> list[str]:
    """Without particles and what « La », « Le » with a capital makes a name: « Pierre de La Tour », not « Paul de la compta »."""
    return [
        word
        for before, word in pairwise(["", *words])
        if not is_particle(word) and not (before in ("La", "Le", "LA", "LE") and word[:1].isupper())
    ]


def _are_both_given(one: Candidate) -> bool:
    """« Tom, Lou »: two given names on either side of a comma are two people."""
    halves = one.line.given_name, one.line.family_name
    return (
        not one.whole
        and one.pair_order is Column.FAMILY_FIRST
        and all(kind_of(half) is Kind.GIVEN for half in halves)
        and not one.written[1].isupper()
    )


def _doubt_alone(segment: Sequence[Candidate], people: Sequence[Candidate], *, is_text: bool) -> None:
    """In running text, a name stands among others: one that stands apart may be a title or a signature."""
    if len(segment) < 3:
        return
    lines = [one.line.line for one in people]
    gaps = sorted(after - before for before, after in pairwise(lines))
    reach = max(1, gaps[(len(gaps) - 1) // 2]) if gaps else 1
    if len(people) < 2 or reach > 3:
        return
    for index, one in enumerate(people):
        near = [
            other
            for other in (*people[max(0, index - 1) : index], *people[index + 1 : index + 2])
            if abs(other.line.line - one.line.line) <= reach
        ]
        if (one.free or is_text) and not one.line.address and not near:
            one.line = one.line.doubting(Reason.MAYBE_TITLE)


def _spells(line: Line) -> bool:
    """`marie.de-la-tour@`, `dupont.marie@`: a term of either half, or its first letters."""
    parts = fold(line.address.partition("@")[0]).split()
    joined = "".join(parts)

    def is_there(half: str) -> bool:
        words = [word for word in fold(half).split() if not is_particle(word)] or fold(half).split()
        initials = "".join(word[:1] for word in words)
        return (
            any(word in joined for word in words)
            or initials in parts
            or any(part in fold(half) for part in parts)
        )

    return is_there(line.given_name) and is_there(line.family_name)


def _is_alone_unnamed(line: Line, domain: str, by_domain: Mapping[str, Sequence[bool]]) -> bool:
    """Where a school or company makes addresses of names, one that is not is another person's."""
    own = by_domain[domain.lower()]
    # « ag@ » of Anne-Gaëlle
    letters = "".join(word[0] for word in fold(line.name).split())
    is_initials = fold(line.address.partition("@")[0]) in letters
    return domain.lower() not in KNOWN and not is_initials and sum(own) > 1 and 2 * sum(own) >= len(own)


def _may_have_slipped(line: Line, domain: str, by_domain: Mapping[str, Sequence[bool]]) -> bool:
    """« Evan ; Cherel ; echerel@ » where several others do not fit: a column that was sorted alone."""
    own = by_domain[domain.lower()]
    others = len(own) - sum(own)
    local = _joined(line.address.partition("@")[0])
    is_spelt = any(len(word) > 2 and word in local for word in fold(line.given_name).split())
    return domain.lower() not in KNOWN and others > 1 and 3 * others >= len(own) and not is_spelt


def _joined(half: str) -> str:
    return fold(half).replace(" ", "")


def _spells_half_of_another(line: Line, givens: Set[str], families: Set[str]) -> bool:
    """« Nathalie ; Petit ; nathalie.maes@ », « nmaes@ » where another is a Maes: names that were sorted without their addresses."""
    local = _joined(re.sub(r"(?<!\d)\d++$", "", line.address.partition("@")[0]))
    own = {*fold(line.name).split(), _joined(line.given_name), _joined(line.family_name)}
    for half, others in ((line.given_name, families), (line.family_name, givens)):
        rests = {local.removeprefix(_joined(half)), local.removesuffix(_joined(half))} - {local}
        if len(_joined(half)) > 2 and rests & others - own:
            return True
    is_own = any(len(word) > 2 and word in local for word in own)
    return not is_own and bool({local[1:], local[:-1]} & families)


def _has_another_initial(line: Line) -> bool:
    """« Magali ; Mohr ; lmohr@ »"""
    local, family = _joined(line.address.partition("@")[0]), _joined(line.family_name)
    rest = {local.removesuffix(family), local.removeprefix(family)} - {local}
    initials = {word[:1] for word in fold(line.name).split()}
    return len(family) > 2 and any(len(one) == 1 and one.isalpha() and one not in initials for one in rest)


def _doubt_addresses(people: Sequence[Candidate]) -> None:
    """Where a list's addresses are made of names, one that is not may be another person's."""
    held = [one for one in people if one.line.address and one.line.given_name and one.line.family_name]
    givens, families = (
        (
            {joined for half in halves if len(joined := _joined(half)) > 2}
            for halves in zip(*((one.line.given_name, one.line.family_name) for one in held), strict=True)
        )
        if held
        else (set(), set())
    )
    for one in held:
        if _spells_half_of_another(one.line, givens, families):
            one.line = one.line.doubting(Reason.ADDRESS_NOT_THEIRS)
        elif _has_another_initial(one.line) and not one.line.doubts:
            one.line = one.line.doubting(Reason.ADDRESS_UNSURE, one.line.address)
    own = [is_named_in(one.line.address, one.line.given_name, one.line.family_name) for one in held]
    united = 2 * sum(own) >= len(held)
    # « l.perrenot@ » among addresses that name other people
    others_named = not any(own) and any(names_somebody(one.line.address) for one in held)
    made = [(is_given_first(one.line), one.line.address.partition("@")[2]) for one in held]
    plain = [pair for pair, one in zip(made, held, strict=True) if not one.line.doubts]
    for one, (is_ahead, domain) in zip(held, made, strict=True):
        # « Park Sun-hee sun-hee.park@ » among « Claire Nowicki claire.nowicki@ »
        alike, usual = plain.count((is_ahead, domain)), made.count((not is_ahead, domain))
        is_other = is_ahead is not None and (alike < 2 or 3 * alike <= usual)
        if is_other and usual > (2 if one.whole else 0) and not _is_marked(one):
            one.line = one.line.doubting(Reason.ORDER if one.whole else Reason.SWAPPED)
    spelt = [_spells(one.line) for one in held]
    for one, is_spelt in zip(held, spelt, strict=True):
        # « Karim ; Streiff ; karim.rabah@ » among addresses that spell both halves: a column that slipped.
        parts = [part for part in fold(one.line.address.partition("@")[0]).split() if len(part) > 2]
        if not is_spelt and sum(spelt) > 1 and (len(parts) > 1 or names_another(one.line)):
            one.line = one.line.doubting(Reason.ADDRESS_NOT_THEIRS)
    by_domain: dict[str, list[bool]] = {}
    for (_, domain), is_own in zip(made, own, strict=True):
        by_domain.setdefault(domain.lower(), []).append(is_own)
    for one, is_own, (_, domain) in zip(held, own, made, strict=True):
        if one.line.doubts or one.own_address:
            continue
        if is_own:
            if _may_have_slipped(one.line, domain, by_domain):
                one.line = one.line.doubting(Reason.ADDRESS_UNSURE, one.line.address)
            continue
        in_column = not one.free and not one.pair_order
        if (
            one.unsure_address
            or others_named
            or names_somebody(one.line.address)
            or (united and not in_column)
            or _is_alone_unnamed(one.line, domain, by_domain)
        ):
            one.line = one.line.doubting(Reason.ADDRESS_UNSURE, one.line.address)
