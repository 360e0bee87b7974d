"""Still good? The sentences on lists of withdrawals; `wording` has those on all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.language import N_
from app.services.verification.verdicts.advice import (
    ASK_FOR_THE_FILE,
    COME_BACK,
    ISSUER_MUST_MEND,
    NOT_FOR_US,
)
from sceau_credentials.verification.findings.reasons import Reason

STATUS_SAID: Final[Mapping[str, tuple[str, str]]] = {
    Reason.NOT_REVOKED: (
        N_("L’émetteur ne l’a ni retiré ni suspendu."),
        N_("Liste des retraits publiée par {place}."),
    ),
    Reason.STILL_HOSTED: (
        N_("L’émetteur le publie toujours, et ne le dit pas retiré."),
        N_("Adresse lue chez {place}."),
    ),
    Reason.NOT_LISTED: (
        N_("L’émetteur ne le nomme pas parmi les badges qu’il a retirés."),
        N_("Liste d’un ancien modèle, que personne ne signe, publiée par {place}."),
    ),
    Reason.REVOKED: (
        N_("L’émetteur l’a retiré. Il ne vaut plus."),
        N_("Liste des retraits publiée par {place}."),
    ),
    Reason.SUSPENDED: (
        N_("L’émetteur l’a suspendu pour le moment."),
        N_("Liste des retraits publiée par {place}."),
    ),
    Reason.NO_STATUS_ENTRY: (
        N_("Il ne cite aucune liste des retraits : personne ne peut le retirer."),
        N_("S’il avait été donné par erreur, rien ne le dirait."),
    ),
    Reason.STATUS_INFORMATIVE: (N_("La liste qu’il cite sert à autre chose qu’à le retirer."), ""),
    Reason.STATUS_LEFT_OUT: (N_("La liste des retraits n’a pas été lue, comme demandé."), ""),
    Reason.STATUS_MAY_BE_WITHHELD: (
        N_("Une partie seulement du badge est montrée : nous ne savons pas s’il a été retiré."),
        ASK_FOR_THE_FILE,
    ),
    Reason.STATUS_REQUIRED: (
        N_("Vous demandez une liste des retraits, et il n’en cite aucune : personne ne peut le retirer."),
        NOT_FOR_US,
    ),
    Reason.STATUS_ENTRY_MALFORMED: (
        N_("Ce qu’il dit de la liste des retraits n’est pas lisible : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_TYPE_NOT_READ: (
        N_(
            "Sa liste des retraits est d’une sorte que nous ne lisons pas : nous ne savons pas s’il a été retiré."
        ),
        NOT_FOR_US,
    ),
    Reason.STATUS_PURPOSE_NOT_READ: (
        N_(
            "La liste qu’il cite a un but que nous ne connaissons pas : nous ne savons pas s’il a été retiré."
        ),
        NOT_FOR_US,
    ),
    Reason.STATUS_LIST_UNAVAILABLE: (
        N_("La liste des retraits ne répond pas : nous ne savons pas s’il a été retiré."),
        COME_BACK,
    ),
    Reason.STATUS_LIST_MALFORMED: (
        N_("La liste des retraits n’est pas lisible : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_LIST_NOT_AUTHENTIC: (
        N_("La liste des retraits n’est pas bien signée : nous ne nous y fions pas."),
        COME_BACK,
    ),
    Reason.STATUS_LIST_OF_ANOTHER_ISSUER: (
        N_("La liste des retraits vient de quelqu’un d’autre que l’émetteur : nous ne nous y fions pas."),
        NOT_FOR_US,
    ),
    Reason.STATUS_LIST_STALE: (
        N_("La liste des retraits n’est plus à jour : nous ne savons pas s’il a été retiré depuis."),
        COME_BACK,
    ),
    Reason.STATUS_PURPOSE_DIFFERS: (
        N_("La liste citée n’est pas celle des retraits : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_LIST_TOO_SHORT: (
        N_("La liste des retraits est plus courte que permis : elle désignerait la personne."),
        ISSUER_MUST_MEND,
    ),
    Reason.STATUS_INDEX_OUT_OF_RANGE: (
        N_("La liste des retraits n’a pas de place pour ce badge : nous ne savons pas s’il a été retiré."),
        ISSUER_MUST_MEND,
    ),
}
