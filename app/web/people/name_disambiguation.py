"""Name disambiguation: the question and its answers as text."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.activities import disambiguated
from app.domain.people.parental_consent import OTHER, Namesake, Question
from app.http.pages.typography import translated
from app.language import N_, filled
from app.web.imports.list_table import seen_words


class ChoiceView(NamedTuple):
    value: str
    words: str
    hint: str = ""


@dataclass(frozen=True)
class QuestionView:
    """`number` is the line number; `chosen` a value of one of the choices."""

    number: int
    name: str
    legend: str
    choices: Sequence[ChoiceView]
    chosen: str

    @staticmethod
    def of(number: int, name: str, question: Question, signed: Collection[uuid.UUID] = ()) -> QuestionView:
        default = "" if question.must_be_answered else OTHER
        here = any(each.participation for each in question.namesakes)
        return QuestionView(
            number,
            name,
            which(name, len(question.namesakes)),
            [
                *(_choice(each, each.person.id in signed) for each in question.namesakes),
                ChoiceView(
                    OTHER,
                    translated(N_("Une autre personne")),
                    translated(N_("Elle est inscrite en plus, avec un numéro après son nom."))
                    if here
                    else translated(N_("Pas encore connue du campus.")),
                ),
            ],
            question.answer or default,
        )


def which(name: str, count: int) -> str:
    if count == 2:
        return filled(translated(N_("Laquelle des deux personnes du nom de {name} ?")), {"name": name})
    if count > 2:
        return filled(
            translated(N_("Laquelle des {count} personnes du nom de {name} ?")),
            {"name": name, "count": count},
        )
    return translated(N_("{name} : la personne déjà connue, ou une autre ?")).format(name=name)


def _choice(namesake: Namesake, signed: bool) -> ChoiceView:
    part, seen = namesake.participation, seen_words(namesake)
    facts = [namesake.address or translated(N_("sans adresse"))]
    if signed:
        facts.append(translated(N_("a déjà signé ici")))
    if part is None:
        if namesake.seen is not None and namesake.seen.number > 1:
            seen = f"{namesake.person.name} ({namesake.seen.number}). {seen}"
        return ChoiceView(str(namesake.person.id), seen, " · ".join(filter(None, facts)))
    words = translated(N_("{name}, de cette activité")).format(name=disambiguated(part, namesake.person.name))
    if part.contribution:
        facts.append(part.contribution[:60])
    return ChoiceView(str(namesake.person.id), words, " · ".join(filter(None, [seen, *facts])))
