"""A fully convolutional network that looks at RGB pictures of 8 bits, run by OpenVINO.

The conversion of the picture (8 bits to floats, mean, order of colours and axes) is a part of the compiled network:
done outside, it costs as much as a third of the network itself.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports
from engine.detectors.processor import Precision, has_bf16
from engine.errors import InputError

SIDE_MULTIPLE_PX = 32
"""Sides of a network's input are multiples of this: the coarsest feature map has a cell for 32 pixels."""

_DYNAMIC = -1


class PictureNetwork:
    """A network, compiled for pictures of any size.

    Measured with static shapes too: as fast, the same digits, and each new size of photograph then costs 0.2 s.

    Raises:
        InputError: OpenVINO cannot be imported, or the processor lacks the precision.
    """

    def __init__(  # noqa: PLR0913 - what a network was trained with, and how it computes
        self, model: bytes, *, mean: tuple[int, int, int], bgr: bool, precision: Precision, threads: int, detector: str
    ) -> None:
        """Compile.

        Args:
            model: ONNX, with one input of shape (1, 3, rows, columns).
            mean: subtracted from red, green and blue; also the colour of the padding, which so becomes zero.
            bgr: the network was trained on pictures with blue first.
            precision: in which it computes.
            threads: with how many.
            detector: name of the detector, for an error.
        """
        if precision == "bf16" and not has_bf16():
            raise InputError(
                f"This machine's processor cannot compute in bf16: set {detector}.precision=f32, and detect anew."
            )
        self._padding = np.array(mean, np.uint8)
        openvino = optional_imports.import_openvino()
        self._request = _compile(openvino, model, mean, precision, threads, reverse=bgr)

    def run(self, picture: Rgb, input_size: Size) -> list[NDArray[np.float32]]:
        """Look at a picture at the size `input_size`; padding is added at the right and below.

        Returns:
            The outputs of the network, in its own order; views that the next call overwrites.
        """
        # INTER_AREA gives the same bytes with every set of CPU features and does not alias when it shrinks.
        method = cv2.INTER_AREA if input_size.width < picture.shape[1] else cv2.INTER_LINEAR
        resized = cv2.resize(np.ascontiguousarray(picture), (input_size.width, input_size.height), interpolation=method)
        rows, columns = (
            -(-side // SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX for side in (input_size.height, input_size.width)
        )
        # Padding in the mean colour is zero inside the network, as the padding of its own convolutions is.
        tensor = np.empty((1, rows, columns, 3), np.uint8)
        tensor[...] = self._padding
        tensor[0, : input_size.height, : input_size.width] = resized
        self._request.infer([tensor])
        return [output.data for output in self._request.output_tensors]


def choose_input_size(size: Size, longest_side_px: int, max_enlargement: float, whole: Size | None = None) -> Size:
    """Return the size at which a picture is looked at: as large as asked, enlarged at most so many times.

    Args:
        size: size of the picture.
        longest_side_px: longest side in pixels that is asked for.
        max_enlargement: greatest factor.
        whole: size of the picture that it is a part of, to which the two above apply. None: it is whole.
    """
    scale = min(max_enlargement, longest_side_px / (whole or size).longest_side)
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


def padded_shape(input_size: Size) -> tuple[int, int]:
    """Return rows and columns of the network's input for a picture of `input_size`."""
    height, width = (-(-side // SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX for side in (input_size.height, input_size.width))
    return height, width


def _compile(  # noqa: PLR0913 - as PictureNetwork
    openvino: ModuleType, model: bytes, mean: tuple[int, int, int], precision: Precision, threads: int, *, reverse: bool
) -> Any:
    # CenterFace's file declares ten pictures of 32x32 pixels; a network without dense layers takes any size.
    core = openvino.Core()
    network = core.read_model(model)
    network.reshape(openvino.PartialShape([1, 3, _DYNAMIC, _DYNAMIC]))
    steps = openvino.preprocess.PrePostProcessor(network)
    layout = openvino.Layout
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(layout("NHWC"))
    steps.input().model().set_layout(layout("NCHW"))
    preprocess = steps.input().preprocess()
    preprocess.convert_element_type(openvino.Type.f32).mean([float(value) for value in mean])
    # The mean is subtracted in the order of the picture's colours, so reversing comes last.
    if reverse:
        preprocess.reverse_channels()
    properties = {
        "INFERENCE_PRECISION_HINT": openvino.Type.bf16 if precision == "bf16" else openvino.Type.f32,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # every worker would pin its thread to the same core
        "PERFORMANCE_HINT": "LATENCY",
    }
    return core.compile_model(steps.build(), "CPU", properties).create_infer_request()
