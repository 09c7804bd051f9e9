"""Small files in MNIST's form, and a server that misbehaves as it is told."""

import gzip
import http.server
import threading
from contextlib import contextmanager

import numpy as np

from fastmlp.datasets.idx import header, sha256
from fastmlp.datasets.mnist_files import FILES, MnistFile

SHAPES = [(6, 28, 28), (6,), (2, 28, 28), (2,)]


def arrays():
    """Draw four small arrays, by the names of MNIST's files."""
    generator = np.random.default_rng(0)
    return {
        source.name: generator.integers(0, 10, shape).astype(np.uint8)
        for source, shape in zip(FILES, SHAPES, strict=True)
    }


def files():
    """List the small arrays as the files that are to be found."""
    return tuple(
        MnistFile(source.name, sha256(arrays()[source.name]), source.keras) for source in FILES
    )


def content(array):
    """Return an array as an IDX file."""
    return header(array.shape) + array.tobytes()


def write(folder, compress=True, **replaced):
    """Write the four files; `replaced` holds other content by the name's first part."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays().items():
        data = replaced.get(name.replace("-", "_").partition("_idx")[0], content(array))
        path = folder / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(data) if compress else data)


@contextmanager
def mirror(behaviour=None):
    """Serve the four files on 127.0.0.1.

    `behaviour` maps a name's beginning to a status, "wrong", "cut" or "nonsense". Yields the
    address and the list of the requests as they come.
    """
    behaviour = behaviour or {}
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2].removesuffix(".gz")
            requests.append(name)
            how = next((how for start, how in behaviour.items() if name.startswith(start)), None)
            array = arrays()[name]
            body = gzip.compress(content(array + 1 if how == "wrong" else array))
            body = b"<html>no such page</html>" if how == "nonsense" else body
            self.send_response(how if isinstance(how, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if how == "cut" else body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/mnist/", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
