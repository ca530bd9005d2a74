"""Tells of many projects what their last commits say: who uses what, how mature, what waits."""
