"""The plugins that aca-core ships: one file, one plugin, one entry point, and no privilege."""
