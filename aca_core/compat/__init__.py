"""The names of older packages, for programs that were written for them: what changes is the import.

``from mica.archive import asp_l1`` becomes ``from aca_core.compat.mica.archive import asp_l1``, and so on. The
functions are those of the built-in plugins, of which nothing else in aca_core knows, and of aca_core itself; nothing
else imports from here.
"""
