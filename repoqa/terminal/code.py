"""How well models write code, as Markdown tables: for a terminal and for a page alike."""

from collections import Counter
from collections.abc import Mapping, Sequence

from repoqa.evaluation.code.measure import Sample, counts
from repoqa.evaluation.code.passing import mean_pass_at
from repoqa.evaluation.code.published import PUBLISHED
from repoqa.terminal.grid import grid
from repoqa.visible import one_line

QUESTIONS, INFILL = "questions", "infill"
MOST_REASONS = 6
Samples = Mapping[str, Sequence[Sample]]
"""The samples of each model, by its name, in the order that they were asked."""


def code_tables(suite: str, samples: Samples, *, ks: Sequence[int]) -> str:
    """pass@k beside what was published; the questions one by one; why samples failed."""
    if not any(samples.values()):
        return "Nothing was measured.\n"
    tables = [_passed(suite, samples, ks)]
    if suite == QUESTIONS:
        tables.append(_by_task(samples))
    if suite != INFILL and any(not each.passed for found in samples.values() for each in found):
        tables.append(_reasons(samples))
    return "\n".join(tables)


def _passed(suite: str, samples: Samples, ks: Sequence[int]) -> str:
    is_infill = suite == INFILL
    unit = "lines" if is_infill else "tasks"
    figures = ["exact, %"] if is_infill else [f"pass@{k}, %" for k in ks]
    rows = [[suite, unit, *([] if is_infill else ["samples"]), *figures]]
    for model, found in samples.items():
        asked = counts(found)
        most = [] if is_infill else [f"{max((n for n, _ in asked), default=0):,}"]
        shares = [_percent(mean_pass_at(k, asked)) for k in (ks if not is_infill else (1,))]
        rows.append([model, f"{len(asked):,}", *most, *shares])
    for name, share in PUBLISHED.get(suite, {}).items():
        ours = [_percent(share / 100) if k == 1 else "-" for k in ks]
        rows.append([f"{name} (published)", "all", "1", *ours])
    return grid(rows)


def _by_task(samples: Samples) -> str:
    tasks = dict.fromkeys(each.task for found in samples.values() for each in found)
    rows = [["question", *samples]]
    for task in tasks:
        row = [task]
        for found in samples.values():
            own = [each.passed for each in found if each.task == task]
            row.append(f"{sum(own)}/{len(own)}" if own else "-")
        rows.append(row)
    solved = [_solved(found) for found in samples.values()]
    return grid([*rows, ["solved", *solved]])


def _solved(samples: Sequence[Sample]) -> str:
    asked = counts(samples)
    return f"{sum(passed > 0 for _, passed in asked)}/{len(asked)}"


def _reasons(samples: Samples) -> str:
    """How many samples failed for which kind of reason: the name of an error, mostly."""
    kinds = {
        model: Counter(each.reason.partition(":")[0] for each in found if not each.passed)
        for model, found in samples.items()
    }
    together: Counter[str] = Counter()
    for each in kinds.values():
        together.update(each)
    named = sorted(together, key=lambda kind: (-together[kind], kind))[:MOST_REASONS]
    rows = [["not passed, samples", *map(one_line, named), "other"]]
    for model, found in kinds.items():
        known = [found[kind] for kind in named]
        rows.append([model, *map(str, known), str(found.total() - sum(known))])
    return grid(rows)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
