"""Whether a call fits a signature: how many arguments it gives, and by which names."""

from collections.abc import Iterable

from repoqa.parsing.calls import Call
from repoqa.parsing.signatures import Parameter, Signature


def fits(call: Call, signature: Signature, *, drops_self: bool = False) -> bool | None:
    """Whether the call's arguments can be the signature's parameters; None where they may be.

    `drops_self`: the first parameter is the object that the method is called on.
    """
    parameters = signature.parameters[1:] if drops_self else signature.parameters
    places = [each for each in parameters if each.kind in ("positional", "either")]
    takes_more = any(each.kind == "rest" for each in parameters)
    if call.given > len(places) and not takes_more:
        return False
    by_place = {each.name for each in places[: call.given]}
    if not _names_fit(call.keywords, parameters, by_place):
        return False
    if call.spreads:
        return None
    given = by_place | set(call.keywords)
    required = _required(places[call.given :], given) or _required(
        (each for each in parameters if each.kind == "keyword"), given
    )
    return not required


def takes(signature: Signature, *, drops_self: bool = False) -> str:
    """What a signature takes, in words: `2 arguments (a, b)`, `1 to 2 arguments (a, b)`."""
    parameters = signature.parameters[1:] if drops_self else signature.parameters
    counted = [each for each in parameters if each.kind not in ("rest", "keywords")]
    least = sum(each.required for each in counted)
    endless = len(counted) < len(parameters)
    most = len(counted)
    number = (
        f"{least} or more" if endless else f"{least}" if least == most else f"{least} to {most}"
    )
    names = ", ".join(each.name for each in parameters if each.name)
    plural = "argument" if number == "1" else "arguments"
    return f"{number} {plural}" + (f" ({names})" if names else "")


def gives(call: Call) -> str:
    """What a call gives, in words: `3 arguments`, `1 argument and salt=`."""
    number = f"{call.given} {'argument' if call.given == 1 else 'arguments'}"
    return " and ".join((number, *(f"{name}=" for name in call.keywords)))


def _names_fit(
    keywords: tuple[str, ...], parameters: tuple[Parameter, ...], by_place: set[str]
) -> bool:
    named = {each.name for each in parameters if each.kind in ("either", "keyword")}
    takes_any = any(each.kind == "keywords" for each in parameters)
    return all(
        (name in named or takes_any) and not (name in named and name in by_place)
        for name in keywords
    )


def _required(parameters: Iterable[Parameter], given: set[str]) -> list[Parameter]:
    return [each for each in parameters if each.required and each.name not in given]
