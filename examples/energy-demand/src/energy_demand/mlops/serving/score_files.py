# Managed: belongs to the standard, `copier update` changes it.
"""What Azure ML runs for files, in a batch endpoint and in a parallel job: `mini_batches`.

Azure ML loads this file by its path and knows no package: it is found by the path, too.
"""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[3]))
mini_batches = importlib.import_module(f"{HERE.parents[2].name}.mlops.serving.mini_batches")

init = mini_batches.init
run = mini_batches.run
