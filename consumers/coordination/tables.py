"""The database "samordning": timelines, fact sets, tasks, positions, parked records, and the journal.

`tidslinje` is append-only but for `venter`. Bodies, fact sets and explanations are sealed under the child's
keys, which live elsewhere.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.journal import journal_tables

metadata = MetaData()
journal_tables(metadata)

TIME = DateTime(timezone=True)

tidslinje = Table(
    "tidslinje",
    metadata,
    Column("source", String, nullable=False),
    Column("id", String, nullable=False),
    Column("subject", UUID, nullable=False),
    Column("type", String, nullable=False),
    Column("tjeneste", String, nullable=False),
    Column("kategori", String, nullable=False),
    Column("skjerming", String(1), nullable=False),
    Column("time", TIME, nullable=False),
    Column("recordedtime", TIME, nullable=False),
    Column("kommune", String(4), nullable=False),
    Column("orgnr", String(9), nullable=False),
    Column("grunnlag", String, nullable=False),
    Column("beslutning", String, nullable=False),
    Column("lovversjon", String, nullable=False),
    Column("nokkelid", UUID, nullable=False),
    Column("traceparent", String),
    Column("correlationid", String),
    Column("causationid", String),
    Column("innhold", LargeBinary, nullable=False, comment="ciphertext as it came"),
    Column("aad", LargeBinary, nullable=False, comment="what the ciphertext is bound to"),
    Column("topic", String, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("mottatt", TIME, nullable=False),
    Column("venter", Boolean, nullable=False, server_default=text("false"), comment="facts not yet counted"),
    # By the id first, so that one index finds the id alone, too.
    PrimaryKeyConstraint("id", "source", name="tidslinje_pkey"),
    Index("tidslinje_barn", "subject", "time"),
    Index("tidslinje_tjeneste", "kommune", "tjeneste", "subject"),
    Index("tidslinje_venter", "subject", postgresql_where=text("venter")),
)

faktasett = Table(
    "faktasett",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column("kommune", String(4), nullable=False),
    Column("nokkelid", UUID, comment="the key of `innhold`; null with it, before the first fact is saved"),
    Column("innhold", LargeBinary),
    Column("neste_endring", TIME, comment="when time alone may change a duty"),
    Column("venter", Boolean, nullable=False, server_default=text("false"), comment="was blocked when due"),
    Column("oppdatert", TIME),
    Index("faktasett_neste_endring", "neste_endring", postgresql_where=text("neste_endring IS NOT NULL")),
    Index("faktasett_venter", "subject", postgresql_where=text("venter")),
)

glemt = Table(
    "glemt",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column("tid", TIME, nullable=False),
    comment="erased children: what was under way for one when it was erased must not make anything of it again",
)

koblet = Table(
    "koblet",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column(
        "kanonisk", UUID, nullable=False, comment="stands for the child; samtykke's word, for readers alone"
    ),
    Index("koblet_kanonisk", "kanonisk"),
)

oppgave = Table(
    "oppgave",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("subject", UUID, nullable=False),
    Column("kommune", String(4), nullable=False),
    Column("regel", String, nullable=False),
    Column("regelversjon", Integer, nullable=False),
    Column(
        "regelsett",
        String,
        nullable=False,
        server_default=text("'standard'"),
        comment="the local rules that it was derived by",
    ),
    Column("anledning", String, nullable=False),
    Column("status", String, nullable=False),
    Column("eier", String, nullable=False),
    Column("frist", Date, nullable=False),
    Column("fristslag", String, nullable=False),
    Column("bestemmelser", ARRAY(String), nullable=False),
    Column("lukkes_av", ARRAY(String), nullable=False),
    Column("koordinering", Boolean, nullable=False),
    Column("hviler_pa", JSONB, nullable=False),
    Column("versjon", Integer, nullable=False, comment="rises with each step that is told"),
    Column("nokkelid", UUID, nullable=False),
    Column("forklaring", LargeBinary, nullable=False, comment="sealed; bound to oppgave|<id>"),
    Column("opprettet", TIME, nullable=False),
    Column("endret", TIME, nullable=False),
    # What people made of it: the fold of its rows in `steg`.
    Column("flyt", String, nullable=False, server_default="aapen"),
    Column("ansvarlig", String, comment="the service that took it over; null: it is the rule's owner's"),
    Column("tilbudt_til", String),
    Column("svar_innen", Date, comment="last Norwegian date to answer the offer"),
    Column("avslag", Integer, nullable=False, server_default="0"),
    Column("avgjores_av", String, comment="who must act, once it is raised"),
    Column("steg", Integer, nullable=False, server_default="0", comment="how many steps people have taken"),
    Column(
        "trinn",
        Integer,
        nullable=False,
        server_default="0",
        comment="of escalation, the highest that was told",
    ),
    Column("loftet_til", String, comment="to whom it was raised when its date had gone by"),
    Index("oppgave_barn", "subject"),
    Index("oppgave_tilbudt", "kommune", "tilbudt_til", postgresql_where=text("tilbudt_til IS NOT NULL")),
    Index("oppgave_avgjores", "kommune", "avgjores_av", postgresql_where=text("avgjores_av IS NOT NULL")),
    Index("oppgave_forfall", "frist", postgresql_where=text("status = 'aapen'")),
    Index("oppgave_loftet", "kommune", "loftet_til", postgresql_where=text("loftet_til IS NOT NULL")),
    Index("oppgave_svar_innen", "svar_innen", postgresql_where=text("svar_innen IS NOT NULL")),
    Index("oppgave_eier", "kommune", "eier", "frist", postgresql_where=text("status = 'aapen'")),
    Index(
        "oppgave_hviler_pa",
        "hviler_pa",
        postgresql_using="gin",
        postgresql_ops={"hviler_pa": "jsonb_path_ops"},
    ),
)

steg = Table(
    "steg",
    metadata,
    Column("gjelder", UUID, primary_key=True, comment="a task, or (the baton) a child"),
    Column("nr", Integer, primary_key=True, comment="order of what happened to it"),
    Column("subject", UUID, nullable=False),
    Column("kommune", String(4), nullable=False),
    Column("slag", String, nullable=False),
    Column("av", String, comment="the service that acted; null: time did"),
    Column("aktor", String, comment="who acted for it: the subject of the token"),
    Column("rolle", String),
    Column("fra", String),
    Column("til", String),
    Column("grunn", String, comment="a code"),
    Column("svar_innen", Date),
    Column("versjon", Integer, comment="of the event that told of it; null: none did"),
    Column("trinn", Integer, comment="of escalation; null: it is no such step"),
    Column("tid", TIME, nullable=False),
    Column("nokkelid", UUID),
    Column("kommentar", LargeBinary, comment="sealed; bound to steg|<gjelder>|<nr>"),
    Index("steg_barn", "subject"),
    comment="append-only: what people did with tasks and batons",
)

stafett = Table(
    "stafett",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column("kommune", String(4), nullable=False),
    Column("innehaver", String, nullable=False),
    Column("tilbudt_til", String),
    Column("svar_innen", Date, comment="last Norwegian date to answer the offer"),
    Column("avslag", Integer, nullable=False, server_default="0"),
    Column("steg", Integer, nullable=False),
    Column("endret", TIME, nullable=False),
    Index("stafett_svar_innen", "svar_innen", postgresql_where=text("svar_innen IS NOT NULL")),
    Index("stafett_innehaver", "kommune", "innehaver"),
    comment="who holds a child's baton: the fold of its rows in `steg`",
)

posisjon = Table(
    "posisjon",
    metadata,
    Column("topic", String, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("neste_offset", BigInteger, nullable=False),
    Column("hendelser", BigInteger, nullable=False, server_default="0", comment="rows added to timelines"),
    Column("slettet", BigInteger, nullable=False, server_default="0", comment="skipped: the child is erased"),
    Column("oppdatert", TIME, nullable=False),
)

endringsposisjon = Table(
    "endringsposisjon",
    metadata,
    Column("leser", String, primary_key=True),
    Column("siste", BigInteger, nullable=False, comment="last change of samtykke's feed taken in"),
)

parkert = Table(
    "parkert",
    metadata,
    Column("topic", String, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("grunn", String, nullable=False, comment="a code, never content"),
    Column("type", String),
    Column("mottatt", TIME, nullable=False),
    Column("nokkel", LargeBinary, comment="the record's key as it came"),
    Column("hoder", LargeBinary, nullable=False, comment="JSON: [name, base64] as they came"),
    Column("innhold", LargeBinary, comment="the record's value as it came"),
    Column("sendt", TIME, comment="when it stood on the dead-letter topic"),
    Index("parkert_usendt", "mottatt", postgresql_where=text("sendt IS NULL")),
)
