"""The web page that restores photographs (``page.html``), its server, and what the server answers."""
