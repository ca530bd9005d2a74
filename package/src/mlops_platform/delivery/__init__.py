"""Pull requests, job summaries, the project's wheel, and the audit of CI files."""
