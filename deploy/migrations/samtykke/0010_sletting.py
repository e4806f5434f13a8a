"""Erasures: proposed by one, approved by another, carried out by every part."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_sletting"
down_revision = "0009_ett_register"


def upgrade() -> None:
    op.create_table(
        "sletting",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subjects", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("kommune", sa.Text(), nullable=False),
        sa.Column("beslutning", sa.Text(), nullable=False, comment="reference of the decision"),
        sa.Column("status", sa.Text(), nullable=False, server_default="foreslatt"),
        sa.Column("foreslatt_av", sa.Text(), nullable=False),
        sa.Column("foreslatt", sa.DateTime(timezone=True), nullable=False),
        sa.Column("godkjent_av", sa.Text()),
        sa.Column("godkjent", sa.DateTime(timezone=True)),
        sa.Column("fullfort", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status in ('foreslatt', 'godkjent', 'fullfort', 'forkastet')"),
        sa.CheckConstraint("godkjent_av <> foreslatt_av"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "sletting_underveis", "sletting", ["godkjent"], postgresql_where=sa.text("status = 'godkjent'")
    )
    op.create_table(
        "sletting_kvittering",
        sa.Column("sletting", sa.UUID(), nullable=False),
        sa.Column("mottaker", sa.Text(), nullable=False, comment="the part that has forgotten the child"),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sletting", "mottaker"),
    )
