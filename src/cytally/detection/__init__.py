"""Votes -> Detections; thresholds."""
