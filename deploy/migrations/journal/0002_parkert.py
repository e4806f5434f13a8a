"""The journal's rows that the relay set aside, with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0002_parkert"
down_revision = "0001_initial"


def upgrade() -> None:
    op.add_column(
        "journal",
        sa.Column(
            "parkert",
            sa.String(),
            nullable=True,
            comment="why the relay set the row aside, a code; null: it did not",
        ),
    )
    op.create_index(
        "journal_satt_til_side",
        "journal",
        ["lopenr"],
        postgresql_where=sa.text("parkert IS NOT NULL OR utfall = 'refuse'"),
    )
