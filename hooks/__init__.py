"""Tools for the platform team. Nothing here runs by itself: Copier never runs it during a copy.

`uv run python -m hooks COMMAND` starts each of them. Only the scripts in `migrations/` are started
by Copier, in an update that crosses their release and that the user trusts.
"""
