"""What waits in a campus, said in sentences that lead to where it is done."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.accounts.permissions import Deed
from app.domain.campus.waiting import MOST_COUNTED
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.pages.words import Word
from app.http.workplaces import AtWork
from app.language import N_
from app.services.campus.dashboard import Waiting

TO_DO, TO_LOOK_AT, ENDED = (
    Word(N_("À traiter"), "past"),
    Word(N_("À regarder"), "shut"),
    Word(N_("Terminé"), "past"),
)
_EXAMPLES = (
    (Deed.REVIEW, N_("une demande de badge")),
    (Deed.CORRECT, N_("un nom à corriger")),
    (Deed.WORK, N_("une lettre refusée")),
    (Deed.WORK, N_("une activité finie sans badge")),
    (Deed.DESIGN, N_("un brouillon de badge")),
    (Deed.AUDIT, N_("un journal qui n’est plus tel qu’il a été écrit")),
    (Deed.MANAGE, N_("un label qui se termine")),
)
_LABEL_ENDED = N_("Le label du campus a pris fin le {day}")
_LABEL_ENDS = N_("Le label du campus prend fin le {day}")


@dataclass(frozen=True)
class Task:
    """One thing to do: a sentence that is a link, and what to know before."""

    sentence: str
    hint: str
    href: str
    state: Word


def tasks_of(work: AtWork, waiting: Waiting) -> list[Task]:
    """What needs a person soonest comes first; nobody is shown what they may not do."""
    tasks = []
    if work.may(Deed.MANAGE):
        tasks += _of_the_campus(work, waiting)
    if work.may(Deed.AUDIT) and waiting.log_is_spoilt:
        sentence = say(N_("Le journal d’activité n’est plus tel qu’il a été écrit"))
        hint = say(
            N_("La dernière relecture l’a trouvé. Plus rien n’y est signé avant que ce soit éclairci.")
        )
        tasks.append(Task(sentence, hint, f"{work.home}/audit/journal", TO_DO))
    if work.may(Deed.REVIEW) and waiting.requests:
        sentence = _counted(N_("Demandes en attente : {n}"), waiting.requests)
        hint = say(N_("Des personnes demandent un badge et attendent une décision."))
        tasks.append(Task(sentence, hint, f"{work.home}/demandes", TO_DO))
    if work.may(Deed.CORRECT) and waiting.names:
        sentence = _counted(N_("Noms à corriger : {n}"), waiting.names)
        hint = say(N_("Des personnes demandent un autre nom dans leurs badges."))
        tasks.append(Task(sentence, hint, f"{work.home}/repertoire/noms", TO_DO))
    if work.may(Deed.WORK):
        tasks += _of_activities(work, waiting)
    if work.may(Deed.DESIGN):
        tasks += _of_badges(work, waiting)
    return tasks


def awaited_by(work: AtWork) -> list[str]:
    """What may come to wait for whoever works here, as examples."""
    return [say(words) for deed, words in _EXAMPLES if work.may(deed)]


def _of_the_campus(work: AtWork, waiting: Waiting) -> list[Task]:
    here, tasks = f"{work.home}#etat", _asked_for(work, waiting)
    if waiting.lacks_key:
        sentence = say(N_("Aucune clé de signature n’est en service"))
        tasks.append(Task(sentence, say(N_("Aucun badge ne peut être signé.")), here, TO_DO))
    if waiting.old_key is not None:
        sentence = say(N_("La clé de signature a plus de deux ans"))
        hint = say(N_("Une nouvelle clé signe la suite ; l’ancienne vérifie toujours ce qu’elle a signé."))
        tasks.append(Task(sentence, hint, here, TO_LOOK_AT))
    if waiting.label is not None and waiting.label.ends_on is not None:
        is_over = waiting.label.ends_on < waiting.today
        sentence = say(_LABEL_ENDED if is_over else _LABEL_ENDS).format(day=day(waiting.label.ends_on))
        hint = say(N_("Les pages de vos badges disent ses dates."))
        tasks.append(Task(sentence, hint, here, ENDED if is_over else TO_LOOK_AT))
    return tasks


def _asked_for(work: AtWork, waiting: Waiting) -> list[Task]:
    return [
        Task(
            say(N_("{campus} vous propose d’organiser ensemble « {title} »")).format(
                campus=leader.short_name, title=activity.title
            ),
            say(N_("Dites oui ou non : d’ici là, votre campus n’y est cité nulle part.")),
            f"{work.home}/activites",
            TO_DO,
        )
        for activity, leader in waiting.asked
    ]


def _of_activities(work: AtWork, waiting: Waiting) -> list[Task]:
    tasks = []
    if waiting.contributions:
        sentence = _counted(N_("Contributions à confirmer : {n}"), waiting.contributions)
        hint = say(N_("Des personnes disent ce qu’elles ont fait, et attendent que quelqu’un le confirme."))
        tasks.append(Task(sentence, hint, f"{work.home}/contributions", TO_DO))
    if waiting.refused_letters:
        sentence = _counted(N_("Lettres qui ne sont pas arrivées : {n}"), waiting.refused_letters)
        hint = say(N_("L’adresse est peut-être fausse : corrigez-la, ou remettez un bulletin imprimé."))
        tasks.append(Task(sentence, hint, f"{work.home}/lettres", TO_DO))
    for activity in waiting.activities:
        sentence = say(N_("« {title} » est finie, sans badge")).format(title=activity.title)
        hint = say(N_("Des personnes y sont inscrites et n’ont rien reçu."))
        tasks.append(Task(sentence, hint, f"{work.home}/activites/{activity.id}/attribuer", TO_LOOK_AT))
    if waiting.unclaimed:
        sentence = _counted(N_("Badges qui attendent d’être récupérés : {n}"), waiting.unclaimed)
        hint = say(N_("Donnés il y a plus de deux semaines ; la personne n’a pas ouvert le sien."))
        tasks.append(Task(sentence, hint, f"{work.home}/attributions", TO_LOOK_AT))
    return tasks


def _of_badges(work: AtWork, waiting: Waiting) -> list[Task]:
    tasks = [
        Task(
            say(N_("Le brouillon « {name} » attend d’être ouvert")).format(name=version.name),
            say(N_("Version {n}.")).format(n=version.number),
            f"{work.home}/badges/{badge.id}",
            TO_LOOK_AT,
        )
        for badge, version in waiting.drafts
    ]
    if waiting.near is not None:
        (badge, version), (_, other) = waiting.near
        hint = f"« {version.name} », « {other.name} »"
        tasks.append(
            Task(say(N_("Deux badges se ressemblent")), hint, f"{work.home}/badges/{badge.id}", TO_LOOK_AT)
        )
    return tasks


def _counted(words: str, count: int) -> str:
    """A count that stops says so."""
    shown = say(N_("plus de {n}")).format(n=MOST_COUNTED) if count > MOST_COUNTED else str(count)
    return say(words).format(n=shown)
