"""Aggregation pipelines. Importing the package registers every stage with `core`."""

from emulators.mongodb.pipeline import basic, group, join, output, reshape, source, window

__all__ = ["basic", "group", "join", "output", "reshape", "source", "window"]
