"""The first steps and the monitor on Spark, for more data than one machine holds.

Spark reads the files, or pieces of them, and hands each to the very code that runs without it
(`data.check`, `models.rows`, `monitoring.drift`). What that has counted is merged here, in the
order of the files, so verdicts, parts and numbers are the same.
"""
