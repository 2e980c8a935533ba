"""What ``python -m deblurlab.report`` is made of.

The numbers of the study (``study``) and of our runs (``reported_run``, ``groups``) become tables (``score_table``,
``cost_table``) and plots (``plots``), beside pictures that each network restores again (``measure``). ``parts`` puts
those of one data set together with their captions, and ``page`` writes them all.
"""
