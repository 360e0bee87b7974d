"""The fields of the badge editor, as typed and as stored, by step, with parse errors by field."""

from __future__ import annotations

import json
import re
import uuid
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData

from app.domain.badges import MOST_DAYS, BadgeKind, PictureLook, Repeat, Step, join_criteria, split_criteria
from app.domain.campus.campus import MOST_LIVELY
from app.domain.frameworks import MOST_ALIGNMENTS, Competency, Framework, PublicAlignment, public_alignment
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.errors import InvalidInput
from app.http.pages.forms import bytes_of, text_of
from app.http.pages.words import hours_text, number
from app.http.request_scope import sentence_of
from app.language import translated
from app.services.badges import BadgePage, Wording, wording_of
from app.services.badges.wording import BadgeModel
from app.web.badges.rules import RuleForm

LENGTHS = {"nom": 120, "description": 500, "criteres": 6000, "jugement": 1500, "alternative": 300, "sigle": 8}
USUAL_DAYS = ("365", "730", "1095", "1825")
OTHER = "autre"
NO_LEVEL = "0"
"""Attested without a level; an empty choice means that the badge does not attest the competency."""
FIELDS = {
    Step.CONTENT: ("type", "nom", "description", "criteres", "jugement", "langue", "mots"),
    Step.COMPETENCIES: (),
    Step.AWARDING: ("validite", "jours", "heures", "repetition", "demandes"),
    Step.PICTURE: ("dessin", "alternative", "couleurs", "teinte", "vivacite", "sigle"),
    Step.PUBLISHING: (),
}
_ALL_FIELDS = tuple(name for names in FIELDS.values() for name in names)
_BEGINNING = {
    "type": BadgeKind.PARTICIPATION.value,
    "langue": "fr",
    "repetition": Repeat.ONCE.value,
    "dessin": PictureLook.SHAPE.value,
    "couleurs": "campus",
    "teinte": "208",
    "vivacite": "9",
}


@dataclass(frozen=True)
class AlignmentRow:
    framework: str = ""
    code: str = ""
    name: str = ""
    error: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.code or self.name)


@dataclass
class BadgeForm:
    """Every field as typed; `errors` maps fields to problems, in the reader's language."""

    fields: dict[str, str] = field(
        default_factory=lambda: {name: _BEGINNING.get(name, "") for name in _ALL_FIELDS}
    )
    levels: dict[str, str] = field(default_factory=dict)
    """The choice for each competency, by its id."""
    rows: list[AlignmentRow] = field(default_factory=lambda: [AlignmentRow()])
    rule: RuleForm = field(default_factory=RuleForm)
    errors: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    """The state of the step that the form was based on (optimistic lock); empty for a new badge."""
    others: str = ""
    """The mark of the other steps that the form was based on, which publishing would publish too."""
    base: dict[str, str] = field(default_factory=dict)
    """The fields of the step as its page first showed them."""
    shown: dict[str, str] = field(default_factory=dict)
    """The fields of the step as sent."""
    step: Step = Step.CONTENT
    """The step that was typed; the others are as stored."""
    art: bytes = b""
    """The logo or picture, as stored or as read from the sent file."""
    upload: bytes = b""
    """The sent file, or the one that a form shown again carries."""
    model: str = ""
    """The model that a new badge began from."""
    model_name: str = ""
    sought: str = ""
    """The terms of the search in frameworks."""

    def take(self, step: Step, form: FormData) -> None:
        """Replace the fields of one step by those of a sent form."""
        self.shown = {name: text_of(form, name) for name in FIELDS[step]}
        self.fields |= self.shown
        self.seen, self.step, self.base = text_of(form, "etat"), step, _texts(text_of(form, "avant"))
        self.others = text_of(form, "autres")
        if step is Step.PICTURE:
            self.upload = bytes_of(form, "fichier") or _carried(text_of(form, "art"))
        if step is Step.AWARDING:
            self.rule = RuleForm.of(form)
        if step is Step.COMPETENCIES:
            self.sought = text_of(form, "mot")
            self.levels = {name[7:]: text_of(form, name) for name in form if name.startswith("niveau-")}
            numbers = sorted({int(name[5:]) for name in form if re.fullmatch(r"code-\d{1,2}", name)})
            self.rows = [
                AlignmentRow(*(text_of(form, f"{name}-{number}") for name in ("ref", "code", "intitule")))
                for number in numbers[:MOST_ALIGNMENTS]
            ] or [AlignmentRow()]

    def merge(self, stored: BadgeForm) -> bool:
        """Fields that were not touched become as stored; whether a touched one was changed there as well."""
        collides = bool(self.upload) or self.rule != stored.rule
        collides |= self.step is Step.COMPETENCIES or not self.base
        for name, before in self.base.items():
            if name not in FIELDS[self.step]:
                continue
            typed, kept = _lined(self.fields[name]), _lined(stored.fields[name])
            if typed == _lined(before):
                self.fields[name] = stored.fields[name]
            elif kept not in (typed, _lined(before)):
                collides = True
        return collides

    def written(self, step: Step, **prefilled: str) -> str:
        """The fields of a step, for its page to send back beside what is typed; `prefilled` ones as shown."""
        return json.dumps({name: self.fields[name] or prefilled.get(name, "") for name in FIELDS[step]})

    @staticmethod
    def from_page(page: BadgePage) -> BadgeForm:
        """The form of an existing badge."""
        wording = wording_of(page.version, [link for link, _, _ in page.competencies])
        return BadgeForm.of(wording, page.badge.repeat, accepts_requests=page.badge.accepts_requests)

    @staticmethod
    def from_model(model: BadgeModel) -> BadgeForm:
        return BadgeForm.of(model.wording, model.repeat, accepts_requests=model.accepts_requests)

    @staticmethod
    def of(wording: Wording, repeat: Repeat, *, accepts_requests: bool) -> BadgeForm:
        criteria, assessment = split_criteria(wording.criteria)
        days = str(wording.validity_days or "")
        own_colours = wording.hue is not None or wording.liveliness is not None
        filled = BadgeForm()
        filled.fields |= {
            "type": wording.kind.value,
            "nom": wording.name,
            "description": wording.description,
            "criteres": criteria,
            "jugement": assessment,
            "langue": wording.language,
            "mots": ", ".join(wording.tags),
            "validite": days if days in ("", *USUAL_DAYS) else OTHER,
            "jours": "" if days in ("", *USUAL_DAYS) else days,
            "heures": hours_text(wording.required_hours),
            "repetition": repeat.value,
            "demandes": "oui" if accepts_requests else "",
            "alternative": wording.alternative,
            "couleurs": "propres" if own_colours else "campus",
            "sigle": wording.emblem,
            "dessin": wording.look,
        }
        filled.art = wording.art
        if own_colours:
            filled.fields["teinte"] = f"{wording.hue or 0:g}"
            filled.fields["vivacite"] = f"{round((wording.liveliness or 0) * 100)}"
        filled.levels = {str(key): str(level or 0) for key, level in wording.competencies}
        filled.rows = [
            AlignmentRow(each.framework.value, each.code, each.name) for each in wording.alignments
        ] or [AlignmentRow()]
        filled.rule = RuleForm.from_rule(wording.rule)
        return filled

    @property
    def kind(self) -> BadgeKind:
        known = {kind.value: kind for kind in BadgeKind}
        return known.get(self.fields["type"], BadgeKind.PARTICIPATION)

    @property
    def repeat(self) -> Repeat:
        known = {repeat.value: repeat for repeat in Repeat}
        return known.get(self.fields["repetition"], Repeat.ONCE)

    @property
    def look(self) -> PictureLook:
        known = {look.value: look for look in PictureLook}
        return known.get(self.fields["dessin"], PictureLook.SHAPE)

    @property
    def carried(self) -> str:
        """The file, for a form that is shown again before it was saved."""
        return b64encode(self.art).decode() if self.upload and self.art else ""

    @property
    def accepts_requests(self) -> bool:
        return bool(self.fields["demandes"])

    @property
    def chosen(self) -> list[str]:
        """« register code » of each row."""
        return [f"{row.framework} {row.code}" for row in self.rows if row.code]

    def add_alignment(self, register: str, code: str, name: str) -> None:
        """Idempotent; without effect once the rows are full."""
        if f"{register} {code}" in self.chosen:
            return
        rows = [row for row in self.rows if not row.is_blank]
        if len(rows) < MOST_ALIGNMENTS:
            self.rows = [*rows, AlignmentRow(register, code, name)]

    def add_row(self) -> None:
        if len(self.rows) < MOST_ALIGNMENTS:
            self.rows.append(AlignmentRow())

    def wording(self, known: Mapping[str, tuple[Competency, Framework]]) -> Wording:
        """The wording as typed; raises InvalidInput, with the problem in `errors`, when a field cannot be
        parsed.

        Fields that do not apply to the kind are ignored, even when filled in.
        """
        for name, most in LENGTHS.items():
            if name in FIELDS[self.step] and len(self.fields[name]) > most:
                self.errors[name] = translated("{most} signes au plus.").format(most=number(most))
        hours, days, (hue, liveliness) = self._hours(), self._days(), self._colours()
        alignments, rule = self._alignments(), self.rule.rule(known)
        self.errors |= self.rule.errors
        if self.errors:
            raise InvalidInput("Un champ est à corriger.")
        return Wording(
            kind=self.kind,
            name=self.fields["nom"],
            description=self.fields["description"],
            criteria=join_criteria(
                self.fields["criteres"],
                self.fields["jugement"] if self.kind.is_assessed else "",
                self._language,
            ),
            language=self._language,
            tags=[tag.strip()[:60] for tag in self.fields["mots"].split(",") if tag.strip()][:20],
            validity_days=days,
            required_hours=hours if self.kind is not BadgeKind.BELONGING else None,
            competencies=self._competencies(known) if self.kind.is_assessed else [],
            alignments=alignments,
            alternative=" ".join(self.fields["alternative"].split()),
            hue=hue,
            liveliness=liveliness,
            emblem=self.fields["sigle"],
            look=self.look.value,
            art=self.art,
            rule=rule,
        )

    @property
    def _language(self) -> str:
        return self.fields["langue"] if re.fullmatch(r"[a-z]{2,3}", self.fields["langue"]) else "fr"

    def _hours(self) -> float | None:
        hours, _ = hours_in(self.fields["heures"])
        if fault := hours_fault(self.fields["heures"]):
            self.errors["heures"] = translated(fault)
        return hours

    def _days(self) -> int | None:
        at_fault = "jours" if self.fields["validite"] == OTHER else "validite"
        written = self.fields[at_fault]
        if not written:
            if at_fault == "jours":
                self.errors["jours"] = translated("Écrivez le nombre de jours.")
            return None
        if not (
            written.isascii() and written.isdigit() and len(written) < 7 and 0 < int(written) <= MOST_DAYS
        ):
            self.errors[at_fault] = translated("La durée de validité se compte en jours, à partir de 1.")
            return None
        return int(written)

    def _colours(self) -> tuple[float | None, float | None]:
        if self.fields["couleurs"] != "propres":
            return None, None
        hue, liveliness = (_whole(self.fields[name]) for name in ("teinte", "vivacite"))
        if hue is None or hue >= 360:
            self.errors["teinte"] = translated("La teinte est un angle, de 0 à 359.")
        if liveliness is None or liveliness > MOST_LIVELY * 100:
            self.errors["vivacite"] = translated("La vivacité va de 0 à 14.")
        if self.errors:
            return None, None
        return float(hue or 0), (liveliness or 0) / 100

    def _competencies(
        self, known: Mapping[str, tuple[Competency, Framework]]
    ) -> list[tuple[uuid.UUID, int | None]]:
        """In the order of the frameworks, so that the same choices always give the same wording."""
        found: list[tuple[uuid.UUID, int | None]] = []
        for key, (competency, _) in known.items():
            level = _whole(self.levels.get(key, ""))
            if level is not None and level <= len(competency.levels):
                found.append((competency.id, level or None))
        return found

    def _alignments(self) -> list[PublicAlignment]:
        found: list[PublicAlignment] = []
        read: list[AlignmentRow] = []
        for row in self.rows:
            try:
                if not row.is_blank:
                    found.append(public_alignment(row.framework, row.code, row.name))
                read.append(row)
            except InvalidInput as error:
                read.append(AlignmentRow(row.framework, row.code, row.name, sentence_of(error)))
                self.errors.setdefault(f"code-{len(read) - 1}", sentence_of(error))
        self.rows = read
        return list({(each.framework, each.code): each for each in found}.values())


def _texts(written: str) -> dict[str, str]:
    try:
        found = json.loads(written)
    except ValueError:
        return {}
    return {name: str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def _lined(text: str) -> str:
    """As compared: browsers send line ends of their own."""
    return text.replace("\r\n", "\n").strip()


def _carried(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None


def known_by_id(
    competencies: Sequence[tuple[Competency, Framework]], kept: Collection[uuid.UUID] = ()
) -> dict[str, tuple[Competency, Framework]]:
    """The competencies a form may name: those in use, and those already in the badge."""
    return {
        str(competency.id): (competency, framework)
        for competency, framework in competencies
        if competency.archived_at is None or competency.id in kept
    }
