"""The portal's own database: the alerts it has heard of, how far it has read, and who has signed out."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from backbone.ledger import ledger_tables

metadata = MetaData()
ledger_tables(metadata)

varsel = Table(
    "varsel",
    metadata,
    Column("sekvens", BigInteger, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("hendelse_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("kommune", Text, nullable=False),
    Column("arsak", Text, comment="id of the event that caused it"),
    Column("tid", DateTime(timezone=True), nullable=False),
    Column("mottatt", DateTime(timezone=True), nullable=False),
    UniqueConstraint("source", "hendelse_id"),
)

posisjon = Table(
    "posisjon",
    metadata,
    Column("emne", Text, primary_key=True),
    Column("partisjon", Integer, primary_key=True),
    Column("neste", BigInteger, nullable=False, comment="first offset not yet handled"),
)

parkert = Table(
    "parkert",
    metadata,
    Column("emne", Text, primary_key=True),
    Column("partisjon", Integer, primary_key=True),
    Column("plass", BigInteger, primary_key=True),
    Column("grunn", Text, nullable=False),
    Column("mottatt", DateTime(timezone=True), nullable=False),
)

utlogget = Table(
    "utlogget",
    metadata,
    Column("avtrykk", LargeBinary, primary_key=True, comment="digest of what the token signs"),
    Column("slutt", DateTime(timezone=True), nullable=False, comment="when the token ends by itself"),
)
