"""Activities taken over from elsewhere: imports with their lines, what foreign identifiers stand for, how sources are read."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("form", word("import_form", "table", "api", "xapi"), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", word("import_state", "draft", "running", "done"), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("actor_label", sa.String(120), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("given", sa.LargeBinary(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
    )
    op.create_index("imports_of_campus", "import_run", ["campus_id", "asked_at"])
    op.create_index("imports_to_carry_out", "import_run", ["state", "asked_at"])
    op.create_table(
        "import_line",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("import_run.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "fate", word("import_fate", "waiting", "created", "changed", "same", "refused"), nullable=False
        ),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("reason_values", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
    )
    op.create_index("import_lines_to_carry_out", "import_line", ["run_id", "fate", "position"])
    op.create_table(
        "imported",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("import_run.id"), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("imported_rows", "imported", ["row_id"])
    op.create_index("ix_imported_run_id", "imported", ["run_id"])
    op.create_table(
        "import_mapping",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("source", sa.String(60), primary_key=True),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("import_mapping")
    op.drop_table("imported")
    op.drop_table("import_line")
    op.drop_table("import_run")
