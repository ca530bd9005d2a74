# Managed by the template: `copier update` changes it.
"""What Azure ML's inference server runs behind the online endpoint."""

import functools
import sys
from pathlib import Path

from azureml_inference_server_http.api.aml_request import rawhttp
from mlops_platform.serving import online

sys.path.insert(0, str(Path(__file__).parent))  # the server knows this file only, by its path

init = functools.partial(online.init, "credit_risk")
run = rawhttp(online.run)
