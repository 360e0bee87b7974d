"""Pathways in the public catalogue, and which badges and competencies they name."""

from __future__ import annotations

import json
import uuid

import sqlalchemy as sa

from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None

BEFORE = "'badge', 'competency', 'activity', 'campus'"
KINDS = f"{BEFORE}, 'pathway'"


def _allow(now: str, before: str) -> None:
    """On SQLite the definition is edited in place: triggers of the full-text table stay."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint("catalogue_kind", "catalogue_entry", type_="check")
        op.create_check_constraint("catalogue_kind", "catalogue_entry", f"kind IN ({now})")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.execute(
        sa.text(
            "UPDATE sqlite_schema SET sql = replace(sql, :before, :now) "
            "WHERE type = 'table' AND name = 'catalogue_entry'"
        ),
        {"before": f"CHECK (kind IN ({before}))", "now": f"CHECK (kind IN ({now}))"},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")


def upgrade() -> None:
    _allow(KINDS, BEFORE)
    subjects = op.create_table(
        "pathway_subject",
        sa.Column("pathway_id", sa.Uuid(), sa.ForeignKey("pathway.id"), primary_key=True),
        sa.Column("subject_id", sa.Uuid(), primary_key=True),
    )
    op.create_index("pathways_of_subject", "pathway_subject", ["subject_id"])
    connection = op.get_bind()
    version = sa.table(
        "pathway_version",
        sa.column("pathway_id", sa.Uuid()),
        sa.column("number"),
        sa.column("content", sa.JSON()),
    )
    pathway = sa.table("pathway", sa.column("id", sa.Uuid()), sa.column("number"))
    newest = sa.select(version.c.pathway_id, version.c.content).join(
        pathway, (pathway.c.id == version.c.pathway_id) & (pathway.c.number == version.c.number)
    )
    rows = [
        {"pathway_id": pathway_id, "subject_id": subject}
        for pathway_id, content in connection.execute(newest)
        for subject in _named(json.loads(content) if isinstance(content, str) else content)
    ]
    if rows:
        connection.execute(sa.insert(subjects), rows)
    # Every campus is derived again, with its pathways.
    op.execute("DELETE FROM catalogue_refresh")


def _named(content: dict) -> set[uuid.UUID]:
    conditions = [each for stage in content["stages"] for each in stage["conditions"]]
    found = [badge for each in conditions for badge in each["badges"]]
    found += [each["competency"] for each in conditions if each["competency"]]
    found += [content["badge"]] if content["badge"] else []
    return {uuid.UUID(each["id"]) for each in found}


def downgrade() -> None:
    op.execute("DELETE FROM catalogue_entry WHERE kind = 'pathway'")
    _allow(BEFORE, KINDS)
    op.drop_index("pathways_of_subject", "pathway_subject")
    op.drop_table("pathway_subject")
