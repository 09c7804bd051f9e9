"""What only some need is not installed for all: the extras of the distribution."""

import importlib.util


def require(purpose: str, extra: str, *packages: str) -> None:
    """Raise an `ImportError` that says what to install where packages are missing.

    Parameters
    ----------
    purpose : str
        What needs the packages.
    extra : str
        The distribution's extra that brings them.
    *packages : str

    Raises
    ------
    ImportError
        If one of them is not installed.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        raise ImportError(f"{purpose} needs {names}. Install it: pip install 'fastmlp[{extra}]'")
