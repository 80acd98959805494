"""Changes that change nothing a test could see, each with its reason.

Keys are module, function and change, as `make mutation` says them.
"""

EQUIVALENT: dict[tuple[str, str, str], str] = {}
