"""Birthdays that are looked for, and what holds after each step of a consent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_alder"
down_revision = "0006_kobling"


def upgrade() -> None:
    op.add_column("person", sa.Column("neste_alder", sa.Date(), nullable=True))
    # Not a birthday of anybody's: the clockwork finds the real one when it first looks.
    op.execute("UPDATE person SET neste_alder = fodselsdato")
    op.create_index(
        "person_neste_alder",
        "person",
        ["neste_alder"],
        unique=False,
        postgresql_where=sa.text("neste_alder is not null"),
    )
    for table in ("samtykke", "samtykke_hendelse"):
        op.add_column(
            table, sa.Column("givere", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
        )
        op.alter_column(table, "givere", server_default=None)
    op.add_column("samtykke", sa.Column("hvem", sa.Text(), nullable=True))
    op.execute("UPDATE samtykke SET hvem = record->>'hvem'")
    op.alter_column("samtykke", "hvem", nullable=False)
    op.add_column("samtykke_hendelse", sa.Column("kategorier", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("samtykke_hendelse", sa.Column("utloper", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE samtykke_hendelse SET utloper = (record->>'utloper')::timestamptz,"
        " kategorier = ARRAY(SELECT jsonb_array_elements_text(record->'kategorier'))"
    )
    op.alter_column("samtykke_hendelse", "kategorier", nullable=False)
    op.drop_constraint("samtykke_hendelse_slag_check", "samtykke_hendelse", type_="check")
    op.create_check_constraint(
        "samtykke_hendelse_slag_check",
        "samtykke_hendelse",
        "slag in ('venter', 'gitt', 'tiltradt', 'avslatt', 'trukket', 'gitt-igjen', 'utlopt', 'erstattet',"
        " 'innsnevret')",
    )
    op.drop_index("samtykke_utloper", "samtykke")
    op.create_index(
        "samtykke_utloper",
        "samtykke",
        ["utloper"],
        unique=False,
        postgresql_where=sa.text("status in ('gitt', 'venter')"),
    )
