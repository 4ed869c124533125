"""The notebook runs from its first cell to its last, on a short clip."""

import os

import pytest

from tests import clips
from tests.repository import ROOT

NOTEBOOK = ROOT / "workbench" / "notebooks" / "clip-to-plots.ipynb"
FIGURE = "application/vnd.plotly.v1+json"


@pytest.fixture
def notebook(data_folder, carphone, tmp_path):
    """The notebook with its parameters set: the first 25 frames of a man talking in a car."""
    import nbformat  # takes a second, in each process that collects tests

    clip = tmp_path / "clip.mp4"
    filters = "scale=352:288:flags=lanczos,setsar=1"
    clips.ffmpeg("-i", carphone, "-vf", filters, "-frames:v", "25", "-c:v", "libx264", "-preset", "veryfast", clip)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    parameters = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    parameters.source += f"\nsource, data = {str(clip)!r}, {str(data_folder.root)!r}\n"
    return notebook


# The kernel's own libraries leave sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_goes_from_a_clip_to_plots(notebook, monkeypatch):
    from nbclient import NotebookClient

    root = str(ROOT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))))
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    figures = [output for output in outputs if FIGURE in output.get("data", {})]
    assert len(figures) == 7


def test_it_is_kept_without_outputs():
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
