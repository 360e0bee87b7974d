"""Column types shared by all rows: UTC datetimes to the second, closed enums, short JSON documents."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
import unicodedata
import uuid
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import JSON, DateTime, Enum, ForeignKey, Index, Uuid, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import class_mapper
from sqlalchemy.orm.state import InstanceState
from sqlalchemy.types import TypeDecorator
from sqlmodel import Column, Field, SQLModel

from app.errors import Conflict, InvalidInput
from app.language import N_
from sceau_credentials.issuing.lints.wording import holds_markup, is_unseen


def whole_second(moment: datetime) -> datetime:
    """`moment` in UTC without a fraction: the form that is stored, signed and compared (B-015)."""
    if moment.tzinfo is None:
        raise ValueError("datetime must be timezone-aware")
    if moment.tzinfo is UTC and not moment.microsecond:
        return moment
    return moment.astimezone(UTC).replace(microsecond=0)


class UtcSecond(TypeDecorator[datetime]):
    """An aware UTC datetime to the second, on engines with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = whole_second(value)
        # SQLite stores text: a fixed form without offset sorts chronologically.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_datetime(*, nullable: bool = False, index: bool = False) -> Column[Any]:
    return Column(UtcSecond(), nullable=nullable, index=index)


def enum_column(words: type[StrEnum], *, name: str, nullable: bool = False) -> Column[Any]:
    """An enum column over `words`, enforced by the database under the constraint `name`."""
    kind = Enum(
        words,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda enum: [member.value for member in enum],
    )
    return Column(kind, nullable=nullable)


def json_column() -> Column[Any]:
    """A short list or map stored as JSON."""
    return Column(JSON, nullable=False)


def index_where(name: str, *columns: str, known: str = "", where: str = "", unique: bool = False) -> Index:
    """A partial index of the rows that satisfy `where`, or have a non-empty `known` column: others cost nothing."""
    condition = text(where or f"{known} IS NOT NULL")
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def indexes_apart(name: str, *columns: str, known: str) -> tuple[Index, Index]:
    """One of the rows with a non-empty `known` column, one of all others."""
    empty = text(f"{known} IS NULL")
    others = Index(f"{name}_moved", *columns, sqlite_where=empty, postgresql_where=empty)
    return index_where(f"{name}_here", *columns, known=known), others


def foreign_key(table: str, *, nullable: bool = False, index: bool = True) -> Column[Any]:
    return Column(Uuid(), ForeignKey(f"{table}.id"), nullable=nullable, index=index)


def primary_foreign_key(table: str) -> Column[Any]:
    """Half of a primary key that joins two tables."""
    return Column(Uuid(), ForeignKey(f"{table}.id"), primary_key=True, nullable=False)


def gone_with(table: str, *, index: bool = False) -> Column[Any]:
    """The same, of a row that goes with the one it refers to."""
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(Uuid(), key, primary_key=True, nullable=False, index=index)


def new_id() -> uuid.UUID:
    return uuid.uuid4()


def neighbouring_ids(count: int) -> list[uuid.UUID]:
    """Random identifiers (UUID, version 4) with the same first 40 bits, drawn once.

    Rows that are written together are then adjacent in every index that begins with them: in a large index a
    few pages change instead of one per row. Each has 82 random bits of its own, so that knowing one does not
    reveal the next.
    """
    drawn = secrets.token_bytes(_SHARED + (16 - _SHARED) * count)
    shared, own = drawn[:_SHARED], 16 - _SHARED
    ends = (drawn[at : at + own] for at in range(_SHARED, len(drawn), own))
    return [uuid.UUID(bytes=shared + end, version=4) for end in ends]


_SHARED: Final = 5
"""Bytes."""


Row = TypeVar("Row", bound=SQLModel)


def new_row(kind: type[Row], /, **values: Any) -> Row:
    """A new row in a tenth of the constructor's time: built as the ORM builds the rows it loads.

    For rows that come by the thousand. As with the class itself, values are not validated.
    """
    begin, given, made = _made_as(kind)
    row: Row = begin()
    held = row.__dict__
    held.update(given)
    for name, make in made:
        if name not in values:
            held[name] = make()
    held.update(values)
    return row


_Made = tuple[Callable[[], Any], dict[str, Any], list[tuple[str, Callable[[], Any]]]]


@cache
def _made_as(kind: type[SQLModel]) -> _Made:
    """How the ORM creates a row, its constant defaults, and its default factories."""
    fields = kind.model_fields.items()
    made: dict[str, Any] = {name: field.default_factory for name, field in fields if field.default_factory}
    given = {name: field.default for name, field in fields if name not in made and not field.is_required()}
    return empty_rows(kind), given, list(made.items())


def empty_rows(kind: type[Row]) -> Callable[[], Row]:
    """A factory of rows without values, created as the ORM creates the rows it loads."""
    manager, begin = class_mapper(kind).class_manager, kind.__new__

    def make() -> Row:
        row: Row = begin(kind)
        # Bypasses the class's attribute handling, which would check name, kind and relations first.
        row.__dict__["_sa_instance_state"] = InstanceState(row, manager)
        return row

    return make


Clock = Callable[[], datetime]
"""Gives the current time: aware, UTC, to the second."""


@dataclass(frozen=True)
class ServiceOptions:
    """What an operator chooses of how services behave."""

    session_life: timedelta
    session_idle: timedelta
    letters_per_minute: int
    time_zone: str
    """Of the times in e-mails that belong to no campus."""
    vc_api_issue: bool
    app_registration: bool
    wallet_redirects: frozenset[str]


LONGEST_QUERY = 100
MOST_WORDS = 8
LIGATURES = (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ı", "i"), ("ß", "ss"))
COMBINING = ("\u0300", "\u036f")
"""The combining accents after decomposition: the first and the last."""
_ACCENTS = re.compile(f"[{COMBINING[0]}-{COMBINING[1]}]")


def plain_text(text: str) -> str:
    """`text` normalised for comparison; the database normalises its columns in the same way."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.lower()))
    for letter, letters in LIGATURES:
        plain = plain.replace(letter, letters)
    return plain


NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that make a document unreadable as a whole, escaped or not (XML 1.0, 2.2)."""


_NOT_STORED: Final = re.compile("[\x00\u202a-\u202e\u2066-\u2069]")


def as_stored(text: str) -> str:
    """Without NUL, which PostgreSQL cannot store, and the signs that show a text in another order than it has."""
    return text if text.isascii() and "\x00" not in text else _NOT_STORED.sub("", text)


def words_of(query: str) -> list[str]:
    """The search terms, all required, in any order."""
    return re.findall(r"\w+", plain_text(query[:LONGEST_QUERY].replace("\x00", " ")))[:MOST_WORDS]


_PACKAGE = Path(__file__).resolve().parents[1]


def resource_folder(name: str) -> Path:
    """`alembic` or `badge_templates`."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def as_signed(text: str) -> str:
    """The same text without pasted decomposed accents, invisible and bidirectional control characters.

    Other verifiers serialise such characters differently in signed data, so the library refuses them.
    """
    if _PLAIN.fullmatch(text):
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(sign for sign in composed if sign in _LAYOUT or unicodedata.category(sign) not in _UNSEEN)


def name_as_signed(name: str) -> str:
    """`as_signed` for a name: on one line, and without zero-width joiners and non-joiners."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    seen = "".join(sign for sign in as_signed(name) if _BREAKS.match(sign) or not is_unseen(sign))
    return _BREAKS.sub(" ", unicodedata.normalize("NFC", seen)).strip()


def name_as_listed(name: str) -> str:
    """`name_as_signed` for names stored before markup was refused: these must not block signing a list."""
    seen = name_as_signed(name)
    return seen.replace("<", "‹") if holds_markup(seen) else seen


def check_signed_name(name: str) -> None:
    """What a name may not contain because it will be signed; signing removes invisible characters."""
    if holds_markup(name) or holds_markup(name_as_signed(name)):
        raise InvalidInput(
            "Un nom ne contient pas de balise, comme « <b> » : écrivez-le sans le signe « < »."
        )
    if name.strip() and not any(map(str.isalnum, name_as_signed(name))):
        raise InvalidInput("Ce nom n’a ni lettre ni chiffre.")


_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_PLAIN_NAME = re.compile(
    r"[!-~\u00a1-\u00ac\u00ae-\u017f\u2019]+(?: [!-~\u00a1-\u00ac\u00ae-\u017f\u2019]+)*"
)
_PLAIN = re.compile(r"[\n\t\r -~\u00a0-\u00ac\u00ae-\u017f\u2019]*")  # composed and visible as it is
_LAYOUT = frozenset("\n\t\r\u200c\u200d")  # the last two join and part letters in some scripts and in emoji
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn"})


_Found = TypeVar("_Found")
_Values = dict[Hashable, object]

RENEWED_AFTER: Final = timedelta(seconds=10)
"""Signed lists are renewed over time without a change in the database, days before they expire."""


class Snapshot:
    """A cache of one version of the database at one second.

    Cache only values that are the same for every reader: they may depend on public data, on the second and on
    the cache key, and on nothing else of the request. Values are shared between threads: do not change them.
    """

    def __init__(self, key: Hashable, until_commit: _Values) -> None:
        self.key = key
        self._now: _Values = {}
        self._until_commit = until_commit

    @property
    def is_shared(self) -> bool:
        """Whether its transactions are read-only, so that a loaded row stays unchanged."""
        return True

    def now(self, about: Hashable, find: Callable[[], _Found]) -> _Found:
        """The first result of `find` in this second. Errors are not cached."""
        return _once(self._now, about, find)

    def until_commit(self, about: Hashable, find: Callable[[], _Found]) -> _Found:
        """The same for results independent of the second: cached until any commit, or RENEWED_AFTER."""
        return _once(self._until_commit, about, find)


def _once(values: _Values, about: Hashable, find: Callable[[], _Found]) -> _Found:
    try:
        return values[about]  # type: ignore[return-value]
    except KeyError:
        found = values[about] = find()
        return found


class _Unshared(Snapshot):
    """For writing transactions, and readers who see more than the public: nothing is cached."""

    @property
    def is_shared(self) -> bool:
        return False

    def now(self, about: Hashable, find: Callable[[], _Found]) -> _Found:  # noqa: ARG002
        return find()

    def until_commit(self, about: Hashable, find: Callable[[], _Found]) -> _Found:  # noqa: ARG002
        return find()


UNSHARED: Final = _Unshared(None, {})


class Snapshots:
    """The newest snapshot of a process; an older one lives on in the requests that began with it."""

    def __init__(self) -> None:
        self._newest: Snapshot = UNSHARED
        self._version: object = None
        self._begun: datetime | None = None
        self._until_commit: _Values = {}

    def of(self, version: object, at: datetime) -> Snapshot:
        """`version` is another value after every commit, and was read before the transaction began.

        Called on the event loop alone.
        """
        key = (version, at)
        if self._newest.key != key:
            begun = self._begun
            if version != self._version or begun is None or not begun <= at < begun + RENEWED_AFTER:
                self._version, self._begun, self._until_commit = version, at, {}
            self._newest = Snapshot(key, self._until_commit)
        return self._newest


# Crockford's alphabet: no I, L, O or U, which are ambiguous in some typefaces.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


_RISKY: Final = re.compile(r"[\t\r\n]|[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫]")


def csv_for_excel(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with BOM, `;` as separator, CRLF line ends."""
    return b"\xef\xbb\xbf" + lines_for_excel([heading, *rows])


def lines_for_excel(rows: Iterable[Sequence[str]]) -> bytes:
    """Further lines of such a table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def harmless(cell: str) -> str:
    """A cell that a spreadsheet would interpret as a formula gets an apostrophe in front."""
    return f"'{cell}" if _RISKY.match(cell) else cell


def as_written(cell: str) -> str:
    """Inverse of `harmless`, so that an exported list can be uploaded again."""
    rest = cell[1:]
    return rest if cell.startswith("'") and harmless(rest) != rest else cell


_SITE: Final = re.compile(
    r"://|\bwww\.|\w[.．。｡](?:com|net|org|info|biz|eu|io|co|app|dev|shop|site|online|store|top|xyz|link|click|live|"
    r"fr|re|nc|pf|yt|gp|mq|gf|pm|wf|be|ch|lu|de|es|it|pt|nl|uk|us|ca|ru|cn)\b(?![’'])",
    re.IGNORECASE,
)


def names_a_site(text: str) -> bool:
    """Mail programs make a link of it."""
    return _SITE.search(text) is not None


def mark_of(*shown: object) -> str:
    """A short mark of what a page showed, to tell later whether it is still so."""
    return hashlib.sha256(repr([*map(str, shown)]).encode()).hexdigest()[:16]


class ChangedMeanwhile(Conflict):
    """Another person changed what a page showed before its form was sent."""


def check_as_shown(seen: str, *shown: object) -> None:
    """`seen`: the mark of what the page showed; empty from programs and older pages."""
    if seen not in ("", mark_of(*shown)):
        raise changed_meanwhile()


def changed_meanwhile() -> ChangedMeanwhile:
    return ChangedMeanwhile(N_("Quelqu’un a changé cela entre-temps. Relisez, puis recommencez."))


LARGEST_STEP = timedelta(minutes=5)
"""Largest accepted deviation of a clock from the expected time; a time server corrects less at once. What is dated later
than this from now was dated by a clock that ran ahead."""
SILENCE = timedelta(minutes=1)
"""A worker silent for this long is considered dead. If it resumes, no harm is done: jobs are idempotent."""


class WorkerBeat(SQLModel, table=True):
    """The last heartbeat of one worker process; the row is deleted on a clean shutdown."""

    __tablename__ = "worker"
    id: str = Field(primary_key=True, max_length=120)
    host: str = Field(max_length=80)
    pid: int
    started_at: datetime = Field(sa_column=utc_datetime())
    seen_at: datetime = Field(sa_column=utc_datetime())


def is_silent(beat: WorkerBeat, *, at: datetime) -> bool:
    # One from the future comes from a clock that was wrong: its worker may have ended long ago.
    return not -LARGEST_STEP < at - beat.seen_at < SILENCE
