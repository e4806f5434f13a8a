"""Every choice a user may want to change, with its default, read from SAMSPOR_* environment variables.

Secrets have no default: the embedded run makes its own once and keeps them beside its data (`Settings.embedded`).
"""

import base64
import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

KEY_BYTES = 32
DEFAULT_KEK = "kek-1"


class MissingSecret(RuntimeError):
    """A secret that this process needs is not set; the text names the variable."""


class DamagedSecrets(Exception):
    """The file of secrets of an embedded run cannot be read as one; the text is its path."""


class Settings(BaseSettings):
    """All settings; the variable is SAMSPOR_ + the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="SAMSPOR_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Field(
        Path(".samspor"), description="where the embedded run keeps engines' data and secrets"
    )
    kafka: str | None = Field(
        None, description="bootstrap servers of an existing Kafka; unset: the embedded one"
    )
    database_url: str | None = Field(
        None,
        description="postgresql:// URL of an existing server, its path left out; unset: the embedded one",
    )
    database_prefix: str = Field("samspor", description="databases are <prefix>_<name>")
    topic_prefix: str = Field("", description="put before every topic and consumer group")
    replication_factor: int = Field(1, ge=1, description="of topics we create; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, description="of topics we create; 2 in production")

    host: str = Field("127.0.0.1", description="address the processes listen on")
    portal_port: int = Field(8470, description="the portal's pages")
    tjenester_port: int = Field(8471, description="where fagsystemer send")
    samtykke_port: int = Field(8472, description="internal: identity, consents, keys")
    samordning_port: int = Field(8473, description="internal: timelines and tasks")
    relay_port: int = Field(8474, description="internal: the relay's /helse and /metrics")
    innboks_port: int = Field(8475, description="internal: barnevern's inbox")
    portal_metrics: bool = Field(
        False,
        description="/metrics on the portal's port too, which others reach: for this machine, or by a token of drift",
    )
    urls: dict[str, str] = Field(
        {}, description='base URL per part where it is not on `host`, JSON: {"samtykke": "https://…"}'
    )

    kek: SecretStr | None = Field(None, description="key-encryption key, 32 bytes in base64")
    kek_id: str = Field(DEFAULT_KEK, description="name of the key-encryption key, stored with what it wraps")
    kek_earlier: dict[str, SecretStr] = Field(
        {}, description='other key-encryption keys that may still be in use, by name, JSON: {"kek-1": "…"}'
    )
    identity_key: SecretStr | None = Field(
        None, description="key of the identity look-up (HMAC), 32 bytes in base64"
    )
    service_key: SecretStr | None = Field(
        None, description="root of each service's event-id key, 32 bytes in base64"
    )
    token_private_key: SecretStr | None = Field(
        None, description="Ed25519 private key (PEM) that signs tokens"
    )
    token_public_key: str | None = Field(None, description="Ed25519 public key (PEM) that verifies tokens")

    innboks_public_keys: dict[str, str] = Field(
        {},
        description="X25519 public keys of barnevern's inbox, in base64 by key id, JSON; all who take in need it",
    )
    innboks_key_ids: dict[str, str] = Field(
        {"*": "innboks-1"},
        description='which of them a report is sealed to, by kommunenr, JSON; "*" for the others',
    )
    innboks_private_keys: SecretStr | None = Field(
        None,
        description="the private keys by key id, JSON; the inbox alone needs it, old ones as long as reports are kept",
    )
    innboks_days: int = Field(
        30, gt=0, description="how long an acknowledged report is kept; an unacknowledged one remains"
    )

    system_token: SecretStr | None = Field(
        None, description="this process's own token where it does not hold the private key"
    )

    aldersregler: dict[str, dict[str, int]] = Field(
        {},
        description="a municipality's own ages per information category (contracts/alder.py), JSON:"
        ' {"helseprogram": {"foresatt_begrenset": 13}}; the law still sets the frame',
    )

    demo: bool = Field(
        False, description="synthetic persons only, personas to sign in as; real numbers are refused"
    )
    body_bytes_max: int = Field(128 * 1024 * 1024, gt=0, description="largest request body a service takes")
    accept_bytes_max: int = Field(
        256 * 1024 * 1024,
        gt=0,
        description="bodies held at once by a process; beyond it, 503 with Retry-After",
    )
    events_per_request_max: int = Field(100_000, gt=0, description="events in one request")
    relay_batch: int = Field(4_000, gt=0, description="rows a relay decides and sends at a time")
    relay_poll_s: float = Field(
        0.1, gt=0, description="pause of a relay that found nothing to do, in seconds"
    )
    relay_sweep_s: float = Field(
        60.0,
        gt=0,
        description="how often withheld rows are asked about though no change was told, in seconds",
    )
    relay_sweep_rows: int = Field(
        2_000, gt=0, description="withheld rows asked about at such a time; the next time goes on after them"
    )
    lokale_regler: Path | None = Field(
        None, description="folder with the municipalities' local rules, one <kommunenummer>.toml each"
    )
    samtykke_frist_arbeidsdager: int = Field(
        10,
        ge=1,
        description="local date: a need that waits for consent is to be asked for within these working days",
    )
    consumer_batch: int = Field(5_000, gt=0, description="records coordination handles in one transaction")
    fetch_max_wait_ms: int = Field(
        100,
        gt=0,
        description="how long the broker gathers records for coordination and the alerts before it answers with few",
    )
    session_timeout_ms: int = Field(
        10_000, gt=0, description="how long a dead consumer's partitions wait before another takes them"
    )
    delivery_timeout_s: float = Field(
        10.0,
        gt=0,
        description="an acknowledgement not seen by then counts as unknown, and the row is sent again",
    )
    samtykke_timeout_s: float = Field(10.0, gt=0, description="longest wait for an answer from samtykke")
    token_hours: int = Field(12, gt=0, description="life of a token that `samspor token` makes")

    def url(self, part: str) -> str:
        """Base URL of a part (its name in `deploy.parts`), no trailing slash."""
        return self.urls.get(part) or f"http://{self.host}:{getattr(self, part + '_port')}"

    def topic(self, name: str) -> str:
        return f"{self.topic_prefix}{name}"

    def secret_bytes(self, name: str) -> bytes:
        """The named secret's 32 bytes. Raises MissingSecret when unset or not 32 bytes of base64."""
        return _decoded(getattr(self, name), f"SAMSPOR_{name.upper()}")

    def keks(self) -> dict[str, bytes]:
        """Every key-encryption key by its id, the current one too. Raises MissingSecret."""
        current = self.secret_bytes("kek")
        earlier = {
            id_: _decoded(key, f"SAMSPOR_KEK_EARLIER ({id_})") for id_, key in self.kek_earlier.items()
        }
        _refuse_two(self.kek_id, current, earlier)
        return {**earlier, self.kek_id: current}

    @classmethod
    def embedded(cls, data_dir: Path, **overrides: Any) -> Self:
        """Settings of the embedded run: secrets made at the first start, kept in `data_dir`/hemmeligheter.json (0600),
        so that the next start reads the same data. An environment variable wins over the file, and an override over
        both. Raises DamagedSecrets."""
        kept = _embedded_secrets(data_dir / "hemmeligheter.json")
        unset = {name: value for name, value in kept.items() if f"SAMSPOR_{name.upper()}" not in os.environ}
        return cls(**{"data_dir": data_dir, "demo": True, **unset, **overrides})


def _decoded(value: SecretStr | None, name: str) -> bytes:
    """Raises MissingSecret."""
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True) if value else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise MissingSecret(f"{name} must be set to {KEY_BYTES} random bytes in base64")
    return key


def _refuse_two(id_: str, current: object, earlier: Mapping[str, object]) -> None:
    """Raises MissingSecret where there is another key by the current one's id: what it wraps would be out of reach."""
    if earlier.get(id_, current) != current:
        raise MissingSecret(
            f"SAMSPOR_KEK and SAMSPOR_KEK_EARLIER have two different keys by the name {id_}: the one that has wrapped"
            " something keeps the name, the other needs a new one"
        )


def _embedded_secrets(path: Path) -> dict[str, Any]:
    kept = _kept(path) if path.exists() else {}
    made = {**fresh_secrets(), **kept}  # what an earlier version made is kept, what it did not know is added
    if made == kept:
        return kept
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_private(path, made)
    return made


def _kept(path: Path) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and "kek" in kept:
            return kept
    raise DamagedSecrets(str(path))  # new secrets in their place would make what the others sealed unreadable


def add_embedded_kek(data_dir: Path) -> str:
    """Makes a new key-encryption key the current one of the embedded run with this data, and keeps the others as
    earlier ones; its id, higher than every other: one that was taken out may still have wrapped what is in a backup.
    Raises FileNotFoundError where there is no such run, DamagedSecrets, and MissingSecret."""
    path = data_dir / "hemmeligheter.json"
    kept = _kept(path)
    id_ = kept.get("kek_id", DEFAULT_KEK)
    _refuse_two(id_, kept["kek"], kept.get("kek_earlier", {}))
    earlier = {**kept.get("kek_earlier", {}), id_: kept["kek"]}
    numbers = [int(number) for name in earlier if (number := name.removeprefix("kek-")).isdecimal()]
    new = f"kek-{max(numbers, default=1) + 1}"
    _write_private(path, {**kept, "kek": fresh_key(), "kek_id": new, "kek_earlier": earlier})
    return new


def _write_private(path: Path, made: dict[str, Any]) -> None:
    draft = path.with_suffix(".ny")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(made, out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def fresh_key() -> str:
    """A new random key, in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def fresh_secrets() -> dict[str, Any]:
    """New random values for every secret, by field name."""
    signer = Ed25519PrivateKey.generate()
    private = signer.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = signer.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys = {name: fresh_key() for name in KEYS}
    inbox = X25519PrivateKey.generate()
    return {
        **keys,
        "token_private_key": private.decode(),
        "token_public_key": public.decode(),
        "innboks_public_keys": {
            "innboks-1": base64.b64encode(inbox.public_key().public_bytes_raw()).decode()
        },
        "innboks_private_keys": json.dumps(
            {"innboks-1": base64.b64encode(inbox.private_bytes_raw()).decode()}
        ),
    }


KEYS = ("kek", "identity_key", "service_key")
