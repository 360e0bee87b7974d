"""Issuers outside every list with a name or site that resembles that of a recognised one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from sceau_credentials.trust.lists import Entry
from sceau_credentials.verification.checks import domain_of

_LONGEST: Final = 400
# Beyond the standard's single characters: Latin letters confused in handwriting and on small screens.
_ALIKE: Final = str.maketrans({"i": "l", "j": "l", "1": "l", "|": "l", "0": "o", "5": "s"})
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


@lru_cache(maxsize=16_384)
def skeleton(text: str) -> str:
    """Letters and digits only: no accents, case, hyphens or spaces; each character as the one it resembles."""
    looks = _prototypes()
    shown: list[str] = []
    for sign in unicodedata.normalize("NFKD", text[:_LONGEST]):
        if unicodedata.category(sign)[0] == "M":
            continue
        # A small Cyrillic letter may have no lookalike where its capital has one.
        like = looks.get(sign) or looks.get(sign.upper()) or _in_another_shape(sign)
        shown.extend(each for each in like.casefold() if each.isalnum())
    bare = "".join(shown)
    for pair, one in _PAIRS:
        bare = bare.replace(pair, one)
    return bare.translate(_ALIKE)


def without_unseen(text: str) -> str:
    """The text up to the longest that is compared, without combining marks and invisible characters."""
    return "".join(sign for sign in text if unicodedata.category(sign)[0] not in "MC")[:_LONGEST]


def _in_another_shape(sign: str) -> str:
    """The plain letter of a small capital, or of one in a dark disc or square, which NFKD leaves unchanged."""
    if sign.isascii():
        return sign
    found = _SHAPED.search(unicodedata.name(sign, ""))
    return found[1] if found else sign


_SHAPED: Final = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|(?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER) ([A-Z])$"
)


@cache
def _prototypes() -> Mapping[str, str]:
    table = (files("sceau_credentials.trust") / "confusables.tsv").read_text("utf-8")
    looks = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            like, _, sources = line.partition("\t")
            looks.update({chr(int(code, 16)): like for code in sources.split()})
    return looks


_SHORTEST: Final = 4
_ONE_SLIP, _TWO_SLIPS = 8, 16
"""From this length on, one or two edits still count as a resemblance."""
_BEFORE_THE_NAME: Final = re.compile(
    r"(?:(?<!\s)\s++)?+(?:le\s+)?(?:campus|cmq)\b(?:\s+des\s+m.{1,2}tiers\s+et\s+(?:des\s+)?qualifications?)?(?:\s+d.excellence)?\s*",
    re.IGNORECASE,
)


class Likeness(StrEnum):
    """In what respect another issuer resembles a recognised one."""

    NAME = "name"
    HOST = "host"


@dataclass(frozen=True)
class Resemblance:
    """`known` is the recognised issuer that the other resembles."""

    likeness: Likeness
    known: Entry


def resemblance(entries: Iterable[Entry], *, issuer: str, name: str) -> Resemblance | None:
    """The listed issuer that this one resembles; None for one that is on the list itself, or resembles none."""
    known = tuple(entries)
    if any(entry.id == issuer for entry in known):
        return None
    host = domain_of(issuer) or ""
    for entry in known:
        if host and any(_hosts_alike(host, theirs) for theirs in _hosts_of(entry)):
            return Resemblance(Likeness.HOST, entry)
    # A name that begins with hundreds of invisible characters is still compared.
    name = without_unseen(name)
    for entry in known:
        if any(names_alike(name, theirs) for theirs in (entry.name, entry.short_name)):
            return Resemblance(Likeness.NAME, entry)
    return None


def names_alike(one: str, other: str) -> bool:
    """Whether a hurried reader confuses the names; the prefix common to all campus names does not count."""
    return _alike(_core(one), _core(other))


def _hosts_alike(host: str, known: str) -> bool:
    """Not where both are one site, or one is below the other: a domain's owner controls its subdomains."""
    if host == known or host.endswith(f".{known}") or known.endswith(f".{host}"):
        return False
    if f".{host}.".find(f".{known}.") == 0:  # badges.exemple.fr.ailleurs.net
        return True
    if _alike(_host_core(host), _host_core(known)):
        return True
    name, known_name = host.rpartition(".")[0], known.rpartition(".")[0]
    return len(known_name) >= _ONE_SLIP and name == known_name


def _hosts_of(entry: Entry) -> Iterator[str]:
    for host in (domain_of(entry.id), domain_of(f"https://{entry.domain}") if entry.domain else None):
        if host:
            yield host


@lru_cache(maxsize=8_192)
def _core(name: str) -> str:
    return skeleton(_BEFORE_THE_NAME.sub("", name, count=1)) or skeleton(name)


@lru_cache(maxsize=8_192)
def _host_core(host: str) -> str:
    labels = host.removeprefix("www.").split(".")
    return skeleton("".join(map(_as_written, labels)))


def _as_written(label: str) -> str:
    """A label of a host as a browser may display it: letters beyond ASCII come as punycode."""
    try:
        return label.removeprefix("xn--").encode().decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def _alike(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    if shorter < _SHORTEST:
        return False
    if one == other:
        return True
    slips = 2 if shorter >= _TWO_SLIPS else 1 if shorter >= _ONE_SLIP else 0
    return slips > 0 and within_slips(one, other, slips)


def within_slips(one: str, other: str, most: int) -> bool:
    """Whether the edit distance (insert, delete, replace, swap neighbours) is at most `most`."""
    if abs(len(one) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, sign in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, theirs in enumerate(other, start=1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (sign != theirs))
            if i > 1 and j > 1 and sign == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return False
    return row[-1] <= most
