"""The methods that override a changed one, and those that it overrides, by the names of bases."""

from collections.abc import Iterator

from repoqa.parsing.signatures import Signature
from repoqa.review.report import Related
from repoqa.review.resolve import ancestors, family
from repoqa.review.sites import Uses
from repoqa.review.symbols import SymbolChange, signature_of
from repoqa.review.versions import is_constructor, last_name, owner_of

Shape = tuple[int, int, bool, bool, frozenset[str]]


def overrides(change: SymbolChange, uses: Uses) -> Iterator[Related]:
    """The related methods, by path and line; none for a constructor."""
    version, symbol = change.side
    owner = owner_of(symbol)
    if not owner or is_constructor(symbol):
        return
    above = ancestors(owner, uses)
    for other, method in uses.definitions(last_name(symbol.name)):
        theirs = owner_of(method)
        if not theirs or theirs == owner:
            continue
        if family(other.parsed.language) != family(version.parsed.language):
            continue
        is_below = owner in ancestors(theirs, uses)
        if not is_below and theirs not in above:
            continue
        agrees = _agreement(change, other.signature(method))
        yield Related(
            other.path, method.name, method.start, "overrides" if is_below else "overridden", agrees
        )


def _agreement(change: SymbolChange, other: Signature | None) -> bool | None:
    """Whether a related method still agrees. What disagreed before says nothing of this change."""
    before, after = signature_of(change.old), signature_of(change.new)
    if change.change == "body":
        return True
    if other is None or after is None:
        return None
    if _shape(after) == _shape(other):
        return True
    return False if before is not None and _shape(before) == _shape(other) else None


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
