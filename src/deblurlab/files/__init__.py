"""Files that are complete or not there. Every other folder may import this one; it imports nothing of deblurlab."""
