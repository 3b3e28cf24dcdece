"""What can go wrong, as the handlers tell it to a browser."""


class AccountError(Exception):
    """Base of all expected failures; `status` is the HTTP status it becomes."""

    status = 400


class InvalidCredentials(AccountError):
    """The address is unknown or the password is wrong; which one is never told."""

    status = 401


class SessionExpired(AccountError):
    """The session token is unknown, expired or was logged out."""

    status = 401


class AddressTaken(AccountError):
    """Somebody has signed up with this address already."""

    status = 409


class WeakPassword(AccountError):
    """The password is too short to be accepted."""

    status = 422


class TooManyAttempts(AccountError):
    """Too many failed logins for one address; try again later."""

    status = 429
