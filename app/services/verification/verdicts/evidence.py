"""What the campus's log proves of a badge, in sentences: how long, when, unchanged since, and what that does not prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.activity_log.artefact_facts import is_artefact
from app.domain.core.durations import duration
from app.language import N_
from app.language.sentences import Sentence, plain
from sceau_credentials.evidence.judging import EvidenceOutcome, EvidenceReport

_O = EvidenceOutcome
_ONE: Final = N_(
    "Ce badge repose sur une participation{hours}, {when}, inscrite au journal du campus avant "
    "l’attribution et inchangée depuis."
)
_MANY: Final = N_(
    "Ce badge repose sur {count} participations{hours} {when}, inscrites au journal du campus avant "
    "l’attribution et inchangées depuis."
)
_UNDATED_ONE: Final = N_(
    "Ce badge repose sur une participation, inscrite au journal du campus avant l’attribution et inchangée "
    "depuis. La personne n’en montre que l’existence."
)
_UNDATED_MANY: Final = N_(
    "Ce badge repose sur {count} participations, inscrites au journal du campus avant l’attribution et "
    "inchangées depuis. La personne n’en montre que l’existence."
)
_WORDS_ONLY: Final = N_(
    "Ce badge repose sur l’appréciation d’une personne du campus, inscrite au journal avant l’attribution et "
    "inchangée depuis."
)
_ONE_CONTRIBUTION: Final = N_(
    "Ce badge repose sur une contribution{hours}, {when}, confirmée par une personne du campus, inscrite au "
    "journal avant l’attribution et inchangée depuis."
)
_CONTRIBUTIONS: Final = N_(
    "Ce badge repose sur {count} contributions{hours} {when}, confirmées par une personne du campus, inscrites "
    "au journal avant l’attribution et inchangées depuis."
)
_ONE_BESIDE: Final = N_("S’y ajoute une contribution que le campus a confirmée.")
_BESIDE: Final = N_("S’y ajoutent {count} contributions que le campus a confirmées.")
_DECISION_ONLY: Final = N_(
    "L’attribution de ce badge est inscrite au journal du campus depuis le {decided_at}, et n’a pas changé depuis."
)
_FAILED: Final = N_(
    "Les preuves de ce badge ne sont plus celles qu’il annonce : quelque chose a été changé depuis la signature."
)
_UNREAD: Final = N_("Les preuves de ce badge ne peuvent plus être lues : nous n’en disons rien.")
_REMOVED: Final = N_("Les preuves de ce badge ont été retirées à la demande de la personne.")
_STOLEN: Final = N_(
    "Le journal a signé ces preuves avec une clé que quelqu’un d’autre avait peut-être déjà : elles ne prouvent plus "
    "rien, ni pour ni contre ce badge."
)
_STOLEN_ADVICE: Final = N_("Le campus peut redonner le badge : il reposera sur la clé d’aujourd’hui.")
_STOLEN_KEY: Final = "checkpoint_of_a_stolen_key"
_ON: Final = N_("le {day}")
_BETWEEN: Final = N_("entre le {first} et le {last}")
_OF_WHICH_HIDDEN: Final = N_("La personne n’en montre que l’existence pour {count} d’entre elles.")

KINDS: Final = {
    "participation": N_("Participation"),
    "correction": N_("Participation, corrigée"),
    "contribution": N_("Contribution"),
    "assessment": N_("Appréciation"),
    "award": N_("Attribution"),
    "revocation": N_("Retrait"),
    "definition": N_("Définition du badge"),
    "key": N_("Clé de signature"),
    "erasure": N_("Effacement"),
}
_ACTIVITY_KINDS: Final = {
    ActivityKind.WORKSHOP.value: N_("Atelier"),
    ActivityKind.EVENT.value: N_("Événement"),
    ActivityKind.PROJECT.value: N_("Projet"),
    ActivityKind.COURSE.value: N_("Formation"),
    ActivityKind.IMMERSION.value: N_("Immersion"),
}
_PARTS: Final = {PartKind.LEARNER.value: N_("apprenant"), PartKind.RESOURCE.value: N_("ressource")}
_PIECE: Final = N_("Pièce jointe")
_TAKING_PART: Final = ("participation", "correction")

_CHECKS: Final = (
    (
        N_("Le document des preuves est bien celui que le badge nomme."),
        N_("Son empreinte SHA-256 est dans le badge signé : un seul signe changé, et elle serait autre."),
    ),
    (
        N_("Chaque ligne est dans le journal, à sa place."),
        N_("Une suite d’empreintes mène de la ligne au point de contrôle que le campus a signé."),
    ),
    (
        N_("Toutes les lignes sont d’avant l’attribution."),
        N_("Le journal ne se remplit que par la fin : une ligne ne peut pas être glissée avant une autre."),
    ),
    (
        N_("L’attribution y est inscrite avec tout ce que dit le badge."),
        N_("Celui qui volerait la clé du campus ne pourrait pas donner à un badge une date d’hier."),
    ),
)
_FAILURES: Final = {
    "evidence_digest_differs": N_("Le document des preuves n’est pas celui que le badge nomme."),
    "checkpoint_not_of_the_log": N_("Le journal du campus n’a pas signé ce point de contrôle."),
    "entry_not_in_the_log": N_("Une ligne n’est pas dans le journal."),
    "entry_after_the_decision": N_("Une ligne a été ajoutée après l’attribution."),
    "opening_does_not_fit": N_("Ce qui est dit d’une ligne n’est pas ce que le journal garde."),
    "decision_about_another_award": N_("Ces preuves sont celles d’un autre badge."),
    "decision_about_other_content": N_("Le journal du campus a décidé d’un badge qui disait autre chose."),
    "decision_about_other_entries": N_("Le journal du campus nomme d’autres lignes pour ce badge."),
    "log_of_somebody_else": N_("Ce journal n’est pas celui de l’émetteur."),
}
_FAILURE: Final = N_("Le document des preuves n’a pas la forme attendue.")
_LIMITS: Final = (
    N_(
        "Que ce qui est écrit au journal est vrai : le campus l’a noté ; le journal prouve quand, et que rien n’a changé."
    ),
    N_("Que rien d’autre ne s’est passé : seul ce qui a été noté peut y être."),
)


@dataclass(frozen=True)
class LineTold:
    """One line of the log that a badge rests on; `facts` are labels and values that the holder shows."""

    number: int
    kind: str
    title: Sentence
    text: str
    starts_on: date | None
    ends_on: date | None
    logged_at: datetime
    facts: Sequence[tuple[str, Sentence]]
    file_type: str = ""
    """Of a file that the holder shows by name."""


@dataclass(frozen=True)
class EvidenceTold:
    """`state` is ok, bad or unk; `checks` are what was looked at, each with why it counts."""

    state: str
    sentence: Sentence
    beside: Sentence | None
    lines: Sequence[LineTold]
    checks: Sequence[tuple[str, str]]
    limits: Sequence[str]
    decision: int = 0
    decided_at: datetime | None = None
    size: int = 0
    log: str = ""


def evidence_told(report: EvidenceReport) -> EvidenceTold:
    if report.outcome is _O.UNREAD:
        removed = report.reason == "gone"
        return EvidenceTold("unk", Sentence(_REMOVED if removed else _UNREAD), None, (), (), ())
    if report.reason == _STOLEN_KEY:
        return EvidenceTold("unk", Sentence(_STOLEN), Sentence(_STOLEN_ADVICE), (), (), ())
    if report.proved is None:
        why = Sentence(_FAILURES.get(report.reason, _FAILURE))
        return EvidenceTold("bad", Sentence(_FAILED), why, (), (), ())
    proved = report.proved
    shown = {entry.index: report.shown.get(entry.index, {}) for entry in proved.evidence.entries}
    part = [entry.index for entry in proved.evidence.entries if entry.leaf.kind in _TAKING_PART]
    done = [each for each in shown.values() if each.get("confirmed") is True]
    return EvidenceTold(
        state="ok",
        sentence=_sentence(
            [shown[index] for index in part], done, bool(proved.evidence.entries), proved.decided_at
        ),
        beside=_hidden([shown[index] for index in part]) or (_done_beside(done) if part else None),
        lines=[
            _line(entry.index, entry.leaf.kind, entry.leaf.at, shown[entry.index])
            for entry in proved.evidence.entries
        ],
        checks=_CHECKS,
        limits=_LIMITS,
        decision=proved.evidence.decision.index,
        decided_at=proved.decided_at,
        size=proved.evidence.head.size,
        log=proved.evidence.head.origin,
    )


def _sentence(
    taking_part: Sequence[Mapping[str, Any]],
    done: Sequence[Mapping[str, Any]],
    any_line: bool,
    decided_at: datetime,
) -> Sentence:
    if taking_part:
        return _counted(taking_part, (_ONE, _MANY))
    if done:
        return _counted(done, (_ONE_CONTRIBUTION, _CONTRIBUTIONS))
    return Sentence(_WORDS_ONLY) if any_line else Sentence(_DECISION_ONLY, {"decided_at": decided_at})


def _done_beside(done: Sequence[Mapping[str, Any]]) -> Sentence | None:
    if not done:
        return None
    return Sentence(_ONE_BESIDE) if len(done) == 1 else Sentence(_BESIDE, {"count": len(done)})


def _counted(lines: Sequence[Mapping[str, Any]], words: tuple[str, str]) -> Sentence:
    count = len(lines)
    firsts = sorted(filter(None, (_day(each.get("startsOn")) for each in lines)))
    lasts = sorted(filter(None, (_day(each.get("endsOn")) for each in lines)))
    if not firsts or not lasts:
        return Sentence(_UNDATED_ONE if count == 1 else _UNDATED_MANY, {"count": count})
    same = firsts[0] == lasts[-1]
    when = (
        Sentence(_ON, {"day": firsts[0]})
        if same
        else Sentence(_BETWEEN, {"first": firsts[0], "last": lasts[-1]})
    )
    minutes = sum(each["minutes"] for each in lines if isinstance(each.get("minutes"), int))
    hours = f" ({duration(minutes)})" if minutes else ""
    return Sentence(words[0] if count == 1 else words[1], {"count": count, "hours": hours, "when": when})


def _hidden(taking_part: Sequence[Mapping[str, Any]]) -> Sentence | None:
    hidden = sum(1 for each in taking_part if not each)
    return Sentence(_OF_WHICH_HIDDEN, {"count": hidden}) if 0 < hidden < len(taking_part) else None


def _line(number: int, kind: str, at: datetime, shown: Mapping[str, Any]) -> LineTold:
    named = (_text(shown.get(name)) for name in ("title", "artefact", "link", "activity"))
    title = next(filter(None, named), "")
    kind_words = _PIECE if is_artefact(shown) else KINDS.get(kind, kind)
    otherwise = kind_words if is_artefact(shown) else _ACTIVITY_KINDS.get(_text(shown.get("activityKind")))
    words = Sentence("{title}", {"title": title}) if title else Sentence(otherwise or kind_words)
    told = (_text(shown.get(name)) for name in ("text", "contribution", "words"))
    return LineTold(
        number,
        kind_words,
        words,
        next(filter(None, told), ""),
        _day(shown.get("startsOn")),
        _day(shown.get("endsOn")),
        at,
        _facts(shown, titled=bool(title)),
        _text(shown.get("mediaType")) if shown.get("artefact") else "",
    )


def _facts(shown: Mapping[str, Any], *, titled: bool) -> list[tuple[str, Sentence]]:
    minutes, part = shown.get("minutes"), _PARTS.get(_text(shown.get("part")))
    kind = _ACTIVITY_KINDS.get(_text(shown.get("activityKind")))
    found: list[tuple[str, Sentence]] = []
    if kind and titled:
        found.append((N_("Sorte"), Sentence(kind)))
    if shown.get("title") and _text(shown.get("activity")):
        found.append((N_("Activité"), _as_it_is(_text(shown["activity"]))))
    if isinstance(minutes, int):
        found.append((N_("Durée"), _as_it_is(duration(minutes))))
    if part:
        found.append((N_("Rôle"), Sentence(part)))
    if shown.get("present") is False:
        found.append((N_("Présence"), Sentence(N_("notée absente"))))
    for name, label in (("place", N_("Lieu")), ("contentDigest", N_("Empreinte SHA-256"))):
        if _text(shown.get(name)):
            found.append((label, _as_it_is(_text(shown[name]))))
    return found


def _as_it_is(text: str) -> Sentence:
    return Sentence("{text}", {"text": text})


def _text(value: object) -> str:
    return plain(value, 1000) if isinstance(value, str) else ""


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
