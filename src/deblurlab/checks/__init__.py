"""Checks of what a user may set, with one wording. Every other folder may import this one; it imports nothing."""
