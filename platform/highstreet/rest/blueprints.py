"""The blueprint of the core's own operations: the same as a tool's, without a tool."""

from highstreet.sdk.blueprints import Operations as Blueprint

__all__ = ["Blueprint"]
