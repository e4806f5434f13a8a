"""The journal's rows that the relay set aside, with the reason."""

from deploy.migrations import journal_steps

revision = "0002_parkert"
down_revision = "0001_initial"


def upgrade() -> None:
    journal_steps.add_parkert()
