"""Seals that break when anything is changed, and tokens that say who is asking."""

import hmac
from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from backbone.seal import Mac, SealBroken, derive, new_key, open_sealed, seal
from backbone.settings import MissingSecret, Settings, fresh_secrets
from backbone.tokens import InvalidToken, Principal, issue, verify
from tests.conftest import NOW

TEACHER = Principal(sub="larer-1", rolle="fagperson", orgnr="974557746", kommune="4601", tjeneste="skole")


@pytest.fixture(scope="module")
def keyed() -> Settings:
    return Settings(**fresh_secrets())


@given(st.binary(), st.binary())
def test_a_seal_opens_with_its_key_and_context(plaintext: bytes, context: bytes) -> None:
    key = new_key()
    assert open_sealed(key, seal(key, plaintext, context), context) == plaintext


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_seal_breaks_when_any_bit_is_changed(plaintext: bytes, data: st.DataObject) -> None:
    key = new_key()
    blob = bytearray(seal(key, plaintext, b"context"))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        open_sealed(key, bytes(blob), b"context")


@pytest.mark.parametrize("blob", [b"", b"short", b"x" * 12])
def test_a_blob_too_short_to_be_sealed_is_broken_and_nothing_worse(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        open_sealed(new_key(), blob, b"")


def test_another_key_or_context_does_not_open_it() -> None:
    key = new_key()
    blob = seal(key, b"x", b"one")
    for other_key, context in ((new_key(), b"one"), (key, b"two")):
        with pytest.raises(SealBroken):
            open_sealed(other_key, blob, context)


def test_digests_of_different_lists_differ_even_when_they_read_the_same() -> None:
    key = new_key()
    mac = Mac(key)
    assert mac("ab", "c") != mac("a", "bc")
    message = b"\0\0\0\0\0\0\0\2\xc3\xa6\0\0\0\0\0\0\0\0"
    assert mac("æ", "") == mac("æ", "") == hmac.digest(key, message, "sha256"), "kept digests stand"
    assert derive(key, "a", "b") != derive(key, "a\0c")


def test_a_token_names_its_holder_until_it_expires(keyed: Settings) -> None:
    token = issue(TEACHER, keyed, NOW, timedelta(hours=1))
    assert verify(token, keyed, NOW + timedelta(minutes=59)) == TEACHER
    with pytest.raises(InvalidToken):
        verify(token, keyed, NOW + timedelta(hours=1))


def test_a_token_of_another_installation_is_refused(keyed: Settings) -> None:
    other = Settings(**fresh_secrets())
    with pytest.raises(InvalidToken):
        verify(issue(TEACHER, other, NOW, timedelta(hours=1)), keyed, NOW)


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(keyed: Settings) -> None:
    claims = {"sub": "x", "rolle": "system", "orgnr": "1", "kommune": "4601", "exp": NOW.timestamp() + 60}
    forged = jwt.encode({**claims, "iss": "samspor", "aud": "samspor"}, "", algorithm="none")
    for token in (forged, "", "a.b.c", "Bearer"):
        with pytest.raises(InvalidToken):
            verify(token, keyed, NOW)


def test_a_secret_that_is_missing_or_too_short_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingSecret, match="SAMSPOR_KEK"):
        Settings().secret_bytes("kek")
    with pytest.raises(MissingSecret, match="SAMSPOR_KEK"):
        Settings(kek=SecretStr("a29ydA==")).secret_bytes("kek")
