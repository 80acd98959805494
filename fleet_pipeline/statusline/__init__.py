"""The status line of Claude Code, and the log of the limits that it is the only one to be told.

What Claude Code tells, the line that is shown, the log, the entry in its settings: standard library
only, since the line is printed again with every reply. What is imported here is paid for there.
Reading the log as quota readings belongs to ``transcripts``.
"""
