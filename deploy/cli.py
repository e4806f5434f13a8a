"""The command `samspor`. Each command's code is in `deploy/commands`, and imports what it needs when it runs."""

from importlib import import_module

import typer

from backbone.meldinger import messages

COMMANDS = (
    "up",
    "serve",
    "migrate",
    "rebuild",
    "send",
    "simulate",
    "status",
    "doctor",
    "dlq",
    "rules",
    "samtykke",
    "vern",
    "audit",
    "keys",
    "token",
    "contracts",
)

app = typer.Typer(
    name="samspor",
    help=messages("deploy").text("hjelp-samspor"),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # a local could hold what must never be shown
)

for command in COMMANDS:
    import_module(f"deploy.commands.{command}").register(app)

if __name__ == "__main__":
    app()
