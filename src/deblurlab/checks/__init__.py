"""Checks of settings with uniform messages, and helpers for what commands print. Every other folder may import this."""
