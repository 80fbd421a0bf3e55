"""The learners, a file each: `heatmaps` (points in cells), `masks` (nuclei), `crops` (verifiers)."""
