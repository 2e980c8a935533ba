"""The Lightning data modules, which YAML names through :mod:`deblurlab.data`."""
