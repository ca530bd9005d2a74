# Managed by the template: `copier update` changes it.
"""What Azure ML runs for files, in a batch endpoint and in a parallel job."""

import functools
import sys
from pathlib import Path

from mlops_platform.serving import mini_batches

sys.path.insert(0, str(Path(__file__).parent))  # Azure ML knows this file only, by its path

init = functools.partial(mini_batches.init, "credit_risk")
run = mini_batches.run
