"""Marks, shares and thresholds beside names: a number under what was needed is no reason for a badge."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from app.domain.imports.lists.model import Line, Reason, State
from app.domain.imports.lists.vocabulary.hours import HOURS, hours_in
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.lists.vocabulary.remarks import (
    ASKED,
    NO,
    YES,
    affirms,
    denial_in,
    is_day,
    is_neutral,
    is_not_yet,
    is_ticked,
    is_zero,
    speaks_for_itself,
)

_NUMBER = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:(%)|(?:/|sur\b)\s*(\d{1,3})|pts?\b|points?\b)?")
_SCALES = frozenset((5, 10, 20, 30, 40, 50, 60, 100))
_MARKS = frozenset(
    (
        "note", "notes", "moyenne", "moyennes", "score", "scores", "points", "point", "pts", "resultat", "resultats", "quiz", "qcm", "test",
        "examen", "evaluation", "presences", "presence", "taux", "reussite", "assiduite", "acquis", "acquises", "valides", "validees", "ects",
        "modules", "signatures", "seances", "obtenus", "obtenues",
    )
)  # fmt: skip
_PROGRESS = frozenset(("progression", "avancement", "achevement", "completion", "progress", "completude"))
_NEEDED = frozenset(("seuil", "minimum", "requis", "requise", "exige"))
_SCALE_OF_TITLE = re.compile(r"(?:/|\bsur)\s*(\d{1,3})\b")


def _value(cell: str) -> tuple[float, int] | None:
    """A mark, and what it is of, or 0."""
    found = _NUMBER.fullmatch(cell.strip())
    if not found:
        return None
    return float(found[1].replace(",", ".")), 100 if found[2] else int(found[3] or 0)


def low_marks(
    title: str, written: Sequence[str], headings: Sequence[str], rows: Sequence[Sequence[str]]
) -> frozenset[str]:
    """« 9,8 » of twenty, « 35 % » where others are through, « 65 % » beside « Seuil : 70 % »."""
    words = set(fold(title).split())
    values = {cell: value for cell in written if (value := _value(cell))}
    scales = {scale for _, scale in values.values() if scale}
    if re.search(r"\bde [01] a (?:5|10)\b", fold(title)):
        # « Note de 1 à 5 » is an opinion.
        return frozenset()
    if not values or not (words & (_MARKS | _PROGRESS) or scales or "%" in title):
        return frozenset()
    most = max(number for number, _ in values.values())
    named = _SCALE_OF_TITLE.search(title)
    if named:
        scale = float(named[1])
    elif scales:
        scale = float(max(scales))
    elif "%" in title:
        scale = 100.0
    else:
        scale = 20.0 if words & {"note", "notes", "moyenne", "moyennes"} and most <= 20 else most
    needed = [
        value[0]
        for heading, cells in zip(headings, rows, strict=False)
        if set(fold(heading).split()) & _NEEDED
        for cell in cells
        if (value := _value(cell))
    ]
    if words & (_NEEDED | {"initial", "initiale", "avant"}):
        return frozenset()
    least = max([scale if words & _PROGRESS else scale / 2, *needed])
    return frozenset(cell for cell, (number, _) in values.items() if number < least)


def many_absences(written: Sequence[str]) -> frozenset[str]:
    """« 48 » under « Demi-journées d’absence », where others have one or two."""
    values = {cell: value[0] for cell in written if (value := _value(cell))}
    most = max(values.values(), default=0.0)
    return frozenset(cell for cell, number in values.items() if number and 2 * number >= most)


_THRESHOLD = re.compile(
    r"(?:seuil|minimum|mini\b|minimale|au moins|à partir de|>=?|≥|supérieure?s? (?:ou égale?s? )?à|barre de)\D{0,25}?"
    r"(\d{1,3}(?:[.,]\d{1,2})?)\s{0,3}(?:%|points?|pts|/\s{0,3}(\d{1,3}))?(?![\d/:]|\s{0,3}(?:h\b|ans\b|heures?\b|€|personnes|élèves))|"
    r"(\d{1,3}(?:[.,]\d{1,2})?)\s{0,3}(?:%|points?|pts|/\s{0,3}(\d{1,3}))\s{0,3}(?:au )?(?:minimum|mini\b|requis|exigés?|et plus)",
    re.IGNORECASE,
)
_LAST = re.compile(r"(?<![\w./,-])(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:(%)|/\s*(\d{1,3}))?(?![\w/]|[.,]\d|-\d)")


def doubt_marks(lines: Sequence[Line]) -> list[Line]:
    """A mark beside a name that is below half of what it is of, or below what the list requires."""
    said = {
        text for line in lines if line.state is not State.READY for text in (line.text, line.sheet) if text
    }
    found = [match for text in said if (match := _THRESHOLD.search(text))]
    needed = max(
        (float((one[1] or one[3]).replace(",", ".")) for one in found), default=_half_of_marks(lines)
    )
    return [_doubting_mark(line, needed) if line.state is State.READY else line for line in lines]


_AT_END = re.compile(r"\s[-–—:=]\s*(\d{1,2}(?:[.,]\d{1,2})?)$")


def _half_of_marks(lines: Sequence[Line]) -> float:
    """Ten, where most names are followed by a mark out of twenty."""
    ready = [line for line in lines if line.state is State.READY]
    marks = [float(found[1].replace(",", ".")) for line in ready if (found := _AT_END.search(line.text))]
    return 10.0 if len(marks) > 2 and 3 * len(marks) >= 2 * len(ready) and 10 < max(marks) <= 20 else 0.0


def _doubting_mark(line: Line, needed: float) -> Line:
    text = re.sub(r"(?<!\S)[^\s@]*+@\S*", " ", line.text)
    marks = [*_LAST.finditer(text)]
    for mark in marks:
        number, scale = float(mark[1].replace(",", ".")), 100 if mark[2] else int(mark[3] or 0)
        is_low = scale in _SCALES and 2 * number < scale
        if is_low or (mark is marks[-1] and number < needed):
            return line.doubting(Reason.EXTRA, mark[0].strip())
    return line


_LEVELS = frozenset(
    (
        "tb",
        "b",
        "s",
        "f",
        "i",
        "tbm",
        "ms",
        "mf",
        "mi",
        "na",
        "ea",
        "eca",
        "a",
        "va",
        "ne",
        "ab",
        "p",
        "ac",
        "m",
        "pa",
    )
)
_REACHED = frozenset(("tb", "b", "s", "tbm", "ms", "ab", "va", "ac"))
_COLOURS = frozenset(("rouge", "orange", "jaune", "vert", "verte", "bleu", "gris"))


def low_levels(written: Sequence[str]) -> list[str]:
    """« I » and « F » among « S » and « TB »; « rouge » beside « vert »."""
    values = set(map(fold, written))
    if len(values) > 1 and values <= _COLOURS:
        return [cell for cell in written if fold(cell) not in ("vert", "verte")]
    if values <= _LEVELS and (values & _REACHED or values & {"mi", "mf", "na", "eca"}) and len(values) > 1:
        reached = _REACHED | {"a"} if values & {"na", "eca"} else _REACHED
        return [cell for cell in written if fold(cell) not in reached]
    return []


DONE_ON = re.compile(
    r"\b(?:(?:valide|signe|delivre|remise?|obtenue?|acquise?|atteste|certifie|recu|evalue|passe|termine|acheve|rendu|depose|emarge)(?:e|s|es)? (?:le|a)|"
    r"heure d (?:arrivee|entree)|arrivee|entree|check in)\b"
)
"""« Validé le », « Heure d’arrivée »: who has nothing there was perhaps not there."""
_ZERO_SHARE = re.compile(r"0+(?:[.,]0+)?\s?%")


_LEVEL = re.compile(r"[ABC][12]\+?")
"""Of a language."""


_MOMENT_OF_PROGRAM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?")


_CODE_OF_BADGE = re.compile(r"(?=.*\d)[\dA-F:-]{4,}", re.IGNORECASE)


def no_yes(title: str, written: Sequence[str]) -> list[str]:
    """Of answers and decisions that differ, all that are no clear yes, but for one that nearly all have."""
    counts = Counter(map(fold, written))
    if set(fold(title).split()) & {"badge", "badges"} and all(map(_CODE_OF_BADGE.fullmatch, written)):
        # « 00A3F1 » is the number of a card.
        return []
    others = [
        cell
        for cell in written
        if (any(map(str.isalpha, cell)) or _ZERO_SHARE.fullmatch(cell) or not any(map(str.isalnum, cell)))
        and not set(cell) <= set("+★*")
        and not is_ticked(cell)
        and not affirms(cell)
        and not is_day(cell)
        and not _MOMENT_OF_PROGRAM.fullmatch(cell)
        and not _LEVEL.fullmatch(cell)
        and not (is_neutral(cell) and not set(fold(cell).split()) & ASKED)
    ]
    if len(counts) < 2 and set(fold(title).split()) & {"badge", "badges", "type"}:
        # The name of the badge.
        return [cell for cell in others if denial_in(cell) or fold(cell) in NO]
    if len(counts) < 2:
        return others
    usual, most = counts.most_common(1)[0]
    answered = len(others) < len(written)
    return (
        others
        if answered or 4 * most < 3 * len(written)
        else [cell for cell in others if fold(cell) != usual]
    )


DATE = re.compile(r"(?!\d{1,3}(?:\.\d{1,3}){3}$)\d{1,4}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{1,4}.*")
_OF_DATES = frozenset(
    (
        "date",
        "dates",
        "debut",
        "fin",
        "naiss",
        "naissance",
        "birthdate",
        "birthday",
        "submitdate",
        "arrivee",
        "ne",
        "nee",
        "le",
        "du",
        "au",
        "depuis",
        "jusqu",
        "connexion",
        "deconnexion",
        "acces",
        "rendez",
        "join",
        "leave",
    )
)


def answers_by_title(title: str, written: Sequence[str]) -> list[str]:
    """« x » or a date under « Impayé » or « Encadrant »: only the heading tells what it means, and it denies or is unknown."""
    if all(is_ticked(cell) or fold(cell) in NO for cell in written):
        # « Présent » means the same under any heading.
        return [cell for cell in written if is_ticked(cell) and not fold(cell).startswith("present")]
    if not set(fold(title).split()) & _OF_DATES and (
        # « Réussi » under « Test »
        (denial_in(title) and fold(title) not in ("test", "tests")) or is_not_yet(title)
    ):
        return [
            cell
            for cell in written
            if (any(map(str.isalpha, cell)) or DATE.fullmatch(cell)) and fold(cell) not in NO
        ]
    if set(fold(title).split()) & _OF_DATES or len(title.split()) > 2 or fold(title).endswith("date"):
        return []
    return [cell for cell in written if DATE.fullmatch(cell)]


def categories(written: Sequence[str], people: int) -> list[str]:
    """Under an unknown heading, terms that sort people: « done » and « todo », « stag. » and « form. ».

    The list does not tell which of them is meant."""
    texts = [cell for cell in written if any(map(str.isalpha, cell)) and "@" not in cell]
    kinds = set(map(fold, texts))
    varies = len(kinds) > 1 or len(texts) < people
    if not varies or 2 * len(kinds) > max(2, len(texts)):
        return []
    return [cell for cell in texts if not affirms(cell) and not speaks_for_itself(cell)]


def low_shares(title: str, written: Sequence[str]) -> frozenset[str]:
    """« 10 % », or « 10 » under « Présence (%) », where most were there for nearly all of it."""
    shares = {
        cell: float(share[1].replace(",", "."))
        for cell in written
        if (share := _SHARE.fullmatch(cell)) and (share[2] or "%" in title)
    }
    if not shares or 3 * sum(cell in shares for cell in written) < 2 * len(written):
        return frozenset()
    usual = median(shares[cell] for cell in written if cell in shares)
    return frozenset(cell for cell, share in shares.items() if 2 * share <= usual)


_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s?(%)?")


def answers_no(written: Sequence[str]) -> list[str]:
    """Where nothing but yes and no, or ticks and dashes, is answered: the no."""
    denied = [
        cell
        for cell in written
        if fold(cell) in NO - {"0", "n", ""} | {"ko", "nok"}
        or (not any(map(str.isalnum, cell)) and not is_ticked(cell))
    ]
    return denied if all(cell in denied or is_ticked(cell) or fold(cell) in YES for cell in written) else []


COUNTS = re.compile(
    r"(?:nb|nombre|total|temps|minutes|cumul|progression|volume|jours|seances|modules)\b(?! (?:enfants?|personnes?))"
)


OF_LATENESS = frozenset(("retard", "retards", "absence", "absences", "late", "pause", "pauses"))


SOME_TIME = re.compile(r"\d{1,3} ?(?:h|min|mn|:) ?\d{0,2}(?: ?(?:min|:|s) ?\d{0,2})? ?s?")


def no_time(written: Sequence[str]) -> frozenset[str]:
    """« 0h00 » or « 00:00:00 » where others have some time."""
    none = frozenset(filter(is_zero, written))
    some = sum(bool(SOME_TIME.fullmatch(cell.lower())) for cell in written if cell not in none)
    return none if some else frozenset()


ENDS = frozenset(("depart", "sortie", "fin", "leave", "end", "au", "jusqu"))


_MOMENT = re.compile(r"(?:(?P<day>\S{0,24}\d{4}\S{0,24}?),?[ T](?:à )?)?(?P<hour>\d{1,2})\s?[h:]\s?(?P<minute>\d{2})?(?::\d{2})?", re.IGNORECASE)  # fmt: skip


def early(written: Sequence[str]) -> list[str]:
    """Times of leaving two hours before the last of the same day."""
    last: dict[str, float] = {}
    times = {}
    for cell in written:
        if found := _MOMENT.fullmatch(cell):
            times[cell] = day, time = found["day"] or "", int(found["hour"]) + int(found["minute"] or 0) / 60
            last[day] = max(time, last.get(day, 0))
    return [cell for cell, (day, time) in times.items() if time <= last[day] - 2]


def other_dates(written: Sequence[str]) -> list[str]:
    """The end of a course that one person has before the others."""
    days = {cell: re.split(r"[ ,T]", cell)[0] for cell in written if DATE.fullmatch(cell)}
    counts = Counter(days[cell] for cell in written if cell in days)
    usual, most = counts.most_common(1)[0] if counts else ("", 0)
    if most < 2 or 2 * most <= sum(counts.values()):
        return []
    return [cell for cell, day in days.items() if day != usual]


def short(written: Sequence[str]) -> list[str]:
    """Durations under a quarter of the usual one."""
    lasted = {cell: hours for cell in written if (hours := hours_in(cell)[0]) is not None}
    usual = median(lasted[cell] for cell in written if cell in lasted) if len(lasted) > 2 else 0.0
    most = max(lasted.values(), default=0.0)
    return [cell for cell, hours in lasted.items() if hours * 4 < usual or (hours < 0.2 and most >= 1)]


SHORT_NUMBER = re.compile(r"\d{1,2}(?:[.,]\d{1,2})?(?: ?h(?:\d\d)?)?")


def unclear_numbers(written: Sequence[str]) -> list[str]:
    """Short numbers that may be hours: they do not count the rows, and are no marks of ten or more."""
    counting = [str(number) for number in range(1, len(written) + 1)]
    if not all(map(SHORT_NUMBER.fullmatch, written)) or list(written) == counting:
        return []
    return [cell for cell in written if not are_marks(written) or _number_of(cell) < 10]


_DECIMAL = re.compile(r"\d{1,2}(?:[.,]\d{1,2})?")


def are_marks(written: Sequence[str]) -> bool:
    """« 12,5 », « 14 », « 9,75 »: out of twenty, nearly each one different; « 7 », « 7 », « 3,5 » may be hours."""
    if len(written) < 3 or not all(map(_DECIMAL.fullmatch, written)):
        return False
    numbers = [_number_of(cell) for cell in written]
    above = sum(number >= 10 for number in numbers)
    return (
        max(numbers) <= 20
        and 2 * above >= len(numbers)
        and (2 * len(set(numbers)) > len(numbers) or len(set(numbers)) > 5)
        and any(number % 1 for number in numbers)
    )


def _number_of(cell: str) -> float:
    return float(cell.replace(",", "."))


COUNTED_HOURS = frozenset(
    (
        "realisees",
        "effectuees",
        "suivies",
        "faites",
        "presence",
        "effectif",
        "effectives",
        "connexion",
        "total",
    )
)
"""Hours that were counted; plain hours may stay blank, as the activity has its own."""


_BLANK = frozenset(
    (
        "",
        "nc",
        "neant",
        "aucun",
        "aucune",
        "n a",
        "na",
        "inconnu",
        "inconnue",
        "vide",
        "non communique",
        "ras",
        "rien",
    )
)


def kind_of_cell(cell: str) -> str:
    if DATE.fullmatch(cell):
        return "date"
    if not any(c.isalpha() for c in cell) and any(c.isdigit() for c in cell):
        return "number"
    if is_ticked(cell) or fold(cell) in ("non", "no", "n", "faux", "false"):
        return "tick"
    return "text"


def of_another_kind(written: Sequence[str]) -> list[str]:
    """« LA1 » among numbers, « peut-être » among yes and no."""
    kinds = {cell: kind_of_cell(cell) for cell in written}
    if len(written) < 3:
        return []
    counts = Counter(kinds[cell] for cell in written)
    usual, most = counts.most_common(1)[0]
    if usual == "text" or 3 * most < 2 * len(written):
        return []
    allowed = {usual, "date", "number"} if usual != "tick" else {"tick"}
    zeros = [cell for cell in written if re.fullmatch(r"0+(?:[.,]0+)?\s*(?:%|/\s*\d+)?", cell)]
    return [
        *(zeros if usual == "number" and 2 * len(zeros) < len(written) else ()),
        *(
            cell
            for cell in written
            if kinds[cell] not in allowed
            and fold(cell) not in _BLANK
            and not (usual == "date" and any(c.isdigit() for c in cell))
            and not HOURS.fullmatch(cell)
        ),
    ]


def rare_marks(written: Sequence[str]) -> list[str]:
    """« ? » of anybody; « / » and « - » where few have it."""
    marks = Counter(
        cell for cell in written if cell and not any(map(str.isalnum, cell)) and not is_ticked(cell)
    )
    plain = set(written)
    return [
        *(mark for mark, count in marks.items() if "?" in mark or 3 * count <= len(written)),
        # « (oui) » beside « oui »
        *(cell for cell in written if cell[:1] in "([" and cell.strip("()[] ") in plain),
    ]


LAST_ACCESS = re.compile(r"(?:dernier acces|last access|ultimo acceso)\b")
_ELAPSED = re.compile(
    r"(?:il y a |hace )?(?:\d{1,4} (?:ans?|mois|semaines?|jours?|heures?|min(?:ute)?s?|sec(?:onde)?s?|[hjsd]|years?|months?|weeks?|days?|hours?|seconds?|anos?|mes(?:es)?|semanas?|dias?|horas?|minutos?|segundos?)(?: |$))+(?:ago)?"
    r"|maintenant|now|ahora"
)


def never_seen(written: Sequence[str]) -> frozenset[str]:
    """« jamais » beside « 2 jours 3 heures » or dates, below « Dernier accès »."""
    elapsed = {cell for cell in written if _ELAPSED.fullmatch(fold(cell))}
    others = frozenset(written) - elapsed
    return others if elapsed else frozenset(cell for cell in others if not any(map(str.isdigit, cell)))
