"""The web page that restores photographs (``page.html``), its server, and the server's answers."""
