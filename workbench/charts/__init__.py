"""Charts over the DataFrames of `engine.index`, in one look. Knows no Streamlit.

Each point carries (run, frame, track) as its first custom data, so that a click can open that frame; a track that does
not apply is None. The hover text has the frame and its time. The index has already reduced the rows to what a chart has
room for.
"""

from workbench.charts.agreement import draw_across_runs, draw_agreement
from workbench.charts.distributions import draw_scores, draw_sizes
from workbench.charts.figure import build_config, format_clock, limit_time
from workbench.charts.over_time import draw_confidence, draw_disagreement, draw_tracks
from workbench.charts.recall import draw_missed, draw_recall
from workbench.charts.score_curves import draw_precision_recall

__all__ = [
    "build_config", "draw_across_runs", "draw_agreement", "draw_confidence", "draw_disagreement", "draw_missed",
    "draw_precision_recall", "draw_recall", "draw_scores", "draw_sizes", "draw_tracks", "format_clock", "limit_time",
]  # fmt: skip
