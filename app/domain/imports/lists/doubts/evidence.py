"""What has to be shown before a line is ready: whom it names, and what each other cell of it means.

Everything else of the reader finds people; here a line without a doubt gets one unless the list speaks for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from app.domain.imports.lists.doubts.attendance import (
    IS_DAY,
    SIGNED,
    TIME,
    TRADES,
    codes_of_absence,
    is_own_sign,
    names_a_person,
    other_parts,
)
from app.domain.imports.lists.doubts.marks import (
    COUNTED_HOURS,
    COUNTS,
    DATE,
    DONE_ON,
    ENDS,
    LAST_ACCESS,
    OF_LATENESS,
    answers_by_title,
    answers_no,
    categories,
    early,
    kind_of_cell,
    low_levels,
    low_marks,
    low_shares,
    many_absences,
    never_seen,
    no_time,
    no_yes,
    of_another_kind,
    other_dates,
    rare_marks,
    short,
    unclear_numbers,
)
from app.domain.imports.lists.model import NAME_COLUMNS, REASON_HEADING, Column, Reason
from app.domain.imports.lists.vocabulary.hours import DURATIONS
from app.domain.imports.lists.vocabulary.names import fold, is_less_common_word
from app.domain.imports.lists.vocabulary.others import organisations_among
from app.domain.imports.lists.vocabulary.remarks import (
    ASKED,
    NO,
    YES_OR_NO,
    affirms,
    affirms_by_title,
    asks_opinion,
    denial_in,
    is_crossed,
    is_not_yet,
    is_of_others,
    is_ticked,
    meaning_of_label,
    speaks_for_itself,
    status_in,
    status_of_code,
)
from app.domain.imports.lists.vocabulary.wording import (
    BESIDE_PRESENCE,
    CALENDAR,
    PARTICIPANTS,
    PERSONAL,
    holds_judgement,
    holds_remarks,
    is_literal_heading,
    looks_like_name,
    role_of_heading,
)

_LEAVING = frozenset(
    (
        "sortie", "depart", "abandon", "rupture", "demission", "annulation", "motif", "desistement", "quitte", "changement", "transfert", "exclusion",
    )
)  # fmt: skip
_DOUBTFUL = re.compile(
    r"\b(non|pas|sans|ne|n|aucune? (?!absence)\w+|verrouille\w*|refus\w*|ajourn\w*|defavorable|incomplete?|impaye\w*|attente|peut etre|brouillon|a confirmer|"
    r"a relancer|echec|echoue\w*|invalid\w*|clos\w*|expire\w*|bloque\w*|archive\w*|inacti\w*|suspend\w*|desactiv\w*|parti\w*|"
    r"sorti\w*|quitte\w*|fin|termine|supprime\w*|rejete\w*|elimine\w*|no|not|pending|failed|left|removed|inactive|disabled)\b"
)


_WAS_THERE = re.compile(r"presente?|checked in|attended|joined|scannee?|venue?|emargee?|signee?|entree?")
_IS_EXPECTED = re.compile(
    r"(?:attending|registered|inscrite?|confirmee?|accept(?:ed|ee?)|going|invitee?|payee?)"
)
"""« Attending » beside « Checked in », « Inscrite » beside « Présente »: nothing shows that this person came."""
QUESTION = re.compile(r"(?:question|q) ?\d{1,2}")
"""Of a quiz: neither a right nor a wrong answer tells who was there."""


def unexplained_columns(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], heading: Sequence[str]
) -> dict[int, frozenset[str]]:
    """The cells of unknown columns that a person has to check."""
    found: dict[int, frozenset[str]] = {}
    names = [i for i, column in enumerate(columns) if column in NAME_COLUMNS]
    people = sum(
        any(row[i] for i in names) and (len(names) == 1 or sum(map(bool, row)) > 1)
        for row in zip(*cells, strict=True)
    )
    """Beside more than one column of names, a cell alone in its row is a title or « Total : 12 »."""
    bodies = sum(
        all(row) and not any(":" in cell or any(map(str.isdigit, cell)) for cell in row)
        for row in zip(*(cells[i] for i in names), strict=True)
    ) or max(map(len, cells), default=0)
    for index, column in enumerate(columns):
        written = [cell for cell in cells[index] if cell]
        if column is Column.NOTHING and QUESTION.fullmatch(fold(heading[index])):
            continue
        if column is Column.PART and (
            others := other_parts(heading[index], written) | frozenset(_unlike_others(written))
        ):
            found[index] = others
        title, rows = heading[index], bodies
        if column in (Column.STATUS, Column.PRESENT, Column.HOURS) and (marks := rare_marks(written)):
            found[index] = frozenset(marks)
        if column not in NAME_COLUMNS and any(_WAS_THERE.fullmatch(fold(cell)) for cell in written):
            asked = frozenset(cell for cell in written if _IS_EXPECTED.fullmatch(fold(cell)))
            found[index] = found.get(index, frozenset()) | asked
        if column in (Column.STATUS, Column.PRESENT) and not written and bodies > 1:
            # Drawn boxes, pictures: what a sheet shows of presence cannot be read.
            found[index] = frozenset(("",))
        if column in (Column.STATUS, Column.PRESENT) and (lone := _lone_marks(written, rows)):
            found[index] = found.get(index, frozenset()) | lone
        if (
            column not in NAME_COLUMNS
            and not set(fold(title).split()) & OF_LATENESS
            and (none := no_time(written))
        ):
            found[index] = found.get(index, frozenset()) | none
        if column is Column.HOURS and (
            (3 * len(written) >= 2 * people and people > 2 and set(fold(title).split()) & COUNTED_HOURS)
            or (any(map(is_ticked, written)) and not any(map(str.isdigit, "".join(written))))
        ):
            found[index] = found.get(index, frozenset()) | {""}
        if (
            IS_DAY.fullmatch(fold(title))
            and 2 * len(written) > people > 2
            and len(set(map(fold, written))) < 3
        ):
            found[index] = found.get(index, frozenset()) | {""}
        if {"x", "o"} <= set(map(fold, written)):
            # « x » and « o » are a tick and its contrary.
            found[index] = found.get(index, frozenset()) | {cell for cell in written if fold(cell) == "o"}
        if low := low_shares(title, written):
            found[index] = found.get(index, frozenset()) | low
        if column is Column.NOTHING and not written and bodies > 1 and _SHOWN_BY_ALL.search(fold(title)):
            found[index] = frozenset(("",))
        if column is not Column.NOTHING or not written or title == REASON_HEADING:
            continue
        if fold(title) == "dn":
            # « uid=lpetit,ou=anciens » among « ou=people »
            places = Counter(cell.partition(",")[2] for cell in written)
            found[index] = frozenset(
                cell for cell in written if 2 * places[cell.partition(",")[2]] < len(written)
            )
        if set(fold(title).split()) & PERSONAL and all(fold(cell) in YES_OR_NO for cell in written):
            # « Newsletter : non »
            continue
        if set(fold(title).split()) & _MEALS:
            found[index] = frozenset(filter(status_in, written))
            continue
        if is_of_others(title) and all(fold(cell) in NO for cell in written):
            # « Modérateur : FALSE »
            continue
        if asks_opinion(title):
            continue
        if is_of_others(title) and not holds_judgement(title) and not holds_remarks(title):
            # « Examinateur », « Encadrant »: their names are no doubt about who was examined
            written = [cell for cell in written if not names_a_person(cell)]
            if not written:
                continue
        if fold(title) in _OF_TOOLS:
            found[index] = frozenset(cell for cell in written if fold(cell) not in NO)
            continue
        if LAST_ACCESS.match(fold(title)):
            found[index] = never_seen(written)
            continue
        if {*written} == {title} and fold(title) == "" and title in "☐□":
            # The boxes by which a page chooses lines.
            continue
        days = sum(bool(IS_DAY.fullmatch(fold(one))) for one in heading)
        if (
            days > 1
            and IS_DAY.fullmatch(fold(title))
            and len(written) == people
            and set(map(fold, written)) <= CALENDAR
        ):
            # « Férié » of all, who came on another day
            continue
        texts = [cell for cell in written if not speaks_for_itself(cell) and not affirms(cell)]
        numbers = sum(
            any(c.isdigit() for c in cell) or not any(c.isalpha() for c in cell) for cell in written
        )
        is_dense = 5 * len(written) >= 4 * rows
        if holds_remarks(title):
            odd = [*texts, *(cell for cell in written if fold(cell) in NO and numbers < len(written))]
        elif set(fold(title).split()) & _LEAVING and (2 * len(written) <= rows or "anticip" in fold(title)):
            odd = written
        elif title and role_of_heading(title)[1]:
            odd = []
        elif not is_dense:
            odd = texts
        else:
            odd = [*_odd_values(texts, rows), *_longer(texts), *_phrases(texts)]
        if not title and names and index > names[-1]:
            # No heading names them: hours, or ages.
            odd = [*odd, *unclear_numbers(written)]
        if 5 * numbers >= 3 * len(written):
            odd = [*odd, *(cell for cell in texts if not any(c.isdigit() for c in cell))]
        if not (title and role_of_heading(title)[1]):
            odd = [*odd, *codes_of_absence(written, rows, title)]
        if len(set(map(fold, written))) > 1 or len(written) < rows:
            odd = [*odd, *(cell for cell in written if meaning_of_label(cell))]
        of_people = [
            cell for row, cell in enumerate(cells[index]) if cell and any(cells[i][row] for i in names)
        ]
        odd = [*odd, *of_another_kind(of_people), *_with_brackets(of_people)]
        if not (title and role_of_heading(title)[1]):
            odd = [*odd, *(cell for cell in texts if _DOUBTFUL.search(fold(cell)) or denial_in(cell))]
        if (
            fold(title) in ("termine", "termine le", "modifie", "modifie le")
            and len(written) == rows
            and all(map(DATE.fullmatch, written))
        ):
            # When each of them sent a form.
            continue
        if title and not role_of_heading(title)[1] and meaning_of_label(title) not in (None, Reason.LEADER):
            said = (cell for cell in written if DATE.fullmatch(cell) or any(map(str.isalpha, cell)))
            odd = [*odd, *filter(is_crossed, said)]
        odd = [*odd, *_set_apart(title, of_people, people), *_of_no_group(title, of_people)]
        if not (title and role_of_heading(title)[1]) and not set(fold(title).split()) & BESIDE_PRESENCE:
            odd = [*odd, *_unexplained(title, texts)]
        if fold(title) == "zone":
            odd = [*odd, *(cell for cell in texts if cell[:1].islower())]
        known = (
            set(fold(title).split()) & BESIDE_PRESENCE and not _DOUBTFUL.search(fold(title.partition("(")[0]))
        ) or role_of_heading(title)[1]
        is_open = holds_remarks(title) or not known
        is_literal = (title and role_of_heading(title)[1]) or affirms_by_title(title)
        if (
            is_literal
            and not status_in(title)
            and not set(fold(title).split()) & (PERSONAL | BESIDE_PRESENCE | OF_LATENESS)
        ):
            # « Atelier : non », « Formation : — » beside « X »
            odd = [*odd, *answers_no(of_people)]
        if IS_DAY.fullmatch(fold(title)):
            odd = [*odd, *filter(status_of_code, written)]
        if holds_judgement(title) or DONE_ON.search(fold(title)):
            odd = [*odd, "", *filter(_ZERO.fullmatch, of_people)]
        if _AGAINST.search(fold(title)):
            odd = [*odd, *(cell for cell in of_people if is_crossed(cell))]
        if not known:
            odd = [*odd, *(cell for cell in of_people if len(cell.split()) < 4 and is_of_others(cell))]
        if "niveau" in fold(title).split():
            odd = [*odd, *filter(is_not_yet, of_people)]
        is_judged = not known or holds_judgement(title)
        odd = [*odd, *(low_levels(of_people) if is_judged else ())]
        odd = [*odd, *(filter(is_not_yet, of_people) if is_judged or any(map(affirms, of_people)) else ())]
        if title and not known and 2 * len(written) >= rows and all(map(is_ticked, written)):
            odd = [*odd, ""]
        if holds_judgement(title) or (is_open and any(map(affirms, of_people))):
            odd = [*odd, *no_yes(title, of_people)]
        is_neutral_title = known or holds_remarks(title) or holds_judgement(title) or affirms_by_title(title)
        if (title and not is_neutral_title) or is_of_others(title):
            odd = [*odd, *answers_by_title(title, of_people)]
        if (
            not title
            and 0 < len(of_people) < people
            and (
                all(map(affirms, of_people))
                or all(map(is_ticked, of_people))
                or (
                    len(set(map(fold, of_people))) == 1
                    and of_people[0] not in cells[index - 1]
                    and (people < 5 or len(of_people) > 1)
                    and not (denial_in(of_people[0]) or status_of_code(of_people[0]))
                )
            )
        ):
            # « Léa Martin ; fait » above « Tom Petit ; »
            odd = [*odd, ""]
        if is_open and not set(fold(title).split()) & TRADES:
            odd = [*odd, *categories(of_people, people)]
        if COUNTS.match(fold(title)) and 3 * len(of_people) >= 2 * people and people > 2:
            odd = [*odd, ""]
        if fold(title) in _PLACES:
            odd = [*odd, *(cell for cell in of_people if is_ticked(cell) and not cell.isdigit())]
            odd = [*odd, *([""] if 3 * len(of_people) >= 2 * people else [])]
        if set(fold(title).split()) & DURATIONS:
            odd = [*odd, *short(written)]
        if set(fold(title).split()) & ENDS:
            odd = [*odd, *early(written), *other_dates(written)]
        if set(fold(title).split()) & {"motif", "motifs"}:
            odd = [
                *written,
                *(
                    []
                    if 3 * len(written) <= rows
                    or (2 * len(written) < rows and set(fold(title).split()) & _LEAVING - {"motif"})
                    else [""]
                ),
            ]
        if _SIGNED.search(fold(title)):
            signs = [
                (cell, is_own_sign(cell, _name_in(columns, cells, row)))
                for row, cell in enumerate(cells[index])
            ]
            own = {cell for cell, is_own in signs if is_own} - {cell for cell, is_own in signs if not is_own}
            own |= {cell for cell in cells[index] if SIGNED.fullmatch(fold(cell))}
            odd = [*(cell for cell in odd if cell not in own), *not_signed(columns, cells, index)]
        held = sum(sum(map(bool, row)) > 1 for row in zip(*cells, strict=True))
        if _SHOWN_BY.search(fold(title)) and any(map(TIME.fullmatch, of_people)):
            # « - » under « Heure d’arrivée »
            odd = [*odd, *(cell for cell in of_people if not any(map(str.isalnum, cell)))]
        if _SHOWN_BY.search(fold(title)) and 2 * len(of_people) > held:
            odd = [*odd, ""]
        if title and not role_of_heading(title)[1] and held > 2 and len(of_people) == held - 1:
            odd = [*odd, ""]
        if set(fold(title).split()) & _RESULTS and 3 * len(of_people) >= 2 * held and held > 2:
            odd = [*odd, ""]
        odd = [*odd, *low_marks(title, of_people, heading, cells)]
        if re.search(r"\bmanquante?s?\b", fold(title)):
            odd = [*odd, *filter(is_crossed, written)]
        if "absence" in fold(title) and not any(map(str.isalpha, "".join(written))):
            odd = [*many_absences(of_people)]
        if title and not known and not holds_judgement(title) and meaning_of_label(title):
            odd = list(filter(is_crossed, odd))
        named = organisations_among(texts)
        if named and not (
            holds_judgement(title)
            or holds_remarks(title)
            or denial_in(title)
            or status_in(title)
            or is_of_others(title)
        ):
            odd = [cell for cell in odd if cell not in named]
        if odd:
            found[index] = found.get(index, frozenset()) | frozenset(odd)
    return found


def _unexplained(title: str, texts: Sequence[str]) -> list[str]:
    """Any text under no heading or an unknown one, but « Apprenant », and what stands untitled in capitals beside all names."""
    is_code = (
        not title and len(set(texts)) == 1 and len(texts) > 2 and texts[0].isupper() and texts[0].isalpha()
    )
    is_names = not title and all(map(looks_like_name, texts))
    # « W-88101 », « W-88102 »
    is_code = is_code or len({re.sub(r"\d+", "0", cell) for cell in texts}) == 1 < len(set(texts))
    if is_code or is_names:
        return []
    return [cell for cell in texts if not set(fold(cell).split()) <= PARTICIPANTS - ASKED]


_OF_TOOLS = frozenset(("salle d attente", "en salle d attente", "in waiting room", "waiting room"))
"""Of programs for meetings: who has left it took part."""
_PLACES = frozenset(
    ("place", "siege", "table", "stand", "dossard", "n dossard", "numero de dossard", "lieu de stage")
)
"""All who came have one; « x » is none."""
_MEALS = frozenset(("repas", "dejeuner", "diner", "menu", "menus", "allergie", "allergies", "alimentaire"))
"""« Sans porc » below them tells nothing of presence."""
_AGAINST = re.compile(
    r"\b(?:raisons?|motifs?|date|cause) (?:\w+ ){0,4}(?:absen|retract|renonc|resili|abandon|annul|refus)\w*|\b(?:reste|restant) a \w+|\bdesactive\w*"
)
"""« Raison de l’absence », « Reste à faire »: who has something there is perhaps not meant."""
_OF_GROUPS = frozenset(
    (
        "groupe", "classe", "division", "option", "options", "opt", "contrat", "regime", "telephone", "tel", "portable", "mobile",
        "date", "promotion", "section", "niveau", "diplome", "code", "salle", "numero",
    )
)  # fmt: skip
_OF_CONTACTS = frozenset(("telephone", "tel", "portable", "mobile"))
_CLOSED = frozenset(("contrat", "regime"))
"""Headings with usual values that are all known."""
_NONE = frozenset(("aucun", "aucune", "neant", "rien", "sans"))
_OF_PLACES = frozenset(("entreprise", "employeur", "societe", "etablissement", "organisme", "structure"))


def _set_apart(title: str, written: Sequence[str], people: int) -> list[str]:
    """What only one or few have where all others have one value or none: « gelé » under « complet », a lone cross."""
    counts = Counter(map(fold, written))
    usual, most = counts.most_common(1)[0] if counts else ("", 0)
    empty = people - len(written)
    if people < 3 or 3 * max(most, empty) < 2 * people:
        return [*rare_marks(written), *(_unlike_others(written) if not holds_remarks(title) else ())]
    others = [cell for cell in written if empty > most or fold(cell) != usual]
    known = set(fold(title).split()) if role_of_heading(title)[1] else set()
    none = [
        cell for cell in others if empty <= most and fold(cell) in _NONE and not is_literal_heading(title)
    ]
    if none and not known & _OF_CONTACTS:
        return none
    if known & _OF_GROUPS and not holds_remarks(title):
        single = len(others) == 1
        return [
            cell
            for cell in others
            if ("?" in cell and not known & _OF_CONTACTS)
            or (
                not speaks_for_itself(cell)
                and ((single and empty > most) or known & _CLOSED or _reads_as_remark(cell, written))
            )
        ]
    if known & _OF_PLACES:
        return [cell for cell in others if _reads_as_remark(cell, written)]
    if known and not holds_remarks(title):
        return []
    if empty > most:
        return [cell for cell in others if not _is_contact(cell)]
    is_text = kind_of_cell(next(cell for cell in written if fold(cell) == usual)) == "text" and len(usual) > 2
    return [
        *(
            cell
            for cell in others
            if not speaks_for_itself(cell) or (is_text and kind_of_cell(cell) != "text")
        ),
        *rare_marks(written),
    ]


_RESULTS = frozenset(("score", "scores", "resultat", "resultats", "points", "moyenne", "note", "decision"))
_OF_ONE = frozenset(
    (
        "ville", "commune", "lieu", "naissance", "nationalite", "pays", "adresse", "metier", "profession", "poste", "fonction", "entreprise",
        "employeur", "societe", "organisme", "structure", "etablissement", "lycee", "college", "tuteur", "maitre", "sujet", "projet", "metiers",
        "telephone", "tel", "portable", "mobile", "identifiant", "code", "numero", "id", "ine",
    )
)  # fmt: skip
"""Headings under which each person may have a value of their own."""
OCCASIONS = frozenset(
    ("session", "sessions", "seance", "seances", "journee", "semaine", "vague", "cohorte", "prochaine", "prochain")
)  # fmt: skip


def _of_no_group(title: str, written: Sequence[str]) -> list[str]:
    """« Session 2 » under « Diplôme »: has nothing in common with another value, as nearly all have."""
    words = {cell: set(fold(cell).split()) for cell in written if not speaks_for_itself(cell)}
    heading = set(fold(title).split())
    counts = Counter(word for cell in written for word in set(fold(cell).split()))
    other_times = [
        cell
        for cell, found in words.items()
        if found & OCCASIONS - heading and all(2 * counts[word] < len(written) for word in found & OCCASIONS)
    ]
    usual, most = Counter(map(fold, written)).most_common(1)[0] if written else ("", 0)
    if heading & OCCASIONS and 3 * most >= 2 * len(written):
        # « 3 décembre » under « Session », where the others have « 12 novembre »
        other_times += [cell for cell in written if fold(cell) != usual]
    if len(written) < 4 or holds_remarks(title):
        return other_times
    if heading & _OF_ONE:
        lone = [cell for cell in words if fold(cell) != usual and cell[:1].islower()]
        return [*other_times, *(lone if 4 * most >= 3 * len(written) else ())]
    single = [cell for cell, found in words.items() if all(counts[word] < 2 for word in found)]
    return [*other_times, *(single if 4 * len(single) <= len(written) else ())]


_ZERO = re.compile(r"0+|0\s*/\s*\d+|[øØ∅]")


def _lone_marks(written: Sequence[str], people: int) -> frozenset[str]:
    """« - » or « 0/2 » where others have nothing or a text: not what most have, and no tick."""
    counts = Counter(cell for cell in written if cell)
    return frozenset(
        cell
        for cell, count in counts.items()
        if 2 * count < people
        and (_ZERO.fullmatch(cell) or (not any(map(str.isalnum, cell)) and not is_ticked(cell)))
    )


def _unlike_others(written: Sequence[str]) -> list[str]:
    """« en stage » and « licenciée » among « Vendeuse » and « Caissier », « RTT » among them: no value of this column."""
    texts = [cell for cell in written if any(map(str.isalpha, cell)) and "@" not in cell]
    if len(texts) < 4:
        return []
    small = [cell for cell in texts if cell[:1].islower()]
    capitals = [cell for cell in texts if len(cell) > 2 and cell.isupper() and cell.isalpha()]
    odd = [*_longer(texts), *(cell for cell in texts if denial_in(cell))]
    for found in (small, capitals):
        odd += [cell for cell in found if 4 * len(found) <= len(texts) and not speaks_for_itself(cell)]
    return odd


def _longer(texts: Sequence[str]) -> list[str]:
    """« Procuration à Paul Roux » among « Pour » and « Contre »."""
    counts = {cell: len(cell.split()) for cell in texts if not speaks_for_itself(cell)}
    long = [cell for cell, count in counts.items() if count > 2]
    return (
        long
        if len(texts) > 2
        and len(long) == 1
        and max((counts[c] for c in counts if c not in long), default=1) == 1
        else []
    )


def _phrases(texts: Sequence[str]) -> list[str]:
    """« Bon travail », « prend le bus »: free text, which few others have."""
    counts = Counter(map(fold, texts))
    return [
        cell
        for cell in texts
        if 3 * counts[fold(cell)] < len(texts)
        and not any(map(str.isdigit, cell))
        and any(word.islower() and len(word) > 2 and is_less_common_word(word) for word in cell.split())
    ]


def _reads_as_remark(cell: str, written: Sequence[str]) -> bool:
    """« plus là », « rupture »: in small letters, where names and codes in capitals are expected."""
    return (
        cell[:1].islower()
        and not speaks_for_itself(cell)
        and (
            any(map(is_less_common_word, fold(cell).split()))
            or not any(other[:1].islower() for other in written if other != cell)
        )
    )


def _is_contact(cell: str) -> bool:
    """An address or a telephone number; a date is none: « 12/12/2025 » of one person under « Sorti le »."""
    is_number = sum(map(str.isdigit, cell)) > 5 and not any(map(str.isalpha, cell))
    return "@" in cell or (is_number and not DATE.fullmatch(cell))


_SHOWN_BY_ALL = re.compile(r"\b(?:valide|acquis|admis|reussi|obtenu|certifie|decision|termine)e?s?\b")
"""Headings under which drawn signs may stand that cannot be read."""
_SIGNED = re.compile(
    r"\b(signatures?|emargements?|visas?|matin|matinee|apres midi|am|pm|soir|journee|jour|seance)\b"
)


_SHOWN_BY = re.compile(
    _SIGNED.pattern + r"|\b(?:arrivees?|entrees?|join time|check(?:ed)? in)\b|"
    r"\b(?:valide|evalue|atteste|certifie|vise|signe|controle|delivre|obtenu|note)e?s? (?:par|le)\b"
)
"""Headings of what everybody has who was there: without it, a person may have been absent."""


def _name_in(columns: Sequence[Column], cells: Sequence[Sequence[str]], row: int) -> str:
    return " ".join(cells[i][row] for i, column in enumerate(columns) if column in NAME_COLUMNS)


def not_signed(columns: Sequence[Column], cells: Sequence[Sequence[str]], index: int) -> frozenset[str]:
    """In a column that people sign, whatever is neither a tick, nor a presence, nor made of their own name."""
    odd = set()
    for row, cell in enumerate(cells[index]):
        if (
            cell
            and not is_own_sign(cell, _name_in(columns, cells, row))
            and (status_of_code(cell) or not speaks_for_itself(cell))
            and not SIGNED.fullmatch(fold(cell))
        ):
            odd.add(cell)
    return frozenset(odd) | _lone_marks(cells[index], len(cells[index]))


def _with_brackets(written: Sequence[str]) -> list[str]:
    """« 2A (départ en mars) » where the others are in 2A."""
    found = [cell for cell in written if re.search(r"\([^()\d]{3}", cell)]
    return found if 3 * len(found) <= len(written) else []


def _odd_values(texts: Sequence[str], rows: int) -> list[str]:
    """Of a few values that repeat, those that may set a person apart from the others."""
    counts = Counter(map(fold, texts))
    single = [value for value, count in counts.items() if count == 1]
    if len(single) == 1 and len(counts) > 2 and rows > 4:
        # All other values repeat.
        return [text for text in texts if fold(text) == single[0]]
    if rows < 2 or len(counts) < 2 or len(counts) > max(2, rows // 3):
        return []
    odd = {
        value
        for value, count in counts.items()
        if _DOUBTFUL.search(value) or (rows >= 4 and 4 * count <= rows)
    }
    return [text for text in texts if fold(text) in odd]
