"""The pieces of `scripts/train_edition.py`.

cells     images and class maps -> labelled cells
networks  cells -> members, and what they propose -> verifiers
finish    members and verifiers -> an ensemble with thresholds
"""
