"""From the command line to objects: Hydra composes a configuration, and this package builds the objects that it names.

It is the only package that imports Hydra.
"""
