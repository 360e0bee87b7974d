"""The moves of signed bytes between rows and an object store: each method is one step, safe to repeat."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import CursorResult, Insert, Row, and_, delete, exists, literal, or_, update
from sqlalchemy import select as select_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from app.db.engine.queries import Store
from app.db.engine.row_level_security import rows_named_outside
from app.domain.awards import Award, NewerDocument, SignedDocument
from app.domain.awards.signed_bytes import ObjectRemoval

Key = tuple[uuid.UUID, int]
"""Award and edition."""
_KINDS: Final = (SignedDocument, NewerDocument)
_AT_A_TIME: Final = 1000


class DocumentRow(NamedTuple):
    """One edition; `embedded` and `token` are None where the object store has them."""

    award_id: uuid.UUID
    edition: int
    campus_id: uuid.UUID
    signed_at: datetime
    embedded_digest: str
    token_digest: str
    embedded: bytes | None
    token: str | None

    @property
    def key(self) -> Key:
        return self.award_id, self.edition


class MovedCounts(NamedTuple):
    """Documents in their rows, those of them that are old enough to move, and moved ones."""

    here: int
    old: int
    moved: int


def superseded(session: Session, award: Award) -> Sequence[SignedDocument | NewerDocument]:
    """The rows of earlier editions, the oldest first."""
    if award.edition == 1:
        return []
    query = select(NewerDocument).where(
        NewerDocument.award_id == award.id, col(NewerDocument.edition) < award.edition
    )
    with rows_named_outside(session):
        first = session.get(SignedDocument, award.id)
        later = session.exec(query.order_by(col(NewerDocument.edition))).all()
    return [first, *later] if first else []


class SignedBytesStore(Store):
    # --- out of the rows

    def movable(
        self, before: datetime, *, at: datetime, limit: int, besides: Collection[Key] = ()
    ) -> list[DocumentRow]:
        """Documents in their rows, signed earlier than `before`, that no move has leased; the oldest first."""
        found: list[DocumentRow] = []
        for kind in _KINDS:
            leased = exists().where(
                col(ObjectRemoval.award_id) == kind.award_id,
                ObjectRemoval.edition == _edition(kind),
                or_(col(ObjectRemoval.claimed_at).is_not(None), col(ObjectRemoval.leased_until) > at),
            )
            query = _documents(kind).where(
                col(kind.embedded).is_not(None), col(kind.signed_at) < before, ~leased
            )
            query = query.order_by(kind.signed_at, kind.award_id).limit(limit + len(besides))
            rows = map(_read, self.session.execute(query))
            found += [row for row in rows if row.key not in besides]
        return found[:limit]

    def lease(
        self, rows: Iterable[DocumentRow], mover: uuid.UUID, *, at: datetime, until: datetime
    ) -> list[DocumentRow]:
        """Those that this move may upload: should it end here, their objects are removed."""
        leased = []
        for row in rows:
            query = self._removal(row, due_at=until, mover=mover, leased_until=until)
            query = query.on_conflict_do_update(
                index_elements=["award_id", "edition"],
                set_={"mover": mover, "leased_until": until},
                where=and_(
                    col(ObjectRemoval.claimed_at).is_(None),
                    or_(col(ObjectRemoval.leased_until).is_(None), col(ObjectRemoval.leased_until) <= at),
                ),
            )
            if self._count(query):
                leased.append(row)
        return leased

    def let_go(self, rows: Sequence[DocumentRow], mover: uuid.UUID) -> list[DocumentRow]:
        """Empties the rows with objects that were read back, if this move still has its lease.

        What is not let go has its objects removed: the document was erased meanwhile, or is another's to move.
        """
        done = []
        for row in rows:
            removal = delete(ObjectRemoval).where(
                *_is(ObjectRemoval, row.key),
                col(ObjectRemoval.mover) == mover,
                col(ObjectRemoval.claimed_at).is_(None),
            )
            if not self._count(removal):
                self._remove_unless_there(row)
            elif self._count(_changed(row, here=True).values(embedded=None, token=None)):
                done.append(row)
            else:
                self.session.execute(self._removal(row, due_at=row.signed_at))
        return done

    def give_up(self, rows: Iterable[DocumentRow], mover: uuid.UUID) -> None:
        """The documents of a move that failed are free for the next one; what it uploaded is removed when due."""
        for row in rows:
            mine = update(ObjectRemoval).where(
                *_is(ObjectRemoval, row.key), col(ObjectRemoval.mover) == mover
            )
            if not self._count(mine.values(mover=None, leased_until=None)):
                self._remove_unless_there(row)

    def _remove_unless_there(self, row: DocumentRow) -> None:
        """A document that was erased, objects and all, while its move went on longer than its lease."""
        kind = _kind(row.edition)
        if self.session.execute(_select(kind.award_id).where(*_is(kind, row.key))).first() is None:
            again = self._removal(row, due_at=row.signed_at)
            self.session.execute(again.on_conflict_do_nothing(index_elements=["award_id", "edition"]))

    # --- back into the rows

    def moved(self, *, limit: int, besides: Collection[Key] = ()) -> list[DocumentRow]:
        found: list[DocumentRow] = []
        for kind in _KINDS:
            query = (
                _documents(kind).where(col(kind.embedded).is_(None)).order_by(kind.signed_at, kind.award_id)
            )
            rows = map(_read, self.session.execute(query.limit(limit + len(besides))))
            found += [row for row in rows if row.key not in besides]
        return found[:limit]

    def take_back(self, rows: Iterable[DocumentRow], *, due: datetime) -> list[DocumentRow]:
        """Fills the emptied rows. Backups may rely on the objects, which therefore stay until `due`."""
        done = []
        for row in rows:
            if self._count(_changed(row, here=False).values(embedded=row.embedded, token=row.token)):
                later = self._removal(row, due_at=due)
                values = {"due_at": due, "mover": None, "leased_until": None}
                self.session.execute(
                    later.on_conflict_do_update(index_elements=["award_id", "edition"], set_=values)
                )
                done.append(row)
        return done

    # --- removal of objects

    def claim_removals(self, *, at: datetime, since: datetime, limit: int) -> list[ObjectRemoval]:
        """Those due, which no move may rely on from now on; `since`: earlier claims have failed."""
        removals = ObjectRemoval
        free = and_(
            or_(col(removals.leased_until).is_(None), col(removals.leased_until) <= at),
            or_(col(removals.claimed_at).is_(None), col(removals.claimed_at) <= since),
        )
        query = _select(removals).where(col(removals.due_at) <= at, free).order_by(removals.due_at)
        claimed = []
        for each in self.session.scalars(query.limit(limit)).all():
            kind, key = _kind(each.edition), (each.award_id, each.edition)
            relied_on = _select(kind.award_id).where(*_is(kind, key), col(kind.embedded).is_(None))
            if self.session.execute(relied_on).first() is not None:
                self.session.delete(each)
                continue
            mine = update(removals).where(*_is(removals, key), col(removals.due_at) <= at, free)
            if self._count(mine.values(claimed_at=at)):
                claimed.append(each)
        return claimed

    def forget_removals(self, removals: Iterable[ObjectRemoval]) -> None:
        """Their objects are gone."""
        for each in removals:
            gone = delete(ObjectRemoval).where(
                *_is(ObjectRemoval, (each.award_id, each.edition)), col(ObjectRemoval.claimed_at).is_not(None)
            )
            self.session.execute(_unsynchronised(gone))

    def count_removals(self, at: datetime) -> int:
        """Documents with objects that are due for removal."""
        query = _select(func.count()).select_from(ObjectRemoval).where(col(ObjectRemoval.due_at) <= at)
        return int(self.session.execute(query).scalar_one())

    def forget_moves(self) -> None:
        """After a restore: what this copy knew of moves and removals is of before, but for erased documents."""
        for kind in _KINDS:
            there = exists().where(
                col(kind.award_id) == ObjectRemoval.award_id, _edition(kind) == ObjectRemoval.edition
            )
            self.session.execute(_unsynchronised(delete(ObjectRemoval).where(there)))

    # --- in numbers

    def counts(self, before: datetime) -> MovedCounts:
        here = old = moved = 0
        for kind in _KINDS:
            held, away = col(kind.embedded).is_not(None), col(kind.embedded).is_(None)
            for condition in (held, and_(held, col(kind.signed_at) < before), away):
                query = _select(func.count()).select_from(kind).where(condition)
                here, old, moved = old, moved, here + int(self.session.execute(query).scalar_one())
        return MovedCounts(here, old, moved)

    def has_moved(self) -> bool:
        return bool(self.moved(limit=1))

    def moved_objects(self) -> Iterator[tuple[uuid.UUID, uuid.UUID, str]]:
        """Award, campus and digest of every object that a row relies on."""
        for kind in _KINDS:
            query = _select(kind.award_id, Award.campus_id, kind.embedded_digest, kind.token_digest)
            query = query.join(Award, col(Award.id) == col(kind.award_id)).where(col(kind.embedded).is_(None))
            for award_id, campus_id, *digests in self.session.execute(
                query.execution_options(yield_per=_AT_A_TIME)
            ):
                for digest in digests:
                    yield award_id, campus_id, digest

    def _removal(self, row: DocumentRow, **values: Any) -> Any:
        dialect = postgresql if self.session.get_bind().dialect.name == "postgresql" else sqlite
        query: Insert = dialect.insert(ObjectRemoval)
        return query.values(
            award_id=row.award_id,
            edition=row.edition,
            campus_id=row.campus_id,
            embedded_digest=row.embedded_digest,
            token_digest=row.token_digest,
            **values,
        )

    def _count(self, query: Any) -> int:
        return int(cast("CursorResult[Any]", self.session.execute(_unsynchronised(query))).rowcount)


def _select(*columns: Any) -> Any:
    return select_rows(*columns)


def _unsynchronised(query: Any) -> Any:
    return query.execution_options(synchronize_session=False)


def _kind(edition: int) -> type[SignedDocument | NewerDocument]:
    return SignedDocument if edition == 1 else NewerDocument


def _edition(kind: type[Any]) -> Any:
    return col(kind.edition) if kind is not SignedDocument else literal(1)


def _is(kind: type[Any], key: Key) -> list[Any]:
    award_id, edition = key
    return [kind.award_id == award_id, *([] if kind is SignedDocument else [kind.edition == edition])]


def _documents(kind: type[Any]) -> Any:
    columns: tuple[Any, ...] = (
        kind.award_id, _edition(kind), Award.campus_id, kind.signed_at,
        kind.embedded_digest, kind.token_digest, kind.embedded, kind.token,
    )  # fmt: skip
    return _select(*columns).join(Award, col(Award.id) == col(kind.award_id))


def _read(row: Row[Any]) -> DocumentRow:
    read = DocumentRow._make(row)
    return read if read.embedded is None else read._replace(embedded=bytes(read.embedded))


def _changed(row: DocumentRow, *, here: bool) -> Any:
    """An update of that very document, if its bytes are in the row, or are not."""
    kind = _kind(row.edition)
    held = col(kind.embedded).is_not(None) if here else col(kind.embedded).is_(None)
    return update(kind).where(
        *_is(kind, row.key),
        col(kind.embedded_digest) == row.embedded_digest,
        col(kind.token_digest) == row.token_digest,
        held,
    )


def forget_objects(session: Session, award_ids: Collection[uuid.UUID]) -> None:
    for award_id in award_ids:
        session.execute(_unsynchronised(delete(ObjectRemoval).where(col(ObjectRemoval.award_id) == award_id)))
