"""Bearer tokens: signed JWTs (EdDSA) that name organisation, municipality, service and role."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, ValidationError

from backbone.settings import MissingSecret, Settings
from contracts.roller import Rolle

ALGORITHM = "EdDSA"
AUDIENCE = "samspor"


class InvalidToken(Exception):
    """Missing, malformed, expired or signed by somebody else. The text never repeats the token."""


class Principal(BaseModel):
    """Who is asking. `skjermet`: may see that barnevern is involved ("kun status")."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sub: str
    rolle: Rolle
    orgnr: str
    kommune: str
    tjeneste: str | None = None
    skjermet: bool = False
    navn: str | None = None


def issue(
    principal: Principal, settings: Settings, now: datetime, life: timedelta, jti: str | None = None
) -> str:
    """`jti` tells two tokens of one second apart. Raises MissingSecret where the private key isn't set."""
    if settings.token_private_key is None:
        raise MissingSecret("SAMSPOR_TOKEN_PRIVATE_KEY must be set to sign tokens")
    claims = {
        **principal.model_dump(exclude_none=True),
        "iss": AUDIENCE,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        **({"jti": jti} if jti else {}),
    }
    return jwt.encode(claims, settings.token_private_key.get_secret_value(), ALGORITHM)


@lru_cache(maxsize=8)
def _public_key(pem: str) -> Ed25519PublicKey:
    """Read once: it is a tenth of a small request's time. Raises InvalidToken for what is no Ed25519 key."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidToken("SAMSPOR_TOKEN_PUBLIC_KEY is no Ed25519 key")
    return key


def verify(token: str, settings: Settings, now: datetime) -> Principal:
    """Raises InvalidToken."""
    return verified(token, settings, now)[0]


def verified(token: str, settings: Settings, now: datetime) -> tuple[Principal, datetime]:
    """(who, when the token ends). Raises InvalidToken."""
    if settings.token_public_key is None:
        raise MissingSecret("SAMSPOR_TOKEN_PUBLIC_KEY must be set to verify tokens")
    principal, expires = _signed(token, settings.token_public_key)
    if expires <= now.timestamp():
        raise InvalidToken("expired")
    return principal, datetime.fromtimestamp(expires, UTC)


@lru_cache(maxsize=1024)
def _signed(token: str, public_key: str) -> tuple[Principal, int]:
    """(who, when it expires), which never change for the same token: a sender uses one for hours, and to check its
    signature is a fifth of a small request's time. Raises InvalidToken."""
    try:
        claims = jwt.decode(
            token,
            _public_key(public_key),
            [ALGORITHM],
            audience=AUDIENCE,
            issuer=AUDIENCE,
            options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
        )
        return Principal.model_validate(claims), int(claims["exp"])
    except (jwt.InvalidTokenError, ValidationError, ValueError):
        raise InvalidToken("not a valid token") from None


def system_principal(part: str, kommune: str = "0000") -> Principal:
    """The identity that our own processes use towards each other."""
    return Principal(sub=f"system:{part}", rolle="system", orgnr="000000000", kommune=kommune)
