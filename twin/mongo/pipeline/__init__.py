"""Aggregation pipelines. Importing the package registers every stage with `core`."""

from twin.mongo.pipeline import basic, group, join, output, reshape, source, window

__all__ = ["basic", "group", "join", "output", "reshape", "source", "window"]
