"""Password hashes: made, checked, written to and read from the database.

A stored hash says how it was made, so that the cost can be raised without a migration:

    pbkdf2_sha256$60000$c2FsdHNhbHRzYWx0c2FsdA==$tQ0k...
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace

from accounts.errors import WeakPassword
from accounts.settings import PasswordPolicy

ALGORITHM = "pbkdf2_sha256"


@dataclass(frozen=True)
class PasswordHash:
    """A salted digest and the number of rounds it took."""

    rounds: int
    salt: bytes
    digest: bytes

    def encode(self) -> str:
        """The form kept in the database."""
        salt = base64.b64encode(self.salt).decode("ascii")
        digest = base64.b64encode(self.digest).decode("ascii")
        return f"{ALGORITHM}${self.rounds}${salt}${digest}"

    @classmethod
    def decode(cls, text: str) -> "PasswordHash":
        """Read what `encode` wrote; ValueError for anything else."""
        algorithm, rounds, salt, digest = text.split("$")
        if algorithm != ALGORITHM:
            raise ValueError(f"unknown password algorithm {algorithm!r}")
        return cls(int(rounds), base64.b64decode(salt), base64.b64decode(digest))


def derive(password: str, salt: bytes, rounds: int) -> bytes:
    """The digest of a password; composed and decomposed accents are left as typed."""
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), salt, rounds)


def create(password: str, policy: PasswordPolicy) -> PasswordHash:
    """Hash the password of a new user."""
    if len(password) < policy.shortest:
        raise WeakPassword(f"at least {policy.shortest} characters, please")
    salt = secrets.token_bytes(policy.salt_bytes)
    return PasswordHash(policy.rounds, salt, derive(password, salt, policy.rounds))


def matches(password: str, stored: PasswordHash) -> bool:
    """Whether `password` is the one that was hashed, in constant time."""
    return hmac.compare_digest(derive(password, stored.salt, stored.rounds), stored.digest)


def is_outdated(stored: PasswordHash, policy: PasswordPolicy) -> bool:
    """Whether the hash is cheaper than a new one would be."""
    return stored.rounds < policy.rounds


def strengthen(password: str, stored: PasswordHash, policy: PasswordPolicy) -> PasswordHash:
    """Renew a hash with today's rounds. The password must have matched the old one just now."""
    salt = secrets.token_bytes(policy.salt_bytes)
    return replace(stored, salt=salt, digest=derive(password, salt, policy.rounds))
