"""A service's journal: accepted events, journal keys, formats' memory."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
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
