"""Identity, consents, assignments and the access log; samtykke's own journal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from deploy.migrations import journal_steps

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    journal_steps.create()
    op.create_table(
        "endring",
        sa.Column("sekvens", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sekvens"),
    )
    op.create_table(
        "endringsteller",
        sa.Column("en", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("siste", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("en = 1"),
        sa.PrimaryKeyConstraint("en"),
    )
    op.create_table(
        "navneoppslag",
        sa.Column("oppslag", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("oppslag", "subject"),
    )
    op.create_index("navneoppslag_subject", "navneoppslag", ["subject"], unique=False)
    op.create_table(
        "nokkelutlevering",
        sa.Column("lopenr", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mottaker", sa.Text(), nullable=False),
        sa.Column("formal", sa.Text(), nullable=False),
        sa.Column("barn", sa.Integer(), nullable=False),
        sa.Column("nokler", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lopenr"),
    )
    op.create_table(
        "person",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("kommune", sa.Text(), nullable=False),
        sa.Column("oppslag", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), server_default="aktiv", nullable=False),
        sa.Column("fodselsdato", sa.Date(), nullable=True),
        sa.Column("adressebeskyttelse", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("nummer_forseglet", sa.LargeBinary(), nullable=True),
        sa.Column("navn_forseglet", sa.LargeBinary(), nullable=True),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('aktiv', 'sperret', 'slettet')"),
        sa.PrimaryKeyConstraint("subject"),
        sa.UniqueConstraint("kommune", "oppslag"),
    )
    op.create_table(
        "samtykke",
        sa.Column("samtykke", sa.UUID(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("kommune", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sekvens", sa.Integer(), nullable=False),
        sa.Column("fra_tjeneste", sa.Text(), nullable=False),
        sa.Column("til_tjenester", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("kategorier", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("gyldig_fra", sa.DateTime(timezone=True), nullable=False),
        sa.Column("utloper", sa.DateTime(timezone=True), nullable=True),
        sa.Column("startet", sa.Boolean(), nullable=False),
        sa.Column("record", postgresql.JSONB(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("samtykke"),
    )
    op.create_index(
        "samtykke_ikke_startet",
        "samtykke",
        ["gyldig_fra"],
        unique=False,
        postgresql_where=sa.text("status = 'gitt' and not startet"),
    )
    op.create_index("samtykke_subject", "samtykke", ["subject"], unique=False)
    op.create_index(
        "samtykke_utloper", "samtykke", ["utloper"], unique=False, postgresql_where=sa.text("status = 'gitt'")
    )
    op.create_table(
        "samtykke_hendelse",
        sa.Column("samtykke", sa.UUID(), nullable=False),
        sa.Column("sekvens", sa.Integer(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("slag", sa.Text(), nullable=False),
        sa.Column("record", postgresql.JSONB(), nullable=False),
        sa.Column("aktor", sa.Text(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("slag in ('gitt', 'avslatt', 'trukket', 'gitt-igjen', 'utlopt', 'erstattet')"),
        sa.PrimaryKeyConstraint("samtykke", "sekvens"),
    )
    op.create_table(
        "tildeling",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("koordinator", sa.Text(), nullable=False),
        sa.Column("rolle", sa.Text(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("subject", "koordinator"),
    )
    op.create_table(
        "tilgangslogg",
        sa.Column("lopenr", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leser", sa.Text(), nullable=False),
        sa.Column("rolle", sa.Text(), nullable=False),
        sa.Column("orgnr", sa.Text(), nullable=False),
        sa.Column("kommune", sa.Text(), nullable=False),
        sa.Column("tjeneste", sa.Text(), nullable=True),
        sa.Column("formal", sa.Text(), nullable=False),
        sa.Column("slag", sa.Text(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("kategori", sa.Text(), nullable=True),
        sa.Column("utfall", sa.Text(), nullable=False),
        sa.Column("grunn", sa.Text(), nullable=False),
        sa.Column("samtykke", sa.UUID(), nullable=True),
        sa.Column("sporing", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lopenr"),
    )
    op.create_index("tilgangslogg_subject", "tilgangslogg", ["subject", "tid"], unique=False)
