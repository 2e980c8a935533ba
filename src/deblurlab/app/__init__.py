"""From the command line to objects: Hydra composes a configuration, and this package builds what it names.

The only package that imports Hydra.
"""
