"""One module per command: `register(app)` adds it. Light at import, so that `--help` and `--dry-run` answer at once."""
