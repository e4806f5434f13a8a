"""The ledger, and the heads of its chain."""

from deploy.migrations import journal_steps

revision = "0002_revisjon"
down_revision = "0001_initial"


def upgrade() -> None:
    journal_steps.add_revisjon()
