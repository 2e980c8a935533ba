"""Checks whether the page can be served at an address."""

import socket


def require_free(host: str, port: int) -> None:
    """Check that an address can be listened on, before any network is loaded.

    Raises:
        ValueError: If it cannot; the message names the port.
    """
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise ValueError(
            f"port={port} of host={host} cannot be listened on ({error.strerror}): choose another, such as "
            f"port={port + 1 if port < 65535 else port - 1}."
        ) from error
