"""Facts of activities for yearly reports, five more kinds of activity, and the campus's objectives."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

BEFORE = "'workshop', 'event', 'project', 'course', 'immersion'"
KINDS = f"{BEFORE}, 'meeting', 'council', 'interview', 'communication', 'mobility'"
TABLES = (
    "declared_figure",
    "activity_survey",
    "activity_objective",
    "report_objective",
    "activity_establishment",
    "activity_organisation",
    "activity_audience",
    "activity_facts",
)


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _of_activity(*, key: bool = False) -> sa.Column[object]:
    return sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), primary_key=key, nullable=False)


def _allow(now: str, before: str) -> None:
    """On SQLite the table is referenced, so its definition is edited in place: stored rows do not change."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint("activity_kind", "activity", type_="check")
        op.create_check_constraint("activity_kind", "activity", f"kind IN ({now})")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.execute(
        sa.text(
            "UPDATE sqlite_schema SET sql = replace(sql, :before, :now) WHERE type = 'table' AND name = 'activity'"
        ),
        {"before": f"CHECK (kind IN ({before}))", "now": f"CHECK (kind IN ({now}))"},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")


def upgrade() -> None:
    _allow(KINDS, BEFORE)
    op.create_table(
        "activity_facts",
        _of_activity(key=True),
        sa.Column("departement", sa.String(3), nullable=False),
        sa.Column("sector", sa.String(8), nullable=False),
        sa.Column("invited", sa.Integer(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("invited IS NULL OR invited >= 0", name="invited_not_negative"),
    )
    op.create_table(
        "activity_audience",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _of_activity(),
        sa.Column(
            "audience",
            _words(
                "activity_audience_kind",
                "middle_school",
                "high_school",
                "students",
                "apprentices",
                "employees",
                "job_seekers",
                "teachers",
                "researchers",
                "entrepreneurs",
                "public",
            ),
            nullable=False,
        ),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.UniqueConstraint("activity_id", "audience", name="one_count_per_audience"),
        sa.CheckConstraint("people > 0", name="audience_is_positive"),
        sa.CheckConstraint("women IS NULL OR (women >= 0 AND women <= people)", name="women_among_people"),
    )
    op.create_table(
        "activity_organisation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _of_activity(),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("key", sa.String(140), nullable=False, index=True),
        sa.Column(
            "part",
            _words(
                "organisation_part", "informed", "involved", "mobilised", "co_organiser", "challenger", "host"
            ),
            nullable=False,
        ),
        sa.Column(
            "type",
            _words(
                "organisation_type",
                "company",
                "school",
                "research",
                "authority",
                "association",
                "federation",
                "public_service",
                "other",
            ),
            nullable=False,
        ),
        sa.UniqueConstraint("activity_id", "key", name="one_part_per_organisation"),
    )
    op.create_table(
        "activity_establishment",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _of_activity(),
        sa.Column("number", sa.String(14), nullable=False, index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.UniqueConstraint("activity_id", "number", name="establishment_once"),
    )
    op.create_table(
        "report_objective",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.UniqueConstraint("campus_id", "code", name="one_objective_per_code"),
    )
    op.create_table(
        "activity_objective",
        _of_activity(key=True),
        sa.Column("objective_id", sa.Uuid(), sa.ForeignKey("report_objective.id"), primary_key=True),
    )
    counts = ("asked", "not_at_all", "rather_not", "rather", "fully", "recommends", "recommends_not")
    op.create_table(
        "activity_survey",
        _of_activity(key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
    )
    op.create_table(
        "declared_figure",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), nullable=False, index=True),
        sa.Column(
            "about",
            _words("declared_about", "size", "establishments", "organisations", "first_day"),
            nullable=False,
        ),
        sa.Column("value", sa.String(40), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute(
        "UPDATE activity SET kind = 'event' WHERE kind IN ('meeting', 'council', 'interview', 'communication', 'mobility')"
    )
    _allow(BEFORE, KINDS)
