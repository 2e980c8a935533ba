"""The web page that restores photographs, and its server."""
