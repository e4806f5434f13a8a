"""Sealing: AES-256-GCM with a random nonce, keys wrapped by a key-encryption key, keyed digests; and HPKE, for what
only the holder of a private key may open.

A sealed blob is nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes). NIST SP 800-38D bounds random nonces to 2³² uses of
one key; a data key here seals one child's events from one service, far below.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (deploy/decisions/0007)."""
NONCE_BYTES = 12
LENGTH_BYTES = 8
KEY_BYTES = 32


class SealBroken(Exception):
    """The blob does not open with this key and context: another key, or something was changed."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """`context` is bound, not stored: opening needs the same bytes."""
    return Sealer(key).seal(plaintext, context)


def open_sealed(key: bytes, blob: bytes, context: bytes) -> bytes:
    """Raises SealBroken."""
    return Sealer(key).open(blob, context)


class Sealer:
    """The same for many texts under one key, which is set up once."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, context)

    def open(self, blob: bytes, context: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return self._cipher.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SealBroken from None


def seal_to(public: X25519PublicKey, plaintext: bytes, context: bytes) -> bytes:
    """Sealed so that nobody but the holder of the private key opens it, the sealer included. `context` is bound."""
    return HPKE.encrypt(plaintext, public, context)


def open_with(private: X25519PrivateKey, blob: bytes, context: bytes) -> bytes:
    """Raises SealBroken."""
    try:
        return HPKE.decrypt(blob, private, context)
    except (InvalidTag, ValueError):
        raise SealBroken from None


def derive(secret: bytes, *labels: str) -> bytes:
    """A 32-byte key of its own for each purpose (HKDF-Expand, RFC 5869)."""
    return HKDFExpand(SHA256(), KEY_BYTES, "\0".join(labels).encode()).derive(secret)


class Mac:
    """HMAC-SHA-256 under one key, which is set up once."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = HMAC(key, SHA256())

    def __call__(self, *parts: str) -> bytes:
        """32 bytes over the parts, each length-prefixed so that no two lists collide."""
        message = bytearray()
        for part in parts:
            text = part.encode()
            message += len(text).to_bytes(LENGTH_BYTES, "big")
            message += text
        keyed = self._keyed.copy()
        keyed.update(message)
        return keyed.finalize()
