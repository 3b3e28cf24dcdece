"""The check of what reads candidates for their meaning: an extra that few have, and its price."""

import sys

from repoqa.checkup.check import Check
from repoqa.models.minilm import EXTRA, is_installed
from repoqa.settings import Settings

SUBJECT = "reranker"


def reranker(settings: Settings) -> Check:
    """Whether the first candidates are read for their meaning."""
    if settings.rerank == "off":
        return Check(SUBJECT, "off: the setting `rerank` says so")
    if is_installed():
        return Check(
            SUBJECT, "installed: reads the first candidates, each once (--no-rerank leaves it out)"
        )
    return Check(
        SUBJECT,
        f"{EXTRA} is not installed",
        "lacking",
        "functions that share few words with the question are found less often",
        f"{sys.executable} -m pip install '{EXTRA}' (120 MB; then seconds for code not read yet)",
    )
