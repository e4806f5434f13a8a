"""Which subjects are the same child, for readers of timelines."""

import sqlalchemy as sa
from alembic import op

revision = "0006_koblet"
down_revision = "0005_nokkelid"


def upgrade() -> None:
    op.create_table(
        "koblet",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column(
            "kanonisk",
            sa.UUID(),
            nullable=False,
            comment="stands for the child; samtykke's word, for readers alone",
        ),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("koblet_kanonisk", "koblet", ["kanonisk"], unique=False)
