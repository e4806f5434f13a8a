"""`samspor serve PART`: one part as a process of its own, as in production."""

from typing import Annotated

import typer

from deploy.commands.felles import fail, read_or_fail, text

DELER = ("samtykke", "portal", "tjenester", "relay", "innboks", "samordning")


def register(app: typer.Typer) -> None:
    app.command("serve", help=text("hjelp-serve", deler=", ".join(DELER)))(serve)


def serve(part: Annotated[str, typer.Argument(metavar="DEL")]) -> None:
    from backbone import logs
    from backbone.settings import MissingSecret, Settings
    from deploy import parts

    if part not in parts.BY_NAVN:
        fail("ukjent-del", navn=part, kjente=", ".join(DELER))
    logs.configure(part)
    try:
        with read_or_fail():
            settings = Settings()
        parts.serve(parts.BY_NAVN[part], settings)
    except MissingSecret as missing:
        fail("innstilling-mangler", melding=str(missing))
