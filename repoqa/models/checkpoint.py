"""What a checkpoint's config.json says of its model, in its old form and in its new one."""

from pathlib import Path
from typing import Any

import msgspec

from repoqa.errors import ModelError
from repoqa.models.profile import Profile
from repoqa.models.rope import Trained
from repoqa.models.shape import Shape

_LLAMA_THETA = 10_000.0  # what a config that says nothing means


class Config(Shape, frozen=True):
    """What is read of it."""

    architectures: list[str] = []
    hidden_act: str = "silu"
    rms_norm_eps: float = 1e-6
    attention_bias: bool = False
    mlp_bias: bool = False
    quantization_config: dict[str, Any] | None = None
    eos_token_id: int | list[int] | None = None
    dtype: str = ""
    torch_dtype: str = ""
    max_position_embeddings: int = 0
    rope_theta: float | None = None
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None

    @property
    def stored(self) -> str:
        """The type of number that the weights are kept in (`bfloat16`)."""
        return self.dtype or self.torch_dtype

    @property
    def is_llama(self) -> bool:
        """Whether it is of the architecture that this package knows by heart."""
        return self.architectures == ["LlamaForCausalLM"]

    @property
    def theta(self) -> float:
        """The base of the rotary positions."""
        return float(
            (self.rope_parameters or {}).get("rope_theta", self.rope_theta or _LLAMA_THETA)
        )

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        match self.eos_token_id:
            case None:
                return frozenset()
            case int(token):
                return frozenset((token,))
            case tokens:
                return frozenset(tokens)

    def trained(self, window: int = 0) -> Trained:
        """What the positions were trained with; `window` where the profile knows it."""
        scaling = {**(self.rope_scaling or {}), **(self.rope_parameters or {})}
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        return Trained(
            window=window or self.max_position_embeddings,
            theta=self.theta,
            head_size=self.head_size,
            scaling={**scaling, "rope_type": kind},
        )


def read_config(profile: Profile, checkpoint: Path) -> Config:
    """The config of the checkpoint. Raises ModelError where it is none, and where its RoPE base is
    not the one that the profile knows."""
    try:
        config = msgspec.json.decode((checkpoint / "config.json").read_bytes(), type=Config)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(
            f"{checkpoint / 'config.json'} does not describe a model: {error}",
            remedy="Download the model's files again.",
        ) from error
    if profile.rope_theta not in (0, config.theta):
        raise ModelError(
            f"the weights in {checkpoint} say a RoPE base of {config.theta:g}, "
            f"{profile.name} has {profile.rope_theta:g}: their conversion lost it",
            remedy="Download the model's own files; answers from these would be gibberish.",
        )
    return config
