"""Pathways: stages towards a badge, and how far each person is."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

GUARD = "a_published_pathway_stays"
SENTENCE = "a published pathway version never changes"
MOMENT = sa.DateTime(timezone=True)


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "pathway",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("archived_at", MOMENT, nullable=True),
    )
    op.create_index("ix_pathway_campus_id", "pathway", ["campus_id"])
    op.create_table(
        "pathway_version",
        sa.Column("pathway_id", sa.Uuid(), sa.ForeignKey("pathway.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
    )
    op.create_table(
        "pathway_enrolment",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("pathway_id", sa.Uuid(), sa.ForeignKey("pathway.id"), nullable=False),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("stale_at", MOMENT, nullable=True),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column(
            "proposal",
            one_of("pathway_proposal_state", "none", "waiting", "declined", "awarded"),
            nullable=False,
        ),
        sa.Column("proposed_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.UniqueConstraint("person_id", "pathway_id", name="one_enrolment_per_pathway"),
    )
    op.create_index("enrolments_of_pathway", "pathway_enrolment", ["pathway_id", "number", "changed_at"])
    op.create_index("pathway_proposals", "pathway_enrolment", ["campus_id", "proposal", "proposed_at"])
    op.create_index("enrolments_stale", "pathway_enrolment", ["stale_at"])
    op.create_index("enrolments_checked", "pathway_enrolment", ["checked_at"])
    op.create_index("enrolments_changed", "pathway_enrolment", ["changed_at"])
    op.create_table(
        "pathway_stage_state",
        sa.Column("enrolment_id", sa.Uuid(), sa.ForeignKey("pathway_enrolment.id"), primary_key=True),
        sa.Column("stage", sa.String(12), primary_key=True),
        sa.Column("pathway_id", sa.Uuid(), sa.ForeignKey("pathway.id"), nullable=False),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("state", one_of("pathway_stage_state", "done", "open", "later"), nullable=False),
        sa.Column("is_needed", sa.Boolean(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_index(
        "pathway_stages",
        "pathway_stage_state",
        ["pathway_id", "stage", "state", "is_needed", "since", "enrolment_id"],
    )
    op.create_table(
        "pathway_decision",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("enrolment_id", sa.Uuid(), sa.ForeignKey("pathway_enrolment.id"), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.UniqueConstraint("enrolment_id", "stage", name="one_decision_per_stage"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON pathway_version BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {GUARD}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        f"'{SENTENCE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON pathway_version FOR EACH ROW EXECUTE FUNCTION {GUARD}()"
    )


def downgrade() -> None:
    for table in (
        "pathway_decision",
        "pathway_stage_state",
        "pathway_enrolment",
        "pathway_version",
        "pathway",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"DROP FUNCTION {GUARD}()")
