"""Pull requests, job pages, summaries, the project's wheel, the audit of CI files."""
