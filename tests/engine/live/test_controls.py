import json
import socket

import pytest

from engine.errors import InputError, TargetError
from engine.live.control_socket import ControlSocket
from engine.live.controls import LiveControls
from engine.live.counters import LiveCounterAccumulator, LiveCounters
from engine.masking.style import find_weaknesses


@pytest.mark.parametrize("style", ["strong", "broadcast", "editorial", "training-data"])
@pytest.mark.parametrize("shape", [None, "ellipse", "rectangle", "rounded"])
@pytest.mark.parametrize("strength", [1.0, 2.5, 4.0])
def test_every_combination_of_controls_hides_faces(style, shape, strength):
    controls = LiveControls()
    controls.change(style=style, shape=shape, strength=strength)
    assert find_weaknesses(controls.read_state()[2]) == []


@pytest.mark.parametrize("change", [{"strength": 0.5}, {"style": "none"}, {"confidence": 2}, {"colour": "red"}])
def test_a_wrong_change_is_refused_and_changes_nothing(change):
    controls = LiveControls()
    before = controls.read_state()
    with pytest.raises(InputError):
        controls.change(**change)
    assert controls.read_state() == before


@pytest.mark.slow
def test_the_socket_changes_the_controls_and_replies(tmp_path):
    controls = LiveControls()
    path = tmp_path / "control"
    with ControlSocket(path, controls, lambda: LiveCounters(shown=7)):
        assert path.stat().st_mode & 0o077 == 0
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            answers = client.makefile("r")
            client.sendall(b'{"cover_all": true, "style": "broadcast"}\n')
            answer = json.loads(answers.readline())
            assert answer["look"]["cover_all"] is True
            assert answer["counters"]["shown"] == 7
            client.sendall(b'{"strength": 0.1}\n')
            assert "strength" in json.loads(answers.readline())["error"]
            client.sendall(b"nonsense\n")
            assert "error" in json.loads(answers.readline())
            client.sendall(b"{}\n")
            assert json.loads(answers.readline())["look"]["style"] == "broadcast"
        assert controls.state.cover_all
    assert not path.exists()


def test_a_socket_that_cannot_be_created_is_an_error(tmp_path):
    with pytest.raises(TargetError, match="control socket"):
        ControlSocket(tmp_path / "no" / "where", LiveControls(), LiveCounters)


def test_delays_are_reported_by_percentile():
    accumulator = LiveCounterAccumulator()
    for milliseconds in range(1, 101):
        accumulator.add_delay(milliseconds / 1000)
    counters = accumulator.to_counters()
    assert (counters.delay_p50, counters.delay_p95, counters.delay_most) == (50, 95, 100)
