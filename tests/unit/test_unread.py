"""Who never reads is hung up on by the kernel: what is set where the service listens."""

import socket
import sys

import pytest

from service import unread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has TCP_USER_TIMEOUT")


def test_connections_inherit_the_limit_of_what_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unread.set_limit()
        with socket.create_connection(listener.getsockname()) as caller:
            accepted, _ = listener.accept()
            with accepted:
                assert _limit(accepted) == unread.UNREAD_MILLISECONDS
            assert _limit(caller) == 0


def _limit(one: socket.socket) -> int:
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
