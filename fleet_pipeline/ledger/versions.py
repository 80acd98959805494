"""What the store was made by: raised when reading or counting changes, so that history follows."""

from typing import Final

PARSER_VERSION: Final = 5
"""Raised when reading changes: every transcript that still exists is then read whole again."""

RULES_VERSION: Final = 5
"""Raised when a counting rule changes: all of history is then counted again from the evidence."""
