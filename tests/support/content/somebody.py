"""A person with a row in every table with personal data, where each text value is a unique marker."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Enum,
    LargeBinary,
    String,
    Table,
    insert,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.types import TypeDecorator

from app.db.engine.row_level_security import METADATA
from app.domain.people.personal_data import HELD
from tests.support.app import App

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def mark_of(column: Column[Any]) -> str:
    """A unique marker for this column."""
    return f"zq{column.table.name}{column.name}zq".replace("_", "")


def fill(app: App) -> tuple[uuid.UUID, dict[str, dict[str, Any]]]:
    """The person's id, and the row of each table."""
    # The award is inserted later; rows without a foreign key may refer to its id before.
    made: dict[str, dict[str, Any]] = {"award": {"id": uuid.uuid4()}}
    with app.owner.begin() as connection:
        for table in METADATA.sorted_tables:
            if table.name in HELD:
                made[table.name] = _row(table, made, connection, app)
                connection.execute(insert(table).values(made[table.name]))
        line = {name: made["log_payload"][name] for name in ("log_id", "number")}
        entry = {**line, "kind": "participation", "at": AT, "commitment": b"c", "leaf_hash": b"h"}
        connection.execute(insert(METADATA.tables["log_entry"]).values(entry))
    return made["person"]["id"], made


def _row(table: Table, made: dict[str, dict[str, Any]], connection: Connection, app: App) -> dict[str, Any]:
    links = {link.column: link for link in HELD[table.name].links}
    row = {}
    for column in table.columns:
        if column.name in HELD[table.name].mentions:
            row[column.name] = app.trainer.id
        elif column.name in links and links[column.name].table in made and table.name != "person":
            link = links[column.name]
            row[column.name] = made[link.table][link.to]
        elif table.name == "award" and column.name == "id":
            row["id"] = made["award"]["id"]
        else:
            row[column.name] = _value(column, made, connection, app)
    if not links:
        # The table has no reference to a person: it is searched by name.
        given, family, address = HELD[table.name].written_as
        person = made["person"]
        row |= {given: person["given_name"], family: person["family_name"], address: ""}
    return row


def _value(column: Column[Any], made: dict[str, dict[str, Any]], connection: Connection, app: App) -> Any:
    if column.name == "campus_id":
        return app.campus.id
    if column.name in ("wording", "score"):
        return 1
    if column.name == "edition" and column.table.name != "award":
        return made["award"]["edition"]
    for key in column.foreign_keys:
        above = key.column
        if above.table.name in made:
            return made[above.table.name][above.name]
        found = connection.execute(select(above).limit(1)).scalar()
        if found is None:
            found = _parent(above.table, made, connection, app)[above.name]
        return found
    form = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(form, Enum):
        return form.enums[-1]
    if isinstance(form, JSON):
        return {"said": mark_of(column)}
    if column.name == "embedded":
        return json.dumps({"id": mark_of(column)}).encode()
    if isinstance(form, LargeBinary):
        return mark_of(column).encode()
    if isinstance(form, String):
        return mark_of(column)[: form.length or 40]
    if column.nullable and form.python_type is uuid.UUID:
        return None
    return {
        uuid.UUID: uuid.uuid4(), int: int(uuid.uuid4().int % 100_000) + 1_000, bool: False, float: 1.0,
        datetime: AT, date: AT.date(),
    }[form.python_type]  # fmt: skip


def _parent(
    table: Table, made: dict[str, dict[str, Any]], connection: Connection, app: App
) -> dict[str, Any]:
    """Insert a row without personal data that a foreign key needs."""
    row = {column.name: _value(column, made, connection, app) for column in table.columns}
    connection.execute(insert(table).values(row))
    return row


def everything(app: App) -> Iterator[tuple[str, bytes]]:
    """The database as bytes: the vacuumed SQLite files, or on PostgreSQL every row of every table."""
    url = make_url(app.process.settings.database_url)
    if url.get_backend_name() == "sqlite":
        app.process.engine.dispose()
        app.owner.dispose()
        connection = sqlite3.connect(str(url.database), isolation_level=None)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        for path in Path(str(url.database)).parent.iterdir():
            yield path.name, path.read_bytes()
        return
    with app.owner.connect() as connection:
        names = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        ).scalars()
        for name in names.all():
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):
                yield name, b"\0".join(map(_bytes, row))


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, uuid.UUID):
        return str(value).encode() + value.bytes + value.hex.encode()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).encode()
    return str(value).encode()


def forms_of(word: str | uuid.UUID) -> list[bytes]:
    """All stored forms: text as it is, JSON-escaped or in lower case; a UUID as bytes, hex or text."""
    if isinstance(word, uuid.UUID):
        return [word.bytes, word.hex.encode(), str(word).encode()]
    return [word.encode(), json.dumps(word)[1:-1].encode(), word.lower().encode()]
