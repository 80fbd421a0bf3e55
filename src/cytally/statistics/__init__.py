"""Counts, curves and limits: arrays only."""
