"""Names of people: which part is the given name, in which order a name is written, and how it is spelt on a badge."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from app.domain.imports.lists.model import Column, Reason
from app.language import N_, in_capitals

CIVILITIES = frozenset(
    ("m", "mr", "mrs", "ms", "mme", "mmes", "mlle", "mlles", "mm", "monsieur", "madame", "mademoiselle", "messieurs", "mesdames", "mesdemoiselles", "vve", "veuve", "dr", "pr", "me", "sir")
)  # fmt: skip
_PARTICLES = frozenset(
    (
        "le", "la", "les", "l", "de", "du", "des", "d", "van", "von", "vander", "der", "den", "ter", "da", "di",
        "del", "della", "dal", "dos", "das", "do", "el", "al", "ait", "aït", "ben", "bin", "bel", "ould", "abou",
        "bou", "mac", "mc", "saint", "sainte", "san", "santa", "st", "ste", "y", "lo", "li", "ibn", "abd",
    )
)  # fmt: skip
SURE_PARTICLES = _PARTICLES - {"al", "ben", "bel", "li", "lo", "san", "santa", "mac", "do", "y"}
_DATA = Path(__file__).with_name("names.txt")
_COMMON, _LESS_COMMON = 359, 150
"""The frequency of « abandonnent » and of « barjo »; about 16,000 and 26,000 are as frequent."""
_RARE_GIVEN, _RARE_FAMILY = 10, 11
_CLEARLY = 3
"""Powers of two between the ranks of one text as given and as family name."""
DAMAGED = re.compile(
    r"[\ufffd]|Ã[\x80-\xbf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ€]|Â[°«»]|\?|(?<=[^\W\d_])[ŽŠ](?=[a-zß-ÿ])|(?<=[a-zß-ÿ])[ŽŠ]|ƒ"
)
_ALLOWED = re.compile(r"[^\W\d_]|[ \-'’ʼ.·\u0300-\u036f]")
_MISREAD = re.compile(
    r"[A-ZÀ-ÖØ-Þ]{2}[a-zß-öø-ÿ](?![a-zß-öø-ÿ])|(?<![^\W\d_])[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]{2}|[a-zß-öø-ÿ]I[a-zß-öø-ÿ]|(?<![^\W\d_])[lL][bcdfgjkmnpqrstvwxz][^\W\d_]"
)
"""A small letter among capitals, a capital among small ones: « CHAUVlN », « EmiIie », « lnès » were scanned."""
_LONGEST = 45


class Kind(Enum):
    GIVEN = "given"
    FAMILY = "family"
    BOTH = "both"
    UNKNOWN = "unknown"


_SPELT_OUT = str.maketrans({"œ": "oe", "æ": "ae", "ı": "i", "ø": "o", "ł": "l"})


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Small letters without accents or punctuation, one space between the parts."""
    plain = text.casefold().translate(_SPELT_OUT)
    letters = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", letters))


@cache
def _parts() -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    name = ""
    for line in _DATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            parts.setdefault(name, []).append(line)
    return parts


@cache
def _ranks() -> tuple[dict[str, int], dict[str, int]]:
    given, family = (
        {name: rank for rank, line in enumerate(_parts()[part]) for name in line.split()}
        for part in ("given", "family")
    )
    return given, family


@cache
def _namesakes() -> frozenset[frozenset[str]]:
    return frozenset(
        frozenset(fold(name).split()) for line in _parts()["namesakes"] for name in line.split(",")
    )


def is_namesake(name: str) -> bool:
    """« Jean Moulin », « Merlin Leroy »: schools and companies have this name."""
    return frozenset(fold(name).split()) in _namesakes()


@cache
def _placeholders() -> tuple[frozenset[frozenset[str]], frozenset[str], frozenset[str]]:
    names, together, alone = _parts()["placeholders"][:-2], *_parts()["placeholders"][-2:]
    invented = frozenset(frozenset(fold(name).split()) for line in names for name in line.split(","))
    return invented, frozenset(together.split()), frozenset(alone.split())


def is_placeholder(name: str) -> bool:
    """« Mickey Mouse », « DOE John », « Toto Titi », « Azerty »: an example, a character or a joke, in either order."""
    invented, together, alone = _placeholders()
    words = frozenset(fold(name).split())
    return words in invented or words <= together or not words.isdisjoint(alone)


def _counts(language: str) -> dict[str, int]:
    """Frequencies in subtitles, from the package pyspellchecker."""
    packed = files("spellchecker").joinpath(f"resources/{language}.json.gz").read_bytes()
    return dict(json.loads(gzip.decompress(packed)))


@cache
def _frequent() -> dict[str, int]:
    """Parsed once for both frequencies."""
    return {word: count for word, count in _counts("fr").items() if count >= _LESS_COMMON}


@cache
def _vocabulary(frequency: int, language: str = "fr") -> frozenset[str]:
    counts = _frequent() if frequency >= _LESS_COMMON else _counts(language)
    return frozenset(
        word
        for word in {
            word if word.isascii() and word.isalpha() and word.islower() else fold(word)
            for word, count in counts.items()
            if count >= frequency
        }
        if 3 <= len(word) <= 15 and " " not in word and word not in _PARTICLES
    )


@cache
def _common_words(frequency: int) -> frozenset[str]:
    given, family = _ranks()
    return _vocabulary(frequency) - given.keys() - family.keys()


def is_no_given(word: str) -> bool:
    """« Frère » is a common term, perhaps a family name, and no given name."""
    folded = fold(word)
    return folded in _vocabulary(_COMMON) and folded not in _ranks()[0]


def is_common_word(word: str) -> bool:
    """Frequent in French and unknown as a name."""
    return fold(word) in _common_words(_COMMON)


def is_less_common_word(word: str) -> bool:
    """Known to French and unknown as a name, so doubtful without other evidence."""
    return fold(word) in _common_words(_LESS_COMMON)


def is_in_dictionary(word: str) -> bool:
    """Known to French, English or Spanish, however rare."""
    parts = [part for part in fold(word).split() if len(part) > 2]
    return any(_vocabulary(1, language).issuperset(parts) for language in ("fr", "en", "es"))


def kind_of(word: str) -> Kind:
    """Whether French statistics know this as a given or a family name."""
    parts = fold(word).split()
    if not parts:
        return Kind.UNKNOWN
    if len(parts) == 1:
        return _kind(parts[0])
    if parts[0] in ("saint", "sainte"):
        return Kind.FAMILY
    joined = _kind("".join(parts))
    kinds = [_kind(part) for part in parts]
    if joined is Kind.FAMILY and all(kind in (Kind.GIVEN, Kind.BOTH) for kind in kinds):
        return Kind.BOTH
    if joined is not Kind.UNKNOWN:
        return joined
    if "-" in word and kinds[0] in (Kind.GIVEN, Kind.BOTH) and Kind.FAMILY not in kinds:
        return Kind.GIVEN
    if re.match(r"[ondml]['’]", word, re.IGNORECASE):
        return Kind.FAMILY
    return Kind.FAMILY if Kind.FAMILY in kinds else Kind.UNKNOWN


@lru_cache(maxsize=20_000)
def _kind(part: str) -> Kind:
    given, family = (ranks.get(part) for ranks in _ranks())
    if given is None:
        return Kind.UNKNOWN if family is None else Kind.FAMILY
    if family is None or (family >= _RARE_FAMILY and family - given >= _CLEARLY):
        return Kind.GIVEN
    if given >= _RARE_GIVEN and given - family >= _CLEARLY:
        return Kind.FAMILY
    return Kind.BOTH


def may_be_given(word: str) -> bool:
    return kind_of(word) in (Kind.GIVEN, Kind.BOTH)


def may_be_either(first: str, last: str) -> bool:
    """Statistics know each of the two both as a given and as a family name, however rarely."""
    givens, families = _ranks()
    words = {fold(word).replace(" ", "") for word in (first, last)}
    return words <= givens.keys() and words <= families.keys()


_UNKNOWN_RANK = 15
_REVERSED, _REVERSED_UNKNOWN, _REVERSED_BY_CASE = 2, 6, 5


def is_reversed(given: str, family: str, *, by_case: bool = False, steps: int = _REVERSED) -> bool:
    """Whether statistics make « Chloé Martin » of « Martin » as given and « Chloé » as family name.

    Ranks are steps of two: reversed it is four times as frequent, or far more where no statistics know the second
    as a given name. Right names of France are as unlikely in 4 of 1,000. Capitals (`by_case`) outweigh three more steps.
    """
    if not family or is_particle(family.split()[0]):
        return False
    one, other = ranks_of(given), ranks_of(family)
    margin = one[0] + other[1] - other[0] - one[1]
    if by_case:
        return max(one[1], other[0]) < _UNKNOWN_RANK and margin >= max(steps, _REVERSED_BY_CASE)
    return margin >= (steps if other[0] < _UNKNOWN_RANK else _REVERSED_UNKNOWN)


def ranks_of(half: str) -> list[int]:
    """How usual a half is as given and as family name: 0 for the most usual; of « Marie-Ange », « Nour El Houda » its first term."""
    parts = fold(half).split()
    found = [ranks.get("".join(parts), _UNKNOWN_RANK) for ranks in _ranks()]
    if min(found) == _UNKNOWN_RANK and parts and may_be_given(parts[0]):
        found = [ranks.get(parts[0], _UNKNOWN_RANK) for ranks in _ranks()]
    return found


def is_likelier_family(half: str, margin: int) -> bool:
    """Whether it is as usual as family name, or by `margin` steps of two more so."""
    given, family = ranks_of(half)
    return given - family >= margin


_HEADS = frozenset(
    ("jean", "marie", "anne", "pierre", "louis", "paul", "charles", "rose", "victor", "eve", "francois", "henri", "guy")
)  # fmt: skip


def is_double_given(name: str) -> bool:
    """« Jean Paul », « Rose Marie »: two given names, and no family name that is as usual as the second."""
    words = fold(name).split()
    if len(words) != 2 or words[0] not in _HEADS:
        return False
    given, family = (ranks.get(words[1]) for ranks in _ranks())
    return given is not None and (family is None or family - given >= _CLEARLY + 1)


def is_usual_pair(given: str) -> bool:
    """« Jean Marie », « Mohamed Amine », « Lou Anne »; « Raphaël Aurélie » may be two people."""
    words = fold(given).split()
    return bool(_PAIRED.intersection(words)) or kind_of("".join(words)) is not Kind.UNKNOWN


def given_names() -> Mapping[str, int]:
    """Folded, with their ranks: 0 for the most usual."""
    return _ranks()[0]


def family_names() -> Mapping[str, int]:
    return _ranks()[1]


_PAIRED = _HEADS | frozenset(
    ("mohamed", "mohammed", "mouhamed", "ahmed", "ali", "fatima", "fatma", "nour", "abdou", "lou", "ange", "line", "maria", "jose", "juan", "ana", "van", "thi", "joao", "luis", "miguel", "pedro", "carlos")
)  # fmt: skip


def is_particle(word: str) -> bool:
    return fold(word) in _PARTICLES and word.casefold() != "là"


def is_sure_particle(word: str) -> bool:
    return fold(word) in SURE_PARTICLES - {"le", "den", "ter", "da", "di", "bin", "van", "von"}


def without_civility(name: str) -> str:
    """« Mme DUPONT Marie » is Marie Dupont."""
    words = name.split()
    bare = ("me", "pr", "dr", "ms")
    while len(words) > 1 and fold(words[0]) in CIVILITIES and words[0].casefold() not in bare:
        words = words[1:]
    if len(words) > 2 and words[0].rstrip(".") in ("Me", "Dr", "Pr", "Ms"):
        words = words[1:]
    if len(words) > 1 and fold(words[-1]) in {"mme", "mlle", "monsieur", "madame", "mr"}:
        words = words[:-1]
    return " ".join(words)


def order_of(name: str, *, hint: str = "") -> tuple[Column | None, bool]:
    """In which order one whole name is written, and whether that is certain; `hint` is the local part of the address."""
    words = name.split()
    if len(words) < 2:
        return None, False
    if by_capitals(words):
        is_family = in_capitals(words[0]) or _starts_in_capitals(words)
        return Column.FAMILY_FIRST if is_family else Column.GIVEN_FIRST, True
    shown = (_by_statistics(words), _by_particles(words), order_in_address(words, hint))
    votes = [vote for vote in shown if vote]
    orders = {order for order, _ in votes}
    if len(orders) != 1:
        return None, False
    return orders.pop(), any(strong for _, strong in votes) or len(votes) > 1


def _by_statistics(words: Sequence[str]) -> tuple[Column, bool] | None:
    first, last = kind_of(words[0]), kind_of(words[-1])
    if is_particle(words[0]) and first is not Kind.GIVEN:
        first = Kind.FAMILY
    if len(words) > 2 and is_particle(words[-2]) and last is not Kind.GIVEN:
        last = Kind.FAMILY
    weight = {Kind.GIVEN: 2, Kind.BOTH: 0, Kind.UNKNOWN: 0, Kind.FAMILY: -2}
    lean = weight[first] - weight[last]
    if lean == 0:
        return None
    order = Column.GIVEN_FIRST if lean > 0 else Column.FAMILY_FIRST
    named_given = first if lean > 0 else last
    return order, named_given in (Kind.GIVEN, Kind.BOTH)


def _by_particles(words: Sequence[str]) -> tuple[Column, bool] | None:
    if len(words) < 3:
        return None
    if fold(words[0]) in SURE_PARTICLES:
        return Column.FAMILY_FIRST, True
    if any(fold(word) in SURE_PARTICLES for word in words[1:-1]) and not is_particle(words[0]):
        return Column.GIVEN_FIRST, False
    return None


def order_in_address(words: Sequence[str], hint: str) -> tuple[Column, bool] | None:
    """`marie.dupont@` and `mdupont@` begin with the given name: so most addresses are made."""
    if not hint:
        return None
    parts = [part for part in fold(hint).split() if not part.isdigit()]
    first, last = fold(words[0]).replace(" ", ""), fold(words[-1]).replace(" ", "")
    joined = "".join(parts)
    if first == last:
        return None
    if len(parts) >= 2 and parts[0] == first and parts[-1] in (last, last[:1]):
        return Column.GIVEN_FIRST, False
    if len(parts) >= 2 and parts[0] == last and parts[-1] in (first, first[:1]):
        return Column.FAMILY_FIRST, False
    if (
        joined.startswith(first[:1])
        and joined.endswith(last)
        and len(joined) == len(last) + 1
        and len(last) > 2
    ):
        return Column.GIVEN_FIRST, True
    if (
        joined.startswith(last[:1])
        and joined.endswith(first)
        and len(joined) == len(first) + 1
        and len(first) > 2
    ):
        return Column.FAMILY_FIRST, True
    return None


def _starts_in_capitals(words: Sequence[str]) -> bool:
    """« de LA TOUR Anne »: small particles before the capitals belong to them."""
    index = 0
    while index < len(words) - 1 and is_particle(words[index]) and not in_capitals(words[index]):
        index += 1
    return in_capitals(words[index])


def by_capitals(words: Sequence[str]) -> tuple[str, str] | None:
    """(given, family) where capitals alone mark the family name, at one end of the name."""
    marked = [index for index, word in enumerate(words) if in_capitals(word)]
    if not marked or len(marked) == len(words):
        return None
    first, last = marked[0], marked[-1]
    if any(not in_capitals(word) and not is_particle(word) for word in words[first : last + 1]):
        return None
    while first > 0 and is_particle(words[first - 1]) and (first > 1 or last < len(words) - 1):
        first -= 1
    if first > 0 and last < len(words) - 1:
        return None
    given = [*words[:first], *words[last + 1 :]]
    # « LE Goff Anne » marks nothing: the capitals are a particle's.
    if not given or all(is_particle(words[index]) for index in marked):
        return None
    return " ".join(given), " ".join(words[first : last + 1])


def split_name(name: str, order: Column | None) -> tuple[str, str, bool]:
    """(given, family) of a name in one piece, and whether the border between them is certain."""
    words = name.split()
    if len(words) < 2:
        return "", " ".join(words), False
    if marked := by_capitals(words):
        # « Leclercq Fanny SNCF »: capitals may be those of a company.
        given_words, family_words = (
            marked[0].split(),
            [word for word in marked[1].split() if not is_particle(word)],
        )
        foreign = len(given_words) > 1 and any(kind_of(word) is Kind.FAMILY for word in given_words)
        short = len(family_words) > 1 and any(
            kind_of(word) is Kind.UNKNOWN and len(fold(word)) < 6 for word in family_words
        )
        return *marked, not foreign and not short
    family_first = order is Column.FAMILY_FIRST
    if len(words) == 2:
        given, family = (words[1], words[0]) if family_first else (words[0], words[1])
        return given, family, not any(is_particle(word) and fold(word) in SURE_PARTICLES for word in words)
    if family_first:
        at = 0
        while at < len(words) - 2 and is_particle(words[at]):
            at += 1
        at += 1
        if at == len(words) - 1:
            return words[-1], " ".join(words[:-1]), at > 1
        if may_be_given(words[-2]) and not may_be_given(words[0]):
            at = min(at, len(words) - 2)
            return " ".join(words[at:]), " ".join(words[:at]), False
        return words[-1], " ".join(words[:-1]), False
    particle = next((index for index in range(1, len(words) - 1) if is_particle(words[index])), 0)
    if particle == 1:
        return words[0], " ".join(words[1:]), all(is_particle(word) for word in words[1:-1])
    if particle:
        return " ".join(words[:particle]), " ".join(words[particle:]), False
    at = 2 if kind_of(words[1]) is Kind.GIVEN and not may_be_given(words[-1]) else 1
    return " ".join(words[:at]), " ".join(words[at:]), False


def fault_of(given: str, family: str) -> tuple[Reason, str] | None:
    """What makes a name suspect by its letters alone."""
    whole = f"{given} {family}".strip()
    if not whole or not any(c.isalpha() for c in whole) or set(fold(whole).split()) <= CIVILITIES:
        return Reason.NO_NAME, whole
    if DAMAGED.search(whole):
        return Reason.DAMAGED, whole
    if any(c.isdigit() for c in whole):
        return Reason.DIGITS, whole
    if _MISREAD.search(whole):
        return Reason.DAMAGED, whole
    odd = [c for c in whole if not _ALLOWED.fullmatch(c)]
    if odd:
        return Reason.SIGNS, "".join(odd)
    if " - " in whole or re.search(r"\.\w", whole):
        return Reason.SIGNS, whole
    if not given or not family:
        return Reason.ONE_WORD, whole
    if (
        len(whole) > _LONGEST
        or len(given.split()) > 3
        or len([w for w in family.split() if not is_particle(w)]) > 3
    ):
        return Reason.LONG, whole
    if any(
        fold(half) in CIVILITIES - {"me", "pr", "dr"} or all(map(is_sure_particle, half.split()))
        for half in (given, family)
    ):
        return Reason.ONE_WORD, whole
    if any(len([c for c in half if c.isalpha()]) < 2 or half.endswith(".") for half in (given, family)):
        return Reason.INITIAL, whole
    if _has_initial(given, "") or _has_initial(family, "dlyeno"):
        return Reason.INITIAL, whole
    return None


_FORM_LABELS = frozenset(
    ("prenom", "nom", "nom de famille", "nom prenom", "prenom nom", "votre nom", "votre prenom")
)
_DOUBTFUL = (Reason.DIGITS, Reason.SIGNS, Reason.DAMAGED, Reason.INITIAL)


@dataclass(frozen=True)
class NameDoubt:
    """Why the name of one form is asked about; `given` and `family` are empty where nothing better is known."""

    sentence: str
    given: str = ""
    family: str = ""


def doubt_about(given: str, family: str) -> NameDoubt | None:
    """What to ask once about a name that was typed into two fields; right names of France are asked about in 4 of 1,000."""
    halves = given, family = " ".join(given.split()), " ".join(family.split())
    if not family and len(given.split()) < 2:
        return None
    meant = _without_repetition(without_civility(given), without_civility(family))
    if is_reversed(*meant):
        return NameDoubt(N_("Prénom et nom sont-ils dans le bon ordre ?"), meant[1], meant[0])
    if meant != halves:
        return NameDoubt(N_("Ce nom est-il bien écrit ?"), *meant)
    found = fault_of(given, family)
    if (
        {fold(given), fold(family)} & _FORM_LABELS
        or is_placeholder(f"{given} {family}")
        or (found and (found[0] in _DOUBTFUL or (given and found[0] is Reason.ONE_WORD)))
    ):
        return NameDoubt(N_("Ce nom est-il bien écrit ?"))
    return None


def from_account(given: str, family: str, whole: str) -> tuple[str, str, NameDoubt | None]:
    """The name of an account that has both halves, one of them, or the whole, and what to ask about it."""
    order_known, parted, whole = True, True, without_civility(" ".join(whole.split()))
    if whole and not (given and family):
        known = _without_repetition(given, whole) if given else _without_repetition(whole, family)
        if (given or family) and " ".join(known).split() != f"{given} {whole} {family}".split():
            given, family = known
        elif whole.count(",") == 1:
            family, given = (half.strip() for half in whole.split(","))
        else:
            order, order_known = order_of(whole)
            given, family, parted = split_name(whole, order or Column.GIVEN_FIRST)
    given, family = (given, family) if family else ("", given)
    doubt = doubt_about(given, family)
    if (doubt is None and not (order_known and parted)) or not (given or (doubt and doubt.family)):
        doubt = NameDoubt(N_("Ce nom est-il bien écrit ?"))
    return given, family, doubt


def readings(given: str, family: str, doubt: NameDoubt) -> list[tuple[str, str]]:
    """The answers to choose from, as written first."""
    if doubt.family:
        return [(given, family), (doubt.given, doubt.family)]
    words = f"{given} {family}".split()
    if len(words) == 2:
        return [(given, family), (family, given)]
    borders = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    return list(dict.fromkeys([(given, family), *borders[:3]]))


def _without_repetition(given: str, family: str) -> tuple[str, str]:
    """« Chloé Martin | Martin », « Chloé | Martin Chloé » and « Chloé Martin | » are Chloé Martin."""
    one, other = given.split(), family.split()
    if not one or not other or (fold(given) == fold(family) and len(one) > 1):
        whole = given or family
        if len(whole.split()) < 2 or (not one and is_particle(other[0])):
            return given, family
        return split_name(whole, order_of(whole)[0])[:2]
    return (
        " ".join(_without_ends(one, other)) or given,
        " ".join(_without_ends(other, one)) or family,
    )


def _without_ends(words: list[str], other: list[str]) -> list[str]:
    count = len(other)
    if len(words) <= count:
        return words
    folded, repeated = [fold(word) for word in words], [fold(word) for word in other]
    if folded[-count:] == repeated:
        return words[:-count]
    return words[count:] if folded[:count] == repeated else words


def _has_initial(half: str, particles: str) -> bool:
    """« Nadège A », « John P »; not « D Angelo » nor « Ortega y Gasset »."""
    words = fold(half.replace("'", "").replace("’", "")).split()
    return any(
        len(word) == 1 and (word not in particles or index == len(words) - 1)
        for index, word in enumerate(words)
    )


def repaired(text: str) -> str:
    """UTF-8 that was read as CP1252 (« LÃ©a »), as it was meant; unchanged where that is not what happened."""
    try:
        return text.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def looks_like_word(word: str) -> bool:
    """Letters of a name, and a capital or a particle at its head."""
    return all(_ALLOWED.fullmatch(c) for c in word) and (
        word[:1].isupper() or is_particle(word) or may_be_given(word)
    )


def lean_of(first: str, second: str) -> int:
    """Above zero where the first of two halves is the given name; capitals mark a family name, then statistics."""
    marks = [half.isupper() and sum(c.isalpha() for c in half) > 1 for half in (first, second)]
    if marks[0] != marks[1]:
        return -3 if marks[0] else 3
    weight = {Kind.GIVEN: 2, Kind.FAMILY: -2, Kind.BOTH: 0, Kind.UNKNOWN: 0}
    one, other = (kind_of(half.split()[0]) if half.split() else Kind.UNKNOWN for half in (first, second))
    return weight[one] - weight[other]


PLACES = frozenset(" ".join(_parts()["places"]).split())
"""Of France and around it, and no usual given name."""
TITLES = frozenset(" ".join(_parts()["titles"]).split())
"""« Abbé », « Mamie », « Capitaine »"""
