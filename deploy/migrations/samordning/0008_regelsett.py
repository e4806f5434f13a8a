"""By which set of local rules a task was derived."""

import sqlalchemy as sa
from alembic import op

revision = "0008_regelsett"
down_revision = "0007_ett_register"


def upgrade() -> None:
    op.add_column(
        "oppgave",
        sa.Column(
            "regelsett",
            sa.String(),
            server_default=sa.text("'standard'"),
            nullable=False,
            comment="the local rules that it was derived by",
        ),
    )
