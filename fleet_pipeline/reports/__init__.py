"""What the lake says, to somebody who asks: usage by period, and any question in SQL.

Belongs here: pure functions from ledger rows to reports, their shapes as JSON and text, and the
read-only views that questions are asked of. Not here: options, terminals, and weekly tables.
"""
