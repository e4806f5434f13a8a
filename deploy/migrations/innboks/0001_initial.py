"""Barnevern's inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "melding",
        sa.Column(
            "nr", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="order of arrival"
        ),
        sa.Column("id", sa.UUID(), nullable=False, comment="the lane's own id"),
        sa.Column(
            "plass", sa.LargeBinary(), nullable=True, comment="keyed digest of the event and its content"
        ),
        sa.Column("kommune", sa.String(length=4), nullable=True, comment="null: not opened yet"),
        sa.Column("nokkelid", sa.String(), nullable=False),
        sa.Column("innhold", sa.LargeBinary(), nullable=False, comment="sealed, as it came"),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hentet", sa.DateTime(timezone=True), nullable=True, comment="first given to barnevern"),
        sa.Column("kvittert", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kvittert_av", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("nr"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("plass"),
    )
    op.create_index(
        "melding_ukvittert", "melding", ["kommune", "nr"], postgresql_where=sa.text("kvittert IS NULL")
    )
    op.create_index("melding_uapnet", "melding", ["nr"], postgresql_where=sa.text("kommune IS NULL"))
    op.create_table(
        "posisjon",
        sa.Column("partisjon", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("neste", sa.BigInteger(), nullable=False, comment="first offset not yet read"),
        sa.PrimaryKeyConstraint("partisjon"),
    )
    op.create_table(
        "parkert",
        sa.Column("partisjon", sa.Integer(), nullable=False),
        sa.Column("plass", sa.BigInteger(), nullable=False),
        sa.Column("grunn", sa.String(), nullable=False),
        sa.Column("mottatt", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partisjon", "plass"),
        comment="records that are no reports",
    )
