"""Where a model server is: the address a user named, made whole, and shown without its secrets."""

from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from repoqa.errors import UsageError


def shown_address(url: str) -> str:
    """Where a server named `url` is asked, without a name and password that it may carry.

    Raises UsageError for what is no address.
    """
    return without_login(base_address(url))


def base_address(url: str) -> str:
    """The address that `/chat/completions` is added to; a bare host gets the usual `/v1`."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{url!r} is not a server's address",
            remedy="Write it as http://localhost:8000/v1.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def without_login(address: str) -> str:
    """The address without a name and password that it may carry."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def is_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
