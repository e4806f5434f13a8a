"""What alembic runs for every revision: our connection, one transaction, and the database's own role as the owner."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
owner = context.config.attributes.get("owner")
if owner and connection.scalar(text("SELECT pg_has_role(:owner, 'MEMBER')"), {"owner": owner}):
    connection.execute(text("SELECT set_config('role', :owner, true)"), {"owner": owner})
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
