"""MTCNN's three networks, built for OpenVINO from the weights that the package `mtcnn` carries.

The package runs its networks eagerly by TensorFlow, which costs more than the arithmetic. TensorFlow is not needed here
at all: importing it and tracing the networks took five seconds of a start that takes less than one now. The networks
follow the paper (https://arxiv.org/abs/1604.02878) in the package's variant: padding as TensorFlow does it, and columns
before rows where the last feature map becomes a vector.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.detectors import optional_imports, weights
from engine.detectors.mtcnn_cascade import Samples, Scores
from engine.detectors.openvino_network import choose_properties

REFINE_BATCH_CROPS = 32
"""Crops in a batch of R-Net. The number is fixed, so that the answer for a crop cannot depend on how many there are."""
OUTPUT_BATCH_CROPS = 8
"""Crops in a batch of O-Net."""

NetworkOutput = tuple[NDArray[np.float32], Scores]
"""Offsets of the box's edges, last axis 4, and the score of being a face, without that axis."""

_POOLS: dict[str, tuple[tuple[int, bool] | None, ...]] = {
    "pnet": ((2, True), None, None),
    "rnet": ((3, True), (3, False), None),
    "onet": ((3, True), (3, False), (2, True), None),
}
"""Of each convolution: the side of the pooling after it, in steps of 2, and whether it pads; None: no pooling."""


class Networks:
    """P-Net, R-Net and O-Net, ready to run on `threads` threads.

    Raises:
        InputError: a library cannot be imported.
        ModelError: a file of weights is missing or is not the pinned one.
    """

    def __init__(self, models: Path, threads: int) -> None:
        os.environ["OPENVINO_LOG_LEVEL"] = "0"
        openvino = optional_imports.import_openvino()
        core = openvino.Core()
        core.set_property("CPU", choose_properties(openvino, "f32", threads))
        self._proposal_network, self._refinement_network, self._output_network = (
            _compile(core, _NetworkBuilder(openvino, iter(_read_tensors(models, name))).build(name, batch, side))
            for name, batch, side in (
                ("pnet", 1, -1),
                ("rnet", REFINE_BATCH_CROPS, 24),
                ("onet", OUTPUT_BATCH_CROPS, 48),
            )
        )

    def propose(self, level: Samples) -> NetworkOutput:
        """Run P-Net over a level of shape (height, width, 3), both at least 12; return shapes (rows, columns, ...)."""
        # The softmax over two values is a logistic function of their difference, and costs less than in the network.
        answer = self._proposal_network(level[None])
        logits = answer[1][0]
        return answer[0][0], (np.tanh((logits[..., 1] - logits[..., 0]) / 2) + 1) / 2

    def refine(self, crops: Samples) -> NetworkOutput:
        """Run R-Net over crops of shape (n, 24, 24, 3)."""
        return _run_in_batches(self._refinement_network, crops, REFINE_BATCH_CROPS)

    def confirm(self, crops: Samples) -> NetworkOutput:
        """Run O-Net over crops of shape (n, 48, 48, 3)."""
        return _run_in_batches(self._output_network, crops, OUTPUT_BATCH_CROPS)


def _run_in_batches(network: Any, crops: Samples, batch: int) -> NetworkOutput:
    # The last batch is filled up with black crops, whose answers are dropped.
    count = len(crops)
    padded = np.concatenate([crops, np.zeros((-count % batch, *crops.shape[1:]), np.float32)])
    answers = [network(padded[start : start + batch]) for start in range(0, count, batch)]
    offsets = np.concatenate([answer[0] for answer in answers])[:count]
    scores = np.concatenate([answer[1] for answer in answers])[:count, 1]
    return offsets, scores


def _read_tensors(models: Path, name: str) -> list[NDArray[np.float32]]:
    joblib = optional_imports.import_library("joblib", "joblib")
    # The file is a pickle, which can run any code: only bytes with the pinned hash may get here.
    tensors: list[NDArray[np.float32]] = joblib.load(io.BytesIO(weights.read_model(models, f"mtcnn-{name}.lz4")))
    return tensors


def _compile(core: Any, network: Any) -> Any:
    """Compile a network, which then takes samples from 0 to 255 of shape (batch, rows, columns, 3)."""
    openvino = optional_imports.import_openvino()
    steps = optional_imports.import_library("openvino.preprocess", "openvino").PrePostProcessor(network)
    steps.input().tensor().set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    steps.input().preprocess().mean(127.5).scale(128.0)
    return core.compile_model(steps.build(), "CPU")


class _NetworkBuilder:
    """Builds one network layer by layer; each layer takes its own tensors from the file, in the order of the layers."""

    def __init__(self, openvino: ModuleType, tensors: Iterator[NDArray[np.float32]]) -> None:
        self._openvino, self._tensors = openvino, tensors
        self._ops = optional_imports.import_library("openvino.opset8", "openvino")

    def build(self, name: str, batch: int, side: int) -> Any:
        """Build a network that returns offsets and two values, of no face and of a face.

        Args:
            name: see `_POOLS`.
            batch: number of pictures.
            side: of a picture in pixels. -1: any.
        """
        ops = self._ops
        pictures = ops.parameter(self._openvino.PartialShape([batch, 3, side, side]), np.float32)
        features = pictures
        for pool in _POOLS[name]:
            features = self._prelu(self._convolve(features), rank=4)
            if pool is not None:
                features = self._pool(features, *pool)
        if name == "pnet":
            channels_last = np.array([0, 2, 3, 1])
            outputs = [ops.transpose(self._convolve(features), channels_last) for _ in range(2)]
        else:
            columns_first = ops.transpose(features, np.array([0, 3, 2, 1]))
            vector = self._prelu(self._connect(ops.reshape(columns_first, np.array([batch, -1]), False)), rank=2)
            outputs = [self._connect(vector)]
            if name == "onet":
                self._connect(vector)  # landmarks, which nothing here asks for
            outputs.append(ops.softmax(self._connect(vector), 1))
        return self._openvino.Model([ops.result(output) for output in outputs], [pictures], name)

    def _convolve(self, features: Any) -> Any:
        kernel, bias = next(self._tensors), next(self._tensors)
        # TensorFlow keeps rows, columns, inputs, outputs; OpenVINO outputs, inputs, rows, columns.
        turned = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        convolved = self._ops.convolution(features, turned, [1, 1], [0, 0], [0, 0], [1, 1])
        return self._ops.add(convolved, bias.reshape(1, -1, 1, 1))

    def _connect(self, vectors: Any) -> Any:
        matrix, bias = next(self._tensors), next(self._tensors)
        return self._ops.add(self._ops.matmul(vectors, matrix, False, False), bias.reshape(1, -1))

    def _prelu(self, features: Any, rank: int) -> Any:
        slopes = next(self._tensors)
        return self._ops.prelu(features, slopes.reshape(1, -1, *[1] * (rank - 2)))

    def _pool(self, features: Any, side: int, pads: bool) -> Any:  # noqa: FBT001 - a row of a table
        padding = "same_upper" if pads else "valid"
        pooled = self._ops.max_pool(features, [2, 2], [1, 1], [0, 0], [0, 0], [side, side], "floor", padding)
        return pooled.output(0)
