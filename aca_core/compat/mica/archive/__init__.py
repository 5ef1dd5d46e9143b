"""The modules of ``mica.archive``: ``aca_dark``, ``asp_l1``, ``asp_l1_proc``, ``obspar`` and ``obsid_archive``."""
