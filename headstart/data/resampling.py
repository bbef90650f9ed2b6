"""Pillow's resize as arithmetic on tensors, so that a graph prepares pictures exactly as ``images.load`` does.

Pillow resamples eight-bit pictures in two passes of fixed-point sums: coefficients with 22 bits behind the point, and
what each pass gives is rounded and clipped to a byte (``src/libImaging/Resample.c``). In double precision such sums are
exact whatever their order, so the bytes are the same. Only operations that ``torch.export`` follows with height and
width free are used.
"""

from __future__ import annotations

import PIL
import torch
from torch import nn

from headstart.base.errors import BadOption
from headstart.base.vocabulary import Preprocessing

_ONE = 2.0**22
_REACH = {"bilinear": 1.0, "bicubic": 2.0}
"""Filter -> how far it reaches to either side, in pixels of the smaller picture."""


class Square(nn.Module):
    """The central square of pictures, resized: what ``images.load`` does to an array.

    Args:
        preprocessing: size, crop and interpolation; mean and deviation are the network's business.
        tall_first: very tall pictures are resized vertically first, as Pillow does from version 13 on; by default as
            the installed Pillow does.

    Raises:
        BadOption: for an interpolation that does not exist.
    """

    crop: torch.Tensor

    def __init__(self, preprocessing: Preprocessing, *, tall_first: bool | None = None) -> None:
        super().__init__()
        if preprocessing.interpolation not in ("nearest", *_REACH):
            raise BadOption(f"No interpolation {preprocessing.interpolation!r}", expected="nearest, bilinear, bicubic")
        self.size, self.interpolation = preprocessing.size, preprocessing.interpolation
        self.tall_first = int(PIL.__version__.split(".")[0]) >= 13 if tall_first is None else tall_first
        # A number in the code would reach the graph in single precision.
        self.register_buffer("crop", torch.tensor(preprocessing.crop, dtype=torch.float64))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures (n, H, W, 3) uint8 to (n, 3, s, s) uint8."""
        height, width = (torch.scalar_tensor(pictures.shape[axis], dtype=torch.float64) for axis in (1, 2))
        kept = torch.minimum(height, width) * self.crop
        if self.interpolation == "nearest":
            rows, columns = self._nearest(height, kept), self._nearest(width, kept)
            return pictures.index_select(1, rows).index_select(2, columns).permute(0, 3, 1, 2).contiguous()
        down = self._coefficients(pictures.shape[1], height, kept)
        across = self._coefficients(pictures.shape[2], width, kept).T
        planes = pictures.permute(0, 3, 1, 2)
        if not self.tall_first:
            return _across_then_down(planes, down, across).to(torch.uint8)
        tall = (height > self.size) & (height - self.size > 2 * (width - self.size))
        found = torch.cond(tall, _down_then_across, _across_then_down, (planes, down, across))
        return found.to(torch.uint8)

    def _box(self, extent: torch.Tensor, kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where the square begins along an axis, and how many pixels become one; the box is in single precision."""
        start = (extent - kept) / 2
        first, last = start.float(), (start + kept).float()
        return first.double(), (last - first).double() / self.size

    def _nearest(self, extent: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """The pixel (s,) that each new one is; positions are added up one by one, rounding errors and all."""
        first, scale = self._box(extent, kept)
        steps = torch.cat([(first + scale * 0.5).reshape(1), scale.reshape(1).expand(self.size - 1)])
        return torch.floor(torch.cumsum(steps, 0)).long()

    def _coefficients(self, length: int, extent: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """How much of each of ``length`` pixels goes into each new one: (s, length), in units of 2^-22."""
        first, scale = self._box(extent, kept)
        widened = torch.clamp(scale, min=1.0)
        reach = _REACH[self.interpolation] * widened
        centre = (first + (torch.arange(self.size, dtype=torch.float64) + 0.5) * scale)[:, None]
        begin = torch.clamp(torch.floor(centre - reach + 0.5), min=0.0)
        end = torch.minimum(torch.floor(centre + reach + 0.5), extent)
        pixel = torch.arange(length, dtype=torch.float64)[None]
        weight = self._filter(torch.abs((pixel - centre + 0.5) * (1.0 / widened)))
        weight = torch.where((pixel >= begin) & (pixel < end), weight, torch.zeros_like(weight))
        parts = weight / weight.sum(1, keepdim=True) * _ONE
        return torch.where(parts < 0, torch.ceil(parts - 0.5), torch.floor(parts + 0.5))

    def _filter(self, away: torch.Tensor) -> torch.Tensor:
        if self.interpolation == "bilinear":
            return torch.clamp(1.0 - away, min=0.0)
        inner = ((1.5 * away - 2.5) * away) * away + 1.0
        outer = (((away - 5.0) * away + 8.0) * away - 4.0) * -0.5
        return torch.where(away < 1.0, inner, torch.where(away < 2.0, outer, torch.zeros_like(away)))


def _across_then_down(planes: torch.Tensor, down: torch.Tensor, across: torch.Tensor) -> torch.Tensor:
    return _byte(down @ _byte(planes.double() @ across))


def _down_then_across(planes: torch.Tensor, down: torch.Tensor, across: torch.Tensor) -> torch.Tensor:
    return _byte(_byte(down @ planes.double()) @ across)


def _byte(sums: torch.Tensor) -> torch.Tensor:
    return torch.clamp(torch.floor(sums / _ONE + 0.5), 0.0, 255.0)
