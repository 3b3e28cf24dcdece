"""What others have published, to print beside one's own figures: pass@1, greedy, in percent.

Code Llama: arXiv 2308.12950, Table 2 (HumanEval without examples, MBPP with three). GPT-4: OpenAI's
report, arXiv 2303.08774. Phind: its announcement of the two fine-tunes. The eight questions were
asked in a head-to-head comparison of ChatGPT and Code Llama.
"""

from collections.abc import Mapping

PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "humaneval": {
        "GPT-4": 67.0,
        "Phind Code Llama Python 34B v1": 69.5,
        "Phind Code Llama 34B v1": 67.6,
        "Code Llama Python 34B": 53.7,
        "Code Llama 34B": 48.8,
    },
    "mbpp": {"Code Llama Python 34B": 56.2, "Code Llama 34B": 55.0},
    "questions": {"ChatGPT": 100.0, "Code Llama": 62.5},
}
