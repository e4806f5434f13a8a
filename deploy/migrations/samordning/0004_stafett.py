"""What people do with tasks, and who holds a child's baton."""

import sqlalchemy as sa
from alembic import op

revision = "0004_stafett"
down_revision = "0003_revisjon"


def upgrade() -> None:
    for column in (
        sa.Column("flyt", sa.String(), server_default="aapen", nullable=False),
        sa.Column(
            "ansvarlig",
            sa.String(),
            nullable=True,
            comment="the service that took it over; null: it is the rule's owner's",
        ),
        sa.Column("tilbudt_til", sa.String(), nullable=True),
        sa.Column("svar_innen", sa.Date(), nullable=True, comment="last Norwegian date to answer the offer"),
        sa.Column("avslag", sa.Integer(), server_default="0", nullable=False),
        sa.Column("avgjores_av", sa.String(), nullable=True, comment="who must act, once it is raised"),
        sa.Column(
            "steg",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="how many steps people have taken",
        ),
    ):
        op.add_column("oppgave", column)
    for name, columns, where in (
        ("oppgave_tilbudt", ["kommune", "tilbudt_til"], "tilbudt_til IS NOT NULL"),
        ("oppgave_avgjores", ["kommune", "avgjores_av"], "avgjores_av IS NOT NULL"),
        ("oppgave_svar_innen", ["svar_innen"], "svar_innen IS NOT NULL"),
    ):
        op.create_index(name, "oppgave", columns, postgresql_where=sa.text(where))
    op.create_table(
        "steg",
        sa.Column("gjelder", sa.UUID(), nullable=False, comment="a task, or (the baton) a child"),
        sa.Column("nr", sa.Integer(), nullable=False, comment="order of what happened to it"),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("kommune", sa.String(length=4), nullable=False),
        sa.Column("slag", sa.String(), nullable=False),
        sa.Column("av", sa.String(), nullable=True, comment="the service that acted; null: time did"),
        sa.Column("aktor", sa.String(), nullable=True, comment="who acted for it: the subject of the token"),
        sa.Column("rolle", sa.String(), nullable=True),
        sa.Column("fra", sa.String(), nullable=True),
        sa.Column("til", sa.String(), nullable=True),
        sa.Column("grunn", sa.String(), nullable=True, comment="a code"),
        sa.Column("svar_innen", sa.Date(), nullable=True),
        sa.Column(
            "versjon", sa.Integer(), nullable=True, comment="of the event that told of it; null: none did"
        ),
        sa.Column("tid", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nokkelid", sa.UUID(), nullable=True),
        sa.Column(
            "kommentar", sa.LargeBinary(), nullable=True, comment="sealed; bound to steg|<gjelder>|<nr>"
        ),
        sa.PrimaryKeyConstraint("gjelder", "nr"),
        comment="append-only: what people did with tasks and batons",
    )
    op.create_index("steg_barn", "steg", ["subject"])
    op.create_table(
        "stafett",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("kommune", sa.String(length=4), nullable=False),
        sa.Column("innehaver", sa.String(), nullable=False),
        sa.Column("tilbudt_til", sa.String(), nullable=True),
        sa.Column("svar_innen", sa.Date(), nullable=True, comment="last Norwegian date to answer the offer"),
        sa.Column("avslag", sa.Integer(), server_default="0", nullable=False),
        sa.Column("steg", sa.Integer(), nullable=False),
        sa.Column("endret", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
        comment="who holds a child's baton: the fold of its rows in `steg`",
    )
    op.create_index(
        "stafett_svar_innen", "stafett", ["svar_innen"], postgresql_where=sa.text("svar_innen IS NOT NULL")
    )
    op.create_index("stafett_innehaver", "stafett", ["kommune", "innehaver"])
