"""What `repoqa doctor` shows: the checks, or the settings with their sources."""

from collections.abc import Iterator, Sequence

from repoqa.checkup.check import Check
from repoqa.models.addresses import without_login
from repoqa.settings import Sourced
from repoqa.terminal.output import StyledText
from repoqa.visible import one_line

MARKS = {"fine": ("ok", "green"), "lacking": ("--", "yellow"), "missing": ("NO", "bold red")}
SECRET = "set, not shown"


def check_lines(checks: Sequence[Check]) -> Iterator[StyledText]:
    """A line for each check, and below it the cost and the remedy where something is missing."""
    width = max(len(check.subject) for check in checks)
    for check in checks:
        mark, style = MARKS[check.state]
        yield (mark, style)
        yield (f"  {one_line(check.subject):<{width}}  {one_line(check.found)}\n", "")
        for name, words in (("cost", check.cost), ("mend", check.remedy)):
            if words:
                yield (f"{'':{width + 6}}{name}  {one_line(words)}\n", "dim")


def verdict(*, can_ask: bool) -> str:
    """What all checks come to."""
    if can_ask:
        return "\n`repoqa ask` can answer here.\n"
    return "\n`repoqa ask` cannot answer here: mend what is marked NO.\n"


def setting_lines(settings: Sequence[Sourced]) -> str:
    """The settings as a table: key, value, source. The server's key is never among the values."""
    rows = [(setting.key, _shown(setting), setting.origin) for setting in settings]
    keys = max(len(key) for key, _, _ in rows)
    values = max(len(value) for _, value, _ in rows)
    return "".join(f"{key:<{keys}}  {value:<{values}}  {source}\n" for key, value, source in rows)


def _shown(setting: Sourced) -> str:
    match setting.value:
        case None | "" | ():
            return "-"
        case str() if setting.is_secret:
            return SECRET
        case str(address) if setting.key == "server.url":
            return one_line(without_login(address))
        case tuple() as several:
            return one_line(" ".join(map(str, several)))
        case int(number):
            return f"{number:,}"
        case other:
            return one_line(str(other))
