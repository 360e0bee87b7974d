"""What keeps a process from doing all of its work, each in a sentence for its operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.adapters.secrets.key_vault import KekUnusable
from app.container.process import Process
from app.domain.awards.signing_clock import ClockJumped
from app.language import gettext as _
from app.services.activity_log.anchor_check import SENTENCES


@dataclass(frozen=True)
class LastCheck:
    """When everything that was signed was verified last, and how many faults that found."""

    done_at: datetime
    faults: int


def last_check_of(process: Process) -> LastCheck | None:
    """None before the first check, or where the database does not answer."""
    if not process.is_ready():
        return None
    with process.unit_of_work(reading=True) as services:
        newest = services.integrity.newest()
    return LastCheck(newest.done_at, newest.fault_count) if newest and newest.done_at else None


def problems_of(process: Process) -> list[str]:
    """None of them for a process that is ready."""
    if not process.is_ready():
        return [_("La base de données ne répond pas, ou n’est pas à jour (« sceau migrate »).")]
    found = []
    try:
        process.check_kek()
    except KekUnusable as error:
        found.append(str(error))
    jump, damaged = process.observe_clock(), list[str]()
    if jump is not None:
        stopped = ClockJumped(jump)
        found.append(_(stopped.sentence).format(**stopped.values))
    else:
        with process.unit_of_work(reading=True) as services:
            damaged = services.signing.keys_that_do_not_open()
    found += [
        _("La clé de signature {key} est abîmée dans la base : restaurez-la d’une sauvegarde.").format(
            key=key
        )
        for key in damaged
    ]
    behind = process.compare_with_anchors()
    if behind:
        found.append(_("La base est plus ancienne que ce qui a été publié : lancez « sceau restore »."))
        found += [_(SENTENCES[each.older]).format(campus=each.slug, where=each.where) for each in behind]
    if failure := process.anchors.failure or process.journal.failure:
        found.append(
            _(
                "Le dossier des ancres ne se laisse pas écrire ({cause}). Rien n’est perdu, mais un retrait fait depuis "
                "ne survivrait pas à une restauration : libérez de la place ou corrigez les droits de SCEAU_LOG_ANCHORS."
            ).format(cause=failure)
        )
    return found
