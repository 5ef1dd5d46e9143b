"""The modules of ``mica.archive``: ``asp_l1``, ``asp_l1_proc``, ``obspar`` and ``obsid_archive``."""
