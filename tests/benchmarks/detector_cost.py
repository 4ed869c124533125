"""What each detector costs a frame: `python -m tests.benchmarks.detector_cost [WIDTH HEIGHT]`.

Milliseconds of processor time (one thread, so about the wall time on an idle core), the median over a few frames of
1920x1080 pixels unless another size is given. Each detector runs in a process of its own, as it does in the product.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import cv2
import skimage.data

from engine.core.geometry import Size
from engine.detectors import registry
from engine.detectors.modes import MODES
from engine.storage.data_folder import find_data_folder

FRAMES = 5
CONFIGURATIONS = {
    "mtcnn": ("mtcnn", {}),
    "mediapipe": ("mediapipe", {}),
    "yolov8-face at 640": ("yolov8-face", {}),
    "yolov8-face at 640, mirrored": ("yolov8-face", {"mirror": True}),
    "yolov8-face at 1280": ("yolov8-face", {"size": 1280}),
    "centerface at 1280": ("centerface", {}),
    "centerface at 1280, mirrored": ("centerface", {"mirror": True}),
    "centerface at 1920, mirrored": ("centerface", {"size": 1920, "mirror": True}),
    **{f"hybrid: {name}": (name, dict(MODES["hybrid"].parameters[name])) for name in MODES["hybrid"].detectors},
}


def cost(name: str, overrides: dict[str, object], size: Size) -> float:
    """Milliseconds of processor time a frame."""
    plan = registry.plan_detector(name, overrides)
    detector = registry.import_detector_class(name).load(plan.settings, find_data_folder().models)
    seen = size.fit(plan.longest_side)
    picture = cv2.resize(skimage.data.astronaut(), (seen.width, seen.height), interpolation=cv2.INTER_AREA)
    detector.detect([picture])
    spent = []
    for _ in range(FRAMES):
        before = time.process_time()
        detector.detect([picture])
        spent.append(time.process_time() - before)
    return statistics.median(spent) * 1000


def main(arguments: list[str]) -> None:
    """Print the table, or, called by itself for one configuration, one number."""
    if len(arguments) == 4:
        name, overrides, width, height = arguments
        sys.stdout.write(f"{cost(name, json.loads(overrides), Size(int(width), int(height))):.0f}\n")
        return
    size = arguments or ["1920", "1080"]
    for title, (name, overrides) in CONFIGURATIONS.items():
        command = [sys.executable, "-m", "tests.benchmarks.detector_cost", name, json.dumps(overrides), *size]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        sys.stdout.write(f"{title:<32} {done.stdout.split()[-1]:>6} ms\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
