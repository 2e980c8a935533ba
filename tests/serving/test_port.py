"""A port in use is told before any network is loaded."""

import socket

import pytest

from deblurlab.serving.port import require_free


def test_a_port_in_use_is_refused_and_a_free_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"port={port} of host=127.0.0.1 cannot be listened on .*port={port + 1}"):
            require_free("127.0.0.1", port)
    require_free("127.0.0.1", port)
