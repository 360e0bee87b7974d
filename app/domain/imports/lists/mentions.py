"""People named anywhere in a text: what a reading has to show, whatever else it makes of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.imports.lists.addresses import addresses_in
from app.domain.imports.lists.names import (
    CIVILITIES,
    fold,
    is_common_word,
    is_particle,
    may_be_given,
)
from app.domain.imports.lists.wording import HEADING_WORDS, LEADERS, STATUS_WORDS, THINGS

_TOKEN = re.compile(r"[^\W\d_](?:[^\W\d_]|['’ʼ\-]+(?=[^\W\d_])|\.(?=[^\W\d_]))*\.?")
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


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        return fold(self.text)

    @property
    def is_name_like(self) -> bool:
        folded = self.folded
        parts = folded.split()
        if not parts or folded in CIVILITIES or folded in _PLACES or folded in HEADING_WORDS | STATUS_WORDS:
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
        # « Atelier de Marie Dupont »
        if len(run) > 2 and run[0].text in ("de", "d’", "d'", "par") and may_be_given(run[1].text):
            before, run = None, run[1:]
        ahead = before.folded if before else ""
        after_civility = ahead in CIVILITIES
        if ahead in _PLACES:
            continue
        while run and is_particle(run[-1].text):
            run = run[:-1]
        solid = [token for token in run if not is_particle(token.text)]
        if len(run) == 1 and len(run[0].text) > 2 and may_be_given(run[0].text) and not after_civility:
            around = bare[max(0, run[0].start - 4) : run[0].start], bare[run[0].end : run[0].end + 4]
            if re.search(r"(^|[,;:]|\bet|&)\s*$", around[0]) and re.match(r"\s*($|[,;.]|et\b|&)", around[1]):
                alone.append(run[0].text)
        named = any(may_be_given(token.text) and len(token.text) > 2 for token in solid)
        if not solid or not (after_civility or (named and len(solid) > 1)) or len(solid) > _LONGEST:
            continue
        found.append(" ".join(token.text.rstrip(".") for token in run))
    # « Léa Petit, Tom Roux et Sam »
    return [*found, *alone] if len(found) > 1 else found


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
        if token.is_name_like or (follows and not common and len(token.text) > 2):
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
