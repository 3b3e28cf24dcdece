"""The uses of a changed symbol outside the diff, and whether each still holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from repoqa.parsing.calls import Call
from repoqa.parsing.names import last_identifier
from repoqa.parsing.signatures import CHECKED, Signature
from repoqa.records import Symbol
from repoqa.review.fit import fits, gives, takes
from repoqa.review.report import Caller
from repoqa.review.resolve import Meaning, Target, family, is_module, meaning, module_of
from repoqa.review.sites import Site, Uses
from repoqa.review.symbols import Defined, SymbolChange, signature_of
from repoqa.review.versions import TYPES, called_name, is_constructor, last_name, owner_of

NOT_READ = "the arguments of {} are not read"
SPREADS = "an argument spreads"
OVERLOADED = "another overload takes as many arguments"
UNKNOWN = "what it is called on is not known"
STATIC, OF_CLASS = "@staticmethod", "@classmethod"


@dataclass(frozen=True, slots=True)
class Search:
    """Where uses are looked for: the new version's index, and the lines that the diff rewrites."""

    uses: Uses
    changed: Mapping[str, Collection[int]]

    def rewrites(self, path: str, start: int, end: int) -> bool:
        """Whether the diff changed one of these lines."""
        changed = self.changed.get(path, ())
        return any(line in changed for line in range(start, end + 1))


def callers(change: SymbolChange, search: Search) -> Iterator[Caller]:
    """The uses, by path and line. Those that the diff rewrote are told only where they do not
    hold; of an added symbol there are none to tell."""
    if change.old is None:
        return
    name = called_name(change.old[1])
    is_gone = change.new is None or called_name(change.new[1]) != name
    target = target_of(change.old, search.uses)
    if is_gone and _is_elsewhere(target, name, search.uses):
        return
    for site in search.uses.of(name):
        means = meaning(site, target, search.uses)
        if means == "other" or _is_itself(site, change):
            continue
        if is_gone:
            caller = _left_behind(site, means, target)
        else:
            caller = _still_called(site, means, change=change, search=search)
        if caller and not (caller.fits is not False and _rewritten(site, search)):
            yield caller
    if is_gone or change.old[0].path != change.path:
        yield from _imports(change, target, search)


def target_of(defined: Defined, uses: Uses) -> Target:
    """What uses of a definition's name may mean: it, among those of its name that there are."""
    version, symbol = defined
    name = called_name(symbol)
    others = [
        other.path
        for other, defined in uses.definitions(name)
        if defined.name != symbol.name and _kind(defined) == _kind(symbol)
    ]
    return Target(version, symbol, frozenset(others) - {version.path})


def _kind(symbol: Symbol) -> str:
    return "method" if symbol.kind == "method" else "free"


def _is_itself(site: Site, change: SymbolChange) -> bool:
    """A use on the line of the definition: a C++ header, a decorator."""
    if change.new is None or site.path != change.path:
        return False
    symbol = change.new[1]
    return symbol.start <= site.reference.line <= symbol.header_end and site.call is None


def _rewritten(site: Site, search: Search) -> bool:
    end = site.call.end if site.call else site.reference.line
    return search.rewrites(site.path, site.reference.line, end)


def _caller(site: Site, fits: bool | None, why: str = "") -> Caller:
    around = site.around.name if site.around else ""
    return Caller(site.path, site.reference.line, around, fits, why)


def _doubtful(site: Site, why: str) -> Caller:
    return replace(_caller(site, None, f"{why}; {UNKNOWN}"), is_doubtful=True)


def _left_behind(site: Site, means: Meaning, target: Target) -> Caller | None:
    """A use of what is gone; None where it may as well mean another of its name."""
    name = target.symbol.name
    if means == "sure":
        return _caller(site, False, f"{name} is gone")
    return None if target.others else _doubtful(site, f"{name} is gone")


def _still_called(
    site: Site, means: Meaning, *, change: SymbolChange, search: Search
) -> Caller | None:
    """A use of what is still there, with another signature or body."""
    assert change.new is not None
    before, after = signature_of(change.old), signature_of(change.new)
    same = before is None or after is None or before.parameters == after.parameters
    language = change.new[0].parsed.language
    if language not in CHECKED and change.change == "signature":
        return _caller(site, None, NOT_READ.format(language))
    if change.change == "body" or site.call is None or change.new[1].kind in TYPES:
        return _caller(site, True) if means == "sure" or language not in CHECKED else None
    if before is None or after is None or same:
        return _caller(site, True) if means == "sure" else None
    bound = _bound(site.call, change.new)
    answers = _Answers(
        now=bound.fits(after),
        then=bound.fits(before),
        overload=bound.fits_one_of(_overloads(change.new, search.uses)),
        is_new=_rewritten(site, search),
    )
    return _judged(site, means, answers=answers, difference=bound.difference(after))


@dataclass(frozen=True, slots=True)
class _Answers:
    """Whether a call fits the signature as it is now and as it was before, and another overload of
    the same name; `is_new`: the diff wrote it."""

    now: bool | None
    then: bool | None
    overload: bool | None
    is_new: bool


def _judged(site: Site, means: Meaning, *, answers: _Answers, difference: str) -> Caller | None:
    """A call that never fitted, and that the diff did not write, is no call of this symbol."""
    if answers.now is True or (answers.overload is True and answers.then is False):
        return _caller(site, True)
    if answers.overload is True:
        return _caller(site, None, f"{difference}; {OVERLOADED}")
    if answers.now is None:
        return _caller(site, None, f"{difference}; {SPREADS}")
    if answers.then is False and not (answers.is_new and means == "sure"):
        return None
    if means == "sure":
        return _caller(site, False, difference)
    return _doubtful(site, difference)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A call and how its arguments meet the parameters. `drops_self`: the first parameter is what
    the method is called on; `gives_self`: the first argument is."""

    call: Call
    drops_self: bool
    gives_self: bool

    def fits(self, signature: Signature) -> bool | None:
        """Whether the call fits a signature."""
        extra = self.gives_self and signature.takes_self
        call = replace(self.call, given=max(self.call.given - 1, 0)) if extra else self.call
        return fits(call, signature, drops_self=self.drops_self)

    def fits_one_of(self, signatures: Iterable[Signature]) -> bool | None:
        """Whether it fits one of several: True before None before False."""
        answers = {self.fits(signature) for signature in signatures}
        return True if True in answers else None if None in answers else False

    def difference(self, signature: Signature) -> str:
        """`takes 2 arguments (a, b), this gives 3 arguments`."""
        taken = takes(signature, drops_self=self.drops_self)
        return f"it takes {taken}, this gives {gives(self.call)}"


def _bound(call: Call, defined: Defined) -> _Bound:
    version, symbol = defined
    named = last_identifier(call.receiver) if call.receiver else ""
    on_type = bool(named) and named in (owner_of(symbol), "Self")
    if version.parsed.language != "python" or symbol.kind != "method":
        return _Bound(call, drops_self=False, gives_self=on_type)
    decorators = "\n".join(version.lines[symbol.start - 1 : symbol.header_end])
    is_static, is_of_class = STATIC in decorators, OF_CLASS in decorators
    # Class.method(an_object, ...) gives what is otherwise before the dot.
    drops = not is_static and (is_of_class or is_constructor(symbol) or not on_type)
    return _Bound(call, drops_self=drops, gives_self=False)


def _overloads(defined: Defined, uses: Uses) -> Iterator[Signature]:
    """The signatures of other definitions with the same qualified name."""
    version, symbol = defined
    name = last_name(symbol.name)
    for other, found in uses.definitions(name):
        is_same = other.path == version.path and found.start == symbol.start
        signature = other.signature(found) if found.name == symbol.name and not is_same else None
        if signature:
            yield signature


def _imports(change: SymbolChange, target: Target, search: Search) -> Iterator[Caller]:
    """The imports that name what is no longer in that module."""
    name = called_name(target.symbol)
    language = target.version.parsed.language
    for path, reference in search.uses.imports(name):
        module = module_of(reference.name, name)
        named = is_module(module, target.path) or is_module(reference.name, target.path)
        parsed = search.uses.index.parsed(path)
        if not named or family(parsed.language) != family(language):
            continue
        if not search.rewrites(path, reference.line, reference.line):
            where = f" (now in {change.path})" if change.new else ""
            yield Caller(path, reference.line, "", False, f"{target.symbol.name} is gone{where}")


def _is_elsewhere(target: Target, name: str, uses: Uses) -> bool:
    """Whether uses of what is gone find another: its module imports the name by now, or the type
    of a method is gone as well (then that is what is told)."""
    if target.owner:
        return not any(s.kind in TYPES for _, s in uses.definitions(target.owner))
    if uses.index.file_number(target.path) is None:
        return False
    parsed = uses.index.parsed(target.path)
    return any(r.kind == "import" and last_identifier(r.name) == name for r in parsed.references)
