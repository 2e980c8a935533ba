"""Checks of what a user may set, with one wording, and numbers in words. Every other folder may import this one."""
