"""MTCNN's three networks as the package `mtcnn` defines them, run by OpenVINO.

The package runs its networks eagerly, which costs more than the arithmetic. Here TensorFlow builds each network once
from verified weights, and OpenVINO runs the frozen graph.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.detectors import optional_imports, weights
from engine.detectors.mtcnn_cascade import Samples, Scores
from engine.storage.scratch import own_temporary_folder

REFINE_BATCH_CROPS = 32
"""Crops in a batch of R-Net. The number is fixed, so that the answer for a crop cannot depend on how many there are."""
OUTPUT_BATCH_CROPS = 8
"""Crops in a batch of O-Net."""

_QUIET_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OPENVINO_LOG_LEVEL": "0",
}

NetworkOutput = tuple[NDArray[np.float32], Scores]
"""Offsets of the box's edges, last axis 4, and the score of being a face, without that axis."""


class Networks:
    """P-Net, R-Net and O-Net, ready to run on `threads` threads.

    Raises:
        InputError: a library cannot be imported.
        ModelError: a file of weights is missing or is not the pinned one.
    """

    def __init__(self, models: Path, threads: int) -> None:
        graphs = _build_graphs(models)
        openvino = optional_imports.import_openvino()
        core = openvino.Core()
        core.set_property("CPU", _cpu_properties(openvino, threads))
        with own_temporary_folder() as folder:
            self._proposal_network = _compile_graph(core, folder, graphs["pnet"], batch=1, side=None)
            self._refinement_network = _compile_graph(core, folder, graphs["rnet"], batch=REFINE_BATCH_CROPS, side=24)
            self._output_network = _compile_graph(core, folder, graphs["onet"], batch=OUTPUT_BATCH_CROPS, side=48)

    def propose(self, level: Samples) -> NetworkOutput:
        """Run P-Net over a level of shape (height, width, 3), both at least 12; return shapes (rows, columns, ...)."""
        # The softmax over two values, which was removed from the network (see `_build_graphs`), is a logistic function.
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
    scores = np.concatenate([answer[len(answer) - 1] for answer in answers])[:count, 1]
    return offsets, scores


def _build_graphs(models: Path) -> dict[str, bytes]:
    """Build each network as a serialised TensorFlow graph that contains its weights."""
    os.environ.update(_QUIET_ENVIRONMENT)
    tensorflow = optional_imports.import_library("tensorflow", "tensorflow-cpu")
    joblib = optional_imports.import_library("joblib", "joblib")
    graphs = {}
    for name, kind, side in (("pnet", "PNet", None), ("rnet", "RNet", 24), ("onet", "ONet", 48)):
        network = getattr(optional_imports.import_library(f"mtcnn.network.{name}", "mtcnn"), kind)()
        network.build()
        if name == "pnet":  # Its softmax over two values costs a seventh of the network; see `propose`.
            network.conv4_2.activation = tensorflow.keras.activations.linear
        # The file is a pickle, which can run any code: only bytes with the pinned hash may get here.
        network.set_weights(joblib.load(io.BytesIO(weights.read_model(models, f"mtcnn-{name}.lz4"))))
        graphs[name] = _freeze_graph(tensorflow, network, [None, side, side, 3])
    return graphs


def _freeze_graph(tensorflow: Any, network: Any, shape: list[int | None]) -> bytes:
    freeze = optional_imports.import_library("tensorflow.python.framework.convert_to_constants", "tensorflow-cpu")
    signature = tensorflow.TensorSpec(shape, tensorflow.float32, name="pictures")
    function = tensorflow.function(network.call, autograph=False).get_concrete_function(signature)
    graph = freeze.convert_variables_to_constants_v2(function).graph.as_graph_def()
    return bytes(graph.SerializeToString())


def _compile_graph(core: Any, folder: Path, graph: bytes, batch: int, side: int | None) -> Any:
    """Compile a graph for OpenVINO, which then takes samples from 0 to 255."""
    path = folder / "graph.pb"
    path.write_bytes(graph)
    openvino = optional_imports.import_openvino()
    preprocess = optional_imports.import_library("openvino.preprocess", "openvino")
    model = core.read_model(path)
    model.reshape([batch, side or -1, side or -1, 3])
    steps = preprocess.PrePostProcessor(model)
    steps.input().tensor().set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NHWC"))
    steps.input().preprocess().mean(127.5).scale(128.0)
    return core.compile_model(steps.build(), "CPU")


def _cpu_properties(openvino: Any, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # every worker would pin its thread to the same core
        "INFERENCE_PRECISION_HINT": openvino.Type.f32,
        "PERFORMANCE_HINT": "LATENCY",
    }
