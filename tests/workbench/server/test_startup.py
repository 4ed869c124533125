import os
import socket

from workbench.server import startup


def test_whoever_connects_is_answered_at_once():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        startup.disable_send_delay()
        with socket.create_connection(listener.getsockname()) as caller, listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert not caller.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            startup.disable_send_delay()
            assert caller.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_is_no_connection_stays_as_it_is(tmp_path):
    first, second = socket.socketpair()
    with first, second, (tmp_path / "file").open("w") as file:
        startup.disable_send_delay()
        first.send(b"still open")
        assert second.recv(100) == b"still open"
        assert os.fstat(file.fileno())
