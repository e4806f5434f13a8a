"""The lane of statutory reports: what is on its way to barnevern's inbox, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0005_utsending"
down_revision = "0004_nokkelid"


def upgrade() -> None:
    op.create_table(
        "utsending",
        sa.Column("id", sa.UUID(), nullable=False, comment="random; the record's CloudEvents id"),
        sa.Column("plass", sa.LargeBinary(), nullable=False, comment="keyed digest of (source, id)"),
        sa.Column(
            "avtrykk", sa.LargeBinary(), nullable=False, comment="keyed digest of the content, tells a repeat"
        ),
        sa.Column("nokkelid", sa.String(), nullable=False),
        sa.Column(
            "innhold", sa.LargeBinary(), nullable=True, comment="sealed to the recipient; null: Kafka has it"
        ),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plass"),
    )
    op.create_index(
        "utsending_venter", "utsending", ["mottatt"], postgresql_where=sa.text("innhold IS NOT NULL")
    )
