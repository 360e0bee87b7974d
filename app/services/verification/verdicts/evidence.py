"""Messages on what the log proves about a badge (age, date, integrity), and what it does not prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from app.domain.campus.signed_terms import (
    LABEL_NAMES,
    ActivityKind,
    LabelCategory,
    LabelState,
    PartKind,
    day_in_france,
    duration,
    is_artefact,
)
from app.language import N_, Sentence, plain
from app.services.verification.verdicts.checks import place_of, signed_again
from sceau_credentials.evidence.judging import EvidenceOutcome, EvidenceReport, Witnessed
from sceau_credentials.trust import GivenLabel
from sceau_credentials.values import parse_timestamp
from sceau_credentials.verification.findings import Reason, RemarkCode
from sceau_credentials.verification.report import EndorsementAnswer, Outcome, Report
from sceau_credentials.verification.run_checks import ENDORSES_ANOTHER, TOO_MANY

if TYPE_CHECKING:
    from app.domain.awards.open_badges import Correction
    from app.services.trust.labels import CheckedLabel

_O = EvidenceOutcome
_ONE: Final = N_(
    "Ce badge repose sur une participation{hours}, {when}, inscrite au journal du campus avant "
    "l’attribution et inchangée depuis."
)
_MANY: Final = N_(
    "Ce badge repose sur {several} participations{hours} {when}, inscrites au journal du campus avant "
    "l’attribution et inchangées depuis."
)
_UNDATED_ONE: Final = N_(
    "Ce badge repose sur une participation, inscrite au journal du campus avant l’attribution et inchangée "
    "depuis. La personne n’en montre que l’existence."
)
_UNDATED_MANY: Final = N_(
    "Ce badge repose sur {several} participations, inscrites au journal du campus avant l’attribution et "
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
    "Ce badge repose sur {several} contributions{hours} {when}, confirmées par une personne du campus, inscrites "
    "au journal avant l’attribution et inchangées depuis."
)
_ONE_BESIDE: Final = N_("S’y ajoute une contribution que le campus a confirmée.")
_BESIDE: Final = N_("S’y ajoutent {several} contributions que le campus a confirmées.")
_DECISION_ONLY: Final = N_(
    "L’attribution de ce badge est inscrite au journal du campus depuis le {decided_at}, et n’a pas changé depuis."
)
_SIGNED_AGAIN_ONLY: Final = N_(
    "Ce badge, signé de nouveau, est inscrit au journal du campus depuis le {decided_at}, sans changement depuis."
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
    ActivityKind.MEETING.value: N_("Réunion"),
    ActivityKind.COUNCIL.value: N_("Conseil"),
    ActivityKind.INTERVIEW.value: N_("Entretien"),
    ActivityKind.COMMUNICATION.value: N_("Communication"),
    ActivityKind.MOBILITY.value: N_("Mobilité"),
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
class EvidenceLine:
    """One log entry that a badge depends on; `facts`: labels and values that the holder discloses."""

    number: int
    kind: str
    title: Sentence
    text: str
    starts_on: date | None
    ends_on: date | None
    logged_at: datetime
    facts: Sequence[tuple[str, Sentence]]
    file_type: str = ""
    """For a file that the holder discloses by name."""


@dataclass(frozen=True)
class EvidenceMessages:
    """`state` is ok, bad or unk; `checks`: what was checked, with the reason it matters."""

    state: str
    sentence: Sentence
    beside: Sentence | None
    lines: Sequence[EvidenceLine]
    checks: Sequence[tuple[str, str]]
    limits: Sequence[str]
    decision: int = 0
    decided_at: datetime | None = None
    is_signed_again: bool = False
    size: int = 0
    log: str = ""


def evidence_messages(
    report: EvidenceReport, found: Report | None = None, correction: Correction | None = None
) -> EvidenceMessages:
    """`found`: of the document presented. Of one signed again, the log entry dates the latest edition.

    `correction`: what our log corrected since, which the badge's own evidence cannot know.
    """
    if report.outcome is _O.UNREAD:
        removed = report.reason == "gone"
        return EvidenceMessages("unk", Sentence(_REMOVED if removed else _UNREAD), None, (), (), ())
    if report.reason == _STOLEN_KEY:
        return EvidenceMessages("unk", Sentence(_STOLEN), Sentence(_STOLEN_ADVICE), (), (), ())
    if report.proved is None:
        why = Sentence(_FAILURES.get(report.reason, _FAILURE))
        return EvidenceMessages("bad", Sentence(_FAILED), why, (), (), ())
    proved = report.proved
    shown = {entry.index: report.shown.get(entry.index, {}) for entry in proved.evidence.entries}
    part = [entry.index for entry in proved.evidence.entries if entry.leaf.kind in _TAKING_PART]
    done = [each for each in shown.values() if each.get("confirmed") is True]
    is_signed_again = found is not None and signed_again(found.document) is not None
    bare = Sentence(
        _SIGNED_AGAIN_ONLY if is_signed_again else _DECISION_ONLY, {"decided_at": proved.decided_at}
    )
    sentence = _sentence([shown[index] for index in part], done, bool(proved.evidence.entries), bare)
    return EvidenceMessages(
        state="unk" if correction else "ok",
        sentence=correction_message(correction) if correction else sentence,
        beside=_hidden([shown[index] for index in part]) or (_done_beside(done) if part else None),
        lines=[
            _line(entry.index, entry.leaf.kind, entry.leaf.at, shown[entry.index])
            for entry in proved.evidence.entries
        ],
        checks=_CHECKS,
        limits=_LIMITS,
        decision=proved.evidence.decision.index,
        decided_at=proved.decided_at,
        is_signed_again=is_signed_again,
        size=proved.evidence.head.size,
        log=proved.evidence.head.origin,
    )


_CORRECTED: Final = N_(
    "Depuis, le campus a corrigé dans son journal ce sur quoi ce badge repose : {facts}. Le badge dit ce qui était "
    "noté quand il a été attribué."
)
_CORRECTED_UNSHOWN: Final = N_(
    "Depuis, le campus a corrigé dans son journal ce sur quoi ce badge repose. Le badge dit ce qui était noté quand il "
    "a été attribué."
)
_CORRECTED_FACTS: Final = {
    "minutes": N_("la durée"),
    "startsOn": N_("les dates"),
    "endsOn": N_("les dates"),
    "part": N_("le rôle"),
    "present": N_("la présence"),
    "contribution": N_("la contribution"),
    "confirmed": N_("la confirmation"),
}
_ONE_AND_MORE: Final = N_("{one}, {others}")


def correction_message(correction: Correction) -> Sentence:
    names = dict.fromkeys(words for fact, words in _CORRECTED_FACTS.items() if fact in correction.facts)
    if not names:
        return Sentence(_CORRECTED_UNSHOWN)
    *others, facts = map(Sentence, names)
    for one in reversed(others):
        facts = Sentence(_ONE_AND_MORE, {"one": one, "others": facts})
    return Sentence(_CORRECTED, {"facts": facts})


def _sentence(
    taking_part: Sequence[Mapping[str, Any]],
    done: Sequence[Mapping[str, Any]],
    any_line: bool,
    bare: Sentence,
) -> Sentence:
    if taking_part:
        return _counted(taking_part, (_ONE, _MANY))
    if done:
        return _counted(done, (_ONE_CONTRIBUTION, _CONTRIBUTIONS))
    return Sentence(_WORDS_ONLY) if any_line else bare


def _done_beside(done: Sequence[Mapping[str, Any]]) -> Sentence | None:
    if not done:
        return None
    return Sentence(_ONE_BESIDE) if len(done) == 1 else Sentence(_BESIDE, {"several": len(done)})


def _counted(lines: Sequence[Mapping[str, Any]], words: tuple[str, str]) -> Sentence:
    count = len(lines)
    firsts = sorted(filter(None, (_day(each.get("startsOn")) for each in lines)))
    lasts = sorted(filter(None, (_day(each.get("endsOn")) for each in lines)))
    if not firsts or not lasts:
        return Sentence(_UNDATED_ONE if count == 1 else _UNDATED_MANY, {"several": count})
    same = firsts[0] == lasts[-1]
    when = (
        Sentence(_ON, {"day": firsts[0]})
        if same
        else Sentence(_BETWEEN, {"first": firsts[0], "last": lasts[-1]})
    )
    minutes = sum(each["minutes"] for each in lines if isinstance(each.get("minutes"), int))
    hours = f" ({duration(minutes)})" if minutes else ""
    return Sentence(words[0] if count == 1 else words[1], {"several": count, "hours": hours, "when": when})


def _hidden(taking_part: Sequence[Mapping[str, Any]]) -> Sentence | None:
    hidden = sum(1 for each in taking_part if not each)
    return Sentence(_OF_WHICH_HIDDEN, {"count": hidden}) if 0 < hidden < len(taking_part) else None


def _line(number: int, kind: str, at: datetime, shown: Mapping[str, Any]) -> EvidenceLine:
    named = (_text(shown.get(name)) for name in ("title", "artefact", "link", "activity"))
    title = next(filter(None, named), "")
    kind_words = _PIECE if is_artefact(shown) else KINDS.get(kind, kind)
    otherwise = kind_words if is_artefact(shown) else _ACTIVITY_KINDS.get(_text(shown.get("activityKind")))
    words = Sentence("{title}", {"title": title}) if title else Sentence(otherwise or kind_words)
    sentences = (_text(shown.get(name)) for name in ("text", "contribution", "words"))
    return EvidenceLine(
        number,
        kind_words,
        words,
        next(filter(None, sentences), ""),
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
        found.append((N_("Type"), Sentence(kind)))
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


_SEEN_BY: Final = N_("Vu aussi par : {names}.")
_SEEN_BY_NOBODY: Final = N_("Aucun témoin extérieur n’a encore vu cette attribution au journal.")
_WITNESSED: Final = N_("{witness}, le {day}")
_AND: Final = "{one} ; {others}"
_SEEN_BEFORE: Final = N_(
    "Un témoin extérieur avait vu cette attribution avant que la clé soit volée : qu’elle soit d’avant ne repose pas "
    "sur le campus seul."
)
_NOT_SEEN_BEFORE: Final = N_(
    "Aucun témoin extérieur n’avait vu cette attribution avant que la clé soit volée : qu’elle soit d’avant repose "
    "sur le journal du campus seul."
)


def witness_messages(evidence: EvidenceReport | None, report: Report | None) -> Sequence[Sentence]:
    """Empty if witnesses are unknown, which differs from having none."""
    if evidence is None or evidence.witnesses is None:
        return ()
    seen, stolen = evidence.witnesses, _stolen_since(report)
    sentences = [Sentence(_SEEN_BY, {"names": _names(seen)}) if seen else Sentence(_SEEN_BY_NOBODY)]
    if stolen is not None:
        before = any(each.at < stolen for each in seen)
        sentences.append(Sentence(_SEEN_BEFORE if before else _NOT_SEEN_BEFORE))
    return sentences


def _names(seen: Sequence[Witnessed]) -> Sentence:
    first, *rest = seen
    one = Sentence(_WITNESSED, {"witness": plain(first.name), "day": first.at})
    return Sentence(_AND, {"one": one, "others": _names(rest)}) if rest else one


def _stolen_since(report: Report | None) -> datetime | None:
    for remark in report.remarks if report else ():
        if remark.code is RemarkCode.KEY_REVOKED_SINCE:
            return parse_timestamp(str(remark.details["withdrawn"]))
    return None


_LONGEST_COMMENT: Final = 1200
_OF_THE_AWARD: Final = N_("{who} recommande ce badge, tel qu’il a été donné à cette personne.")
_OF_THE_BADGE: Final = N_("{who} recommande ce badge, quelle que soit la personne qui le reçoit.")
_OF_AN_ORGANISATION: Final = N_("{who} recommande l’organisme qui donne ce badge.")
_SAME_ISSUER: Final = N_("L’émetteur du badge parle ici de lui-même : ce n’est pas l’avis d’un autre.")
_NAME_IS_AN_ADDRESS: Final = N_("Signature vérifiée. Nous n’en connaissons que l’adresse.")
_DOES_NOT_HOLD: Final = N_(
    "Une recommandation ne compte pas : ce qui y est écrit n’a pas été signé par qui elle nomme, ou a été changé."
)
_NOT_READ: Final = N_("Une recommandation au nom de {who} n’a pas pu être vérifiée.")
_WHY: Final = {
    ENDORSES_ANOTHER: N_(
        "Une recommandation de {who} ne compte pas : elle parle d’autre chose que de ce badge."
    ),
    TOO_MANY: N_("Il y a d’autres recommandations : nous en lisons dix au plus par badge."),
    Reason.REVOKED.value: N_("Une recommandation de {who} ne compte plus : elle a été retirée."),
    Reason.SUSPENDED.value: N_("Une recommandation de {who} est suspendue pour le moment."),
    Reason.EXPIRED.value: N_("Une recommandation de {who} ne compte plus : sa durée est passée."),
    Reason.NOT_YET_VALID.value: N_("Une recommandation de {who} ne compte pas encore."),
}
_STATES: Final = {
    Outcome.PASSED: ("ok", N_("Vérifiée")),
    Outcome.FAILED: ("bad", N_("Ne compte pas")),
    Outcome.UNKNOWN: ("unk", N_("Non vérifiée")),
    Outcome.SKIPPED: ("unk", N_("Non vérifiée")),
}


@dataclass(frozen=True)
class EndorsementMessage:
    """`comment`: the endorser's text, empty unless valid; `state` and `word` as in a check."""

    state: str
    word: str
    sentence: Sentence
    beside: Sentence | None
    comment: str


def endorsements(report: Report) -> list[EndorsementMessage]:
    return [_endorsement_message(answer, report.issuer) for answer in report.endorsements]


def _endorsement_message(answer: EndorsementAnswer, issuer_of_badge: str | None) -> EndorsementMessage:
    state, word = _STATES[answer.outcome]
    values = {"who": place_of(answer.issuer or "")}
    if answer.outcome is not Outcome.PASSED:
        default = _DOES_NOT_HOLD if answer.outcome is Outcome.FAILED else _NOT_READ
        return EndorsementMessage(state, word, Sentence(_WHY.get(answer.reason, default), values), None, "")
    comment = plain(answer.comment, _LONGEST_COMMENT)
    beside = _SAME_ISSUER if answer.issuer == issuer_of_badge else _NAME_IS_AN_ADDRESS
    return EndorsementMessage(
        state, word, Sentence(_sentence_about(answer.pointer), values), Sentence(beside), comment
    )


def _sentence_about(pointer: str) -> str:
    on = pointer.rpartition("/endorsement")[0]
    if not on:
        return _OF_THE_AWARD
    return _OF_THE_BADGE if on == "/credentialSubject/achievement" else _OF_AN_ORGANISATION


_GIVEN: Final = {
    (True, True): N_("{label}, donné par : {network}, du {first} au {last}."),
    (True, False): N_("{label}, donné par : {network}, depuis le {first}, sans date de fin publiée."),
    (False, True): N_("{label}, donné par : {network}, jusqu’au {last}."),
    (False, False): N_("{label}, donné par : {network}, sans date publiée."),
}
_WITHDRAWN: Final = (
    "bad",
    N_("Retiré"),
    N_("Le réseau a retiré ce label le {withdrawn}. Il ne vaut plus."),
)
_SUSPENDED: Final = (
    "past",
    N_("Suspendu"),
    N_("Le réseau a suspendu sa reconnaissance du campus, et ce label avec elle."),
)
_UNSIGNED: Final = (
    "unk",
    N_("Non signé"),
    N_("Ce label a été écrit ici sans signature : seul ce service en répond."),
)
_FORGED: Final = (
    "bad",
    N_("Non conforme"),
    N_("Ce label n’est pas tel que le réseau l’a signé. Ne vous y fiez pas."),
)
_KEY_STOLEN: Final = (
    "past",
    N_("Terminé"),
    N_("Le label est terminé, et la clé qui l’a signé a été retirée depuis : seul ce service en répond."),
)
_LABELS_UNREAD: Final = (
    "unk",
    N_("Non vérifié"),
    N_("La signature de ce label n’a pas pu être vérifiée pour le moment."),
)
_BY_DATE: Final = {
    LabelState.CURRENT: ("ok", N_("Vérifié"), N_("Signature du réseau vérifiée : le label est en cours.")),
    LabelState.FUTURE: ("shut", N_("À venir"), N_("Signature du réseau vérifiée : le label n’a pas encore commencé.")),
    LabelState.EXPIRED: ("past", N_("Terminé"), N_("Signature du réseau vérifiée : le label est terminé.")),
}  # fmt: skip
_NO_END: Final = (
    "shut",
    N_("Vérifié, sans fin connue"),
    N_("Signature du réseau vérifiée. Sans date de fin, personne ne peut dire que le label est encore en cours."),
)  # fmt: skip
_LISTED: Final = (
    "ok",
    N_("En cours"),
    N_("Dit par la liste que le réseau signe ; le label lui-même se lit à son adresse."),
)
_OTHER_CATEGORY: Final = N_("Label d’une autre catégorie")
_OF_THE_DATES: Final = frozenset({"expired", "not_yet_valid"})


@dataclass(frozen=True)
class LabelMessage:
    """`state` and `word` as in a check."""

    state: str
    word: str
    sentence: Sentence
    beside: Sentence


def label_message(checked: CheckedLabel) -> LabelMessage:
    label = checked.label
    given = _given(label.category, checked.network.name, label.starts_on, label.ends_on)
    state, word, beside = _worth(checked)
    return LabelMessage(state, word, given, Sentence(beside, {"withdrawn": label.withdrawn_at or ""}))


def label_listed(label: GivenLabel, network: str, at: datetime) -> LabelMessage:
    """A label of a campus elsewhere, from the network's list; the label itself was not read."""
    first = day_in_france(label.valid_from) if label.valid_from else None
    last = day_in_france(label.valid_until - timedelta(seconds=1)) if label.valid_until else None
    category = next((each for each in LabelCategory if each.value == label.category), None)
    state, word, beside = _LISTED
    if label.valid_until is not None and label.valid_until <= at:
        state, word = "past", N_("Terminé")
    elif label.valid_from is not None and at < label.valid_from:
        state, word = "shut", N_("À venir")
    return LabelMessage(state, word, _given(category, network, first, last), Sentence(beside))


def _given(category: LabelCategory | None, network: str, first: date | None, last: date | None) -> Sentence:
    name = Sentence(LABEL_NAMES[category] if category else _OTHER_CATEGORY)
    values = {"label": name, "network": plain(network), "first": first or "", "last": last or ""}
    return Sentence(_GIVEN[first is not None, last is not None], values)


def _worth(checked: CheckedLabel) -> tuple[str, str, str]:
    """In order of severity: withdrawal, then signature, then dates."""
    if checked.label.withdrawn_at is not None:
        return _WITHDRAWN
    if checked.is_suspended:
        return _SUSPENDED
    answer = checked.answer
    if answer is None:
        return _UNSIGNED
    if answer.reason == Reason.KEY_REVOKED and checked.state is LabelState.EXPIRED:
        return _KEY_STOLEN
    if answer.outcome is Outcome.FAILED and answer.reason not in _OF_THE_DATES:
        return _FORGED
    if answer.outcome in (Outcome.UNKNOWN, Outcome.SKIPPED):
        return _LABELS_UNREAD
    if checked.state is LabelState.CURRENT and checked.label.ends_on is None:
        return _NO_END
    return _BY_DATE[checked.state]
