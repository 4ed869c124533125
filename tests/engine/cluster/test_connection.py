"""Which cluster is used, and what is said if there is none."""

import socket

import pytest

from engine.cluster.connection import ClusterChoice, open_cluster
from engine.errors import InputError


def test_without_a_choice_nothing_is_started():
    with open_cluster(ClusterChoice()) as runner:
        assert runner is None


def test_a_wrong_choice_is_refused():
    with pytest.raises(InputError, match="not both"):
        ClusterChoice("tcp://host:8786", 2).check()
    for address in ("host:8786", "http://host:8786", "tcp://host", "tcp://a b:1"):
        with pytest.raises(InputError, match="address of a scheduler"):
            ClusterChoice(address).check()


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(InputError, match="does not answer"), open_cluster(ClusterChoice(address, connect_s=0.2)):
            pass
