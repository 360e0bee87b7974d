"""What a verification does not prove, said with every answer."""

from __future__ import annotations

from typing import Final

from app.language import N_
from app.language.sentences import Sentence
from app.services.verification.verdicts.claims import Claims, claims_of
from app.services.verification.verdicts.headlines import kind_of
from app.services.verification.verdicts.kinds import HeadlineKind
from app.services.verification.verification import Answer
from sceau_credentials.verification.report import CheckId, Outcome

_K = HeadlineKind
_UNCHECKED: Final = frozenset(
    {
        _K.UNVERIFIABLE,
        _K.UNAUTHENTICATED,
        _K.NOT_CHECKABLE,
        _K.NOT_CONFORMING,
        _K.BAD_SIGNATURE,
        _K.OUT_OF_DATE_UNPROVEN,
    }
)
_HAVE_A_FACE: Final = frozenset({"png", "svg", "pdf"})
_NOT_THE_FACE: Final = N_(
    "Ce que montre l’image ou la page du fichier : elle n’est pas signée, seul l’est ce qui est écrit ici."
)
_NO_FAULT: Final = N_("Que la personne a fait une faute : un badge donné par erreur est retiré aussi.")
_NOT_FORGOTTEN: Final = N_("Que la personne a perdu ce savoir-faire : seule la durée de validité est passée.")
_WHO_NAMED: Final = N_(
    "Que la personne devant vous est bien celle que le badge nomme : comparez avec une pièce d’identité."
)
_WHO_UNNAMED: Final = N_("Que ce badge est à la personne devant vous : il ne porte aucun nom.")
_NOT_TODAY: Final = N_("Qu’elle sait encore le faire aujourd’hui : le badge a été attribué le {awarded_at}.")
_ONLY_THERE: Final = N_(
    "Un savoir-faire : ce badge dit une présence ou une appartenance, rien n’y a été jugé."
)
_NO_DIPLOMA: Final = N_(
    "Un diplôme ou une certification professionnelle : un badge atteste et reconnaît, il ne certifie pas."
)
_NOT_THE_NAME: Final = N_(
    "Que l’émetteur est bien l’organisme dont il porte le nom : seule sa signature a été vérifiée."
)
_NOT_FALSE: Final = N_("Que le badge est faux : sa signature est bonne.")
_NOT_FALSE_UNREAD: Final = N_("Que le badge est faux : nous n’avons pas pu tout lire.")
_NOT_REVOKED: Final = N_("Qu’il a été retiré : nous n’avons pas pu regarder.")
_NO_FORGER: Final = N_("Que la personne a fabriqué un faux : un logiciel peut aussi abîmer un fichier.")
_ORIGINAL: Final = N_(
    "Que le badge d’origine n’existe pas : cette copie n’est pas la bonne, l’original peut l’être."
)
_CLOSED_IS_NOT_BAD: Final = N_("Que le badge est retiré ou expiré : une page fermée ne dit rien de cela.")
_CLOSED_HIDES_NOTHING: Final = N_(
    "Que la personne a quelque chose à cacher : une page est fermée tant qu’on ne l’ouvre pas."
)


def limits(answer: Answer, claims: Claims | None = None) -> list[Sentence]:
    """What somebody might wrongly conclude from this answer; nothing where nothing was answered.

    `claims`: those of its document, where they were read already.
    """
    kind = kind_of(answer)
    if kind is _K.CLOSED:
        return [Sentence(_CLOSED_IS_NOT_BAD), Sentence(_CLOSED_HIDES_NOTHING)]
    if not kind.is_an_answer or answer.report is None:
        return []
    if answer.report.document is not None:
        claims = claims or claims_of(answer.report.document)
        found = _of_genuine(claims, is_ours=answer.campus is not None)
        if answer.report.container in _HAVE_A_FACE:
            found.insert(0, Sentence(_NOT_THE_FACE))
        return _first(kind, answer) + (found[-1:] if kind is _K.REVOKED else found)
    if kind in _UNCHECKED:
        return [Sentence(_NOT_FALSE_UNREAD), Sentence(_NOT_REVOKED)]
    return [Sentence(_NO_FORGER), Sentence(_ORIGINAL)]


def _first(kind: HeadlineKind, answer: Answer) -> list[Sentence]:
    match kind:
        case _K.REVOKED:
            return [Sentence(_NO_FAULT)]
        case _K.EXPIRED:
            return [Sentence(_NOT_FORGOTTEN)]
        case _K.UNVERIFIABLE | _K.NOT_CHECKABLE:
            report = answer.report
            unread = report is not None and report.check(CheckId.STATUS).outcome is Outcome.UNKNOWN
            return [Sentence(_NOT_FALSE), *([Sentence(_NOT_REVOKED)] if unread else [])]
    return []


def _of_genuine(claims: Claims, *, is_ours: bool) -> list[Sentence]:
    found = [Sentence(_WHO_NAMED if claims.holder else _WHO_UNNAMED)]
    if claims.kind is not None and not claims.kind.is_judged:
        found.append(Sentence(_ONLY_THERE))
    elif claims.awarded_at is not None:
        found.append(Sentence(_NOT_TODAY, {"awarded_at": claims.awarded_at}))
    if not is_ours:
        found.append(Sentence(_NOT_THE_NAME))
    return [*found, Sentence(_NO_DIPLOMA)]
