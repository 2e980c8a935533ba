"""Writes files completely or not at all. Every other folder may import this one; it imports nothing of deblurlab."""
