"""What titles and labels mean for the people below them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.domain.imports.lists.doubts.evidence import OCCASIONS
from app.domain.imports.lists.doubts.notices import (
    asks_for,
    is_decorated,
    is_legend,
    is_remark_on_one,
    is_row_of_capitals,
    names_nobody,
    speaks_of_one,
    tells_success,
    without_program,
)
from app.domain.imports.lists.enumerations import unbulleted
from app.domain.imports.lists.mentions import mentions_in
from app.domain.imports.lists.model import NAME_COLUMNS, OF_PRESENCE, Line, Reason, Row, State
from app.domain.imports.lists.suspicion import Candidate, common_word_in
from app.domain.imports.lists.tables import Segment
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    Kind,
    by_capitals,
    fold,
    is_common_word,
    is_less_common_word,
    is_particle,
    kind_of,
    may_be_given,
    without_civility,
)
from app.domain.imports.lists.vocabulary.remarks import (
    affirms,
    announces_participants,
    announces_signatures,
    denial_in,
    is_class,
    is_of_document,
    is_of_others,
    is_of_those_who_took_part,
    is_plain_label,
    names_agents,
    speaks_for_itself,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import (
    CALENDAR,
    CLOSINGS,
    HEADING_WORDS,
    LEADERS,
    OF_OTHERS,
    OTHER_PARTS,
    PARTICIPANTS,
    THINGS,
    closes_list,
    looks_like_name,
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
    ("equipe", "equipes", "service", "comite", "club", "association", "societe", "entreprise", "jury", "bureau", "direction")
)  # fmt: skip


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
    context.leaders = any(word.endswith("s") for word in others) or "jury" in others or names_agents(row.text)
    context.last = 0
    if announces and (status := status_in(row.text)):
        context.status = status
    if any(map(str.isalpha, row.text)) and not mentions_in(row.text) and not names_nobody(row.text):
        context.under = (
            row.text
            if context.people
            and (is_label or context.listed)
            and not others
            and not announces_participants(row.text)
            and not tells_success(row.text)
            and (
                not (is_clear(row.text) or (is_understood(row.text) and not _names_a_topic(row.text)))
                or (context.listed and is_of_another_time(row.text) and not is_of_document(row.text))
            )
            and fold(row.text) not in context.titles
            else ""
        )


def _names_a_topic(text: str) -> bool:
    """« Émargement des visiteurs », whatever « Émargement » announces"""
    words = set(fold(text).split()) - _PLAIN - _HEADS - THINGS
    return not is_of_document(text) and not all(
        len(word) == 1 or any(map(str.isdigit, word)) or is_class(word) for word in words
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
_MONTHS = frozenset(("janv", "fev", "fevr", "avr", "juil", "sept", "oct", "nov", "dec"))
_OCCASIONS = OCCASIONS | CALENDAR - {"et"} | {"date", "jour"} | _MONTHS
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


_SAID = re.compile(r"\s[-–—=]\s|[:;,]")
"""« Ji-Woo Park – oui »"""


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


def doubt_around_unknown(lines: Sequence[Line]) -> list[Line]:
    """People beside text that is no name are asked about, unless all of it is known to tell nothing against them.

    It concerns those below it, down to the next text that announces participants; without any, and of a note, everybody."""
    found = list(lines)
    is_closed = False
    texts = list(map(_is_text, lines))
    years = {line.sheet: max(re.findall(r"\b20\d\d\b", line.sheet), default="") for line in lines}
    latest = max(years.values(), default="")
    for index, line in enumerate(lines):
        is_closed = is_closed or (
            line.state is State.REFUSED and (closes_list(line.text) or line.text.startswith("--"))
        )
        is_of_the_past = "" < years[line.sheet] < latest
        if line.state is State.READY and line.sheet and (is_of_the_past or not is_understood(line.sheet)):
            found[index] = found[index].doubting(Reason.UNDER, line.sheet)
        if not texts[index]:
            continue
        beside = [
            at
            for at, other in enumerate(lines)
            if other.sheet == line.sheet and other.state is not State.REFUSED and not texts[at]
        ]
        below = [at for at in beside if at > index]
        is_label = bool(below) and any(at < index and found[at].state is State.READY for at in beside)
        is_topic = is_closed or line.doubts[0].reason is Reason.SIGNATURE
        signed = announces_signatures(line.text) and not denial_in(line.text)
        if signed and not below:
            # « Signatures des formateurs : » at the end
            continue
        is_apart = (signed and is_of_others(line.text.strip(" ;:").split()[-1])) or (
            is_label and fold(line.text) in _HEADS
        )
        is_known = is_understood(line.text, of_topic=is_topic) or speaks_of_one(line.text, lines)
        if is_known and not is_apart:
            continue
        above = [at for at in beside if at < index]
        if below and above and is_remark_on_one(line.text.strip(" ;,|\t")):
            found[above[-1]] = found[above[-1]].doubting(Reason.CONCERNED, line.text.strip(" ;,|\t"))
            continue
        is_title = bool(below) and not _NOTE.match(line.text) and not _OF_ALL.match(fold(line.text))
        if above and len(line.text.split()) > 3 and not line.text.rstrip(" ;|\t").endswith(":"):
            # « Seuls les deux premiers auront le badge. », below it « Référent handicap : Jean Petit »
            is_title = is_title and not all(_may_be_no_participant(found[at]) for at in below)
        reason = Reason.UNDER if is_title else Reason.CONCERNED
        until = next(
            (at for at, other in enumerate(lines) if below and at > below[0] and _announces(other)),
            len(lines),
        )
        for at in below if is_title else beside:
            if found[at].state is State.READY and at < until:
                found[at] = found[at].doubting(reason, line.text.strip(" ;,|\t"), line=line.line)
        if is_title and above and line.text[:1].islower():
            # « départ 14h30 » may be a remark about the person above it.
            found[above[-1]] = found[above[-1]].doubting(Reason.CONCERNED, line.text.strip(" ;,|\t"))
    return found


def _may_be_no_participant(line: Line) -> bool:
    return any(doubt.reason in (Reason.MAYBE_TITLE, Reason.LEADER) for doubt in line.doubts)


_NOTE = re.compile(r"[*†(](?!\*)")
_OF_ALL = re.compile(
    r"(?:personne n|nul|aucune?|tous|toutes|tout le monde|ils|elles|(?:l )?une? (?:d|n)|(?:le|la|les) (?:\d|deux|trois|quatre|second|deuxi|troisi|premi|derni|autres))\w*\b"
)
"""« Personne n’est venu », « Les deux derniers ont abandonné »: not about those below it only."""


def _announces(line: Line) -> bool:
    text = line.text.strip(" ;,|\t")
    is_known = line.state is State.REFUSED and is_understood(text)
    return is_known and (announces_participants(text) or tells_success(text))


def _is_text(line: Line) -> bool:
    """A title, a sentence, a label that was taken for a name; no row of a table with a name in it, whatever is doubtful there."""
    reason = line.doubts[0].reason if line.doubts else None
    if (
        line.state is State.READY
        or not line.text
        or reason in (Reason.HEADING, Reason.EMPTY, Reason.REPEATED)
    ):
        return False
    cells = [cell for cell in re.split(r"[;\t|]", line.text) if any(map(str.isalpha, cell))]
    if line.state is State.REFUSED or fold(line.text) in CLOSINGS:
        return len(cells) < 4 and fold(line.text) not in CLOSINGS
    written = re.findall(r"[^\W\d_]{2,}", line.text)
    words = [word for word in written if not is_particle(word)]
    is_row = bool(line.given_name and line.family_name) and (len(cells) > 1 or "," in line.text)
    if len(words) > 3 and _RESTRICTING.search(fold(line.text)):
        # « Seules Léa Petit et Awa Diop sont venues »
        return True
    if not words or is_row or "@" in line.text:
        return False
    if any(name[:1].isupper() for name in mentions_in(line.text) if len(name.split()) > 1):
        return False
    if is_row_of_capitals(line, written[:2]):
        return False
    if is_particle(written[-1]) and written[-1].islower():
        # « Au nom de »
        return True
    bare = unbulleted(line.text)
    is_name_first = bare.startswith((line.given_name.lower(), line.family_name.lower()))
    is_sure = {doubt.reason for doubt in line.doubts} <= OF_PRESENCE | {Reason.EXTRA}
    if is_sure and is_name_first and line.family_name and may_be_given(line.given_name):
        # « kamel aguirre : excusée »
        return False
    if len(words) == 1:
        # « Tardiveau ; ; » in a table is a family name, « Gelés ; ; » is none.
        is_cell = re.search(r"[;\t]", line.text) and not is_less_common_word(words[0])
        return kind_of(words[0]) is Kind.UNKNOWN and not (is_cell and words[0][-1:].lower() not in "sxé")
    small = [word for word in words if word.islower()]
    if len(small) == len(words) and written[0].islower():
        return len(words) > 3 or any(map(is_common_word, words))
    return bool(small) or all(is_less_common_word(word) or fold(word) in HEADING_WORDS for word in words)


_RESTRICTING = re.compile(r"\b(?:seule?s?|seulement|uniquement|que|(?:les|des|aux) autres)\b")


def is_understood(text: str, *, of_topic: bool = False) -> bool:
    """Nothing but what lists are called, and what their activity is about: « Atelier « Réparer son vélo » – 12 mars ».

    No term denies, asks, points, or tells what became of a person: kinds of terms that are few."""
    text = without_program(_NOBODY.sub(" ", text))
    if (
        is_legend(text)
        or asks_for(text)
        or ((is_of_document(text) or _is_with_function(text)) and not denial_in(text))
    ):
        return True
    if (
        "?" in text
        or text[:1] in "*†"
        or _DENYING.search(fold(text))
        or denial_in(_TOPICS.sub("", fold(text)))
    ):
        return False
    if tells_success(text) or announces_participants(text) or is_of_those_who_took_part(text):
        return True
    for piece in _PIECES.split(_UNREAD.sub(" ", text)):
        written = re.findall(r"[^\W_]+", piece)
        words = list(map(fold, written))
        if _DENYING.search(" ".join(words)):
            # « Groupe 2 – en entreprise »
            return False
        if (
            of_topic
            and len(words) == 1
            and not (len(words[0]) == 4 and written[0].isupper())
            and words[0] not in _PLAIN | _HEADS
            and _OF_STATE.search(words[0])
        ):
            # « Atelier vélo – désistements »
            return False
        for before, word, folded in zip(["", *written], written, words, strict=False):
            # « Lycée Jean Prouvé »
            is_greeted = words[0] in _GREETED and may_be_given(word)
            is_greeted |= words[0] in _SCHOOLS and may_be_given(before) and word[:1].isupper()
            of_topic = of_topic or folded in _HEADS | _YEARS
            if not (
                folded in _PLAIN | _HEADS
                or len(word) == 1
                or any(map(str.isdigit, word))
                or is_class(word)
                or is_greeted
                or (of_topic and not _OF_PAST.search(word))
            ):
                return False
    return True


def is_mere_title(text: str) -> bool:
    """« les participants », « formation excel », « Groupe A »: nothing but what lists are called, and no part of a name."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not is_particle(word) and len(word) > 1]
    names = [word for word in words if kind_of(word) is not Kind.UNKNOWN]
    heads = words[:1] and fold(words[0]) in THINGS and not may_be_given(words[0])
    return (
        0 < len(words) < 8
        and not re.search(r"[@:,]", text)
        and not any(map(may_be_given, words))
        and (not names or is_of_document(text) or (bool(heads) and words[0] not in names))
        and is_understood(text)
    )


def _is_with_function(text: str) -> bool:
    """« Sandrine Beaulieu, formatrice »"""
    pieces = re.split(r",|\s[-–—]\s", text.strip(' ;,|\t"'))
    return (
        len(pieces) == 2
        and looks_like_name(without_civility(pieces[0].strip()))
        and fold(pieces[1]).split()[:1] != []
        and fold(pieces[1]).split()[0] in OTHER_PARTS
    )


_NOBODY = re.compile(
    r"(?i)\b(?:absen|excus|retard|abandon)[^\W\d]*(?:\(e\))?(?:\(?s\)?)?\s*:\s*(?:0|aucune?|néant)\b|^sep=.?$|\bn\s?[°º]\s?(?=\d)"
)
"""« Absents : 0 », « sep=; », « n° 4 »"""
_UNREAD = re.compile(r"\((?:e|s|es|e\)\(s)\)|[·.]e?[·.]s?\b|(?<!\S)[^\s@]*@\S+|(?:https?://|www\.)\S+")
_PIECES = re.compile(r"[|()\[\]/!\n]|\s[-–—>]+\s|\.\s|,\s|[:;«»\"“”\t]")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SCHOOLS = frozenset(("lycee", "college", "ecole", "cfa", "lp", "lpo"))
_GREETED = frozenset(("bonjour", "bonsoir", "merci", "salut", "coucou"))
_DENYING = re.compile(
    r"\b(?:non|pas|ne|n|sans|hors|sauf|hormis|excepte\w*|aucune?s?|jamais|plus|moins|ni|dont|mais|si|seule?s?|seulement|uniquement|autres?|anciens?|anciennes?|"
    r"prochaine?s?|future?s?|precedente?s?|avant|attente|reste\w*|deja|encore|bientot|peut|etre|(?<!personnes )que|not|no|only)\b|\b(?:exc|att|lc|disp)$|^en (?!formation|presentiel|visio|distanciel|\d)|\ben cours$|^(?:l )?equipes?$|"
    r"\b(?:premi|derni|second|deuxi|troisi)\w++(?! (?:secours|gestes|degre|cycle|semestre|trimestre|session|seance|edition|partie|annee|bac|pro|generale|techno(?:logique)?|stmg|sti2d|st2s|stl)s?\b| \d)|\b(?:deux|trois|quatre|cinq) (?!noms|personnes|jours)|"
    r"\b(?:gras|majuscules?|minuscules?|capitales?|italique|couleurs?|surlign\w*|soulign\w*|coch\w*|barre\w*|asterisques?)\b|"
    r"\b(?:a|en) (?!jour|cours\b|(?:attribu|delivr)er\b)\w+(?:er|ir|re)\b|(?<!\ba )\bdemain\b|\b(?:vides?|punie?s?|perdants?|perdue?s?)\b|(?<!du )(?<!de )(?<!le )\bjury$|"
    r"\bequipes? (?:(?:pedagog|encadr|educat|format|anim|enseign|organis|administr)|d\w* (?:encadr|format|direction|anim|organis))|"
    r"(?<!formation de )(?<!formation des )\b(?:format|accompagnat|organisat)(?:eurs|rices)\b|(?<!formation des )\b(?:encadrant|intervenant|exposant)e?s\b|"
    r"\b(?:tomorrow|next|late|postponed|withdrawn|excused|rejected|waiting|trainers|teachers|staff|volunteers|speakers|organi[sz]ers|helpers|dropouts?|leavers|rejects|"
    r"espera|profesor\w*|docentes?|formador\w*|suspendid\w+|cancelad\w+|aplazad\w+|anulad\w+|bajas?|monitores|"
    r"warteliste|kein\w*|absage\w*|abbrech\w*|krank(?:e\w?)?|abgesagt|abgemeldet\w*|abwesend\w*|verschoben|durchgefallen|lehrer\w*|dozent\w*|betreuer\w*)\b"
)
_TOPICS = re.compile(r"\b(?:absences?|parties?|malad\w+|(?:d|aux) echecs)\b")
"""Denials that an activity may be about, and no state of a person: « gestion des absences », « tournoi d’échecs »."""
_OF_PAST = re.compile(
    r"(?:[^i]té|[^t]é|ée|és|ées|[^t]ee|ees|(?<!op)(?<!cam)ra|ront|[^\W\d]{3}[ai]d[oa]s)$|^(?-i:[a-z]{4,}ed)$",
    re.IGNORECASE,
)
"""« annulée », « passera », « expulsados », « cancelled »"""
_OF_STATE = re.compile(r"(?:(?<!ic)s|x|ant)$")
_PLAIN = (
    PARTICIPANTS
    | CALENDAR
    | _MONTHS
    | _set(
        """deux trois quatre cinq feuil feuille sheet onglet donnees data ok slt noter note notee le la les l de du des d un une et ou a au aux en par pour dans sur avec chez ce cette ces ceux celles qui s e son sa ses votre vos nos notre mon
    ma mes leur leurs y nous vous je il on toute tout tous toutes c merci bonjour bonsoir salut coucou hello cordialement bien cdt cdlt bonne belle
    bon journee soiree week end ete vacances reception bises bisous bientot madame monsieur mesdames messieurs trouverez svp voici voila ci joint
    jointe dessous apres suivants suivantes suivant suivante liste listes feuille feuilles tableau releve etat fiche fichier registre recapitulatif
    recap saisie base bdd suite emarg effectifs global globale synthese worksheet query result resultset export exporte extraction extrait edite edition editee imprime imprimee genere arretee arrete definitive mise jour maj page pages appel emargement
    presence presences envoye nom noms prenom prenoms nombre nb total sous general effectif annee scolaire periode semaine trimestre semestre date
    dates heures horaire horaires duree signe fait preparer noter attestation attestations convenu comme demande hier aujourd hui matin midi soir
    matinee present presents presente presentes participe participes suivi admis rapport compte rendu tel telephone mail www http https version copie
    h min utc volume personne personnes actifs formees summary principal action utilisateurs membres nouvelle choix coordonnees soumission deroule accueil connexion repas dejeuner pause pauses bilan cloture
    deconnexion intitules capacite planning filles garcons groupe groupes equipe equipes rouge bleu bleue vert verte jaune orange violet blanc rose
    gris moyenne heure inter generale collective attended lun mar mer jeu ven sam dim td tp bus femmes hommes iphone attribuer delivrer
    list of the for and sign in sheet name names attendance attendee attendees registered students people who group team building participantes reussite
    january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday
    lista hoja registro asistencia asistentes inscritos inscritas alumnos alumnas firma firmas nombre nombres apellidos grupo del el los las
    der die das und im am teilnehmer teilnehmerinnen teilnehmenden teilnehmerliste teilnahmeliste anwesenheit anwesenheitsliste anwesende klassenliste
    unterschriften unterschriftenliste namen gruppe robotique robotics robotica robotik informatique numerique cybersecurite secourisme cuisine jardinage poterie
    couture bricolage escalade natation randonnee theatre chorale musique danse lecture ecriture maths mathematiques anglais marathon
    musee rentree sante ouvertes resume trombinoscope proces verbal verbaux jeunes forme formes formee volley volleyball basket basketball foot football
    realisees effectuees hand handball rugby tennis judo gym gymnastique athletisme badminton start end time first join last leave duration average diffuser debut fin delegues deleguees contacts distribution inscription learners mobility cdi limite observations observation remarques remarque commentaires ras neant question questions renseignement renseignements informations soit"""
    )
)
_YEARS = _set("2nde 2de seconde 1ere 1re premiere tle terminale 6eme 5eme 4eme 3eme")
"""Of school: what follows is a trade or a track, as in « 2nde TNE 1 »."""
_HEADS = CIVILITIES | _set(
    """atelier ateliers formation formations pfmp pmsmp cours stage stages session sessions seance seances module modules classe lycee college ecole cfa greta iut
    mfr universite campus association club academie rectorat mairie commune ville centre espace maison entreprise societe etablissement organisme
    programme projet sortie voyage visite visites journee journees conference reunion rencontre cafe evenement forum salon parcours cycle cap bac bts
    bp but tp titre licence master diplome habilitation certification section promotion promo division niveau salle lieu intitule objet sujet theme
    domaine formateur formatrice animateur animatrice intervenant intervenante professeur enseignant enseignante responsable anime encadre accompagne
    accompagnes tuteur signature cachet emargement rue avenue boulevard resultats tournoi concours meeting index pronote badge badges inscriptions
    entreprises assemblee tutorat arret arrets semaine seminaire seminaires fete fetes festival hackathon colloque congres webinaire mooc portes soiree
    challenge defi rallye course olympiades ceremonie remise certificat brevet permis caces sst escape
    cross concert sejour camp echange exposition expo spectacle gala masterclass bootcamp kermesse carnaval chantier initiation decouverte perfectionnement
    sensibilisation plan plans dispositif garantie site zone colles mobilite service placement ambassadeurs ambassadrices savoir match entrainement repetition examen epreuve oral classes recyclage gestes marche
    workshop workshops training class course school webinar badges taller talleres curso cursos clase jornada
    kurs klasse schulung lehrgang fortbildung seminar
    amphi amphitheatre auditorium gymnase stade piscine mjc mediatheque bibliotheque ludotheque theatre labo laboratoire hall batiment etage erea segpa
    ehpad afpa ccas ifsi ime esat itep mfr lp lpo lgt uf faculte fac ufr institut federation fondation prefecture region departement syndicat coordonnateur
    activite activites gip fcip cafoc fab lab fablab coordinateur coordinatrice referent referente encadrant encadrante contact contacts"""
)
"""What follows them is a topic, a town, a person."""
