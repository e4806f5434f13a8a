"""The data keys, apart from everything else."""

import sqlalchemy as sa
from alembic import op

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "datanokkel",
        sa.Column("nokkelid", sa.UUID(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("tjeneste", sa.Text(), nullable=False),
        sa.Column("innpakket", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("nokkelid"),
        sa.UniqueConstraint("subject", "tjeneste"),
    )
