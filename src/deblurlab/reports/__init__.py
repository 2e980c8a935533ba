"""What ``python -m deblurlab.report`` is made of: the study's numbers, runs as their folders tell them, measures,
plots, tables and the page.
"""
