"""Which key wraps and seals what, so that keys can be rotated and destroyed."""

from deploy.migrations import journal_steps

revision = "0005_nokkelid"
down_revision = "0004_familie"


def upgrade() -> None:
    journal_steps.add_key_ids()
