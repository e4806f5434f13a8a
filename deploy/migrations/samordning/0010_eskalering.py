"""How far an overdue task has been raised, and to whom."""

import sqlalchemy as sa
from alembic import op

revision = "0010_eskalering"
down_revision = "0009_tidslinjens_id"


def upgrade() -> None:
    op.add_column(
        "oppgave",
        sa.Column(
            "trinn",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of escalation, the highest that was told",
        ),
    )
    op.add_column(
        "oppgave",
        sa.Column("loftet_til", sa.String(), comment="to whom it was raised when its date had gone by"),
    )
    op.create_index("oppgave_forfall", "oppgave", ["frist"], postgresql_where=sa.text("status = 'aapen'"))
    op.create_index(
        "oppgave_loftet",
        "oppgave",
        ["kommune", "loftet_til"],
        postgresql_where=sa.text("loftet_til IS NOT NULL"),
    )
    op.add_column("steg", sa.Column("trinn", sa.Integer(), comment="of escalation; null: it is no such step"))
