"""Handles requests to end a command: Ctrl-C, and the signals of systems that manage jobs. Imports nothing heavy."""
