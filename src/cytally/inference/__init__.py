"""Density + ensemble -> votes."""
