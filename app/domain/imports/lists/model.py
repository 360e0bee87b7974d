"""What a reading of a list consists of: blocks of rows given to it, lines with their state and reason found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from app.language import N_

REASON_HEADING: Final = "Motif (Sceau)"
"""Of our own column of reasons in the files of refused lines, which are corrected and given back."""


@dataclass(frozen=True)
class Row:
    """One row as given; `number` counts from 1 in its source, and `text` is the original."""

    number: int
    cells: tuple[str, ...]
    text: str
    doubts: tuple[Reason, ...] = ()
    """What the source itself states: a recipient in copy, a struck-out line, an unticked box."""

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]


@dataclass(frozen=True)
class Block:
    """Rows that belong together: a sheet, a table of a document, or the running text between two tables."""

    rows: tuple[Row, ...]
    name: str = ""
    """The sheet's name, where there are several."""
    delimited: str = ""
    """What separates the cells of a text; empty where the source has real cells."""


class State(StrEnum):
    READY = "ready"
    ASK = "ask"
    REFUSED = "refused"
    """Not a person, or a repetition of one."""


class Reason(StrEnum):
    # Not a person.
    HEADING = "heading"
    TITLE = "title"
    TOTAL = "total"
    SIGNATURE = "signature"
    EMPTY = "empty"
    SENTENCE = "sentence"
    REPEATED = "repeated"
    # The name.
    NO_NAME = "no-name"
    ONE_WORD = "one-word"
    INITIAL = "initial"
    ORDER = "order"
    SWAPPED = "swapped"
    SPLIT = "split"
    DIGITS = "digits"
    SIGNS = "signs"
    DAMAGED = "damaged"
    HEADING_WORD = "heading-word"
    COMMON_WORD = "common-word"
    UNUSUAL = "unusual"
    LONG = "long"
    COUPLE = "couple"
    SEVERAL_NAMES = "several-names"
    EXTRA = "extra"
    BLANK = "blank"
    """Nothing stands where nearly all have something."""
    MAYBE_TITLE = "maybe-title"
    NAMESAKE = "namesake"
    PLACEHOLDER = "placeholder"
    """« Mickey Mouse », « Toto Titi »"""
    UNDER = "under"
    MENTIONED = "mentioned"
    CONCERNED = "concerned"
    """Another line speaks of people without naming them."""
    COUNTED = "counted"
    """Another line gives a number that the names contradict."""
    # The address.
    ADDRESS_INVALID = "address-invalid"
    ADDRESS_TYPO = "address-typo"
    ADDRESS_OF_OTHER = "address-of-other"
    ADDRESS_SEVERAL = "address-several"
    ADDRESS_SHARED = "address-shared"
    ADDRESS_NOT_THEIRS = "address-not-theirs"
    ADDRESS_UNSURE = "address-unsure"
    # What the list states about the person.
    ABSENT = "absent"
    EXCUSED = "excused"
    UNTICKED = "unticked"
    APART = "apart"
    """The file shows the line otherwise than nearly all others: a colour, a style, no picture where they have one."""
    WITHDRAWN = "withdrawn"
    STRUCK = "struck"
    HIDDEN = "hidden"
    COPIED = "copied"
    SENDER = "sender"
    LEADER = "leader"
    SAME_NAME = "same-name"
    KNOWN = "known"
    ADDRESS_KNOWN = "address-known"
    # Hours.
    HOURS_UNREADABLE = "hours-unreadable"
    HOURS_HIGH = "hours-high"


class Evidence(StrEnum):
    """What shows that a line is a person who is meant, and how the name is split."""

    # That it is a name.
    GIVEN_NAME = "given-name"
    """Statistics know the given name."""
    FAMILY_NAME = "family-name"
    ADDRESS = "address"
    """The address is made of the name."""
    CAPITALS = "capitals"
    """The family name is in capitals, the given name is not; so in most lines, where they are two cells."""
    ROW = "row"
    """A civility, an identifier or a date stands beside it, as in most rows."""
    # How it is split.
    COLUMNS = "columns"
    """Each half stands in its own column, which a heading names or all lines prove."""
    ORDER = "order"
    """All names of the list have one order, or this one can be read in one order only."""
    # That the person is meant.
    BODY = "body"
    """The row is one of the rows under the heading, and nothing stands between that was not understood."""
    SERIES = "series"
    """The line is one of a series of names and nothing else."""
    CONFIRMED = "confirmed"
    """By a person: the line, or what its columns hold."""


OF_IDENTITY = frozenset(
    (
        Evidence.GIVEN_NAME, Evidence.FAMILY_NAME, Evidence.ADDRESS, Evidence.CAPITALS, Evidence.ROW,
    )
)  # fmt: skip
OF_SPLIT = frozenset((Evidence.COLUMNS, Evidence.ORDER))
OF_PLACE = frozenset((Evidence.BODY, Evidence.SERIES))

NOT_A_PERSON = frozenset(
    (
        Reason.HEADING,
        Reason.TITLE,
        Reason.TOTAL,
        Reason.SIGNATURE,
        Reason.EMPTY,
        Reason.SENTENCE,
        Reason.REPEATED,
    )
)

OF_ORDER = frozenset((Reason.ORDER, Reason.SWAPPED, Reason.SPLIT))
OF_NAME = OF_ORDER | frozenset(
    (
        Reason.NO_NAME, Reason.ONE_WORD, Reason.INITIAL, Reason.DIGITS, Reason.SIGNS, Reason.DAMAGED,
        Reason.HEADING_WORD, Reason.COMMON_WORD, Reason.UNUSUAL, Reason.LONG, Reason.COUPLE, Reason.SEVERAL_NAMES, Reason.EXTRA, Reason.MAYBE_TITLE,
        Reason.NAMESAKE, Reason.PLACEHOLDER, Reason.UNDER,
    )
)  # fmt: skip
OF_ADDRESS = frozenset(
    (
        Reason.ADDRESS_INVALID, Reason.ADDRESS_TYPO, Reason.ADDRESS_OF_OTHER, Reason.ADDRESS_SEVERAL,
        Reason.ADDRESS_SHARED, Reason.ADDRESS_NOT_THEIRS, Reason.ADDRESS_UNSURE,
    )
)  # fmt: skip
OF_PRESENCE = frozenset(
    (
        Reason.ABSENT,
        Reason.EXCUSED,
        Reason.UNTICKED,
        Reason.WITHDRAWN,
        Reason.STRUCK,
        Reason.HIDDEN,
        Reason.APART,
        Reason.LEADER,
        Reason.MENTIONED,
        Reason.CONCERNED,
        Reason.COUNTED,
    )
)
OF_HOURS = frozenset((Reason.HOURS_UNREADABLE, Reason.HOURS_HIGH))
"""What a correction of the field settles; all other doubts have to be confirmed."""

SENTENCES = {
    Reason.HEADING: N_("C’est une ligne d’en-tête."),
    Reason.TITLE: N_("C’est un titre ou une information, pas une personne."),
    Reason.TOTAL: N_("C’est un total ou un effectif."),
    Reason.SIGNATURE: N_("C’est un pied de page ou une signature."),
    Reason.EMPTY: N_("Cette ligne ne contient aucun nom."),
    Reason.SENTENCE: N_("C’est une phrase, pas une personne."),
    Reason.REPEATED: N_("Cette personne est déjà à la ligne {line}."),
    Reason.NO_NAME: N_("Il manque le nom : complétez-le."),
    Reason.ONE_WORD: N_("Il manque le prénom ou le nom : complétez-le."),
    Reason.INITIAL: N_("Le prénom ou le nom n’est qu’une initiale."),
    Reason.ORDER: N_("Où est le prénom, où est le nom ? Vérifiez l’ordre."),
    Reason.SWAPPED: N_("Le prénom et le nom sont peut-être inversés."),
    Reason.SPLIT: N_("Où finit le prénom, où commence le nom ? Vérifiez."),
    Reason.DIGITS: N_("Ce nom contient des chiffres."),
    Reason.SIGNS: N_("Ce nom contient des signes inattendus."),
    Reason.DAMAGED: N_("Des caractères de ce nom sont abîmés."),
    Reason.HEADING_WORD: N_("« {word} » ressemble à un mot d’en-tête."),
    Reason.COMMON_WORD: N_("« {word} » est aussi un mot courant : est-ce bien un nom ?"),
    Reason.UNUSUAL: N_("Vérifiez le prénom et le nom : rien ne les confirme."),
    Reason.LONG: N_("C’est long pour un nom : est-ce un titre ?"),
    Reason.COUPLE: N_("Cette ligne parle de plusieurs personnes."),
    Reason.SEVERAL_NAMES: N_("Cette ligne donne plusieurs noms : choisissez."),
    Reason.EXTRA: N_("Cette ligne contient aussi « {word} » : vérifiez."),
    Reason.BLANK: N_("Rien n’est écrit sous « {word} » pour cette personne : vérifiez."),
    Reason.MAYBE_TITLE: N_("Est-ce une personne ?"),
    Reason.NAMESAKE: N_("C’est aussi le nom d’un établissement ou d’une entreprise : est-ce une personne ?"),
    Reason.PLACEHOLDER: N_("Ce nom ressemble à un exemple, à un personnage ou à une blague : est-ce une personne ?"),
    Reason.UNDER: N_("Cette ligne est sous « {word} » : est-ce un participant ou une participante ?"),
    Reason.ADDRESS_INVALID: N_("L’adresse e-mail « {word} » n’est pas valable."),
    Reason.ADDRESS_TYPO: N_("« {word} » : vouliez-vous écrire « {suggestion} » ?"),
    Reason.ADDRESS_OF_OTHER: N_("L’adresse e-mail semble être celle d’un parent ou d’une entreprise."),
    Reason.ADDRESS_SEVERAL: N_("Cette ligne donne plusieurs adresses e-mail : choisissez."),
    Reason.ADDRESS_SHARED: N_("Plusieurs personnes de la liste ont cette adresse e-mail."),
    Reason.ADDRESS_NOT_THEIRS: N_("L’adresse e-mail semble être au nom d’une autre personne."),
    Reason.ADDRESS_UNSURE: N_("L’adresse « {word} » ne contient pas son prénom et son nom : est-ce la sienne ?"),
    Reason.ABSENT: N_("La liste indique que cette personne était absente."),
    Reason.EXCUSED: N_("La liste indique que cette personne était excusée."),
    Reason.UNTICKED: N_("Cette personne n’est pas cochée comme présente."),
    Reason.APART: N_("Cette ligne est présentée autrement que les autres (couleur, style, image) : vérifiez."),
    Reason.WITHDRAWN: N_("La liste indique une annulation, un abandon ou une attente."),
    Reason.STRUCK: N_("Cette ligne est barrée."),
    Reason.HIDDEN: N_("Cette ligne est masquée dans le fichier."),
    Reason.MENTIONED: N_("Une autre ligne ({line}) parle aussi de cette personne : vérifiez."),
    Reason.CONCERNED: N_("« {word} » (ligne {line}) : cette personne est-elle concernée ?"),
    Reason.COUNTED: N_("« {word} » (ligne {line}) ne correspond pas aux noms lus : cette personne était-elle là ?"),
    Reason.COPIED: N_("Cette personne était seulement en copie du message."),
    Reason.SENDER: N_("C’est l’expéditeur du message."),
    Reason.LEADER: N_("Cette personne semble animer ou organiser l’activité."),
    Reason.KNOWN: N_("Ce nom est déjà connu du campus : est-ce la même personne ?"),
    Reason.ADDRESS_KNOWN: N_("Le campus connaît cette adresse e-mail sous le nom de {word} : est-ce la même personne ?"),
    Reason.SAME_NAME: N_("Ce nom est aussi à la ligne {line} : est-ce la même personne ?"),
    Reason.HOURS_UNREADABLE: N_("« {word} » n’est pas un nombre d’heures : écrivez 14 ou 14,5."),
    Reason.HOURS_HIGH: N_("{word} : c’est beaucoup pour cette activité."),
}  # fmt: skip


_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class Doubt:
    """A reason with the values of its sentence."""

    reason: Reason
    word: str = ""
    suggestion: str = ""
    line: int = 0

    @property
    def sentence(self) -> str:
        """In French; `values` fill it."""
        return SENTENCES[self.reason]

    @property
    def values(self) -> dict[str, Any]:
        return {"word": self.word, "suggestion": self.suggestion, "line": self.line}


@dataclass(frozen=True)
class Line:
    """One line of the list as understood."""

    line: int
    text: str
    given_name: str = ""
    family_name: str = ""
    address: str = ""
    hours: float | None = None
    hours_as_written: str = ""
    contribution: str = ""
    part: str = ""
    age_band: str = ""
    homonym: int = 0
    """« Zoé Martin (2) » is another Zoé Martin; 0 where no number is written."""
    other_addresses: tuple[str, ...] = ()
    """Addresses of the line that were not taken for the person's own."""
    doubts: tuple[Doubt, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    """What makes a line without doubts ready; without any it is asked about."""
    sheet: str = ""

    @property
    def state(self) -> State:
        if not self.doubts:
            return State.READY if self.evidence else State.ASK
        return State.REFUSED if self.doubts[0].reason in NOT_A_PERSON else State.ASK

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    def doubting(self, reason: Reason, word: str = "", suggestion: str = "", line: int = 0) -> Line:
        if any(doubt.reason is reason for doubt in self.doubts):
            return self
        quoted = word if len(word) <= _LONGEST_QUOTE else f"{word[: _LONGEST_QUOTE - 1].rstrip()}…"
        return replace(self, doubts=(*self.doubts, Doubt(reason, quoted, suggestion, line)))

    def without(self, *reasons: Reason) -> Line:
        return replace(self, doubts=tuple(doubt for doubt in self.doubts if doubt.reason not in reasons))


class Column(StrEnum):
    NOTHING = "rien"
    FAMILY = "nom"
    GIVEN = "prenom"
    FAMILY_FIRST = "nom-prenom"
    GIVEN_FIRST = "prenom-nom"
    WHOLE = "nom-complet"
    """Given and family name in an order that the heading does not tell."""
    ADDRESS = "adresse"
    OTHER_ADDRESS = "adresse-autre"
    """Of a parent, a company, a tutor."""
    HOURS = "heures"
    PART = "role"
    CONTRIBUTION = "contribution"
    UNDER_15 = "age"
    STATUS = "statut"
    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excuse"
    LATE = "retard"
    CIVILITY = "civilite"
    PARTICLE = "particule"

    @property
    def is_whole_name(self) -> bool:
        return self in (Column.FAMILY_FIRST, Column.GIVEN_FIRST, Column.WHOLE)


NAME_COLUMNS = frozenset((Column.FAMILY, Column.GIVEN, Column.FAMILY_FIRST, Column.GIVEN_FIRST, Column.WHOLE))


@dataclass(frozen=True)
class TableColumn:
    """One column with what it was taken to hold, and some of its cells."""

    heading: str
    holds: Column
    sample: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """How one block was understood."""

    heading_line: int | None = None
    columns: tuple[TableColumn, ...] = ()
    """Empty where each line was read for itself."""
    order: Column = Column.WHOLE
    """Of given and family name in names of one piece; `WHOLE` where it is not clear."""
    sheet: str = ""

    @property
    def sure(self) -> bool:
        return not self.columns or any(column.holds in NAME_COLUMNS for column in self.columns)


@dataclass(frozen=True)
class Reading:
    lines: tuple[Line, ...]
    mappings: tuple[Mapping, ...] = field(default=())

    def in_state(self, state: State) -> list[Line]:
        return [line for line in self.lines if line.state is state]


Columns = Sequence[Column]
