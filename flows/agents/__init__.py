"""For agents: what is published, as the tools of a Model Context Protocol server."""
