"""Nouns -> pictures; nothing is computed here."""
