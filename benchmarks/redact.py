"""How fast secrets are found, and how many in repositories that should hold none but test keys.

    python benchmarks/redact.py CLONE [CLONE ...]

Prints the redactions at each clone's HEAD, then how many there are in a million lines, by kind, and
how much is scanned in a CPU second. `--show` prints each one with its place, to judge it by eye.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

from repoqa.parsing.text import decode
from repoqa.repository.snapshot import open_snapshot
from repoqa.secrets.find import find

LARGEST = 1_000_000  # bytes: longer files are not indexed whole


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--show", action="store_true")
    chosen = parser.parse_args()
    characters, seconds, lines, kinds = 0, 0.0, 0, Counter[str]()
    for clone in chosen.clones:
        snapshot = open_snapshot(clone, revision="HEAD")
        small = [entry for entry in snapshot.files if entry.size <= LARGEST]
        own_lines, own = 0, Counter[str]()
        for entry, content in snapshot.source.read(small):
            text = decode(content) if content else None
            if text is None:
                continue
            began = time.process_time()
            found = find(text, path=entry.path)
            seconds += time.process_time() - began
            characters += len(text)
            own_lines += text.count("\n")
            own.update(secret.kind for secret in found)
            for secret in found if chosen.show else ():
                line = text.count("\n", 0, secret.start) + 1
                value = text[secret.start : secret.end]
                print(f"{entry.path}:{line}: {secret.kind}: {value}")
        print(f"{clone}: {own_lines:,} lines, {own.total()} redactions {dict(own)}")
        lines += own_lines
        kinds += own
    print(f"{kinds.total() / lines * 1e6:.0f} redactions per million lines {dict(kinds)}")
    print(f"{characters / seconds / 1e6:.1f} million characters scanned in a CPU second")


if __name__ == "__main__":
    main()
