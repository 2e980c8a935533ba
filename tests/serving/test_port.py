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


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_address_of_ipv6_is_tried_as_one() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"port={port} of host=::1 cannot be listened on .*in use"):
            require_free("::1", port)
    require_free("::1", port)
