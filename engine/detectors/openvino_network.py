"""A fully convolutional network that looks at RGB pictures of 8 bits, run by OpenVINO.

The conversion of the picture (8 bits to floats, mean, order of colours and axes) is a part of the compiled network:
done outside, it costs as much as a third of the network itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

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


class InputFormat(NamedTuple):
    """The pictures that a network was trained with.

    Attributes:
        mean: subtracted from red, green and blue.
        divisor: by which they are divided then.
        padding: colour beside a picture that does not fill the network's input.
        is_centred: True if the padding is on all sides, False if it is at the right and below.
        bgr: blue comes first.
        is_resizable: True if the network takes any size, whatever size its file declares.
    """

    mean: tuple[int, int, int] = (0, 0, 0)
    divisor: int = 1
    padding: tuple[int, int, int] = (0, 0, 0)
    is_centred: bool = False
    bgr: bool = False
    is_resizable: bool = True


class PictureNetwork:
    """A network, compiled for pictures of any size.

    Measured with static shapes too: as fast, the same digits, and each new size of photograph then costs 0.2 s.

    Args:
        model: ONNX, with one input of shape (1, 3, rows, columns).
        input_format: the pictures that it was trained with.
        precision: in which it computes.
        threads: with how many.
        detector: name of the detector, for an error.

    Attributes:
        metadata: what the maker of the file wrote into it.
        fixed_size: the only size of its input. None: any.

    Raises:
        InputError: OpenVINO cannot be imported, or the processor lacks the precision.
    """

    def __init__(
        self, model: bytes, input_format: InputFormat, *, precision: Precision, threads: int, detector: str
    ) -> None:
        if precision == "bf16" and not has_bf16():
            raise InputError(
                f"This machine's processor cannot compute in bf16: set {detector}.precision=f32, and detect anew."
            )
        openvino = optional_imports.import_openvino()
        core = openvino.Core()
        network = core.read_model(model)
        self._format = input_format
        self.metadata: Mapping[str, str] = _read_metadata(network)
        self.fixed_size = None if input_format.is_resizable else _find_fixed_size(network)
        if self.fixed_size is None:
            # CenterFace's file declares ten pictures of 32x32 pixels; a network without dense layers takes any size.
            network.reshape(openvino.PartialShape([1, 3, _DYNAMIC, _DYNAMIC]))
        properties = choose_properties(openvino, precision, threads)
        self._request = _compile(core, openvino, network, input_format, properties)

    def run(self, picture: Rgb, input_size: Size) -> list[NDArray[np.float32]]:
        """Look at a picture at the size `input_size`, padded as the network was trained with.

        Returns:
            The outputs of the network, in its own order; views that the next call overwrites.
        """
        self._request.infer([pad_picture(picture, input_size, self._format, self.fixed_size)])
        return [output.data for output in self._request.output_tensors]


def pad_picture(
    picture: Rgb, input_size: Size, input_format: InputFormat, fixed_size: Size | None = None
) -> NDArray[np.uint8]:
    """Scale a picture to `input_size` and pad it to `fixed_size`; None: to multiples of 32 pixels.

    Returns:
        Shape (1, rows, columns, 3).
    """
    # INTER_AREA gives the same bytes with every set of CPU features and does not alias when it shrinks.
    method = cv2.INTER_AREA if input_size.width < picture.shape[1] else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(picture), (input_size.width, input_size.height), interpolation=method)
    size, (left, top) = _pad_size(input_size, fixed_size), find_offset(input_size, input_format, fixed_size)
    tensor = np.empty((1, size.height, size.width, 3), np.uint8)
    tensor[...] = np.array(input_format.padding, np.uint8)
    tensor[0, top : top + input_size.height, left : left + input_size.width] = resized
    return tensor


def find_offset(input_size: Size, input_format: InputFormat, fixed_size: Size | None = None) -> tuple[int, int]:
    """Return where `pad_picture` puts the upper left corner of a picture, as (x, y)."""
    if not input_format.is_centred:
        return 0, 0
    size = _pad_size(input_size, fixed_size)
    return (size.width - input_size.width) // 2, (size.height - input_size.height) // 2


def _pad_size(input_size: Size, fixed_size: Size | None) -> Size:
    height, width = padded_shape(input_size)
    return fixed_size or Size(width, height)


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


def _read_metadata(network: Any) -> Mapping[str, str]:
    if not network.has_rt_info("framework"):
        return {}
    written = network.get_rt_info(["framework"])
    return {name: str(getattr(value, "value", value)) for name, value in getattr(written, "value", written).items()}


def _find_fixed_size(network: Any) -> Size | None:
    rows, columns = network.input(0).partial_shape[2], network.input(0).partial_shape[3]
    return None if rows.is_dynamic or columns.is_dynamic else Size(columns.get_length(), rows.get_length())


def _compile(
    core: Any, openvino: ModuleType, network: Any, input_format: InputFormat, properties: Mapping[str, Any]
) -> Any:
    steps = openvino.preprocess.PrePostProcessor(network)
    layout = openvino.Layout
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(layout("NHWC"))
    steps.input().model().set_layout(layout("NCHW"))
    preprocess = steps.input().preprocess()
    preprocess.convert_element_type(openvino.Type.f32).mean([float(value) for value in input_format.mean])
    if input_format.divisor != 1:
        preprocess.scale(float(input_format.divisor))
    # The mean is subtracted in the order of the picture's colours, so reversing comes last.
    if input_format.bgr:
        preprocess.reverse_channels()
    return core.compile_model(steps.build(), "CPU", dict(properties)).create_infer_request()


def choose_properties(openvino: ModuleType, precision: Precision, threads: int) -> dict[str, Any]:
    """Return how OpenVINO is to compute on the processor."""
    return {
        "INFERENCE_PRECISION_HINT": openvino.Type.bf16 if precision == "bf16" else openvino.Type.f32,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # every worker would pin its thread to the same core
        "PERFORMANCE_HINT": "LATENCY",
    }
