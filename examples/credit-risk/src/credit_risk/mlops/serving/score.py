# Managed: belongs to the standard, `copier update` changes it.
"""What Azure ML's inference server runs behind the online endpoint: `online`, under its own name.

The server loads this file by its path and knows no package: it is found by the path, too.
"""

import importlib
import sys
from pathlib import Path

from azureml_inference_server_http.api.aml_request import rawhttp

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[3]))
online = importlib.import_module(f"{HERE.parents[2].name}.mlops.serving.online")

init = online.init
run = rawhttp(online.run)
