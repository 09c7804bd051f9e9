"""Where fastmlp keeps what it can make again: compiled kernels and data sets."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return the folder; it may not exist yet, and it may not be writable.

    `FASTMLP_CACHE_DIR` where it is set, else the platform's folder for a user's caches.
    """
    chosen = os.environ.get("FASTMLP_CACHE_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("fastmlp", appauthor=False))
