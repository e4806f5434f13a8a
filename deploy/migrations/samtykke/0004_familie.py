"""Which users are a child itself, its parent or its guardian."""

import sqlalchemy as sa
from alembic import op

revision = "0004_familie"
down_revision = "0003_revisjon"


def upgrade() -> None:
    op.create_table(
        "familie",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("bruker", sa.Text(), nullable=False),
        sa.Column("rolle", sa.Text(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rolle in ('barn', 'forelder', 'verge')"),
        sa.PrimaryKeyConstraint("subject", "bruker"),
    )
    op.create_index("familie_bruker", "familie", ["bruker"], unique=False)
