"""What a team would write without a template: FastAPI and the same model. `MODEL PORT`."""

import sys
from pathlib import Path

import pandas as pd
import skops.io
import uvicorn
import yaml
from fastapi import FastAPI
from pydantic import BaseModel

folder, port = Path(sys.argv[1]), int(sys.argv[2])
flavors = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]
model = skops.io.load(folder / "model.skops", trusted=flavors["sklearn"]["skops_trusted_types"])
app = FastAPI()


class Row(BaseModel):
    """The sample's columns."""

    loan_id: str
    income: float | None
    debt_ratio: float
    years_employed: float | None
    late_payments: float
    housing: str | None
    purpose: str


class Body(BaseModel):
    """A request."""

    rows: list[Row]


@app.get("/live")
async def live() -> dict[str, str]:
    """Answer."""
    return {"status": "live"}


@app.post("/score")
def score(body: Body) -> dict[str, list[list[float]]]:
    """Predict in one of FastAPI's threads."""
    rows = pd.DataFrame([row.model_dump() for row in body.rows])
    return {"predictions": model.predict_proba(rows.drop(columns="loan_id")).tolist()}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
