"""Timelines, fact sets, tasks, positions and what was parked; coordination's own journal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from deploy.migrations import journal_steps

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    journal_steps.create()
    op.create_table(
        "endringsposisjon",
        sa.Column("leser", sa.String(), nullable=False),
        sa.Column(
            "siste", sa.BigInteger(), nullable=False, comment="last change of samtykke's feed taken in"
        ),
        sa.PrimaryKeyConstraint("leser"),
    )
    op.create_table(
        "faktasett",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("kommune", sa.String(length=4), nullable=False),
        sa.Column(
            "nokkelid",
            sa.UUID(),
            nullable=True,
            comment="the key of `innhold`; null with it, before the first fact is saved",
        ),
        sa.Column("innhold", sa.LargeBinary(), nullable=True),
        sa.Column(
            "neste_endring",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when time alone may change a duty",
        ),
        sa.Column(
            "venter",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="was blocked when due",
        ),
        sa.Column("oppdatert", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index(
        "faktasett_neste_endring",
        "faktasett",
        ["neste_endring"],
        unique=False,
        postgresql_where=sa.text("neste_endring IS NOT NULL"),
    )
    op.create_index(
        "faktasett_venter", "faktasett", ["subject"], unique=False, postgresql_where=sa.text("venter")
    )
    op.create_table(
        "oppgave",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("kommune", sa.String(length=4), nullable=False),
        sa.Column("regel", sa.String(), nullable=False),
        sa.Column("regelversjon", sa.Integer(), nullable=False),
        sa.Column("anledning", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("eier", sa.String(), nullable=False),
        sa.Column("frist", sa.Date(), nullable=False),
        sa.Column("fristslag", sa.String(), nullable=False),
        sa.Column("bestemmelser", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("lukkes_av", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("koordinering", sa.Boolean(), nullable=False),
        sa.Column("hviler_pa", postgresql.JSONB(), nullable=False),
        sa.Column("versjon", sa.Integer(), nullable=False, comment="rises with each step that is told"),
        sa.Column("nokkelid", sa.UUID(), nullable=False),
        sa.Column("forklaring", sa.LargeBinary(), nullable=False, comment="sealed; bound to oppgave|<id>"),
        sa.Column("opprettet", sa.DateTime(timezone=True), nullable=False),
        sa.Column("endret", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("oppgave_barn", "oppgave", ["subject"], unique=False)
    op.create_index(
        "oppgave_eier",
        "oppgave",
        ["kommune", "eier", "frist"],
        unique=False,
        postgresql_where=sa.text("status = 'aapen'"),
    )
    op.create_index(
        "oppgave_hviler_pa",
        "oppgave",
        ["hviler_pa"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"hviler_pa": "jsonb_path_ops"},
    )
    op.create_table(
        "parkert",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("grunn", sa.String(), nullable=False, comment="a code, never content"),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nokkel", sa.LargeBinary(), nullable=True, comment="the record's key as it came"),
        sa.Column("hoder", sa.LargeBinary(), nullable=False, comment="JSON: [name, base64] as they came"),
        sa.Column("innhold", sa.LargeBinary(), nullable=True, comment="the record's value as it came"),
        sa.Column(
            "sendt",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it stood on the dead-letter topic",
        ),
        sa.PrimaryKeyConstraint("topic", "partition", "offset"),
    )
    op.create_index(
        "parkert_usendt", "parkert", ["mottatt"], unique=False, postgresql_where=sa.text("sendt IS NULL")
    )
    op.create_table(
        "posisjon",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("neste_offset", sa.BigInteger(), nullable=False),
        sa.Column(
            "hendelser",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="rows added to timelines",
        ),
        sa.Column(
            "slettet",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="skipped: the child is erased",
        ),
        sa.Column("oppdatert", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "tidslinje",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("tjeneste", sa.String(), nullable=False),
        sa.Column("kategori", sa.String(), nullable=False),
        sa.Column("skjerming", sa.String(length=1), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recordedtime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kommune", sa.String(length=4), nullable=False),
        sa.Column("orgnr", sa.String(length=9), nullable=False),
        sa.Column("grunnlag", sa.String(), nullable=False),
        sa.Column("beslutning", sa.String(), nullable=False),
        sa.Column("lovversjon", sa.String(), nullable=False),
        sa.Column("nokkelid", sa.UUID(), nullable=False),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.Column("correlationid", sa.String(), nullable=True),
        sa.Column("causationid", sa.String(), nullable=True),
        sa.Column("innhold", sa.LargeBinary(), nullable=False, comment="ciphertext as it came"),
        sa.Column("aad", sa.LargeBinary(), nullable=False, comment="what the ciphertext is bound to"),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "venter",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="facts not yet counted",
        ),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_index("tidslinje_barn", "tidslinje", ["subject", "time"], unique=False)
    op.create_index("tidslinje_id", "tidslinje", ["id"], unique=False)
    op.create_index("tidslinje_tjeneste", "tidslinje", ["kommune", "tjeneste", "subject"], unique=False)
    op.create_index(
        "tidslinje_venter", "tidslinje", ["subject"], unique=False, postgresql_where=sa.text("venter")
    )
