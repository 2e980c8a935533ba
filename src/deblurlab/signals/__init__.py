"""What asks a command to end: Ctrl-C, and the signals of systems that manage jobs. Imports nothing heavy."""
