"""The public pages as files for any web host: the same pages, without a server."""
