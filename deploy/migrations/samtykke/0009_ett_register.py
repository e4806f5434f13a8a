"""One index less by an event's id."""

from deploy.migrations import journal_steps

revision = "0009_ett_register"
down_revision = "0008_flytting"


def upgrade() -> None:
    journal_steps.one_index_by_id()
