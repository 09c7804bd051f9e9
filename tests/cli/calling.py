"""How the tests call the commands."""

from click.testing import CliRunner

from fastmlp.cli import main


def run(*arguments):
    """Call the command; a traceback fails the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def assert_fails(result, message):
    """Check that a command ended with one line on stderr, which says so, and status 2."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
