"""One service, one file: a table of routes, each with the action that a caller needs for it."""
