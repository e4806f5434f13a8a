"""What was written down of a consent, and who consented, sealed under the child's identity key.

A step here reaches no keys, so it cannot seal what lies there in clear. Nothing has been released: where there are
consents, it stops before changing anything.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_forseglet"
down_revision = "0010_sletting"


def upgrade() -> None:
    for table in ("samtykke", "samtykke_hendelse"):
        if op.get_bind().scalar(sa.select(sa.func.count()).select_from(sa.table(table))):
            raise RuntimeError(
                f"{table} holds consents in clear, from before they were sealed: take them out with `samspor samtykke"
                " vis`, empty samtykke and samtykke_hendelse, migrate, and give them again"
            )
        op.drop_column(table, "record")
        op.drop_column(table, "givere")
        op.add_column(table, sa.Column("forseglet", sa.LargeBinary(), nullable=False))
