"""The site that asv publishes, made to work offline, served, and looked at in a browser."""
