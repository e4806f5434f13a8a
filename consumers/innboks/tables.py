"""The inbox's own database: reports as they came, sealed, how far the topic is read, and the ledger of who looked."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from backbone.ledger import ledger_tables

metadata = MetaData()
ledger_tables(metadata)

melding = Table(
    "melding",
    metadata,
    Column("nr", BigInteger, Identity(always=True), primary_key=True, comment="order of arrival"),
    Column("id", UUID, nullable=False, unique=True, comment="the lane's own id"),
    Column("plass", LargeBinary, unique=True, comment="keyed digest of the event and its content"),
    Column("kommune", String(4), comment="null: not opened yet"),
    Column("nokkelid", String, nullable=False),
    Column("innhold", LargeBinary, nullable=False, comment="sealed, as it came"),
    Column("mottatt", DateTime(timezone=True), nullable=False),
    Column("hentet", DateTime(timezone=True), comment="first given to barnevern"),
    Column("kvittert", DateTime(timezone=True)),
    Column("kvittert_av", String),
    Index("melding_ukvittert", "kommune", "nr", postgresql_where=text("kvittert IS NULL")),
    Index("melding_uapnet", "nr", postgresql_where=text("kommune IS NULL")),
)

posisjon = Table(
    "posisjon",
    metadata,
    Column("partisjon", Integer, primary_key=True, autoincrement=False),
    Column("neste", BigInteger, nullable=False, comment="first offset not yet read"),
)

parkert = Table(
    "parkert",
    metadata,
    Column("partisjon", Integer, primary_key=True, autoincrement=False),
    Column("plass", BigInteger, primary_key=True),
    Column("grunn", String, nullable=False),
    Column("mottatt", DateTime(timezone=True), nullable=False),
    comment="records that are no reports",
)
