"""A check of everything that was signed: how far it is, what it found, and the ways in which rows can be damaged."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlmodel import Field, SQLModel

from app.domain.badges.badges import BadgeVersion
from app.domain.core.columns import moment, new_id, part_of, words
from app.language import N_

MOST_FAULTS: Final = 200
"""How many faults a check remembers one by one; all are counted."""


class IntegrityCheck(SQLModel, table=True):
    """One check of the whole database. `steps` are done in order; one that was interrupted goes on after `done_steps`."""

    __tablename__ = "integrity_check"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    asked_at: datetime = Field(sa_column=moment())
    asked_by: str = Field(max_length=120)
    done_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    steps: int = 0
    done_steps: int = 0
    checked: dict[str, int] = Field(default_factory=dict, sa_column=words())
    fault_count: int = 0
    faults: list[list[str]] = Field(default_factory=list, sa_column=words())


class PictureDigest(SQLModel, table=True):
    """SHA-256 of a frozen version's pictures, as they were when it was frozen."""

    __tablename__ = "picture_digest"
    version_id: uuid.UUID = Field(sa_column=part_of("badge_version"))
    png: str = Field(max_length=64)
    svg: str = Field(max_length=64)


def picture_digests(version: BadgeVersion) -> dict[str, str]:
    """By form, as the log and the row beside the version note them."""
    return {
        "png": hashlib.sha256(version.picture_png).hexdigest(),
        "svg": hashlib.sha256(version.picture_svg.encode()).hexdigest(),
    }


class Damage(StrEnum):
    EMBEDDED_DIGEST = "embedded_digest"
    TOKEN_DIGEST = "token_digest"  # noqa: S105
    EMBEDDED_SIGNATURE = "embedded_signature"
    TOKEN_SIGNATURE = "token_signature"  # noqa: S105
    UNKNOWN_KEY = "unknown_key"
    UNREADABLE = "unreadable"
    FORMS_DIFFER = "forms_differ"
    OTHER_AWARD = "other_award"
    FACT_DIFFERS = "fact_differs"
    NO_DOCUMENT = "no_document"
    NO_SLOT = "no_slot"
    OTHER_SLOT = "other_slot"
    STATE_DIFFERS = "state_differs"
    LOG_DIFFERS = "log_differs"
    LOG_MISSING = "log_missing"
    LIST_SIGNATURE = "list_signature"
    LIST_BIT = "list_bit"
    LIST_OLDER = "list_older"
    PICTURE_CHANGED = "picture_changed"
    DEFINITION_CHANGED = "definition_changed"
    FILE_CHANGED = "file_changed"
    DOCUMENT_SIGNATURE = "document_signature"
    DOCUMENT_DIFFERS = "document_differs"
    PLACE_LOWERED = "place_lowered"
    LOG = "log"


SENTENCES: Final = {
    Damage.EMBEDDED_DIGEST: N_("Attribution {where} : le badge signé (JSON) a changé depuis sa signature."),
    Damage.TOKEN_DIGEST: N_("Attribution {where} : le badge signé (JWT) a changé depuis sa signature."),
    Damage.EMBEDDED_SIGNATURE: N_("{where} : la signature du JSON ne vaut plus."),
    Damage.TOKEN_SIGNATURE: N_("{where} : la signature du JWT ne vaut plus."),
    Damage.UNKNOWN_KEY: N_("{where} : signé par une clé que le campus n’a jamais publiée."),
    Damage.UNREADABLE: N_("{where} : le document signé ne se lit plus."),
    Damage.FORMS_DIFFER: N_("{where} : le JSON et le JWT ne disent pas la même chose."),
    Damage.OTHER_AWARD: N_("Attribution {where} : le badge signé est celui d’une autre attribution."),
    Damage.FACT_DIFFERS: N_("Attribution {where} : la base ne dit plus ce qui a été signé ({detail})."),
    Damage.NO_DOCUMENT: N_("Attribution {where} : le badge signé manque."),
    Damage.NO_SLOT: N_("Attribution {where} : sa place dans la liste de statuts manque."),
    Damage.OTHER_SLOT: N_(
        "Attribution {where} : sa place dans la liste de statuts n’est pas celle qui a été signée."
    ),
    Damage.STATE_DIFFERS: N_(
        "Attribution {where} : la base et la liste de statuts ne disent pas le même état."
    ),
    Damage.LOG_DIFFERS: N_(
        "Attribution {where} : le journal a décidé un autre badge que celui qui est gardé."
    ),
    Damage.LOG_MISSING: N_("Attribution {where} : la ligne du journal qui la décide manque."),
    Damage.LIST_SIGNATURE: N_(
        "Liste de statuts {where} : sa signature ne vaut plus, ou ses deux formes diffèrent."
    ),
    Damage.LIST_BIT: N_("Liste de statuts {where} : la place {detail} ne dit pas ce que dit la base."),
    Damage.LIST_OLDER: N_("Liste de statuts {where} : une édition plus récente a été publiée."),
    Damage.PICTURE_CHANGED: N_("Badge {where} : l’image {detail} a changé depuis la première attribution."),
    Damage.DEFINITION_CHANGED: N_("Badge {where} : sa définition n’est plus celle que le journal a notée."),
    Damage.FILE_CHANGED: N_("Pièce {where} : le fichier a changé depuis son dépôt."),
    Damage.DOCUMENT_SIGNATURE: N_("{where} : sa signature ne vaut plus."),
    Damage.DOCUMENT_DIFFERS: N_("{where} : la base ne dit plus ce qui a été signé ({detail})."),
    Damage.PLACE_LOWERED: N_(
        "{where} : la place {detail} a été publiée comme retirée, et la base ne le dit plus."
    ),
    Damage.LOG: N_("Journal {where} : {detail}"),
}


class Found(NamedTuple):
    """One thing that is damaged: `where` is a number, `detail` what of it."""

    damage: Damage
    where: str
    detail: str = ""


def merged(counts: dict[str, int], more: dict[str, int]) -> dict[str, Any]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in counts.keys() | more.keys()}
