"""Sessions that were signed out before their end."""

import sqlalchemy as sa
from alembic import op

revision = "0003_utlogget"
down_revision = "0002_revisjon"


def upgrade() -> None:
    op.create_table(
        "utlogget",
        sa.Column("avtrykk", sa.LargeBinary(), nullable=False, comment="digest of what the token signs"),
        sa.Column(
            "slutt", sa.DateTime(timezone=True), nullable=False, comment="when the token ends by itself"
        ),
        sa.PrimaryKeyConstraint("avtrykk"),
    )
