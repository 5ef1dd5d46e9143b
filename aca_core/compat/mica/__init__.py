"""The names of mica."""
