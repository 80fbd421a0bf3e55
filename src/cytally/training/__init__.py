"""Cells -> examples -> checkpoints."""
