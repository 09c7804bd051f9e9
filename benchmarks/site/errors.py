"""What goes wrong with the site, in one line."""

import click


class SiteError(click.ClickException):
    """The site cannot be published, served or shown; the message says what to do."""
