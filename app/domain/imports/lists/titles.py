"""What titles and labels mean for the people below them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from app.domain.imports.lists.doubts.evidence import OCCASIONS
from app.domain.imports.lists.doubts.notices import is_decorated, tells_success
from app.domain.imports.lists.enumerations import unbulleted
from app.domain.imports.lists.mentions import mentions_in
from app.domain.imports.lists.model import NAME_COLUMNS, Reason, Row
from app.domain.imports.lists.suspicion import Candidate, common_word_in
from app.domain.imports.lists.tables import Segment
from app.domain.imports.lists.vocabulary.names import (
    Kind,
    by_capitals,
    fold,
    is_common_word,
    is_less_common_word,
    is_particle,
    kind_of,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.remarks import (
    affirms,
    announces_participants,
    denial_in,
    is_class,
    is_not_yet,
    is_of_others,
    is_plain_label,
    speaks_for_itself,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import (
    CALENDAR,
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    PARTICIPANTS,
    THINGS,
    not_a_person,
)


@dataclass
class Titles:
    """What rows above mean for those below."""

    status: Reason | None = None
    closed: bool = False
    leader_next: bool = False
    leaders: bool = False
    """« Enseignants : » stands above."""
    under: str = ""
    """An unknown label between people, which may concern those below."""
    about: str = ""
    """A title about more of the people below than their group: « élèves exclus du voyage »."""
    last: int = 0
    people: int = 0
    counted: bool = False
    """« Absents : 3 » counts in a header, and stands above names in running text."""
    since: int = 0
    """People since the last label that concerns those below it."""
    heading: frozenset[str] = frozenset()
    """Of the first table with people."""
    listed: int = 0
    """People who are no title or label; those of running text count from the third on."""
    loose: int = 0
    titles: frozenset[str] = frozenset()
    """Texts above the first table, which stand above each page of it."""
    title: str = ""
    """The last text since those people: the name of a sheet, a title."""
    is_of_present: bool = False
    """« Présents » stands above."""
    is_present_sheet: bool = False
    carried: int = 0
    """The last line that « Absents : Léa Petit » in a line before holds for."""
    apart: str = ""
    """What stands over a further table, and is not known to stand over participants."""

    def reset(self) -> None:
        self.status, self.closed, self.leader_next, self.leaders, self.under = None, False, False, False, ""
        self.since, self.counted, self.about, self.is_of_present, self.carried = 0, False, "", False, 0


def is_lone_cell(row: Row, candidate: Candidate, segment: Segment) -> bool:
    """« Bureau » alone in its row, in a table with several cells to a row; not certainly a name."""
    text = candidate.whole or candidate.line.name
    return (
        bool(segment.heading)
        and len(row.filled) == 1
        and sum(len(other.filled) > 1 for other in segment.rows) * 2 > len(segment.rows)
        and not any(map(may_be_given, text.split()))
        and not by_capitals(text.split())
        and not is_clear(text)
    )


def note_heading(row: Row, context: Titles) -> None:
    """A further table is one of participants under the same heading or a title that names them."""
    heading = frozenset(map(fold, row.filled))
    is_known = fold(context.title) in context.titles or _PAGE.search(fold(context.title))
    title = "" if is_known else context.title
    if not context.listed:
        context.heading = heading
    elif title:
        is_same = heading == context.heading
        context.apart = "" if is_of_participants(title, is_same=is_same) else title
    elif heading != context.heading:
        context.apart = row.text


def is_of_participants(title: str, *, is_same: bool = True) -> bool:
    if is_plain_label(title) or announces_participants(title):
        return True
    words = set(fold(title).split())
    return is_same and not words & _OF_STAFF and is_clear(title) and not is_of_another_time(title)


_OF_STAFF = frozenset(
    (
        "equipe",
        "equipes",
        "service",
        "comite",
        "club",
        "association",
        "societe",
        "entreprise",
        "jury",
        "bureau",
        "direction",
    )
)


def label_of(row: Row, segment: Segment) -> str:
    """The only cell of a row, or its only cell for a name: « G3 ; Intervenants ; ; »."""
    if len(row.filled) == 1:
        return row.filled[0]
    names = [
        cell
        for cell, holds in zip(row.cells, segment.columns, strict=False)
        if cell and holds in NAME_COLUMNS
    ]
    return names[0] if len(names) == 1 and "@" not in row.text and not_a_person(names) else ""


_COUNTED = re.compile(r"([^:\d]{2,60}?)\s*:\s*(\d{1,3})\s*")


def uncounted(label: str, row: Row, segment: Segment, context: Titles) -> str:
    """« Refusés » for « Refusés : 2 » between people or over two of them; in a header it only counts."""
    if not (found := _COUNTED.fullmatch(label)) or row not in segment.rows:
        return label
    below = segment.rows[segment.rows.index(row) + 1 :]
    people = list(takewhile(lambda one: one.filled and ":" not in one.text, below))
    return found[1] if people and (context.people or len(people) == int(found[2])) else label


def note_title(row: Row, context: Titles) -> None:
    """What a title means for the people below it."""
    words = set(fold(row.text).split())
    if any(map(str.isalpha, row.text)):
        context.title = row.text
        if not context.listed and not context.loose:
            context.titles |= {fold(row.text)}
    announces = row.text.rstrip().endswith(":")
    bare = re.sub(r"\([^()]*\)", " ", row.text)
    is_label = announces or (len(fold(bare).split()) <= 3 and ":" not in row.text)
    others = words & (LEADERS | OTHER_PARTS | OF_OTHERS) if is_label and is_of_others(row.text) else set()
    context.leader_next = bool(others & LEADERS)
    context.leaders = any(word.endswith("s") for word in others) or "jury" in others
    context.last = 0
    if announces and (status := status_in(row.text)):
        context.status = status
    if row.filled and any(c.isalpha() for c in row.text) and not mentions_in(row.text):
        context.under = (
            row.text
            if context.people
            and (is_label or context.listed)
            and not others
            and not announces_participants(row.text)
            and not tells_success(row.text)
            and (not is_clear(row.text) or (context.listed and is_of_another_time(row.text)))
            and fold(row.text) not in context.titles
            else ""
        )


_CLEAR = (
    THINGS
    | PARTICIPANTS
    | frozenset(
        [
            "noms",
            "voici",
            "liste",
            "suite",
            "page",
            "ordre",
            "matin",
            "suivants",
            "bonjour",
            "bonsoir",
            "merci",
        ]
    )
)


def is_clear(title: str) -> bool:
    """« Atelier bois », « Groupe 2 », « Suite » change nothing for the people below."""
    words = fold(title).split()
    known = set(words)
    if any(
        not is_clear(inside) and not speaks_for_itself(inside)
        for inside in re.findall(r"\(([^()]+)\)", title)
    ):
        # « Promotion 2025 (pour mémoire) »
        return False
    if words[:1] in (["en"], ["a"], ["hors"], ["sans"], ["non"], ["pas"], ["avant"], ["apres"]):
        return False
    if known & {"liste", "listes", "noms"} and not known & THINGS:
        return is_plain_label(title)
    if _PAGE.search(fold(title)):
        return True
    return bool(known & _CLEAR) or is_plain_label(title) or is_class(title) or bool(_DAY.search(title))


_PAGE = re.compile(r"\bpages? \d|\bp \d+ \d")
_OCCASIONS = OCCASIONS | CALENDAR - {"et"} | {"date", "jour"}
_DAY = re.compile(r"\b\d{1,2}[/.]\d{1,2}\b")


def is_of_another_time(title: str) -> bool:
    """« Session 2 », « Mardi 12 mars » between people: those below were there another time."""
    if _PAGE.search(fold(title)):
        return False
    return bool(set(fold(title).split()) & _OCCASIONS or _DAY.search(title))


_OF_PART = re.compile(r"(?:eur|euse|rice|ien|ienne|ant|ante|ent|ente|iste|aire|age)s?$")
"""« Technicienne », « Sortants », « Rattrapage »: a part or an occasion."""


_ARTICLE = re.compile(r"(?:Les|La|Le|Des|Nos|Ceux|Celles|Cas) [a-zà-ÿ]|L['’][a-zà-ÿ]")
"""« Les cuistots », « La presse », not « Le Goff »."""


_UNSAID = re.compile(
    r"\b(?:rejet\w*|refus\w*|insuffisan\w*|fraudes?|colles?|discipline|(?<!liste d )(?<!feuille d )appel|deplacement|precedent\w*|destinataires?|enseignante|future?s?|espera|noire|seulement|adverse|secretariat|interromp\w+|suspend\w*|retardataires?|faux|rien|passee?s?|hors)\b|\bderniere fois\b|\b(?:session|annee|promotion) (?:derniere|passee)\b|\ben stage$|^ex\b|\bquasi\b|^liste (?:tampon|rouge|des (?:retard|sort|depart|partant)\w*)\b|^equipe (?:technique|support|d)\b|\breporte\w*|\ba confirmer\b|^en (?:stage|deplacement|voyage|conge)\b|"
    r"\b(?:comite|conseil|equipe|bureau|direction) (?:d|de|du|des|pedagogique|enseignante)\b|^(?:vivier|presse|panel|profesorado|elus|no shows|unsuccessful|withdrawn|steering)\b"
)
"""Of people who are listed for another reason than that they took part, or before they do."""
_OF_PERSONS = re.compile(r"(?:s|x|ed|ee|comite|jury|staff|vivier|pool)$|ée?s?$")


_SAID = re.compile(r"\s[-–—=]\s|[:;,]")
"""« Ji-Woo Park – oui »"""
_OF_MESSAGES = frozenset(("message", "forwarded", "original", "transfere", "origine"))


def is_unknown_label(text: str, *, below_people: bool, in_table: bool) -> bool:
    """« Exemptés », « Experts métiers », « Comité »: a term or two for people, of which nothing shows that they took part.

    Above a whole list, a title in the singular names the activity; alone in its row, what is no French term may be a name."""
    words = re.findall(r"[^\W_]+", text)
    says_no = bool(_UNSAID.search(fold(text)))
    says_no = says_no or (
        ":" not in text
        and bool(denial_in(re.sub(r"(?i)exemples?|modèles?|tests?", " ", text)) or is_not_yet(text))
    )
    if says_no and len(words) < 7 and "@" not in text and not announces_participants(text):
        return True
    if not 0 < len(words) <= 4 or any(map(str.isdigit, text)) or "@" in text or ":" in text.strip(" :"):
        return False
    named = set(fold(text).split()) - {"l", "la", "le", "les", "notre", "nos", "du", "de", "d"}
    is_membership = bool(named & {"membre", "membres"})
    if (
        named - {"membre", "membres"} <= _OF_STAFF
        and (below_people or is_membership)
        and fold(text) != "membres"
    ):
        # « L’équipe » between two groups of names, « Membres du bureau » above one
        return True
    if (
        below_people
        and len(words) == 2
        and fold(words[0]) in ("equipe", "equipes")
        and words[1].islower()
        and not is_plain_label(text)
    ):
        # « Équipe éducative »
        return True
    if (
        is_plain_label(text)
        or announces_participants(text)
        or is_class(text)
        or affirms(_SAID.split(text)[-1])
        or any(kind_of(word) is not Kind.UNKNOWN for word in words if not is_particle(word))
    ):
        return False
    known = set(fold(text).split())
    is_staff = known <= _OF_STAFF
    if in_table and not all(is_common_word(word) or is_less_common_word(word) for word in words):
        return False
    if not is_staff and (is_clear(text) or not_a_person([text]) or known & _OF_MESSAGES):
        return False
    if below_people:
        return len(words) == 1 or is_staff or words[-1].islower()
    first = words[0].lower()
    if first in ("le", "la", "les") and len(words) < 4:
        return True
    return is_staff or (bool(_OF_PERSONS.search(first)) and (len(words) == 1 or words[-1].islower()))


def _is_of_words(text: str) -> bool:
    """« Incomplets (2) », « Membres du jury (3) »: terms, and no part of a name."""
    words = [word for word in re.sub(r"\(\s*\d+\s*\)|\d+", " ", text).split() if not is_particle(word)]
    if any(fold(word) in OTHER_PARTS for word in words):
        return "(" in text
    if len(words) == 1:
        return "(" in text or is_less_common_word(words[0].removesuffix("s"))
    return bool(words) and all(
        is_common_word(fold(word)) or is_less_common_word(word.removesuffix("s")) for word in words
    )


def may_be_label(row: Row, candidate: Candidate) -> bool:
    """« À relancer » between people: asked about itself, and a question for those below."""
    text = unbulleted(row.text)
    return (
        len(row.filled) == 1
        and len(re.sub(r"\(\s*\d+\s*\)", "", text).split()) <= 4
        and not candidate.line.address
        and sum(map(str.isdigit, text)) < 6
        and not affirms(_SAID.split(text)[-1])
        and (
            text.rstrip().endswith(":")
            or common_word_in(text) != ""
            or (len(text.split()) == 1 and _OF_PART.search(fold(text)) is not None)
            or _is_of_words(text)
            or is_decorated(text.strip())
            or _ARTICLE.match(text.strip()) is not None
        )
        and all(
            kind_of(word) is Kind.UNKNOWN or fold(word) in OTHER_PARTS
            for word in text.split()
            if not is_particle(word)
        )
        and not is_clear(text)
    )
