"""What every other sub-package builds on: errors, files, hashes, the terminal."""
