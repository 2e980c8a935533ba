"""The work of ``python -m deblurlab.report``.

The numbers of the study (``study``) and of our runs (``reported_run``, ``groups``) become tables (``score_table``,
``elsewhere_table``, ``cost_table``) and plots (``plots``). The networks restore some test images again (``measure``).
``parts`` combines the tables and figures of one data set with their captions, and ``page`` writes the report.
"""
