"""A service's journal: accepted events, journal keys, formats' memory."""

from deploy.migrations import journal_steps

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    journal_steps.create()
