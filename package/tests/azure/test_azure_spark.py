"""The training on serverless Spark is submitted as any other job."""

from mlops_platform.azure import spark_job


def test_the_job_is_submitted(mlops, new, monkeypatch):
    exported = "pandas==3.0.1\n"
    monkeypatch.setattr(spark_job.lock, "export", lambda root, groups, *options: exported)
    spark_job.write(new.root, "standard_e4s_v3", 4)
    assert mlops(new, "submit", "azureml/spark/train.yml") == "done"
    (name,) = new.state()["jobs"]
    assert name.startswith("train-")
