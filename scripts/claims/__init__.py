"""Parts of `scripts/uncertainty.py`: what checkpoints answer, what follows for each claim, and its pictures."""
