"""Which subjects are the same child."""

import sqlalchemy as sa
from alembic import op

revision = "0006_kobling"
down_revision = "0005_nokkelid"


def upgrade() -> None:
    op.add_column("person", sa.Column("kanonisk", sa.UUID(), nullable=True))
    op.create_index(
        "person_kanonisk",
        "person",
        ["kanonisk"],
        unique=False,
        postgresql_where=sa.text("kanonisk is not null"),
    )
    op.create_table(
        "kobling",
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("art", sa.Text(), nullable=False),
        sa.Column("til", sa.UUID(), nullable=False),
        sa.Column("versjon", sa.Integer(), nullable=False),
        sa.Column("gjelder", sa.Boolean(), nullable=False),
        sa.Column("tid", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("art in ('samme-barn', 'flytting')"),
        sa.CheckConstraint("subject <> til"),
        sa.PrimaryKeyConstraint("subject", "art"),
    )
    op.create_index("kobling_til", "kobling", ["til"], unique=False)
