"""The frozen part as a scikit-learn transformer: pictures or texts in, pooled features out, computed once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from headstart.base.errors import BadOption, BadSource, WeightsError
from headstart.estimators import pictures

if TYPE_CHECKING:
    from headstart.backbones.chain import Backbone
    from headstart.base.vocabulary import BackboneInfo


class TransferFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features of pictures or texts from a frozen pretrained network, for any estimator of scikit-learn.

    Nothing is learnt from the pictures, so a transformer fitted to some of them gives every picture the same features
    as one fitted to others. What was computed stays in the store: another fold, or another classifier, reads it.

    Args:
        backbone: "provider/name" or "local:PATH".
        architecture: what a bare state_dict is the weights of.
        stages: "last", "all" (every stage side by side), or a stage's number or name.
        precision: "auto", "float32" or "bf16".

    Attributes:
        backbone_: what is known of the network: its name, stages, licence, source data.
        digest_: SHA-256 of its weights.

    Example:
        >>> import headstart as hs
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.pipeline import make_pipeline
        >>> digits = load_digits()
        >>> pictures = (digits.images[:200] * 15.9).astype("uint8")
        >>> model = make_pipeline(hs.TransferFeatures(), hs.TransferClassifier())
        >>> bool(model.fit(pictures[:150], digits.target[:150]).score(pictures[150:], digits.target[150:200]) > 0.8)
        True
    """

    def __init__(
        self,
        backbone: str = "embedded/resnet10-procedural",
        *,
        architecture: str | None = None,
        stages: str | int = "last",
        precision: str = "auto",
    ) -> None:
        self.backbone = backbone
        self.architecture = architecture
        self.stages = stages
        self.precision = precision

    def fit(self, X: Any, y: Any = None) -> Self:
        """Load the network.

        Args:
            X: pictures, as ``transform`` takes them.
            y: not used.

        Raises:
            ValueError: X holds no pictures, or a parameter cannot be used.
            WeightsError: the network's weights cannot be had.
        """
        _items(X)
        if self.backbone == "auto":
            raise BadOption(
                "Features have no automatic backbone, for choosing one takes labels",
                expected="provider/name or local:PATH",
                next_move="headstart backbones lists them",
            )
        self._loaded = backbone = self._load()
        self._n_features_out = sum(backbone.pooled_width(stage) for stage in self._taps(backbone))
        self.backbone_: BackboneInfo = backbone.info
        self.digest_ = backbone.digest()
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Pooled features (n, d) of n pictures, float32.

        Args:
            X: paths, PIL images, or arrays (h, w) or (h, w, channels); also one array of them all. With a backbone of
                texts: strings, pairs of strings, or paths of text files.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X holds no pictures.
            Undecodable: a picture that cannot be read.
            WeightsError: the network, loaded again after unpickling, has other weights than it was fitted with.
        """
        from headstart.base import discovery
        from headstart.base.machine import here
        from headstart.features.frozen import Frozen
        from headstart.features.pixels import Pixels
        from headstart.features.store import Store

        check_is_fitted(self)
        items, backbone, store = _items(X), self._network(), Store()
        reading, modality = backbone.info.preprocessing, backbone.info.modality
        room = discovery.load("data", modality)
        items = room.listed(items) if hasattr(room, "listed") else items
        pixels = Pixels(items, [room.digest(item) for item in items], reading, store, modality=modality)
        frozen = Frozen(backbone, pixels, store, here(self.precision))
        return np.concatenate([frozen.pooled(stage) for stage in self._taps(backbone)], axis=1)

    def _load(self) -> Backbone:
        from headstart.backbones import catalogue

        return catalogue.load(self.backbone, architecture=self.architecture)

    def _network(self) -> Backbone:
        """The network that was fitted; a pickle carries its name and digest, not its weights."""
        if "_loaded" not in vars(self):
            loaded = self._load()
            if loaded.digest() != self.digest_:
                raise WeightsError(
                    f"{self.backbone} has other weights than these features were fitted with",
                    expected=f"SHA-256 {self.digest_}",
                    next_move="fit again, or bring back the weights of then",
                )
            self._loaded = loaded
        return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_loaded"}

    def _taps(self, backbone: Backbone) -> tuple[int, ...]:
        from headstart.tune.probe import read_taps

        return read_taps(backbone, str(self.stages))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "backbone_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _items(X: Any) -> list[Any]:
    if not pictures.holds(X):
        raise BadSource("X holds no pictures", expected="a list of paths, PIL images or arrays, or an array (n, H, W)")
    return pictures.items(X)
