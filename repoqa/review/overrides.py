"""The methods that override a changed one, and those that it overrides, by the names of bases."""

from collections.abc import Iterator

from repoqa.parsing.signatures import Signature
from repoqa.review.report import Related
from repoqa.review.resolve import ancestors, family
from repoqa.review.sites import Uses
from repoqa.review.symbols import SymbolChange
from repoqa.review.versions import is_constructor, last_name, owner_of

Shape = tuple[int, int, bool, bool, frozenset[str]]


def overrides(change: SymbolChange, uses: Uses) -> Iterator[Related]:
    """The related methods, by path and line; none for a constructor."""
    version, symbol = change.side
    owner = owner_of(symbol)
    if not owner or is_constructor(symbol):
        return
    above = ancestors(owner, uses)
    signature = version.signature(symbol)
    for other, method in uses.definitions(last_name(symbol.name)):
        theirs = owner_of(method)
        if not theirs or theirs == owner:
            continue
        if family(other.parsed.language) != family(version.parsed.language):
            continue
        is_below = owner in ancestors(theirs, uses)
        if not is_below and theirs not in above:
            continue
        agrees = None if change.new is None else _agree(signature, other.signature(method))
        yield Related(
            other.path, method.name, method.start, "overrides" if is_below else "overridden", agrees
        )


def _agree(one: Signature | None, other: Signature | None) -> bool | None:
    """Whether two methods can be called alike; None where a signature is not known."""
    if one is None or other is None:
        return None
    return _shape(one) == _shape(other)


def _shape(signature: Signature) -> Shape:
    """How many arguments a function needs and takes, and which it takes by name alone."""
    places = [p for p in signature.parameters if p.kind in ("positional", "either")]
    return (
        sum(place.required for place in places),
        len(places),
        any(p.kind == "rest" for p in signature.parameters),
        any(p.kind == "keywords" for p in signature.parameters),
        frozenset(p.name for p in signature.parameters if p.kind == "keyword"),
    )
