"""Aggregation pipelines. Importing the package registers every stage with `core`."""

from emulators.mongodb.pipeline import basic, group, join, output, reshape, search, source, window

__all__ = ["basic", "group", "join", "output", "reshape", "search", "source", "window"]
