"""One index less by an event's id."""

from deploy.migrations import journal_steps

revision = "0007_ett_register"
down_revision = "0006_koblet"


def upgrade() -> None:
    journal_steps.one_index_by_id()
