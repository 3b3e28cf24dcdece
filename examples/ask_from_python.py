"""Asks about a repository from Python: the suspects first, then the answer as it is written.

    python examples/ask_from_python.py FOLDER "Why does the second login fail?" [MODEL]

Prints how many of the places that the answer names exist. With a model that is not on this machine
yet, the first answer fetches it.
"""

import sys

import repoqa


def main(folder: str, question: str, model: str | None = None) -> int:
    """Ask, print and return the exit status."""
    try:
        repository = repoqa.open_repository(folder)
        diagnosis = repoqa.ask(question, repository, options=repoqa.Options(model=model))
        for suspect in diagnosis.suspects:
            print(f"{suspect.path}:{suspect.start}-{suspect.end}  {suspect.name}: {suspect.why}")
        print()
        text = ""
        for piece in diagnosis.stream():
            print(piece, end="", flush=True)
            text += piece
    except repoqa.RepoqaError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    citations = diagnosis.check(text).citations
    print(f"\n\n{sum(c.valid for c in citations)} of {len(citations)} places named exist")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
