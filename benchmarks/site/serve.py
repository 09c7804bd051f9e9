"""Serves a folder over http on this machine alone."""

from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from .errors import SiteError


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def handle(self):
        """Answer; a browser that leaves a page does not wait for what is still coming."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format, *args):  # noqa: A002  (http.server's name)
        """Write nothing."""


@contextmanager
def served(directory, port=0):
    """Serve a folder on 127.0.0.1 as long as the context lasts.

    Parameters
    ----------
    directory : Path
    port : int
        0 takes any that is free.

    Yields
    ------
    str
        The address, which ends in a slash.
    """
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=directory))
    except (OSError, OverflowError) as error:
        raise SiteError(f"--port must be free; got {port}: {error}. Take another.") from error
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
