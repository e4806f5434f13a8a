"""One index less on the timeline: (id, source) finds by the id alone."""

from alembic import op

revision = "0009_tidslinjens_id"
down_revision = "0008_regelsett"


def upgrade() -> None:
    op.drop_index("tidslinje_id", table_name="tidslinje")
    op.drop_constraint("tidslinje_pkey", "tidslinje", type_="primary")
    op.create_primary_key("tidslinje_pkey", "tidslinje", ["id", "source"])
