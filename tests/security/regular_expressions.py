"""Detects regular expressions that take quadratic time on some text, by analysing their structure.

Backtracking is quadratic if two partial matches of a text exist at every position (Weber and Seidl 1991): a repeat
that restarts at each character of a search, or two successive repeats that match the same characters. A partial match
that cannot fail ends the search and costs nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, NamedTuple

_SAMPLES: Final = "aZ5_ \n\t\r-.,;:/\\\"'<>()[]{}@é\u0130\u00a0٣—’«\U0001f600\x00"
_COPIES: Final = 3
_WORD, _DIGIT, _SPACE = (re.compile(each) for each in (r"\w", r"\d", r"\s"))
_ASCII: Final = {each: re.compile(each.pattern, re.ASCII) for each in (_WORD, _DIGIT, _SPACE)}
_CATEGORIES: Final = {"WORD": _WORD, "DIGIT": _DIGIT, "SPACE": _SPACE}
_REPEATS: Final = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)

Member = Callable[[str], bool]


class When(NamedTuple):
    """Condition of an empty edge: bit sets of the allowed previous and next characters."""

    before: int
    after: int

    def also(self, other: When) -> When:
        return When(self.before & other.before, self.after & other.after)


@dataclass
class Part:
    """A subexpression: its first and last positions, and the conditions of its empty matches."""

    first: list[tuple[int, When]] = field(default_factory=list)
    last: list[tuple[int, When]] = field(default_factory=list)
    empty: list[When] = field(default_factory=list)


class Automaton:
    """Glushkov automaton: one state per position, and an initial state for searches."""

    def __init__(self, pattern: str | bytes, flags: int, *, anchored: bool, whole: bool) -> None:
        self._is_bytes = isinstance(pattern, bytes)
        tree = parser.parse(pattern, flags)
        self._flags = tree.state.flags
        self.signs = self._alphabet(tree)
        self.end = 1 << len(self.signs)
        self.all = (self.end << 1) - 1
        self.sets: list[int] = []
        self.edges: dict[int, list[tuple[int, When]]] = defaultdict(list)
        self.stops: dict[int, list[When]] = defaultdict(list)
        self._steps: dict[tuple[int, int, int], list[int]] = {}
        made = self._sequence(tree, self._flags)
        self.first = [] if anchored else made.first
        over = When(self.all, self.end if whole else self.all)
        for place, when in made.last:
            self.stops[place].append(when.also(over))

    # --- alphabet

    def _alphabet(self, tree: Any) -> list[str]:
        """One representative of each class of characters that the expression does not distinguish."""
        seen: set[int] = set(map(ord, _SAMPLES))
        members: dict[str, Member] = {"": self._category("WORD", self._flags)}

        def member(code: Any, value: Any, flags: int) -> None:
            members.setdefault(f"{code}{value}{flags}", self._member(code, value, flags))

        def visit(nodes: Iterable[Any], flags: int) -> None:
            for code, value in nodes:
                if code in (codes.LITERAL, codes.NOT_LITERAL):
                    seen.update((value, value + 1))
                    member(code, value, flags)
                elif code is codes.IN:
                    for kind, each in value:
                        if kind is codes.LITERAL:
                            seen.update((each, each + 1))
                        elif kind is codes.RANGE:
                            seen.update((each[0] - 1, each[0], each[1], each[1] + 1))
                    member(code, value, flags)
                else:
                    for nested, own in _nested(code, value, flags):
                        visit(nested, own)

        visit(tree, self._flags)
        most = 0xFF if self._is_bytes else 0x10FFFF
        signs: dict[tuple[bool, ...], str] = {}
        for number in sorted(seen):
            if 0 <= number <= most:
                sign = chr(number)
                for each in {sign, sign.lower(), sign.upper(), "\n" if sign == "\n" else sign}:
                    if len(each) == 1:
                        result = (each == "\n", *(is_in(each) for is_in in members.values()))
                        signs.setdefault(result, each)
        return list(signs.values())

    def _member(self, code: Any, value: Any, flags: int) -> Member:
        if code is codes.ANY:
            return (lambda sign: True) if flags & re.DOTALL else (lambda sign: sign != "\n")
        items = [(codes.LITERAL, value)] if code in (codes.LITERAL, codes.NOT_LITERAL) else list(value)
        negated = code is codes.NOT_LITERAL or (bool(items) and items[0][0] is codes.NEGATE)
        tests: list[Member] = []
        for kind, each in items:
            if kind is codes.LITERAL:
                tests.append(lambda sign, each=each: ord(sign) == each)  # type: ignore[misc]
            elif kind is codes.RANGE:
                tests.append(lambda sign, each=each: each[0] <= ord(sign) <= each[1])  # type: ignore[misc]
            elif kind is codes.CATEGORY:
                name = str(each).removeprefix("CATEGORY_")
                tests.append(self._category(name, flags))
        folded = bool(flags & re.IGNORECASE)

        def member(sign: str) -> bool:
            spellings = {sign, sign.lower(), sign.upper()} if folded else {sign}
            return negated != any(test(each) for test in tests for each in spellings if len(each) == 1)

        return member

    def _category(self, name: str, flags: int) -> Member:
        pattern = _CATEGORIES[name.removeprefix("NOT_")]
        if self._is_bytes or flags & re.ASCII:
            pattern = _ASCII[pattern]
        wanted = not name.startswith("NOT_")
        return lambda sign: (pattern.match(sign) is not None) == wanted

    def _bits(self, member: Member) -> int:
        return sum(1 << number for number, sign in enumerate(self.signs) if member(sign))

    # --- construction

    def _sequence(self, nodes: Iterable[Any], flags: int) -> Part:
        made = Part(empty=[When(self.all, self.all)])
        for code, value in nodes:
            made = self._joined(made, self._part(code, value, flags))
        return made

    def _joined(self, one: Part, two: Part) -> Part:
        for place, when in one.last:
            for other, condition in two.first:
                self.edges[place].append((other, when.also(condition)))
        return Part(
            one.first + [(place, when.also(each)) for each in one.empty for place, when in two.first],
            two.last + [(place, when.also(each)) for each in two.empty for place, when in one.last],
            _twice_at_most(when.also(each) for when in one.empty for each in two.empty),
        )

    def _part(self, code: Any, value: Any, flags: int) -> Part:
        if code in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
            return self._sign(self._bits(self._member(code, value, flags)))
        if code is codes.BRANCH:
            return self._either([self._sequence(each, flags) for each in value[1]])
        if code is codes.SUBPATTERN:
            _, added, removed, inner = value
            return self._sequence(inner, (flags | added) & ~removed)
        if code is codes.ATOMIC_GROUP:
            return self._sequence(value, flags)
        if code in _REPEATS:
            return self._repeated(code, value, flags)
        if code is codes.AT:
            return Part(empty=self._at(value, flags))
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            return self._looked(code, value, flags)
        if code is codes.GROUPREF:  # matches an unknown text
            return self._star(self._sign(self.all & ~self.end))
        if code is codes.GROUPREF_EXISTS:
            return self._either([self._sequence(each or (), flags) for each in value[1:]])
        raise AssertionError(f"unknown part {code}")

    def _sign(self, bits: int) -> Part:
        self.sets.append(bits)
        place = (len(self.sets) - 1, When(self.all, self.all))
        return Part([place], [place])

    def _either(self, parts: list[Part]) -> Part:
        return Part(
            [each for part in parts for each in part.first],
            [each for part in parts for each in part.last],
            _twice_at_most(each for part in parts for each in part.empty),
        )

    def _star(self, part: Part) -> Part:
        for place, when in part.last:
            for other, condition in part.first:
                self.edges[place].append((other, when.also(condition)))
        return Part(part.first, part.last, [When(self.all, self.all)])

    def _repeated(self, code: Any, value: Any, flags: int) -> Part:
        least, most, inner = value
        made = Part(empty=[When(self.all, self.all)])
        unlimited = most is codes.MAXREPEAT
        for _ in range(min(least, _COPIES)):
            made = self._joined(made, self._sequence(inner, flags))
        if not unlimited:
            optional = Part(empty=[When(self.all, self.all)])
            for _ in range(min(most - least, _COPIES)):
                optional = self._joined(self._sequence(inner, flags), optional)
                optional.empty = [When(self.all, self.all)]
            made = self._joined(made, optional)
        else:
            made = self._joined(made, self._star(self._sequence(inner, flags)))
            bits = self._only_sign(inner, flags)
            if code is codes.POSSESSIVE_REPEAT and bits is not None:
                over = When(self.all, self.all & ~bits)
                made.last = [(place, when.also(over)) for place, when in made.last]
                made.empty = [when.also(over) for when in made.empty]
        return made

    def _at(self, where: Any, flags: int) -> list[When]:
        line, word = self._bits(lambda sign: sign == "\n"), self._bits(self._category("WORD", flags))
        other, any_ = self.all & ~word, self.all
        if where in (codes.AT_BOUNDARY, codes.AT_NON_BOUNDARY):
            crossed = [When(word, other), When(other, word)]
            return crossed if where is codes.AT_BOUNDARY else [When(word, word), When(other, other)]
        lines = line if flags & re.MULTILINE else 0
        if where in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
            return [When(self.end | (lines if where is codes.AT_BEGINNING else 0), any_)]
        return [When(any_, self.end | (line if where is codes.AT_END else 0))]

    def _looked(self, code: Any, value: Any, flags: int) -> Part:
        direction, inner = value
        bits = self._only_sign(inner, flags)
        if bits is not None:
            bits = self.all & ~bits if code is codes.ASSERT_NOT else bits
            return Part(empty=[When(bits, self.all) if direction < 0 else When(self.all, bits)])
        everywhere = When(self.all, self.all)
        if direction < 0:
            last = self._only_sign(inner[-1:], flags) if code is codes.ASSERT else None
            return Part(empty=[everywhere if last is None else When(last, self.all)])
        # A lookahead consumes nothing: no edge leads from it to the following part.
        made = self._sequence(inner, flags)
        for place, when in made.last:
            self.stops[place].append(when)
        return Part(made.first, [], [everywhere])

    def _only_sign(self, nodes: Any, flags: int) -> int | None:
        """The characters of a part that matches exactly one character or the end of the text; else None."""
        if len(nodes) != 1:
            return None
        code, value = nodes[0]
        if code in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
            return self._bits(self._member(code, value, flags))
        if code is codes.SUBPATTERN:
            return self._only_sign(value[3], (flags | value[1]) & ~value[2])
        if code is codes.AT and value in (codes.AT_END, codes.AT_END_STRING):
            return self._at(value, flags)[0].after
        if code is codes.BRANCH:
            found = [self._only_sign(each, flags) for each in value[1]]
            return None if None in found else sum({1 << bit for each in found for bit in _bits_of(each or 0)})
        return None

    # --- analysis

    def steps(self, place: int, before: int, sign: int) -> list[int]:
        """The next positions, given the previous character `before` and the next character `sign`."""
        known = self._steps.get((place, before, sign))
        if known is None:
            known = self._steps[place, before, sign] = [
                other
                for other, when in (self.first if place < 0 else self.edges[place])
                if when.before >> before & 1 and when.after >> sign & 1 and self.sets[other] >> sign & 1
            ]
        return known

    def succeeding(self) -> set[tuple[int, int]]:
        """(position, character) pairs from which the match succeeds for any following text."""
        safe = {(place, sign) for place, bits in enumerate(self.sets) for sign in _bits_of(bits)}
        while True:
            failing = {
                (place, before)
                for place, before in safe
                if not all(self._goes_on(place, before, sign, safe) for sign in range(len(self.signs) + 1))
            }
            if not failing:
                return safe
            safe -= failing

    def _goes_on(self, place: int, before: int, sign: int, safe: set[tuple[int, int]]) -> bool:
        if any(when.before >> before & 1 and when.after >> sign & 1 for when in self.stops[place]):
            return True
        return sign < len(self.signs) and any(
            (other, sign) in safe for other in self.steps(place, before, sign)
        )

    def reached(self) -> dict[int, set[int]]:
        """For each position, all reachable positions."""
        reached: dict[int, set[int]] = {}
        for place in range(len(self.sets)):
            waiting, found = [place], set[int]()
            while waiting:
                for other, _ in self.edges[waiting.pop()]:
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
            reached[place] = found
        return reached


def _twice_at_most(ways: Iterable[When]) -> list[When]:
    """Two ways to match nothing suffice to show ambiguity."""
    return [way for way, times in Counter(ways).items() for _ in range(min(times, 2))]


def _bits_of(bits: int) -> Iterator[int]:
    return (number for number in range(bits.bit_length()) if bits >> number & 1)


def _nested(code: Any, value: Any, flags: int) -> Iterator[tuple[Any, int]]:
    if code is codes.BRANCH:
        yield from ((each, flags) for each in value[1])
    elif code is codes.SUBPATTERN:
        yield value[3], (flags | value[1]) & ~value[2]
    elif code in _REPEATS:
        yield value[2], flags
    elif code is codes.ATOMIC_GROUP:
        yield value, flags
    elif code in (codes.ASSERT, codes.ASSERT_NOT):
        yield value[1], flags
    elif code is codes.GROUPREF_EXISTS:
        yield from ((each, flags) for each in value[1:] if each)


def _may_read_for_ever(nodes: Iterable[Any]) -> bool:
    """Whether a part may match a text of unlimited length: without one there is no loop to analyse."""
    return any(
        code is codes.GROUPREF
        or (code in _REPEATS and value[1] is codes.MAXREPEAT)
        or any(_may_read_for_ever(nested) for nested, _ in _nested(code, value, 0))
        for code, value in nodes
    )


BEFORE_ALL: Final = -1


def fault_of(pattern: str | bytes, flags: int = 0, *, anchored: bool = False, whole: bool = False) -> str:
    """A text that takes at least quadratic time when repeated; empty if there is none.

    `anchored`: used with `match` or `fullmatch`; `whole`: with `fullmatch`.
    """
    if not _may_read_for_ever(parser.parse(pattern, flags)):
        return ""
    automaton = Automaton(pattern, flags, anchored=anchored, whole=whole)
    safe, reached = automaton.succeeding(), automaton.reached()
    loops = {
        place: frozenset(each for each in after if place in reached[each])
        for place, after in reached.items()
        if place in after
    }
    if any(_is_read_in_two_ways(automaton, loop, safe) for loop in set(loops.values())):
        return "a repeat of a repeat"
    for end, own in loops.items():
        before = [start for start in loops if end in reached[start] and start not in own]
        for start in before if anchored else [BEFORE_ALL, *before]:
            if text := _read_twice(automaton, start, end, loops, own, safe):
                return text
    return ""


def _is_read_in_two_ways(automaton: Automaton, loop: frozenset[int], safe: set[tuple[int, int]]) -> bool:
    """Whether two paths through a loop match the same text, which takes exponential time."""
    together = {
        (place, place, sign)
        for place in loop
        for sign in _bits_of(automaton.sets[place])
        if (place, sign) not in safe
    }
    waiting, seen = deque(together), set(together)
    while waiting:
        one, two, before = waiting.popleft()
        for sign in range(len(automaton.signs)):
            ones, twos = (
                [
                    each
                    for each in automaton.steps(place, before, sign)
                    if each in loop and (each, sign) not in safe
                ]
                for place in (one, two)
            )
            if one == two and len(ones) != len(set(ones)):
                return True
            for a, b in ((a, b) for a in ones for b in twos):
                if a == b and one != two:
                    return True
                if (a, b, sign) not in seen:
                    seen.add((a, b, sign))
                    waiting.append((a, b, sign))
    return False


def _read_twice(
    automaton: Automaton,
    start: int,
    end: int,
    loops: dict[int, frozenset[int]],
    own: frozenset[int],
    safe: set[tuple[int, int]],
) -> str:
    """A text that leads from `start` to itself, from `start` to `end`, and from `end` to itself."""
    around = frozenset((BEFORE_ALL,)) if start == BEFORE_ALL else loops[start]
    possible = automaton.sets[end] & (automaton.all if start == BEFORE_ALL else automaton.sets[start])
    for first in _bits_of(possible):
        if (end, first) in safe:
            continue
        begun = (start, start, end, first)
        waiting, texts = deque([begun]), {begun: ""}
        while waiting:
            state = waiting.popleft()
            one, two, three, before = state
            for sign in range(len(automaton.signs)):
                ones = [one] if one == BEFORE_ALL else [*automaton.steps(one, before, sign)]
                # Positions where the match cannot fail are excluded: backtracking stops there.
                threes = [
                    each
                    for each in automaton.steps(three, before, sign)
                    if each in own and (each, sign) not in safe
                ]
                if not threes:
                    continue
                twos = [*automaton.steps(two, before, sign), *([two] if two == BEFORE_ALL else [])]
                for next_state in (
                    (a, b, c, sign) for a in ones if a in around for b in twos for c in threes
                ):
                    text = texts[state] + automaton.signs[sign]
                    if next_state == (start, end, end, first):
                        return text
                    if next_state not in texts:
                        texts[next_state] = text
                        waiting.append(next_state)
    return ""
