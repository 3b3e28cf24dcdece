"""`python -m repoqa` is the `repoqa` command."""

from repoqa.cli.app import main

if __name__ == "__main__":
    main()
