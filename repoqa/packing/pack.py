"""Packs the ranked code into a hard token budget.

What the user pinned comes first, whole where it fits; then the best of what a follow-up was shown
before, in half of the room, so that new code can come; then, function-level first, the best symbols
in full, what orients around them (class headers, the imports they use, signatures of callers and
callees), and breadth: further symbols, whole files and outlines while they fit. Lines are never
cut, and the joined text is counted exactly at the end: what is least valuable goes until it fits.
"""

from collections.abc import Iterable, Iterator

from repoqa.packing import offers
from repoqa.packing.budget import Meter, Room
from repoqa.packing.order import arrange
from repoqa.packing.render import draw
from repoqa.packing.selection import Piece, Selection
from repoqa.prompts.render import joined
from repoqa.protocols import CodeSource
from repoqa.records import Context, Excerpt, RankedSymbol, Ranking, Span

# Shares of the room. What a phase leaves goes to breadth.
SHOWN_SHARE = 0.5  # what an earlier question was shown, where all of it would crowd out the new
CORE_SHARE = 0.6  # the best symbols in full, before anything around them
ONE_SYMBOL_SHARE = 0.7  # a symbol larger than this is packed in part, to leave room for others
SURROUNDINGS_SHARE = 0.05  # class headers and imports of the best symbols
CALLS_SHARE = 0.05  # signatures of their callees and callers
# Below this room every token goes to code in full: a signature helps less than ten more lines.
SKETCHES_FROM = 6000
CORE_SYMBOLS = 40  # at most so many symbols have their surroundings and calls shown
# Breadth ends after so many symbols in a row that do not fit, or with less than this left.
MISSES = 40
LEAST_LEFT = 16


def pack(ranking: Ranking, code: CodeSource, room: Room) -> Context:
    """The context for `ranking` in at most `room.tokens` tokens of `room.tokenizer`.

    The same inputs give the same bytes. `left_out` counts the ranked symbols of which no line is
    shown.
    """
    selection = Selection(Meter(code, room))
    _fill(selection, ranking)
    while True:
        pieces = _fitting(selection)
        texts = [_draw(piece, selection.meter) for piece in pieces]
        tokens = room.tokenizer.count(joined(texts)) if texts else 0
        if not texts or tokens <= room.tokens:
            break
        _give_back(selection, tokens - room.tokens)
    excerpts = tuple(
        Excerpt(p.path, p.lines[0], p.lines[-1], p.form, room.tokenizer.count(text), text)
        for p, text in zip(pieces, texts, strict=True)
    )
    shown = (selection.shows(r.path, Span(r.symbol.start, r.symbol.end)) for r in ranking.symbols)
    return Context(excerpts, tokens, sum(not visible for visible in shown))


def _fill(selection: Selection, ranking: Ranking) -> None:
    room = selection.meter.room
    for pin in ranking.pins:
        lines = tuple(range(pin.start, pin.end + 1))
        selection.take(Piece(pin.path, lines, "full", worth=0), room.tokens)
    shown = list(offers.shown_before(ranking, selection.meter)) if room.shown else []
    for offer in shown:
        selection.take(offer, int(SHOWN_SHARE * room.tokens))
    best = _core(selection, ranking)
    if room.tokens >= SKETCHES_FROM:
        _take_all(selection, _surroundings(selection, best), SURROUNDINGS_SHARE)
        _take_all(selection, _calls(selection, ranking, best), CALLS_SHARE)
    _take_while_fitting(selection, _further_symbols(selection, ranking))
    _take_while_fitting(selection, shown)
    _take_while_fitting(selection, _further_files(selection, ranking))


def _core(selection: Selection, ranking: Ranking) -> list[tuple[int, RankedSymbol]]:
    """Take the best symbols until their share is used; returns those taken, with their ranks."""
    meter, room = selection.meter, selection.meter.room.tokens
    taken: list[tuple[int, RankedSymbol]] = []
    misses = 0
    for worth, ranked in enumerate(ranking.symbols):
        full = selection.used >= CORE_SHARE * room or len(taken) == CORE_SYMBOLS
        if full or misses == MISSES:
            break
        offer = offers.whole(ranked, meter.code, worth)
        largest = min(selection.used + int(ONE_SYMBOL_SHARE * room), room)
        if _take(selection, offer, largest) or _take_part(selection, ranked, worth):
            taken.append((worth, ranked))
        else:
            misses += 1
    return taken


def _take(selection: Selection, offer: Piece, limit: int) -> bool:
    """Take the offer, and the rest of its file where little of it is left."""
    if not selection.take(offer, limit):
        return False
    if offer.form == "full" and selection.mostly(offer.path):
        parsed = selection.meter.code.parsed(offer.path)
        for rest in offers.file_whole(offer.path, parsed, offer.worth):
            selection.take(rest, selection.meter.room.tokens)
    return True


def _take_part(selection: Selection, ranked: RankedSymbol, worth: int) -> bool:
    """Take of a symbol too large its signature and the lines around those the evidence names."""
    meter = selection.meter
    limit = meter.room.tokens
    parsed = meter.code.parsed(ranked.path)
    named = ranked.symbol.kind != "section" and selection.take(
        offers.signature(ranked.path, ranked.symbol, parsed, worth=worth), limit
    )
    parts = offers.around_marks(ranked, meter.room.marked(ranked.path), worth)
    return any(selection.take(part, limit) for part in parts) or named


def _surroundings(
    selection: Selection, best: Iterable[tuple[int, RankedSymbol]]
) -> Iterator[Piece]:
    meter = selection.meter
    for worth, ranked in best:
        parsed, lines = meter.code.parsed(ranked.path), meter.lines(ranked.path)
        yield from offers.surroundings(ranked, parsed, lines, worth=worth)


def _calls(
    selection: Selection, ranking: Ranking, best: list[tuple[int, RankedSymbol]]
) -> Iterator[Piece]:
    code = selection.meter.code
    for worth, ranked in best:
        yield from offers.callees(ranked, code, worth)
    names: dict[str, int] = {}
    for worth, ranked in best:
        names.setdefault(offers.last_name(ranked.symbol), worth)
    paths = [file.path for file in ranking.files[: offers.CALLER_FILES]]
    yield from sorted(offers.callers(names, paths, code), key=lambda offer: offer.worth)


def _further_symbols(selection: Selection, ranking: Ranking) -> Iterator[Piece]:
    code = selection.meter.code
    for worth, ranked in enumerate(ranking.symbols):
        yield offers.whole(ranked, code, worth)


def _further_files(selection: Selection, ranking: Ranking) -> Iterator[Piece]:
    """Ranked files whole, then outlined, behind every ranked symbol in worth."""
    code = selection.meter.code
    for offered in (offers.file_whole, offers.file_outline):
        for worth, file in enumerate(ranking.files, len(ranking.symbols)):
            yield from offered(file.path, code.parsed(file.path), worth)


def _take_all(selection: Selection, found: Iterable[Piece], share: float) -> None:
    """Take what fits into a share of the room."""
    room = selection.meter.room.tokens
    limit = min(selection.used + int(share * room), room)
    for offer in found:
        if limit - selection.used < LEAST_LEFT:
            return
        selection.take(offer, limit)


def _take_while_fitting(selection: Selection, found: Iterable[Piece]) -> None:
    """Take what fits into the room, until nothing much is left or nothing fits any more."""
    room, misses = selection.meter.room.tokens, 0
    for offer in found:
        if misses == MISSES or room - selection.used < LEAST_LEFT:
            return
        misses = 0 if _take(selection, offer, room) else misses + 1


def _fitting(selection: Selection) -> list[Piece]:
    """The pieces in prompt order, fewer of them where parting the best code costs headings."""
    meter = selection.meter
    pieces = selection.pieces()
    while pieces and (over := _estimate(pieces, meter) - meter.room.tokens) > 0:
        _give_back(selection, over)
        pieces = selection.pieces()
    return arrange(pieces, meter)


def _estimate(pieces: Iterable[Piece], meter: Meter) -> int:
    return sum(meter.heading(piece.path) + meter.cost(piece.path, piece.lines) for piece in pieces)


def _give_back(selection: Selection, tokens: int) -> None:
    """Undo the least valuable choices until about `tokens` are freed: one at least."""
    freed = selection.give_back()
    while freed < tokens and selection.used:
        freed += selection.give_back()


def _draw(piece: Piece, meter: Meter) -> str:
    return draw(piece.path, piece.lines, meter.lines(piece.path), form=piece.form)
