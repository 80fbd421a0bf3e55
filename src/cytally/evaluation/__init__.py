"""Detections against truth: matching, precision and recall."""
