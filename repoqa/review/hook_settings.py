"""How the hook reviews: its flags, else the user's git settings `repoqa.*`, else the defaults.

The repository's own files have no say: git never takes settings from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from repoqa.errors import UsageError
from repoqa.review.report import SEVERITIES, Severity
from repoqa.settings import nearest

PREFIX = "repoqa."
TIMEOUT_SECONDS = 60.0
MOST_FINDINGS = 3
KEYS = ("blockOn", "timeout", "model", "maxFindings")
NEVER = ("", "never", "off", "false", "none")


@dataclass(frozen=True, slots=True)
class Told:
    """What the flags say; None is what they leave to the settings."""

    block_on: Severity | None = None
    timeout: float | None = None
    model: str | None = None
    no_model: bool = False
    max_findings: int | None = None

    @property
    def flags(self) -> list[str]:
        """The same as flags of `repoqa hook run`."""
        named = {
            "--block-on": self.block_on,
            "--timeout": self.timeout,
            "--model": self.model,
            "--max-findings": self.max_findings,
        }
        flags = [f"{name}={value}" for name, value in named.items() if value is not None]
        return flags + (["--no-model"] if self.no_model else [])


@dataclass(frozen=True, slots=True)
class HookSettings:
    """How a push is reviewed. `timeout` is in seconds; `block_on` None never stops a push."""

    block_on: Severity | None
    timeout: float
    model: str | None
    use_model: bool
    most_findings: int


def hook_settings(told: Told, git: Mapping[str, str]) -> HookSettings:
    """The settings that hold. `git` are git's, keys in lower case. Raises UsageError."""
    given = {key.lower(): key for key in KEYS}
    for key in git:
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in given:
            name = key.removeprefix(PREFIX)
            close = nearest(name, given)
            known = f"Did you mean {PREFIX}{given[close[0]]}?" if close else ""
            raise UsageError(
                f"git config: there is no setting {key}",
                remedy=known or f"Known are {', '.join(PREFIX + each for each in KEYS)}.",
            )
    values = {key: git.get(f"{PREFIX}{key.lower()}") for key in KEYS}
    timeout, most = told.timeout, told.max_findings
    if timeout is None:
        timeout = _number(values["timeout"], TIMEOUT_SECONDS, key="timeout")
    if most is None:
        most = int(_number(values["maxFindings"], MOST_FINDINGS, key="maxFindings"))
    if timeout <= 0:
        raise UsageError(f"a timeout of {timeout:g} seconds is too short", remedy="Try 60.")
    return HookSettings(
        block_on=told.block_on or _severity(values["blockOn"]),
        timeout=timeout,
        model=told.model or values["model"],
        use_model=not told.no_model,
        most_findings=most,
    )


def _number(written: str | None, default: float, *, key: str) -> float:
    if written is None:
        return default
    try:
        return float(written)
    except ValueError as error:
        raise UsageError(
            f"git config: {PREFIX}{key} is {written!r}, which is no number",
            remedy=f"Set it as in: git config --global {PREFIX}{key} {default:g}",
        ) from error


def _severity(written: str | None) -> Severity | None:
    if written is None or written.lower() in NEVER:
        return None
    if written.lower() not in SEVERITIES:
        raise UsageError(
            f"git config: {PREFIX}blockOn is {written!r}",
            remedy=f"Set it to {', '.join(SEVERITIES)} or never.",
        )
    return cast("Severity", written.lower())
