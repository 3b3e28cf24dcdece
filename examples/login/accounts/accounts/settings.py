"""The numbers that operations may change, in one place."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class PasswordPolicy:
    """What a new password hash costs. Old hashes keep working and are renewed at login."""

    rounds: int = 120_000  # raised from 60_000 in March, see README
    salt_bytes: int = 16
    shortest: int = 8


@dataclass(frozen=True)
class SessionPolicy:
    """How long a browser stays logged in."""

    lifetime: timedelta = timedelta(days=14)
    idle: timedelta = timedelta(hours=36)


@dataclass(frozen=True)
class ThrottlePolicy:
    """How many failed logins an address may have in a window of time."""

    attempts: int = 5
    window: timedelta = timedelta(minutes=15)
