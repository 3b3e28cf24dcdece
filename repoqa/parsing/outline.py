"""The lines that show a file's shape: imports, the headers of types, signatures."""

from repoqa.records import Kind, ParsedFile, Span, Symbol

_SHOWN: frozenset[Kind] = frozenset({"class", "type", "module", "function", "method"})
_FUNCTIONS: frozenset[Kind] = frozenset({"function", "method"})


def outline(parsed: ParsedFile, *, within: Span | None = None) -> tuple[Span, ...]:
    """The outline's line spans, sorted, merged where they touch or overlap.

    Decorators belong to a signature; functions inside functions are left out, being part of a
    body. With `within`, only what lies inside those lines, that definition's own header included.
    """
    spans = [*parsed.imports, *_headers(parsed.symbols)]
    if within is not None:
        spans = [span for span in spans if within.start <= span.start and span.end <= within.end]
    return merge(spans)


def merge(spans: list[Span]) -> tuple[Span, ...]:
    """The spans, sorted, joined where they touch or overlap."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if merged and span.start <= merged[-1].end + 1:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _headers(symbols: tuple[Symbol, ...]) -> list[Span]:
    headers = []
    function_end = 0
    for symbol in symbols:
        if symbol.kind not in _SHOWN or symbol.end <= function_end:
            continue
        headers.append(Span(symbol.start, symbol.header_end))
        if symbol.kind in _FUNCTIONS:
            function_end = symbol.end
    return headers
