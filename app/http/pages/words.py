"""The words for what the domain counts in: kinds, roles, parts, outcomes. French, for the filter `say`."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.accounts.access import Scope
from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.awards.awards import Award, LineOutcome
from app.domain.awards.batches import WithdrawalOutcome
from app.domain.badges.badges import Kind, Repeat
from app.domain.campus.campus import LabelCategory, LabelState
from app.domain.campus.keys import KeyPurpose, KeyState
from app.domain.people.people import Role
from app.http.pages.typography import say
from app.language import N_
from app.services.campus.directory import ListedAward


@dataclass(frozen=True)
class Word:
    """What a tag says, and the state that colours it: ok, past, bad, unk, shut."""

    text: str
    state: str = ""


BADGE_KINDS = {
    Kind.BELONGING: N_("Badge d’appartenance"),
    Kind.PARTICIPATION: N_("Badge de participation"),
    Kind.ENGAGEMENT: N_("Badge d’engagement"),
    Kind.ATTITUDE: N_("Badge de savoir-être"),
    Kind.COMPETENCY: N_("Badge de compétence"),
    Kind.REALISATION: N_("Badge de réalisation"),
}
KIND_NAMES = {
    Kind.BELONGING: N_("Appartenance"),
    Kind.PARTICIPATION: N_("Participation"),
    Kind.ENGAGEMENT: N_("Engagement"),
    Kind.ATTITUDE: N_("Savoir-être"),
    Kind.COMPETENCY: N_("Compétence"),
    Kind.REALISATION: N_("Réalisation"),
}
KIND_HINTS = {
    Kind.BELONGING: N_("Faire partie d’un lieu ou d’un groupe."),
    Kind.PARTICIPATION: N_("Avoir été là : date et durée."),
    Kind.ENGAGEMENT: N_("Avoir tenu un rôle."),
    Kind.ATTITUDE: N_("Une manière de faire, observée."),
    Kind.COMPETENCY: N_("Savoir faire, jugé sur critères."),
    Kind.REALISATION: N_("Une œuvre ou un projet mené à bien."),
}
REPEATS = {
    Repeat.ONCE: N_("Une seule fois par personne"),
    Repeat.ONCE_PER_ACTIVITY: N_("Une fois par activité"),
    Repeat.ALWAYS: N_("Autant de fois que l’on veut"),
}
ACTIVITY_KINDS = {
    ActivityKind.WORKSHOP: N_("Atelier"),
    ActivityKind.EVENT: N_("Événement"),
    ActivityKind.PROJECT: N_("Projet"),
    ActivityKind.COURSE: N_("Formation"),
    ActivityKind.IMMERSION: N_("Immersion"),
}
PARTS = {PartKind.LEARNER: N_("Apprenant"), PartKind.RESOURCE: N_("Ressource")}
ROLES = {
    Role.CAMPUS_ADMIN: N_("Administration du campus"),
    Role.DESIGNER: N_("Conception des badges"),
    Role.TRAINER: N_("Formation"),
    Role.REVIEWER: N_("Examen des demandes"),
    Role.AUDITOR: N_("Audit"),
    Role.DPO: N_("Protection des données"),
}
ROLE_HINTS = {
    Role.CAMPUS_ADMIN: N_(
        "Invite l’équipe, donne les rôles et règle le campus. Peut tout, sauf la protection des données."
    ),
    Role.DESIGNER: N_("Écrit les badges et les compétences, et dit qui attribue lesquels."),
    Role.TRAINER: N_("Crée des activités, inscrit les personnes, attribue les badges qui lui sont ouverts."),
    Role.REVIEWER: N_("Examine les demandes de badge et y répond."),
    Role.AUDITOR: N_("Lit tout et l’historique du campus, sans rien changer."),
    Role.DPO: N_("Répond aux personnes sur leurs données, et les efface."),
}
SCOPES = {
    Scope.AWARD_CREATE: N_("Attribuer des badges"),
    Scope.AWARD_REVOKE: N_("Retirer des badges"),
    Scope.BADGE_WRITE: N_("Écrire des badges et des compétences"),
    Scope.ACTIVITY_WRITE: N_("Créer des activités et inscrire des personnes"),
    Scope.READ: N_("Lire tout ce que le campus contient"),
    Scope.CREDENTIAL_ISSUE: N_("Signer toute attestation, pour des essais de conformité"),
}
OUTCOMES = {
    LineOutcome.READY: Word(N_("Prête"), "ok"),
    LineOutcome.AWARDED: Word(N_("Attribué"), "ok"),
    LineOutcome.ALREADY_HELD: Word(N_("A déjà ce badge"), "shut"),
    LineOutcome.INVALID_ADDRESS: Word(N_("Adresse invalide"), "bad"),
    LineOutcome.MISSING_NAME: Word(N_("Nom à compléter"), "bad"),
    LineOutcome.MISSING_EVIDENCE: Word(N_("Preuve manquante"), "past"),
    LineOutcome.TOO_FEW_HOURS: Word(N_("Participation insuffisante"), "past"),
    LineOutcome.ONESELF: Word(N_("Soi-même"), "past"),
    LineOutcome.REPEATED_LINE: Word(N_("Ligne en double"), "shut"),
    LineOutcome.UNREADABLE: Word(N_("Ligne illisible"), "bad"),
    LineOutcome.NOT_ALLOWED: Word(N_("Non permis"), "past"),
    LineOutcome.ABSENT: Word(N_("Absente"), "past"),
    LineOutcome.SEVERAL_OF_NAME: Word(N_("Plusieurs personnes de ce nom"), "past"),
}
REVOKED = Word(N_("Retiré"), "bad")
UNDONE = Word(N_("Annulé"), "shut")
WITHDRAWAL_OUTCOMES = {
    WithdrawalOutcome.WAITING: Word(N_("En attente"), "shut"),
    WithdrawalOutcome.WITHDRAWN: Word(N_("Retiré"), "ok"),
    WithdrawalOutcome.ALREADY: Word(N_("Était déjà retiré"), "shut"),
    WithdrawalOutcome.ABSENT: Word(N_("N’existe pas ici"), "bad"),
}
OUTCOME_COUNTS = {
    LineOutcome.READY: N_("Prêtes"),
    LineOutcome.AWARDED: N_("Attribués"),
    LineOutcome.ALREADY_HELD: N_("Ont déjà ce badge"),
    LineOutcome.INVALID_ADDRESS: N_("Adresses invalides"),
    LineOutcome.MISSING_NAME: N_("Noms à compléter"),
    LineOutcome.MISSING_EVIDENCE: N_("Preuves manquantes"),
    LineOutcome.TOO_FEW_HOURS: N_("Participations insuffisantes"),
    LineOutcome.ONESELF: N_("Soi-même"),
    LineOutcome.REPEATED_LINE: N_("Lignes en double"),
    LineOutcome.UNREADABLE: N_("Lignes illisibles"),
    LineOutcome.NOT_ALLOWED: N_("Non permises"),
    LineOutcome.ABSENT: N_("Absentes"),
    LineOutcome.SEVERAL_OF_NAME: N_("Homonymes à préciser"),
}
LABEL_CATEGORIES = {
    LabelCategory.STANDARD: N_("Label Campus des métiers et des qualifications"),
    LabelCategory.EXCELLENCE: N_("Label d’excellence"),
}
LABEL_STATES = {
    LabelState.CURRENT: Word(N_("En cours"), "ok"),
    LabelState.FUTURE: Word(N_("À venir"), "shut"),
    LabelState.EXPIRED: Word(N_("Terminé"), "past"),
    LabelState.WITHDRAWN: Word(N_("Retiré"), "bad"),
}
KEY_PURPOSES = {
    KeyPurpose.CREDENTIAL: N_("Clé des badges"),
    KeyPurpose.ACTIVITY_LOG: N_("Clé du journal d’activité"),
}
KEY_STATES = {
    KeyState.PENDING: Word(N_("En attente"), "shut"),
    KeyState.ACTIVE: Word(N_("En service"), "ok"),
    KeyState.VERIFY_ONLY: Word(N_("Vérifie seulement"), "past"),
    KeyState.REVOKED: Word(N_("Retirée"), "bad"),
}
AWARD_DEEDS = {
    "award": N_("Attribué"),
    "revoke": N_("Retiré"),
    "undo": N_("Annulé avant de partir"),
    "claim": N_("Reçu par la personne"),
    "write_again": N_("Lettre envoyée de nouveau"),
    "renew_link": N_("Lien privé renouvelé"),
    "print_slip": N_("Bulletin imprimé"),
    "show_code": N_("Code court montré"),
    "open": N_("Rendu public par la personne qui l’a reçu"),
    "close": N_("Refermé par la personne qui l’a reçu"),
    "let_search": N_("Laissé aux moteurs de recherche par la personne"),
    "allow_checks": N_("Comparaison d’une adresse permise par la personne"),
    "refuse_checks": N_("Comparaison d’une adresse refusée par la personne"),
    "check_address": N_("Adresse comparée depuis la page publique"),
    "keep_from_search": N_("Retiré aux moteurs de recherche par la personne"),
    "register": N_("Enregistré de nouveau depuis son fichier signé"),
}
BADGE_DEEDS = {
    "create": N_("Créé"),
    "revise": N_("Nouvelle version"),
    "rewrite": N_("Réécrit"),
    "open": N_("Ouvert"),
    "archive": N_("Archivé"),
    "restore": N_("Repris"),
    "open_to_all": N_("Ouvert à tous les formateurs"),
    "open_to_some": N_("Réservé à certains formateurs"),
    "open_to": N_("Ouvert à une personne"),
    "shut_to": N_("Refermé à une personne"),
}


def ended_word(award: Award) -> Word | None:
    """Of one that counts no longer: what was taken back before anybody heard of it was never withdrawn from them."""
    if award.undone_at is not None:
        return UNDONE
    return REVOKED if award.revoked_at is not None else None


def why_ended(award: Award | ListedAward) -> str:
    return say(N_("Avant d’être remis.")) if award.undone_at is not None else award.revoked_reason
