"""What is known of a model, as `configs/NAME.toml` tells it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Profile:
    """A model as `configs/NAME.toml` describes it. Windows and budgets are in tokens.

    `reliable_window` is how much of a prompt the model retrieves from well: the default budget
    and the stretch next to the question where the best code stands. `maximum` is the longest
    prompt allowed. `answer` is the reserve for the answer, on top of the budget.
    `tokens_per_cl100k` is a measured upper bound used while the tokenizer is not at hand.
    """

    name: str
    engine: Literal["transformers", "server", "scripted"]
    format: Literal["chatml", "llama2", "messages"]
    summary: str
    weights: str = ""
    weights_sha256: str = ""
    license: str = ""
    url: str = ""
    trained_window: int = 0
    reliable_window: int = 4096
    maximum: int = 8192
    answer: int = 512
    rope_theta: float = 0.0
    tokens_per_cl100k: float = 1.5
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
