"""From trained networks to restored photographs: tiles, files, videos, the page and formats of other runtimes.

Nothing here knows how a network was configured or trained.
"""
