"""Calendars are a form of import."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0036"
branch_labels = None
depends_on = None

THREE = ("table", "api", "xapi")
FOUR = (*THREE, "calendar")


def allow(forms: tuple[str, ...], instead_of: tuple[str, ...]) -> None:
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.drop_constraint("import_form", "import_run", type_="check")
        op.create_check_constraint("import_form", "import_run", f"form IN {forms}")
        return
    # Other tables point at this one, so it is not written anew: a CHECK is changed in the schema itself, as
    # SQLite's own guide to ALTER TABLE describes for changes that leave the rows as they are.
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'import_run'",
        (f"form IN {instead_of}", f"form IN {forms}"),
    )
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def upgrade() -> None:
    allow(FOUR, THREE)


def downgrade() -> None:
    """Reports of calendars go; the activities and sessions stay."""
    calendars = "SELECT id FROM import_run WHERE form = 'calendar'"
    for table in ("imported", "import_line"):
        op.execute(f"DELETE FROM {table} WHERE run_id IN ({calendars})")  # noqa: S608 - our own words
    op.execute("DELETE FROM import_run WHERE form = 'calendar'")
    allow(THREE, FOUR)
