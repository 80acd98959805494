"""The graph: Dagster only. One module for each stage of the chain, wired in ``definitions``.

Assets are a few lines over ``fleet_pipeline``, which does the work and knows nothing of Dagster.
"""
