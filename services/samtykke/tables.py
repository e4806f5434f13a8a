"""The tables of the two databases: "samtykke" (who, what was consented to, who read) and "nokler" (keys
alone).

Keys live apart so that their backups can be thrown away after a day, which is what makes erasure real.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from backbone.journal import journal_tables

metadata = MetaData()
journal_tables(metadata)
nokler_metadata = MetaData()


def _now() -> Column[object]:
    return Column("tid", DateTime(timezone=True), nullable=False, server_default=func.now())


person = Table(
    "person",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column("kommune", Text, nullable=False),
    # HMAC of the number, or of (organisation, case) where none is known; equal only inside one municipality.
    Column("oppslag", LargeBinary, nullable=False),
    Column("status", Text, nullable=False, server_default="aktiv"),
    Column("fodselsdato", Date),
    Column("adressebeskyttelse", Boolean, nullable=False, server_default=false()),
    # Sealed under the child's own identity key, so erasing the key erases them in every backup too.
    Column("nummer_forseglet", LargeBinary),
    Column("navn_forseglet", LargeBinary),
    # The subject that stands for this child and all it is joined with; null where it is joined with none.
    Column("kanonisk", UUID),
    # The next day on which the child reaches an age that rights hang on.
    Column("neste_alder", Date),
    _now(),
    Index("person_neste_alder", "neste_alder", postgresql_where=text("neste_alder is not null")),
    Index("person_kanonisk", "kanonisk", postgresql_where=text("kanonisk is not null")),
    UniqueConstraint("kommune", "oppslag"),
    CheckConstraint("status in ('aktiv', 'sperret', 'slettet')"),
)

navneoppslag = Table(
    "navneoppslag",
    metadata,
    # HMAC of one word of the name; a child with a protected address has no row here.
    Column("oppslag", LargeBinary, primary_key=True),
    Column("subject", UUID, primary_key=True),
    Index("navneoppslag_subject", "subject"),
)

kobling = Table(
    "kobling",
    metadata,
    # "samme-barn": the two are one child here, and what is known of one is known of the other.
    # "flytting": the same child in another municipality; samtykke alone knows, and nothing is read across.
    Column("subject", UUID, primary_key=True),
    Column("art", Text, primary_key=True),
    Column("til", UUID, nullable=False),
    Column("versjon", Integer, nullable=False),
    Column("gjelder", Boolean, nullable=False),
    _now(),
    CheckConstraint("art in ('samme-barn', 'flytting')"),
    CheckConstraint("subject <> til"),
    Index("kobling_til", "til"),
)

flytting = Table(
    "flytting",
    metadata,
    # A move to another municipality, beside its link in `kobling` (art "flytting") of the same version.
    Column("subject", UUID, primary_key=True),
    Column("versjon", Integer, primary_key=True),
    # The sender's own reference, sealed under the child's identity key.
    Column("overgang_forseglet", LargeBinary, nullable=False),
    Column("til_kommune", Text, nullable=False),
    _now(),
    Column("bekreftet", DateTime(timezone=True)),
)

tildeling = Table(
    "tildeling",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column("koordinator", Text, primary_key=True),
    Column("rolle", Text, nullable=False),
    _now(),
)

familie = Table(
    "familie",
    metadata,
    Column("subject", UUID, primary_key=True),
    # The `sub` of a token: the child's own, or a guardian's.
    Column("bruker", Text, primary_key=True),
    Column("rolle", Text, nullable=False),
    _now(),
    CheckConstraint("rolle in ('barn', 'forelder', 'verge')"),
    Index("familie_bruker", "bruker"),
)

sletting = Table(
    "sletting",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("subjects", ARRAY(UUID), nullable=False),
    Column("kommune", Text, nullable=False),
    Column("beslutning", Text, nullable=False, comment="reference of the decision"),
    Column("status", Text, nullable=False, server_default="foreslatt"),
    Column("foreslatt_av", Text, nullable=False),
    Column("foreslatt", DateTime(timezone=True), nullable=False),
    Column("godkjent_av", Text),
    Column("godkjent", DateTime(timezone=True)),
    Column("fullfort", DateTime(timezone=True)),
    CheckConstraint("status in ('foreslatt', 'godkjent', 'fullfort', 'forkastet')"),
    CheckConstraint("godkjent_av <> foreslatt_av"),
    Index("sletting_underveis", "godkjent", postgresql_where=text("status = 'godkjent'")),
)

sletting_kvittering = Table(
    "sletting_kvittering",
    metadata,
    Column("sletting", UUID, primary_key=True),
    Column("mottaker", Text, primary_key=True, comment="the part that has forgotten the child"),
    Column("tid", DateTime(timezone=True), nullable=False),
)

samtykke_hendelse = Table(
    "samtykke_hendelse",
    metadata,
    Column("samtykke", UUID, primary_key=True),
    Column("sekvens", Integer, primary_key=True),
    Column("subject", UUID, nullable=False),
    Column("slag", Text, nullable=False),
    # What was written down, and who has consented, sealed under the child's identity key.
    Column("forseglet", LargeBinary, nullable=False),
    # What holds after the step, so that the state of a consent is a fold of its rows.
    Column("kategorier", ARRAY(Text), nullable=False),
    Column("utloper", DateTime(timezone=True)),
    Column("aktor", Text, nullable=False),
    _now(),
    CheckConstraint(
        "slag in ('venter', 'gitt', 'tiltradt', 'avslatt', 'trukket', 'gitt-igjen', 'utlopt', 'erstattet',"
        " 'innsnevret')",
        name="samtykke_hendelse_slag_check",
    ),
)

samtykke = Table(
    "samtykke",
    metadata,
    Column("samtykke", UUID, primary_key=True),
    Column("subject", UUID, nullable=False),
    Column("kommune", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("sekvens", Integer, nullable=False),
    Column("fra_tjeneste", Text, nullable=False),
    Column("til_tjenester", ARRAY(Text), nullable=False),
    Column("kategorier", ARRAY(Text), nullable=False),
    Column("gyldig_fra", DateTime(timezone=True), nullable=False),
    # What holds: the consent's own date, or the child's eighteenth birthday where a parent gave it.
    Column("utloper", DateTime(timezone=True)),
    Column("hvem", Text, nullable=False),
    # Whether the feed has said that it began.
    Column("startet", Boolean, nullable=False),
    # As the ledger's last row.
    Column("forseglet", LargeBinary, nullable=False),
    _now(),
    Index("samtykke_subject", "subject"),
    Index("samtykke_utloper", "utloper", postgresql_where=text("status in ('gitt', 'venter')")),
    Index("samtykke_ikke_startet", "gyldig_fra", postgresql_where=text("status = 'gitt' and not startet")),
)

endring = Table(
    "endring",
    metadata,
    Column("sekvens", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", UUID, nullable=False),
    _now(),
)

endringsteller = Table(
    "endringsteller",
    metadata,
    Column("en", SmallInteger, primary_key=True, autoincrement=False),
    Column("siste", BigInteger, nullable=False),
    CheckConstraint("en = 1"),
)

datanokkel = Table(
    "datanokkel",
    nokler_metadata,
    Column("nokkelid", UUID, primary_key=True),
    Column("subject", UUID, nullable=False),
    Column("tjeneste", Text, nullable=False),
    Column("innpakket", LargeBinary, nullable=False),
    Column("kek_id", Text, nullable=False),
    _now(),
    UniqueConstraint("subject", "tjeneste"),
)
