"""The ledger, and the heads of its chain."""

from deploy.migrations import journal_steps

revision = "0003_revisjon"
down_revision = "0002_parkert"


def upgrade() -> None:
    journal_steps.add_revisjon()
