"""Users in SQLite. Addresses are compared without regard to case."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from accounts.errors import AddressTaken
from accounts.passwords import PasswordHash

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    created TEXT NOT NULL,
    last_login TEXT
)
"""


@dataclass(frozen=True)
class User:
    """One row of the table."""

    id: int
    address: str
    password: PasswordHash
    created: datetime
    last_login: datetime | None = None


def normalize(address: str) -> str:
    """The form an address is stored and looked up in."""
    return address.strip().casefold()


class UserStore:
    """The table of users."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.execute(SCHEMA)

    def add(self, address: str, password: PasswordHash, now: datetime) -> User:
        """Insert a user. Raises AddressTaken."""
        try:
            with self._database:
                cursor = self._database.execute(
                    "INSERT INTO users (address, password, created) VALUES (?, ?, ?)",
                    (normalize(address), password.encode(), now.isoformat()),
                )
        except sqlite3.IntegrityError as error:
            raise AddressTaken(f"{address} has an account already") from error
        assert cursor.lastrowid is not None
        return User(cursor.lastrowid, normalize(address), password, now)

    def find(self, address: str) -> User | None:
        """The user with this address, if there is one."""
        row = self._database.execute(
            "SELECT id, address, password, created, last_login FROM users WHERE address = ?",
            (normalize(address),),
        ).fetchone()
        return None if row is None else _user(row)

    def replace_password(self, user: User, password: PasswordHash) -> None:
        """Store another hash for this user."""
        with self._database:
            self._database.execute(
                "UPDATE users SET password = ? WHERE id = ?", (password.encode(), user.id)
            )

    def record_login(self, user: User, now: datetime) -> None:
        """Remember when the user was last here."""
        with self._database:
            self._database.execute(
                "UPDATE users SET last_login = ? WHERE id = ?", (now.isoformat(), user.id)
            )


def _user(row: tuple[int, str, str, str, str | None]) -> User:
    identifier, address, password, created, last_login = row
    return User(
        identifier,
        address,
        PasswordHash.decode(password),
        datetime.fromisoformat(created),
        datetime.fromisoformat(last_login) if last_login else None,
    )
