"""Checks of settings with uniform messages, and helpers for their sentences. Every other folder may import this one."""
