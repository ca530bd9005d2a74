"""The steps of the pipelines: folders in, folders out, evidence as JSON.

No step imports another.
"""
