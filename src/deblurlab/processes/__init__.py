"""Processes that a command starts: they end with it, and tell it why they failed. Imports nothing heavy."""
