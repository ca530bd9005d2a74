"""A version can be made again, bit for bit, or we are told why not."""

import pytest
from mlops_platform import cli
from mlops_platform.core.errors import UsageError
from mlops_platform.pipelines import reproduce

from .conftest import RAW


def again(workspace):
    pipeline = workspace.root / "pipelines" / "train.yml"
    text = pipeline.read_text("utf-8").replace("../data/raw", RAW.as_posix())
    pipeline.write_text(text, "utf-8")
    return reproduce.run(workspace.conf, "1", pipeline=pipeline, invoke=cli.invoke)


def test_a_version_made_again_is_the_same(trained):
    assert again(trained).identical


def test_other_settings_are_named(trained):
    trained.change("train.yml", seed=12345)
    with pytest.raises(UsageError, match=r"the settings in conf/"):
        again(trained)
