"""What coding agents leave on disk: where it lies and what each line of it says.

Reading only. Which of several statements about a request is the true one is decided in ``ledger``.
"""
