"""Alembic: a folder of revisions per kind of database."""
