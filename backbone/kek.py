"""Key-encryption keys: the current one wraps, earlier ones still unwrap, each known by its id.

A key is rotated in four steps that need no standstill: every process learns the new one among `kek_earlier`; it
becomes the current one; `samspor keys rotate` wraps everything anew; the old one is taken out of the settings.
"""

from backbone.failures import Stop
from backbone.seal import SealBroken, Sealer, derive
from backbone.settings import Settings


class Keks:
    """The key-encryption keys of one purpose; `labels` name it, so that what is wrapped for one can't be taken for
    another. Making one raises MissingSecret."""

    def __init__(self, settings: Settings, *labels: str) -> None:
        self.id = settings.kek_id
        self._keys = {
            id_: Sealer(derive(secret, *labels) if labels else secret)
            for id_, secret in settings.keks().items()
        }

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Under the current one, whose id the caller keeps beside it."""
        return self._keys[self.id].seal(key, context)

    def unwrap(self, kek_id: str, wrapped: bytes, context: bytes) -> bytes:
        """Raises Stop where the settings do not have the key, or have another one by its id."""
        kek = self._keys.get(kek_id)
        if kek is None:
            raise Stop(
                f"a key is wrapped by {kek_id}, which is neither SAMSPOR_KEK nor in SAMSPOR_KEK_EARLIER"
            )
        try:
            return kek.open(wrapped, context)
        except SealBroken:
            raise Stop(f"a key is wrapped by another {kek_id} than the one we have") from None
