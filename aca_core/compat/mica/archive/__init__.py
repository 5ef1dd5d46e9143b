"""The modules of ``mica.archive``: ``aca_dark``, ``aca_hdr3``, ``aca_l0``, ``asp_l1``, ``asp_l1_proc`` and ``obspar``.

``obsid_archive``, too, which they share there.
"""
