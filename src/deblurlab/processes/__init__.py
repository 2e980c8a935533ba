"""Processes that a command starts. They end with it, and report their errors to it. Imports nothing heavy."""
