import pytest

from accounts import passwords
from accounts.errors import WeakPassword
from accounts.settings import PasswordPolicy

CHEAP = PasswordPolicy(rounds=1_000)
DEARER = PasswordPolicy(rounds=2_000)


def test_a_hash_survives_the_database():
    stored = passwords.create("correct horse", CHEAP)
    assert passwords.PasswordHash.decode(stored.encode()) == stored
    assert passwords.matches("correct horse", stored)
    assert not passwords.matches("correct house", stored)


def test_the_same_password_never_gives_the_same_hash():
    assert passwords.create("correct horse", CHEAP) != passwords.create("correct horse", CHEAP)


def test_short_passwords_are_refused():
    with pytest.raises(WeakPassword, match="at least 8"):
        passwords.create("horse", CHEAP)


def test_strengthening_changes_salt_and_digest():
    stored = passwords.create("correct horse", CHEAP)
    assert passwords.is_outdated(stored, DEARER)
    stronger = passwords.strengthen("correct horse", stored, DEARER)
    assert stronger.salt != stored.salt
    assert stronger.digest != stored.digest


def test_foreign_hashes_are_an_error():
    with pytest.raises(ValueError, match="bcrypt"):
        passwords.PasswordHash.decode("bcrypt$12$c2FsdA==$ZGlnZXN0")
