"""Names that are mentioned in a sentence, a remark or a cell, whatever else stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.imports.lists.vocabulary.addresses import addresses_in
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    SURE_PARTICLES,
    Kind,
    fold,
    is_common_word,
    is_less_common_word,
    is_particle,
    kind_of,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.remarks import STATUS_WORDS, is_class
from app.domain.imports.lists.vocabulary.wording import CALENDAR, HEADING_WORDS, LEADERS, THINGS

_TOKEN = re.compile(r"[^\W\d_](?:[^\W\d_]|['’\-]+(?=[^\W\d_])|\.(?=[^\W\d_]))*\.?")
_ELISION = re.compile(r"(?:[cjnstdlm]|qu|jusqu|lorsqu|puisqu)['’ʼ]", re.IGNORECASE)
_PLACES = THINGS | frozenset(
    [
        "lycee",
        "lycees",
        "college",
        "colleges",
        "ecole",
        "ecoles",
        "rue",
        "avenue",
        "boulevard",
        "place",
        "square",
        "allee",
        "chemin",
        "quai",
        "cours",
        "stade",
        "gymnase",
        "salle",
        "amphi",
        "amphitheatre",
        "batiment",
        "campus",
        "cfa",
        "fondation",
        "hopital",
        "clinique",
        "ehpad",
        "theatre",
        "mediatheque",
        "bibliotheque",
        "universite",
        "institut",
        "centre",
        "espace",
        "residence",
        "maison",
        "association",
        "prix",
        "institution",
        "lp",
        "lpo",
        "leg",
        "lgt",
        "erea",
        "ufa",
        "mfr",
    ]
)
_LONGEST = 5
_NO_NAMES = HEADING_WORDS | STATUS_WORDS | {"export", "extraction", "intitule"}
_COUPLE_OF_ONE_NAME = re.compile(
    rf"(?<![^\W\d_])(?<!['’\-.])({_TOKEN.pattern})\s+(?:et|&)\s+({_TOKEN.pattern})\s+({_TOKEN.pattern})"
)
_GREETING = frozenset(
    (
        "bonjour",
        "bonsoir",
        "merci",
        "salut",
        "coucou",
        "hello",
        "cher",
        "chere",
        "bises",
        "bisous",
        "cordialement",
        "ciao",
    )
)


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        return fold(self.text)

    @property
    def is_particle(self) -> bool:
        """« d » of « d’Arc », not the initial of « Sofiane D. », nor « LI » of « LI Karim »"""
        is_family = self.text.isupper() and self.folded not in SURE_PARTICLES and len(self.text) > 1
        return is_particle(self.text) and not self.text.endswith(".") and not is_family

    @property
    def is_name_like(self) -> bool:
        folded = self.folded
        parts = folded.split()
        if not parts or folded in CIVILITIES or folded in _PLACES or folded in _NO_NAMES:
            return False
        if is_particle(self.text):
            return True
        if _ELISION.match(self.text) and not self.text[:1].isupper() and is_common_word(parts[-1]):
            return False
        if is_common_word(folded.replace(" ", "")):
            return False
        return self.text[:1].isupper() or may_be_given(self.text)


def mentions_in(text: str) -> list[str]:
    """Names as written, each with a known given name or after a civility; « lycée Jean Zay » is a school."""
    _, bare = addresses_in(text, mark=" ; ")
    found = []
    alone = []
    for before, run in _runs(bare):
        if len(people := _apart(run)) > 1:
            found += people
            continue
        # « Atelier de Marie Dupont »
        if len(run) > 2 and run[0].text in ("de", "d’", "d'", "par") and may_be_given(run[1].text):
            before, run = None, run[1:]
        ahead = before.folded if before else ""
        after_civility = ahead in CIVILITIES
        if ahead in _PLACES:
            continue
        while run and run[-1].is_particle:
            run = run[:-1]
        solid = [token for token in run if not token.is_particle]
        if len(run) == 1 and len(run[0].text) > 2 and may_be_given(run[0].text) and not after_civility:
            around = bare[max(0, run[0].start - 4) : run[0].start], bare[run[0].end : run[0].end + 4]
            if re.search(r"(^|[,;:]|\bet|&)\s*$", around[0]) and re.match(r"\s*($|[,;.]|et\b|&)", around[1]):
                alone.append(run[0].text)
        named = any(may_be_given(token.text) and len(token.text) > 2 for token in solid)
        if not solid or not (after_civility or (named and len(solid) > 1)) or len(solid) > _LONGEST:
            continue
        found.append(" ".join(token.text.rstrip(".") for token in run))
    # « les jumeaux Arthur et Jules Petit »
    for couple in _COUPLE_OF_ONE_NAME.finditer(bare):
        first, second, family = couple.groups()
        if may_be_given(first) and may_be_given(second) and family[:1].isupper():
            found.append(f"{first} {family}")
    # « Léa Petit, Tom Roux et Sam »
    return [*found, *alone] if len(found) > 1 else found


def given_names_in(text: str) -> list[str]:
    """« Peut-on ajouter Fabrice ? »: given names that stand alone in a sentence; not « Merci Fabrice ! »"""
    found = []
    for before, run in _runs(addresses_in(text, mark=" ; ")[1]):
        name = run[0]
        if (
            len(run) != 1
            or kind_of(name.text) is not Kind.GIVEN
            or len(name.text) < 3
            or not name.text[:1].isupper()
        ):
            continue
        greeted = before is not None and before.folded in _GREETING
        if (
            before
            and before.folded not in _PLACES
            and not (greeted and re.match(r"\s*([,.!]|$)", text[name.end :]))
        ):
            found.append(name.text)
    return found


def lone_given_names_in(text: str) -> list[str]:
    """Given names without a second part, anywhere in the text; not those of schools, streets and months."""
    return [
        run[0].text
        for before, run in _runs(addresses_in(text, mark=" ; ")[1])
        if len(run) == 1
        and kind_of(run[0].text) is Kind.GIVEN
        and len(run[0].text) > 2
        and run[0].text[:1].isupper()
        and run[0].folded not in CALENDAR
        and not (before is not None and before.folded in _PLACES | _GREETING)
    ]


def unknown_names_in(text: str) -> list[str]:
    """« Xiuying Wang »: two to four capitalised parts that neither French nor statistics know."""
    found = []
    for before, run in _runs(addresses_in(text, mark=" ; ")[1]):
        solid = [token for token in run if not token.is_particle]
        if (
            2 <= len(solid) <= 4
            and not run[0].is_particle
            and not (run[0].text.isupper() and run[0].text.isalpha() and is_class(run[0].text))
            and not (before is not None and before.folded in _PLACES)
            and all(token.text[:1].isupper() and len(token.text) > 1 for token in solid)
            and not any(is_less_common_word(token.text) or token.folded in CALENDAR for token in solid)
            and not any(may_be_given(token.text) for token in solid)
        ):
            while run[-1].is_particle:
                run = run[:-1]
            found.append(" ".join(token.text.rstrip(".") for token in run))
    return found


def _apart(run: Sequence[_Token]) -> list[str]:
    """« Zoé Delattre Adam Fleury Dan Jolly »: people one after another, each begun by a given name."""
    solid = [token for token in run if not token.is_particle]
    if len(solid) < 4:
        return []
    pieces: list[list[_Token]] = [[]]
    for token in run:
        enough = sum(not one.is_particle for one in pieces[-1]) > 1
        begins = may_be_given(token.text) if len(solid) > 5 else kind_of(token.text) is Kind.GIVEN
        if enough and begins:
            pieces.append([])
        pieces[-1].append(token)
    if any(sum(not one.is_particle for one in piece) < 2 for piece in pieces):
        return []
    return [" ".join(token.text.rstrip(".") for token in piece) for piece in pieces]


def _runs(text: str) -> Iterator[tuple[_Token | None, list[_Token]]]:
    """Possible names, each with the token before it; small letters continue a name only after a given name."""
    before: _Token | None = None
    run: list[_Token] = []
    last: _Token | None = None
    for match in _TOKEN.finditer(text):
        token = _Token(match.group(), *match.span())
        gap = text[last.end : token.start] if last else ""
        if run and (gap.strip() or "\n" in gap):
            yield before, run
            before, run = None, []
        elif not run and gap.strip(" ."):
            last = None
        small = bool(run) and not token.text[:1].isupper() and not is_particle(token.text)
        follows = small and any(may_be_given(one.text) for one in run) and not run[0].text[:1].isupper()
        common = is_common_word(token.folded) or (_ELISION.match(token.text) and small)
        is_initial = bool(run) and re.fullmatch(r"[^\W\d_]\.", token.text)
        if token.is_name_like or is_initial or (follows and not common and len(token.text) > 2):
            if not run:
                before = last
            run.append(token)
        elif run:
            yield before, run
            before, run = None, []
        last = token
    if run:
        yield before, run


def names_leader(text: str) -> bool:
    """« Formateur : Didier Maréchal »."""
    return bool(set(fold(text).split()) & LEADERS)


def is_one_name(text: str) -> bool:
    """« ABSENT Jean », « Rose Présent »: a status beside one given name may be a family name, and no label."""
    words = re.sub(r"^\W*\d{0,3}\W*", "", text).split()
    states = [word for word in words if fold(word) in STATUS_WORDS and not fold(word).endswith("s")]
    given = [word for word in words if kind_of(word) in (Kind.GIVEN, Kind.BOTH)]
    return (
        len(words) == 2
        and len(states) == len(given) == 1
        and states != given
        and all(word.replace("-", "").isalpha() and word[:1].isupper() for word in words)
    )
