"""The form of a badge rule: one row per condition and a common period, with parse errors by field."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from markupsafe import Markup, escape
from starlette.datastructures import FormData

from app.domain.activities import ActivityKind, PartKind
from app.domain.badges import Badge, BadgeKind, BadgeVersion, assessment_heading
from app.domain.badges.rules import (
    MOST_ACTIVITIES,
    MOST_CONDITIONS,
    MOST_MONTHS,
    Condition,
    Measure,
    Period,
    Practised,
    Rule,
    check_rule,
)
from app.domain.frameworks import FRAMEWORK_NAMES, Competency, Framework
from app.domain.imports.lists.vocabulary.hours import HOURS_UNREADABLE, hours_fault, hours_in
from app.errors import InvalidInput
from app.http.pages.forms import text_of, texts_of
from app.http.pages.words import BADGE_KINDS, DEFAULT_ZONE, day, sentence_text
from app.http.pages.words import number as number_shown
from app.http.request_scope import sentence_of
from app.language import N_, current_locale, labelled, translated
from app.services.verification.verdicts import AlignedTo, Claims, Outcome, Sentence

AND, OR = "et", "ou"
ALWAYS, DATES, MONTHS = "toujours", "dates", "mois"
MEASURES = {"activites": Measure.ACTIVITIES, "heures": Measure.HOURS, "contributions": Measure.CONTRIBUTIONS}
_MEASURE_NAMES = {measure: name for name, measure in MEASURES.items()}
_ROW = re.compile(r"regle-nombre-([0-9])")


@dataclass(frozen=True)
class ConditionRow:
    """One condition as typed; `joint` is how it combines with the previous one."""

    joint: str = AND
    measure: str = "activites"
    amount: str = ""
    kinds: frozenset[str] = frozenset()
    part: str = ""
    competency: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.amount


@dataclass
class RuleForm:
    rows: list[ConditionRow] = field(default_factory=lambda: [ConditionRow()])
    period: str = ALWAYS
    first: str = ""
    last: str = ""
    months: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(form: FormData) -> RuleForm:
        numbers = sorted({found[1] for name in form if (found := _ROW.fullmatch(name))})
        rows = [
            ConditionRow(
                text_of(form, f"regle-joint-{number}") or AND,
                text_of(form, f"regle-mesure-{number}"),
                text_of(form, f"regle-nombre-{number}"),
                frozenset(texts_of(form, f"regle-sorte-{number}")),
                text_of(form, f"regle-role-{number}"),
                text_of(form, f"regle-competence-{number}"),
            )
            for number in numbers[:MOST_CONDITIONS]
        ]
        return RuleForm(
            rows or [ConditionRow()],
            text_of(form, "regle-periode") or ALWAYS,
            text_of(form, "regle-du"),
            text_of(form, "regle-au"),
            text_of(form, "regle-mois"),
        )

    @staticmethod
    def from_rule(rule: Rule | None) -> RuleForm:
        if rule is None:
            return RuleForm()
        rows = [
            _row(condition, OR if way and not place else AND)
            for way, conditions in enumerate(rule.ways)
            for place, condition in enumerate(conditions)
        ]
        period = rule.period
        kind = MONTHS if period.months else DATES if period.first or period.last else ALWAYS
        return RuleForm(rows, kind, _typed(period.first), _typed(period.last), str(period.months or ""))

    @property
    def is_blank(self) -> bool:
        return all(row.is_blank for row in self.rows)

    @property
    def may_grow(self) -> bool:
        return len(self.rows) < MOST_CONDITIONS

    def add_row(self) -> None:
        if self.may_grow:
            self.rows.append(ConditionRow())

    def rule(self, known: Mapping[str, tuple[Competency, Framework]]) -> Rule | None:
        """The rule as typed, None where the form is empty; `errors` maps fields to what cannot be parsed."""
        if self.is_blank:
            return None
        ways: list[list[Condition]] = []
        for number, row in enumerate(self.rows):
            condition = self._condition(number, row, known)
            if condition is None:
                continue
            if not ways or row.joint == OR:
                ways.append([])
            ways[-1].append(condition)
        period = self._period()
        if self.errors:
            return None
        rule = Rule(tuple(map(tuple, ways)), period)
        try:
            check_rule(rule)
        except InvalidInput as error:
            self.errors["regle-nombre-0"] = sentence_of(error)
            return None
        return rule

    def _condition(
        self, number: int, row: ConditionRow, known: Mapping[str, tuple[Competency, Framework]]
    ) -> Condition | None:
        if row.is_blank:
            return None
        measure = MEASURES.get(row.measure, Measure.ACTIVITIES)
        name = f"regle-nombre-{number}"
        least = self._least(name, measure, row.amount)
        if name in self.errors and len(self.rows) > 1:
            condition = translated("Condition %(n)s") % {"n": number + 1}
            self.errors[name] = labelled(condition, self.errors[name])
        practised = known.get(row.competency)
        return Condition(
            measure,
            least,
            tuple(kind for kind in ActivityKind if kind.value in row.kinds),
            PartKind(row.part) if row.part in set(PartKind) else None,
            Practised(practised[0].id, practised[0].statement[:300]) if practised else None,
        )

    def _least(self, name: str, measure: Measure, typed: str) -> int:
        if measure is not Measure.HOURS:
            if re.fullmatch(r"[0-9]{1,4}", typed) and 1 <= int(typed) <= MOST_ACTIVITIES:
                return int(typed)
            self.errors[name] = translated("Écrivez un nombre entier, de 1 à 500.")
            return 1
        minutes = round((hours_in(typed)[0] or 0) * 60)
        if fault := hours_fault(typed) or ("" if minutes else HOURS_UNREADABLE):
            self.errors[name] = translated(fault)
            return 1
        return minutes

    def _period(self) -> Period:
        if self.period == MONTHS:
            if re.fullmatch(r"[0-9]{1,3}", self.months) and 1 <= int(self.months) <= MOST_MONTHS:
                return Period(months=int(self.months))
            self.errors["regle-mois"] = translated("Écrivez un nombre de mois, de 1 à 120.")
        if self.period != DATES:
            return Period()
        first, last = self._day("regle-du", self.first), self._day("regle-au", self.last)
        if not first and not last:
            self.errors.setdefault("regle-du", translated("Donnez au moins une des deux dates."))
        elif first and last and last < first:
            self.errors["regle-au"] = translated("La période finirait avant d’avoir commencé.")
        return Period(first, last)

    def _day(self, name: str, typed: str) -> date | None:
        try:
            return date.fromisoformat(typed) if typed else None
        except ValueError:
            self.errors[name] = translated("Cette date n’est pas lisible.")
            return None


def _typed(day: date | None) -> str:
    return day.isoformat() if day else ""


def named_in(rule: Rule | None) -> set[uuid.UUID]:
    """The competencies used in a rule."""
    return {each.practised.id for each in rule.conditions if each.practised} if rule else set()


def _row(condition: Condition, joint: str) -> ConditionRow:
    hours = f"{condition.least / 60:.6g}".replace(".", ",")
    return ConditionRow(
        joint,
        _MEASURE_NAMES[condition.measure],
        hours if condition.measure is Measure.HOURS else str(condition.least),
        frozenset(kind.value for kind in condition.kinds),
        condition.part.value if condition.part else "",
        str(condition.practised.id) if condition.practised else "",
    )


_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_EMPHASIS: Final = re.compile(r"[*_`]")
_LONGEST_HOW: Final = 160
_UNJUDGED = {
    BadgeKind.BELONGING: N_("Sans épreuve : il dit que la personne fait partie du campus"),
    BadgeKind.PARTICIPATION: N_("Sans épreuve : il dit que la personne était là"),
}
REGISTERS = frozenset(FRAMEWORK_NAMES.values())
_LEVEL = N_("Niveau : {level}.")
_RANKED = N_("Niveau {rank} sur {ranks} : {level}.")
_JUDGED = N_("Sur les critères publiés, par une personne du campus")
_JUDGED_ELSEWHERE = N_("Sur les critères que l’émetteur publie")


@dataclass(frozen=True)
class DateView:
    """One entry of the badge's evidence, in order of time; `key` for the award itself."""

    when: str
    title: str
    text: str
    link: str = ""
    key: bool = False


@dataclass(frozen=True)
class Mastery:
    """A competency attested by the badge."""

    name: str
    beside: Markup
    link: str


@dataclass(frozen=True)
class BadgePieces:
    title: str
    kind: str
    marked_kind: Markup
    """The kind in the reader's language, and the level as the campus wrote it."""
    holder: str
    description: str
    assessed: str
    assessed_language: str
    """Empty for the default text, which is in the reader's language."""
    criteria: str
    competencies: Sequence[Mastery]
    evidence: Sequence[DateView]
    results: Sequence[tuple[Markup, Markup]]
    awarded: str
    version: str
    language: str
    """Language of the badge, for screen readers; empty when the badge does not declare it."""


_DECIMAL = re.compile(r"-?\d{1,9}\.\d{1,3}")
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,3})?")
_HOURS = N_("Heures dans l’activité")


def _as_read(value: str) -> str:
    """« 3,5 » for the « 3.5 » of a badge."""
    return number_shown(float(value)) if _DECIMAL.fullmatch(value) else value


def pieces_of(claims: Claims, *, is_ours: bool, zone: str = DEFAULT_ZONE, base_url: str = "") -> BadgePieces:
    language = claims.language if _LANGUAGE.fullmatch(claims.language) else ""
    assessed = _criteria_assessed(claims) if is_ours else ""
    kind = _kind_words(claims) if is_ours else Sentence(N_("Badge ouvert"))
    return BadgePieces(
        title=claims.title,
        kind=sentence_text(kind),
        marked_kind=_marked(kind, language),
        holder=claims.holder,
        description=claims.description,
        assessed=assessed or _default_assessed(claims, is_ours=is_ours),
        assessed_language=language if assessed else "",
        criteria=claims.criteria,
        competencies=[
            Mastery(
                each.name,
                _beside(each, language),
                _own(each.url, base_url),
            )
            for each in claims.alignments
        ],
        evidence=_evidence(claims, zone),
        results=[_result(each, language, is_ours=is_ours) for each in claims.results],
        awarded=day(claims.awarded_at, zone) if claims.awarded_at else "",
        version=claims.version,
        language=language,
    )


def _result(outcome: Outcome, language: str, *, is_ours: bool) -> tuple[Markup, Markup]:
    """A number is written as the reader writes it; hours have a name of ours."""
    named = is_ours and outcome.is_hours
    name = escape(translated(_HOURS)) if named else _foreign(outcome.name, language)
    values = [each for each in (outcome.value, outcome.scale) if each]
    if outcome.scale or _NUMBER.fullmatch(outcome.value):
        return name, escape(" / ".join(map(_as_read, values)))
    return name, _foreign(outcome.value, language)


def _kind_words(claims: Claims) -> Sentence:
    kind = Sentence(BADGE_KINDS[claims.kind] if claims.kind else N_("Badge"))
    levels = [each for each in claims.alignments if each.level]
    if len(levels) != 1:
        return kind
    [one] = levels
    if one.ranks > 1:
        return Sentence(
            N_("{kind}, niveau {rank} sur {ranks} : {level}"),
            {"kind": kind, "rank": one.rank, "ranks": one.ranks, "level": one.level},
        )
    return Sentence(N_("{kind}, niveau : {level}"), {"kind": kind, "level": one.level})


def _marked(sentence: Sentence, language: str) -> Markup:
    """As HTML that names the language of the values that are not sentences of ours."""
    values = {
        name: sentence_text(value)
        if isinstance(value, Sentence)
        else value
        if isinstance(value, int)
        else _foreign(str(value), language)
        for name, value in sentence.values.items()
    }
    return Markup("{}").format(translated(sentence.words)).format(**values)


def _foreign(text: str, language: str) -> Markup:
    if not language or language == current_locale():
        return escape(text)
    return Markup('<span lang="{}">{}</span>').format(language, text)


def _default_assessed(claims: Claims, *, is_ours: bool) -> str:
    if not is_ours:
        return translated(_JUDGED_ELSEWHERE)
    return translated(_UNJUDGED.get(claims.kind, _JUDGED) if claims.kind else _JUDGED)


def _criteria_assessed(claims: Claims) -> str:
    """The assessment sentences of the criteria themselves; empty if they have none."""
    match = re.search(
        rf"{assessment_heading()}\s*(?P<how>.+?)(?:\n[^\S\n]*\n|\Z)", claims.criteria, re.DOTALL
    )
    if match is None:
        return ""
    sentences = _SENTENCE_END.split(" ".join(_EMPHASIS.sub("", match["how"]).split()))
    how = sentences[0]
    if len(sentences) > 1 and len(how) + len(sentences[1]) < _LONGEST_HOW:
        how = f"{how} {sentences[1]}"
    return how


def _beside(to: AlignedTo, language: str) -> Markup:
    named = _foreign(" · ".join(part for part in (to.framework, to.code) if part), language)
    if to.framework in REGISTERS and to.level:
        # Of a register this is what the relation means, and no level.
        return Markup("{}. {}").format(named, _foreign(to.level, language))
    return Markup("{} {}").format(_reached(to, language), named).strip()


def _reached(to: AlignedTo, language: str) -> Markup:
    if not to.level:
        return Markup("")
    if to.ranks > 1:
        ranks = {"rank": to.rank, "ranks": to.ranks, "level": to.level}
        return _marked(Sentence(_RANKED, ranks), language)
    return _marked(Sentence(_LEVEL, {"level": to.level}), language)


def _own(url: str, base_url: str) -> str:
    """Links in a badge are followed only inside this service: any other target would be chosen by its
    author."""
    return url if base_url and url.startswith(base_url + "/") else ""


def _evidence(claims: Claims, zone: str) -> list[DateView]:
    found = []
    for position, each in enumerate(claims.evidence):
        when = _period(claims.activity_starts, claims.activity_ends, zone) if position == 0 else ""
        found.append(DateView(when, each.name, each.narrative))
    if claims.awarded_at is not None:
        found.append(DateView(day(claims.awarded_at, zone), translated("Attribution décidée"), "", key=True))
    return found


def _period(starts: datetime | None, ends: datetime | None, zone: str) -> str:
    if starts is None:
        return ""
    first = day(starts, zone)
    last = day(ends, zone) if ends else first
    if first == last:
        return first
    return translated("Du {first} au {last}").format(first=first, last=last)


def picture_of(badge: Badge, version: BadgeVersion) -> str:
    return f"/badges/{badge.id}/v{version.number}/image.svg"
