"""Moves to another municipality."""

import sqlalchemy as sa
from alembic import op

revision = "0008_flytting"
down_revision = "0007_alder"


def upgrade() -> None:
    op.create_table(
        "flytting",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("versjon", sa.Integer(), nullable=False),
        sa.Column("overgang_forseglet", sa.LargeBinary(), nullable=False),
        sa.Column("til_kommune", sa.Text(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("bekreftet", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "versjon"),
    )
