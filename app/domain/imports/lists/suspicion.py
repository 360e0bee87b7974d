"""What is doubtful in people that were found, judged with the list as a whole: orders of names, addresses, repetitions, hours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from statistics import median

from app.domain.imports.lists.model import Column, Doubt, Evidence, Line, Reading, Reason, State
from app.domain.imports.lists.vocabulary.addresses import (
    border_in,
    is_named_after_other,
    is_named_in,
    is_nearly_named_in,
    is_of_family,
    is_shared_box,
    is_valid,
    own_domains,
    suggestion_for,
)
from app.domain.imports.lists.vocabulary.hours import is_much
from app.domain.imports.lists.vocabulary.names import (
    PLACES,
    SURE_PARTICLES,
    Kind,
    by_capitals,
    fault_of,
    fold,
    given_names,
    is_common_word,
    is_less_common_word,
    is_particle,
    is_reversed,
    kind_of,
    lean_of,
    may_be_either,
    may_be_given,
    order_in_address,
    order_of,
    ranks_of,
    split_name,
)
from app.domain.imports.lists.vocabulary.remarks import STATUS_WORDS, denial_in, is_not_yet
from app.domain.imports.lists.vocabulary.wording import (
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    THINGS,
    heading_word_in,
)
from app.language import respelt


@dataclass
class Candidate:
    """A line on its way: `whole` is a name still to be split; `prior` the order that a heading gave."""

    line: Line
    whole: str = ""
    prior: Column | None = None
    pair_order: Column | None = None
    """Of two halves that no heading names: which column came first, None where that is not clear."""
    named_pair: bool = True
    """A heading or a label names each half."""
    free: bool = False
    """Read from running text, where anything may stand."""
    order: Column | None = None
    """As it was settled."""
    unread: str = ""
    """Text of the row in which further people may be named."""
    own_address: bool = False
    """By its heading the address is this person's own."""
    unsure_address: bool = False
    """Nothing in its heading shows who owns the address."""
    written: tuple[str, str] = ("", "")
    """Given and family name as the list spells them."""
    is_of_present: bool = False
    """It stands under « Présents »."""
    has_row: bool = False
    """A civility, an identifier or a date stands beside it, as in most rows."""

    @property
    def is_person(self) -> bool:
        return self.line.state is not State.REFUSED


def settle(segments: Sequence[Sequence[Candidate]]) -> None:
    """Split the names of each segment, and judge each person by itself."""
    for segment in _together(segments):
        people = [candidate for candidate in segment if candidate.is_person]
        in_cells = [one.pair_order for one in people if not (one.whole or one.named_pair) and one.pair_order]
        _settle_orders([one for one in people if one.whole], in_cells)
        _settle_halves(
            [one for one in people if not one.whole and one.line.given_name and one.line.family_name]
        )
    candidates = [candidate for segment in segments for candidate in segment]
    for one in candidates:
        if one.is_person:
            one.line = _judged_by_itself(one)


def _together(segments: Sequence[Sequence[Candidate]]) -> list[list[Candidate]]:
    """Segments of running text that follow each other: a document may hold each name in a table of its own."""
    found: list[list[Candidate]] = []
    are_free = False
    for segment in segments:
        were_free, are_free = are_free, all(one.free for one in segment if one.is_person)
        if found and were_free and are_free:
            found[-1].extend(segment)
        else:
            found.append(list(segment))
    return found


def _usual_hints(named: Sequence[tuple[str, str]]) -> list[str]:
    """The local parts that show which half comes first; none where most are made as `petit.lea@`."""
    are_against = [_is_against(whole.split(), hint) for whole, hint in named]
    known = [one for one in are_against if one is not None]
    if 2 * known.count(True) < max(1, len(known)):
        return [hint for _, hint in named]
    # One alone may be an error: with its hint it is asked about.
    return [hint * (len(known) == 1 and bool(one)) for one, (_, hint) in zip(are_against, named, strict=True)]


def _is_against(words: Sequence[str], hint: str) -> bool | None:
    """Whether statistics read the name in another order than its address; None where either shows nothing."""
    shown = order_in_address(words, hint)
    own = order_of(" ".join(words))[0]
    if shown and own is None and len(words) == 2:
        given, family, _ = split_name(" ".join(words), shown[0])
        return True if is_reversed(given, family) else None
    return own is not shown[0] if own and shown else None


def _settle_orders(people: Sequence[Candidate], in_cells: Sequence[Column]) -> None:
    """`in_cells` are the orders of names beside them that stand in two cells."""
    hints = _usual_hints([(one.whole, one.line.address.partition("@")[0]) for one in people])
    votes = [order_of(one.whole, hint=hint) for one, hint in zip(people, hints, strict=True)]
    marked = [by_capitals(one.whole.split()) is not None for one in people]
    counts = Counter(
        order for (order, _), certain in zip(votes, marked, strict=True) if order and not certain
    )
    # Capitals answer for their own line, and for others only where nothing else does.
    counts = (counts or Counter(order for order, _ in votes if order)) + Counter(in_cells)
    total = sum(counts.values())
    most = counts.most_common(1)[0][0] if counts else None
    united = counts[most] / total if most else 0.0
    beside = [_capitals_beside(one.whole.split()) for one in people]
    tokens = Counter(beside)
    plain = sum(
        not certain and len(one.whole.split()) > 1 for one, certain in zip(people, marked, strict=True)
    )
    for one, capitals in zip(people, beside, strict=True):
        if capitals and (tokens[capitals] > 1 or 2 * plain > len(people)):
            # « Emma Sorel AFPA » among names without capitals, or as in other lines.
            one.line = one.line.doubting(Reason.SPLIT)
    for one, (own, strong), hint, marked_here in zip(people, votes, hints, marked, strict=True):
        prior = one.prior
        confirmed = united >= 0.8 and (
            most is prior or (total >= 3 and united >= 0.9 and total * 5 >= len(people) * 2)
        )
        words = one.whole.split()
        if len(words) < 2:
            one.line = replace(one.line, family_name=one.whole)
            continue
        shown, lean = order_in_address(words, hint), lean_of(*words) if len(words) == 2 else 0
        certain = by_capitals(words) is not None or (
            own is not None
            and (
                # « PARIS NANCY » among names that begin with the given one.
                (abs(lean) == 4 and 2 * counts[own] > total)
                # « Thibault Rivière » with `t.riviere@`, among names that begin with the family name
                or (shown == (own, True) and bool(lean) and (lean > 0) == (own is Column.GIVEN_FIRST))
            )
        )
        order = own or (most if confirmed else None) or prior or most
        sure = certain
        if not sure and own:
            agrees = own is most and confirmed
            sure = agrees or (
                strong
                and (own is most or not most)
                and united >= 0.8
                and (prior in (None, own) or total >= 2)
            )
        elif not sure:
            agrees = confirmed and most is order and prior in (None, most)
            sure = agrees or (prior is not None and not total)
        given, family, border = split_name(one.whole, order)
        if not border and (at := border_in(one.line.address, words)):
            halves = " ".join(words[:at]), " ".join(words[at:])
            family, given = halves if order is Column.FAMILY_FIRST else halves[::-1]
            # « Ben Halidi Nahia » with « nahia.benhalidi@ » is read the wrong way round, perhaps.
            border = is_given_first(replace(one.line, given_name=given, family_name=family)) is True
            border = border and not _holds_given(family)
        one.line = replace(one.line, given_name=given, family_name=family)
        one.order = order
        # « Bernard Alexis », where no other line shows that order
        is_alone = len(people) > 2 and len(words) == 2 and own is Column.FAMILY_FIRST and counts[own] == 1
        if is_alone and by_capitals(words) is None and may_be_either(*words):
            sure = certain = False
        others = counts[order] - (own is order and not marked_here) if order else 0
        is_alone = len(words) == 2 and not marked_here and not others and not (shown and shown[0] is order)
        # A heading makes up for much, but not for two halves that are likelier the other way round.
        if is_alone and (
            margin_of(given, family) < 0 or (prior is not order and _is_weak_split(given, family, order))
        ):
            sure = certain = False
        if not sure or (not certain and _may_be_reversed(one)):
            one.line = one.line.doubting(Reason.ORDER)
        if not border or (order is Column.FAMILY_FIRST and _may_be_family_alone(words)):
            one.line = one.line.doubting(Reason.SPLIT)
        if not certain and not _is_plausible(one):
            one.line = one.line.doubting(Reason.MAYBE_TITLE)


def _is_weak_split(given: str, family: str, order: Column | None) -> bool:
    """« Soilihi Sok », « Martin Sacha », read by statistics alone with the family name first, or as likely the other way round."""
    return (order is Column.FAMILY_FIRST and fold(family) in given_names()) or margin_of(given, family) < 6


def margin_of(given: str, family: str) -> int:
    """By how many steps of two these halves are likelier than the same the other way round."""
    one, other = ranks_of(given), ranks_of(family)
    return other[0] + one[1] - one[0] - other[1]


def _may_be_family_alone(words: Sequence[str]) -> bool:
    """« Le Minh Anh », « Do Mai Linh »: a particle that is a family name elsewhere, before no family name that statistics know with it."""
    return (
        len(words) > 2
        and fold(words[0]) in ("le", "do", "li", "lo", "san", "da", "van", "bui", "el", "ait")
        and not by_capitals(words)
        and kind_of(words[0] + words[1]) is Kind.UNKNOWN
        and kind_of(words[1]) is not Kind.FAMILY
    )


def _capitals_beside(words: Sequence[str]) -> str:
    """The only term in capitals beside two or more that are not."""
    capitals = [word for word in words if len(word) > 1 and word.isupper()]
    return capitals[0] if len(capitals) == 1 and len([w for w in words if not is_particle(w)]) > 2 else ""


def _may_be_reversed(one: Candidate) -> bool:
    """« Mbappe Louis »: nothing knows the first as a given name, and the other is one.

    « Martin Marie » is far more often Marie Martin."""
    given, family = (
        [word for word in half.split() if not is_particle(word)]
        for half in (one.line.given_name, one.line.family_name)
    )
    if any(
        re.match(r"[A-ZÀ-Þ][a-zà-ÿ]+-[a-zà-ÿ]", word) and not is_particle(word.partition("-")[0])
        for word in family
    ):
        # « Kim Ji-woo »
        return True
    is_family = all(kind_of(word) is Kind.FAMILY for word in given)
    is_family = is_family and not any(kind_of(word) is Kind.FAMILY for word in family)
    if is_named_in(one.line.address, one.line.given_name, one.line.family_name) and not is_family:
        return False
    if any(map(may_be_given, given)):
        single = len(given) == len(family) == 1 and one.prior is not one.order
        return single and is_reversed(given[0], family[0])
    return bool(given) and (is_family or any(map(may_be_given, family)))


def _is_plausible(one: Candidate) -> bool:
    """A name in running text has a given name, or an address made of it."""
    if any(may_be_given(word) for word in one.whole.split() if not is_particle(word)):
        return True
    if one.whole[:1].isupper() and any(fold(word) in SURE_PARTICLES for word in one.whole.split()):
        return True
    local = fold(one.line.address.partition("@")[0]).replace(" ", "")
    return any(len(fold(word)) > 2 and fold(word) in local for word in one.whole.split())


def is_given_first(line: Line) -> bool | None:
    """Of the two halves that an address is made of; None where it is made of other parts."""
    local = fold(line.address.partition("@")[0]).replace(" ", "")
    given, family = (fold(half).replace(" ", "") for half in (line.given_name, line.family_name))
    return {given + family: True, family + given: False}.get(local)


def names_another(line: Line) -> bool:
    """`aaronlefebvre@` of Aaron Bernard: beside one half a known name that is not theirs."""
    local = re.sub(r"(?<!\d)\d++$", "", fold(line.address.partition("@")[0]).replace(" ", ""))
    halves = [fold(half).replace(" ", "") for half in (line.given_name, line.family_name)]
    rests = {
        rest
        for half in halves
        if len(half) > 2
        for rest in (local.removeprefix(half), local.removesuffix(half))
    }
    own = {local, *halves, *fold(line.name).split()}
    return any(len(rest) > 2 and kind_of(rest) is not Kind.UNKNOWN for rest in rests - own)


def _settle_halves(people: Sequence[Candidate]) -> None:
    leans = [lean_of(one.line.given_name, one.line.family_name) for one in people]
    right, wrong = sum(lean > 0 for lean in leans), sum(lean < 0 for lean in leans)
    unlikely = [is_reversed(one.line.given_name, one.line.family_name) for one in people]
    spelt = Counter(
        is_given_first(one.line) for one, is_unlikely in zip(people, unlikely, strict=True) if not is_unlikely
    )
    for one, lean, is_unlikely in zip(people, leans, unlikely, strict=True):
        one.order = one.pair_order
        if one.named_pair:
            all_wrong = wrong >= 3 and wrong >= 3 * right
            given, family = one.line.given_name, one.line.family_name
            # « Ambroise ; Célestine ; ambroise.celestine@ » among addresses that begin with the given name; of
            # « Thomas ; Emma ; thomas.emma@ » heading and address may have been swapped together.
            is_spelt = is_given_first(one.line) is True and not is_reversed(given, family, steps=4)
            is_spelt = is_spelt and spelt[True] > max(1, sum(unlikely)) and not spelt[False]
            is_against_case, is_with_case = lean == -3, lean == 3
            # « Vasseur ; Ferret »; not « Vo ; Ki », of which statistics know too little.
            is_usual = kind_of(family) is not Kind.UNKNOWN or ranks_of(given)[1] < 9
            is_of_two_families = kind_of(given) is Kind.FAMILY and is_usual
            if (
                is_against_case
                or (is_of_two_families and not is_with_case and not is_particle(family.split()[0]))
                or (is_unlikely and not is_with_case and not is_spelt)
                or (lean <= 0 and all_wrong)
            ):
                one.line = one.line.doubting(Reason.SWAPPED)
        elif one.pair_order is None:
            one.line = one.line.doubting(Reason.ORDER)
        elif lean < 0:
            one.line = one.line.doubting(Reason.SWAPPED)
        elif lean < 3 and (
            wrong * 4 > right or (right < 2 and (lean == 0 or may_be_given(one.line.family_name)))
        ):
            # « Alix ; Dominique »: either half may be the given name, and no other line shows the order.
            one.line = one.line.doubting(Reason.ORDER)


def _judged_by_itself(one: Candidate) -> Line:
    written, one.written = one.line.name, (one.line.given_name, one.line.family_name)
    line = replace(
        one.line, given_name=respelt(one.line.given_name), family_name=respelt(one.line.family_name)
    )
    given, family = line.given_name, line.family_name
    is_without = any(doubt.reason is Reason.NO_NAME for doubt in line.doubts)
    if (found := fault_of(given, family)) and not (found[0] is Reason.ONE_WORD and is_without):
        line = line.doubting(found[0], found[1])
    if word := heading_word_in(line.name):
        line = line.doubting(Reason.HEADING_WORD, word)
    elif (word := common_word_in(written)) and not _is_certain_otherwise(one, word):
        line = line.doubting(Reason.COMMON_WORD, word)
    elif given and one.written[0][:1].isupper() and one.written[1].islower():
        # « Max le boss »
        line = line.doubting(Reason.UNUSUAL)
    elif _holds_more_than_names(one) or (
        len(given.split()) > 1
        and not (one.order is None and _is_spelt_in_address(line))
        and (
            kind_of(given.split()[-1]) is Kind.FAMILY
            or _is_whole(family)
            or (bool(one.whole) and not may_be_given(given.split()[-1]))
        )
    ):
        line = line.doubting(Reason.SPLIT)
    elif _holds_given(family) and given and not any(map(may_be_given, given.split())):
        line = line.doubting(Reason.SWAPPED)
    elif (
        (set(fold(line.name).split()) & THINGS and kind_of(given) is not Kind.GIVEN)
        or set(fold(given).split()) & THINGS
        # « Maison Marguerite », « Jardin Emma »
        or (
            one.free
            and not by_capitals(one.whole.split())
            and fold(one.whole).split()[:1]
            and fold(one.whole).split()[0] in THINGS
        )
    ):
        line = line.doubting(Reason.MAYBE_TITLE)
    if (
        one.free
        and one.whole[:1].islower()
        and not one.whole.islower()
        and not is_particle(one.whole.split()[0])
    ):
        line = line.doubting(Reason.MAYBE_TITLE)
    if (
        one.free
        and line.name
        and not any(c.isupper() for c in one.whole)
        and not any(map(may_be_given, one.whole.split()))
    ):
        line = line.doubting(Reason.MAYBE_TITLE)
    if not line.address:
        return line
    if not is_valid(line.address):
        return line.doubting(Reason.ADDRESS_INVALID, line.address, suggestion_for(line.address))
    if is_shared_box(line.address) or is_of_family(line.address, line.family_name):
        return line.doubting(Reason.ADDRESS_OF_OTHER)
    if is_nearly_named_in(line.address, given, family):
        return line.doubting(Reason.ADDRESS_UNSURE, line.address)
    if is_named_after_other(line.address, given, family):
        return line.doubting(Reason.ADDRESS_NOT_THEIRS)
    return line


def _holds_more_than_names(one: Candidate) -> bool:
    """« Noémie Pascal AB », « AB PASCAL », « Hamza Ajourné », « Hamza Junior », « Hamza Lorient »: a code or a term beside the name."""
    given, family = (half.split() for half in one.written)
    is_mixed = not all(word.isupper() for word in (*given, *family))
    if (
        is_mixed
        and len(given) > 1
        and len(family) == 1
        and len(family[0]) < 4
        and family[0].isupper()
        and one.whole
    ):
        return True
    if len(family) > 1 and fold(family[0]) in OTHER_PARTS | OF_OTHERS:
        # « PARENT PERRIN »
        return True
    if len(family) > 1 and any(
        len(word) < 3 and word.isalpha() and word.isupper() and not is_particle(word) for word in family
    ):
        return True
    if (
        is_mixed
        and len(given) > 1
        and any(len(word) < 4 and word.isalpha() and word.isupper() for word in given)
    ):
        return True
    return any(
        not is_particle(word)
        and not may_be_given(word)
        and (
            fold(word) in PLACES
            or is_less_common_word(word)
            or bool(denial_in(word))
            or is_not_yet(word)
            or fold(word) in ("junior", "senior", "bis", "ter")
        )
        for word in given[1:]
    )


def _is_spelt_in_address(line: Line) -> bool:
    """« baochau.ngo@ » for Bao Chau Ngo: the whole of both halves, and nothing else."""
    halves = [fold(half).replace(" ", "") for half in (line.given_name, line.family_name)]
    pieces = re.findall(r"[a-z]+", line.address.partition("@")[0])
    return all(halves) and sorted(pieces) == sorted(halves)


def _is_whole(family: str) -> bool:
    words = [word for word in family.split() if not is_particle(word)]
    return len(words) > 1 and may_be_given(words[0]) and not is_particle(family.split()[0])


def _is_certain_otherwise(one: Candidate, word: str) -> bool:
    """A family name in its own column, beside a known given name and an address of that name: Paul Déjà."""
    line = one.line
    local = fold(line.address.partition("@")[0]).replace(" ", "")
    return (
        one.named_pair
        and not one.whole
        and not one.free
        and fold(word) in fold(line.family_name)
        and may_be_given(line.given_name)
        and not heading_word_in(line.name)
        and word not in LEADERS | STATUS_WORDS
        and any(len(part) > 2 and part in local for part in fold(line.name).split())
    )


def _holds_given(family: str) -> bool:
    """« Manon Gros » as a family name."""
    words = [word for word in family.split() if not is_particle(word)]
    return len(words) > 1 and kind_of(words[0]) is Kind.GIVEN


def common_word_in(name: str) -> str:
    """« de La Tour » is a name: what follows a particle does not count."""
    words = name.split()
    for before, word in zip(["", *words], words, strict=False):
        plain = fold(word).replace(" ", "")
        of_particle = is_particle(before) and word[:1].isupper() and plain not in LEADERS | STATUS_WORDS
        if (
            not is_particle(word)
            and not of_particle
            and (is_common_word(plain) or plain in LEADERS | STATUS_WORDS)
        ):
            return plain
    return ""


def remaining_faults(line: Line) -> list[Doubt]:
    """What no confirmation makes right: no family name, signs of no name, an address that is none."""
    faults: list[Doubt] = []
    found = fault_of(line.given_name, line.family_name)
    if found and found[0] in (Reason.NO_NAME, Reason.DIGITS, Reason.SIGNS):
        faults.append(Doubt(found[0], found[1]))
    elif not line.family_name:
        faults.append(Doubt(Reason.ONE_WORD, line.name))
    if line.address and not is_valid(line.address):
        faults.append(Doubt(Reason.ADDRESS_INVALID, line.address, suggestion_for(line.address)))
    return faults


def confirmed(reading: Reading, reasons: Collection[Reason]) -> Reading:
    """All doubts of these reasons settled at once; what no confirmation makes right stays."""
    lines = []
    for line in reading.lines:
        if line.state is State.ASK and (settled := line.without(*reasons)) != line:
            faults = {doubt.reason: doubt for doubt in (*settled.doubts, *remaining_faults(line))}
            line = replace(settled, doubts=tuple(faults.values()), evidence=(Evidence.CONFIRMED,))
        lines.append(line)
    return replace(reading, lines=tuple(lines))


def judged_together(lines: Sequence[Line], activity_hours: float | None) -> list[Line]:
    people = [line for line in lines if line.state is not State.REFUSED]
    domains = own_domains(line.address for line in people if line.address)
    holders: dict[str, set[str]] = {}
    for line in people:
        if line.address:
            holders.setdefault(line.address, set()).add(_key(line))
    theirs = _people_of_local_parts(people)
    shared = {address for address, names in holders.items() if len(names) > 1}
    usual = [line.hours for line in people if line.hours]
    plain = sum(not line.doubts for line in people)
    typical = median(usual) if usual else 0.0
    seen: dict[str, list[Line]] = {}
    judged = []
    for line in lines:
        if line.state is State.REFUSED:
            judged.append(line)
            continue
        key = _key(line)
        before = seen.setdefault(key, []) if key else []
        same = next(
            (other for other in before if other.address == line.address and other.homonym == line.homonym),
            None,
        )
        if same and line.address and not line.homonym:
            judged.append(replace(line, doubts=()).doubting(Reason.REPEATED, line=same.line))
            continue
        if before and not (line.homonym and all(other.homonym != line.homonym for other in before)):
            line = line.doubting(Reason.SAME_NAME, line=before[0].line)
        before.append(line)
        if line.address in shared:
            line = line.doubting(Reason.ADDRESS_SHARED)
        named = theirs.get(_local_part(line.address), set()) if line.address else set()
        if named and key not in named:
            line = line.doubting(Reason.ADDRESS_NOT_THEIRS)
        if line.address and (meant := suggestion_for(line.address, domains)) and is_valid(line.address):
            line = line.doubting(Reason.ADDRESS_TYPO, line.address, meant)
        if line.hours and is_much(line.hours, activity_hours, typical, len(usual)):
            line = line.doubting(Reason.HOURS_HIGH, f"{line.hours:g} h".replace(".", ","))
        # Under a heading, `blank` asks where nearly all have some.
        is_headed = Evidence.BODY in line.evidence
        if (
            not line.hours
            and not is_headed
            and len(usual) > 1
            and 3 * len(usual) >= 2 * plain
            and not line.doubts
        ):
            # « Léa Petit 7 h », « Tom Roux »
            line = line.doubting(Reason.UNTICKED)
        if line.hours and len(usual) > 1 and line.hours * 4 < typical:
            line = line.doubting(Reason.EXTRA, f"{line.hours:g} h".replace(".", ","))
        judged.append(line)
    return judged


def _local_part(address: str) -> str:
    return re.sub(r"[^a-z]", "", fold(address.partition("@")[0]))


def _people_of_local_parts(people: Sequence[Line]) -> dict[str, set[str]]:
    """Whom of the list `camillemartinez@` or `martinez.camille71@` names."""
    found: dict[str, set[str]] = {}
    for line in people:
        given, family = (re.sub(r"[^a-z]", "", fold(half)) for half in (line.given_name, line.family_name))
        if len(given) > 1 and len(family) > 1:
            for local in (given + family, family + given, given[0] + family):
                found.setdefault(local, set()).add(_key(line))
    return found


def _key(line: Line) -> str:
    """The same name in either order."""
    return " ".join(sorted(fold(line.name).split()))
