"""Erased children, so that what was under way makes nothing of one again."""

import sqlalchemy as sa
from alembic import op

revision = "0011_glemt"
down_revision = "0010_eskalering"


def upgrade() -> None:
    op.create_table(
        "glemt",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
        comment="erased children: what was under way for one when it was erased must not make anything of it again",
    )
