"""The alerts the portal has heard of."""

import sqlalchemy as sa
from alembic import op

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "parkert",
        sa.Column("emne", sa.Text(), nullable=False),
        sa.Column("partisjon", sa.Integer(), nullable=False),
        sa.Column("plass", sa.BigInteger(), nullable=False),
        sa.Column("grunn", sa.Text(), nullable=False),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("emne", "partisjon", "plass"),
    )
    op.create_table(
        "posisjon",
        sa.Column("emne", sa.Text(), nullable=False),
        sa.Column("partisjon", sa.Integer(), nullable=False),
        sa.Column("neste", sa.BigInteger(), nullable=False, comment="first offset not yet handled"),
        sa.PrimaryKeyConstraint("emne", "partisjon"),
    )
    op.create_table(
        "varsel",
        sa.Column("sekvens", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hendelse_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kommune", sa.Text(), nullable=False),
        sa.Column("arsak", sa.Text(), nullable=True, comment="id of the event that caused it"),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sekvens"),
        sa.UniqueConstraint("source", "hendelse_id"),
    )
    op.create_index(op.f("ix_varsel_subject"), "varsel", ["subject"], unique=False)
