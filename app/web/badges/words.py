"""The words for what a badge says and for what changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.badges.badges import Kind
from app.domain.badges.differences import PROSE, Difference, Part
from app.http.pages.typography import say
from app.http.pages.wording import number
from app.http.pages.words import KIND_NAMES
from app.language import N_

PARTS = {
    Part.KIND: N_("Type"),
    Part.NAME: N_("Titre"),
    Part.DESCRIPTION: N_("Description"),
    Part.CRITERIA: N_("Critères"),
    Part.JUDGING: N_("Comment c’est jugé"),
    Part.COMPETENCIES: N_("Compétences attestées"),
    Part.ALIGNMENTS: N_("Correspondances"),
    Part.REQUIRED_HOURS: N_("Durée demandée"),
    Part.RULE: N_("Règle"),
    Part.VALIDITY: N_("Durée de validité"),
    Part.TAGS: N_("Mots-clés"),
    Part.LANGUAGE: N_("Langue"),
    Part.ALTERNATIVE: N_("Texte de l’image"),
    Part.COLOURS: N_("Couleurs"),
    Part.EMBLEM: N_("Sigle"),
}
_LISTS = frozenset({Part.COMPETENCIES, Part.ALIGNMENTS, Part.TAGS})
_LANGUAGES = {"fr": N_("français"), "en": N_("anglais")}


@dataclass(frozen=True)
class DifferenceShown:
    """`pieces` for a text compared word by word, as (kept, removed or added, text); else before and after."""

    title: str
    sentence: str
    before: str
    after: str
    removed: Sequence[str]
    added: Sequence[str]
    pieces: Sequence[tuple[str, str]]


def shown_difference(difference: Difference) -> DifferenceShown:
    part = difference.part
    before, after = (_value(part, lines) for lines in (difference.before, difference.after))
    return DifferenceShown(
        title=say(PARTS[part]),
        sentence=_sentence(difference, before, after),
        before=before,
        after=after,
        removed=difference.removed if part in _LISTS else (),
        added=difference.added if part in _LISTS else (),
        pieces=[(piece.stay.value, piece.text) for piece in difference.pieces] if part in PROSE else (),
    )


def validity_words(days: int | None) -> str:
    if days is None:
        return say(N_("Sans date de fin"))
    years = round(days / 365.25)
    if years and abs(days - years * 365.25) < 2:
        return say(N_("Un an")) if years == 1 else say(N_("{n} ans")).format(n=years)
    return say(N_("{n} jours")).format(n=days)


def _sentence(difference: Difference, before: str, after: str) -> str:
    """What happened to the part, said in one sentence."""
    if difference.part in _LISTS:
        counts = (len(difference.added), len(difference.removed))
        if counts == (0, 0):
            return say(N_("L’ordre a changé."))
        return say(N_("{added} de plus, {removed} de moins.")).format(added=counts[0], removed=counts[1])
    if difference.part in PROSE and before and after:
        return say(N_("Le texte a changé."))
    if not before:
        return say(N_("Ajouté : {after}.")).format(after=after)
    if not after:
        return say(N_("Retiré : {before}.")).format(before=before)
    return say(N_("« {before} » est devenu « {after} ».")).format(before=before, after=after)


def _value(part: Part, lines: Sequence[str]) -> str:
    if part is Part.VALIDITY:
        return validity_words(int(lines[0]) if lines else None)
    if not lines:
        return ""
    match part:
        case Part.KIND:
            return say(KIND_NAMES[Kind(lines[0])])
        case Part.REQUIRED_HOURS:
            return say(N_("{hours} h")).format(hours=number(float(lines[0])))
        case Part.LANGUAGE:
            return say(_LANGUAGES[lines[0]]) if lines[0] in _LANGUAGES else lines[0]
        case Part.COLOURS:
            return say(N_("teinte et vivacité {value}")).format(value=lines[0])
        case _:
            return "\n".join(lines)
