"""The ledger, and the heads of its chain; the access log and the log of hand-outs become rows of it."""

from alembic import op

from deploy.migrations import journal_steps

revision = "0003_revisjon"
down_revision = "0002_parkert"


def upgrade() -> None:
    journal_steps.add_revisjon()
    op.execute(
        "INSERT INTO revisjon (skriver, tid, handling, aktor, utfall, rolle, orgnr, kommune, tjeneste, formal, slag,"
        " subject, type, kategori, grunn, samtykke, sporing)"
        " SELECT 'samtykke', tid, 'lesing', leser, utfall, rolle, orgnr, kommune, tjeneste, formal, slag, subject,"
        " type, kategori, grunn, samtykke, sporing FROM tilgangslogg ORDER BY lopenr"
    )
    op.execute(
        "INSERT INTO revisjon (skriver, tid, handling, aktor, utfall, formal, detaljer)"
        " SELECT 'samtykke', tid, 'utlevering', mottaker, 'utlevert', formal,"
        " jsonb_build_object('barn', barn, 'nokler', nokler) FROM nokkelutlevering ORDER BY lopenr"
    )
    op.drop_table("tilgangslogg")
    op.drop_table("nokkelutlevering")
