"""The journal's own steps, for every database that has one: a service's, samtykke's and coordination's.

What a step did is history: a change to the journal is a new function here and a revision in each folder.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


def create() -> None:
    """Accepted events, journal keys, the relay's place in the change feed, formats' memory."""
    op.create_table(
        "formattilstand",
        sa.Column(
            "nokkel", sa.LargeBinary(), nullable=False, comment="keyed digest of source, format and key"
        ),
        sa.Column("innhold", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("nokkel"),
    )
    op.create_table(
        "journal",
        sa.Column(
            "lopenr",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="order of acceptance",
        ),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("kommune", sa.String(length=4), nullable=False),
        sa.Column("orgnr", sa.String(length=9), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False, comment="when it happened"),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False, comment="when it was accepted"),
        sa.Column(
            "avtrykk", sa.LargeBinary(), nullable=False, comment="keyed digest of the content, tells a repeat"
        ),
        sa.Column(
            "journalnokkel", sa.UUID(), nullable=True, comment="key of the body until the first decision"
        ),
        sa.Column("nokkelid", sa.UUID(), nullable=True, comment="data key of the body after it"),
        sa.Column("innhold", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.Column("correlationid", sa.String(), nullable=True),
        sa.Column("causationid", sa.String(), nullable=True),
        sa.Column("trenger_relay", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("utfall", sa.String(), nullable=True),
        sa.Column("grunnlag", sa.String(), nullable=True),
        sa.Column("lovversjon", sa.String(), nullable=True),
        sa.Column("grunner", postgresql.JSONB(), nullable=True),
        sa.Column("besluttet", sa.DateTime(timezone=True), nullable=True),
        sa.Column("topic", sa.String(), nullable=True),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("publisert", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("lopenr"),
        sa.UniqueConstraint("source", "id"),
    )
    op.create_index("journal_id", "journal", ["id"], unique=False)
    op.create_index(
        "journal_trenger_relay",
        "journal",
        ["lopenr"],
        unique=False,
        postgresql_where=sa.text("trenger_relay"),
    )
    op.create_index(
        "journal_ubesluttet",
        "journal",
        ["journalnokkel"],
        unique=False,
        postgresql_where=sa.text("journalnokkel IS NOT NULL"),
    )
    op.create_index(
        "journal_venter",
        "journal",
        ["subject"],
        unique=False,
        postgresql_where=sa.text("utfall = 'withhold'"),
    )
    op.create_table(
        "journalnokkel",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False, comment="the hour it serves"),
        sa.Column(
            "innpakket",
            sa.LargeBinary(),
            nullable=False,
            comment="the key, wrapped by the key-encryption key",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("time"),
        comment="kept out of backups",
    )
    op.create_table(
        "relay_tilstand",
        sa.Column("relay", sa.String(), nullable=False),
        sa.Column(
            "endring", sa.BigInteger(), nullable=False, comment="last change of samtykke's feed taken in"
        ),
        sa.PrimaryKeyConstraint("relay"),
    )


def add_parkert() -> None:
    """Rows that the relay set aside, with the reason."""
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


def add_revisjon() -> None:
    """The ledger, and the heads of its chain."""
    op.create_table(
        "revisjon",
        sa.Column("lopenr", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("skriver", sa.Text(), nullable=False, comment="the part that wrote the row"),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handling", sa.Text(), nullable=False),
        sa.Column("aktor", sa.Text(), nullable=False),
        sa.Column("utfall", sa.Text(), nullable=False),
        sa.Column("rolle", sa.Text()),
        sa.Column("orgnr", sa.Text()),
        sa.Column("kommune", sa.Text()),
        sa.Column("tjeneste", sa.Text()),
        sa.Column("formal", sa.Text()),
        sa.Column("slag", sa.Text()),
        sa.Column("subject", sa.UUID()),
        sa.Column("hendelse", sa.Text()),
        sa.Column("type", sa.Text()),
        sa.Column("kategori", sa.Text()),
        sa.Column("grunn", sa.Text()),
        sa.Column("samtykke", sa.UUID()),
        sa.Column("sporing", sa.Text()),
        sa.Column("detaljer", postgresql.JSONB()),
        sa.Column("nummer", sa.BigInteger(), comment="place in the chain; null: not sealed yet"),
        sa.Column("hode", sa.LargeBinary(), comment="SHA-256 of the hash before it and this row"),
        sa.PrimaryKeyConstraint("lopenr"),
        sa.UniqueConstraint("nummer"),
    )
    op.create_index("revisjon_subject", "revisjon", ["subject", "tid"])
    op.create_index(
        "revisjon_hendelse", "revisjon", ["hendelse"], postgresql_where=sa.text("hendelse IS NOT NULL")
    )
    op.create_index("revisjon_uforseglet", "revisjon", ["lopenr"], postgresql_where=sa.text("nummer IS NULL"))
    op.create_table(
        "revisjon_kjede",
        sa.Column(
            "nummer", sa.BigInteger(), autoincrement=False, nullable=False, comment="the last row it covers"
        ),
        sa.Column("hode", sa.LargeBinary(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publisert", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("nummer"),
    )
    op.create_index(
        "revisjon_kjede_upublisert",
        "revisjon_kjede",
        ["nummer"],
        postgresql_where=sa.text("publisert IS NULL"),
    )


def add_key_ids() -> None:
    """Which key-encryption key wraps a journal key; and keys of their own for formats' memory, which was sealed under
    one that could not be destroyed. What a format remembered before this step is forgotten."""
    op.add_column("journalnokkel", sa.Column("kek_id", sa.String(), nullable=False, server_default="kek-1"))
    op.alter_column("journalnokkel", "kek_id", server_default=None)
    op.create_table(
        "formatnokkel",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("laget", sa.DateTime(timezone=True), nullable=False, comment="the newest one seals"),
        sa.Column(
            "innpakket",
            sa.LargeBinary(),
            nullable=False,
            comment="the key, wrapped by the key-encryption key",
        ),
        sa.Column("kek_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="kept out of backups",
    )
    op.create_table(
        "formatomfang",
        sa.Column("omfang", sa.String(), nullable=False, comment="a sender and a format that remembers"),
        sa.PrimaryKeyConstraint("omfang"),
    )
    op.execute("DELETE FROM formattilstand")
    op.add_column(
        "formattilstand", sa.Column("nokkelid", sa.UUID(), nullable=False, comment="key of the content")
    )
    op.create_index("ix_formattilstand_nokkelid", "formattilstand", ["nokkelid"])


def one_index_by_id() -> None:
    """(id, source) finds by the id alone too, so an index of its own for that was one more to write three times a
    row."""
    op.drop_index("journal_id", table_name="journal")
    op.drop_constraint("journal_source_id_key", "journal", type_="unique")
    op.create_unique_constraint("journal_id_source_key", "journal", ["id", "source"])
