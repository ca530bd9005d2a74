# Managed by the template: `copier update` changes it.
"""What Azure runs for each message in the queue `events`: docs/azure.md."""

import os

import azure.functions as func
from mlops_platform.events import dispatch

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="events", connection="EVENTS")
def event(message: func.QueueMessage) -> None:
    """Decide on an event, and send it to CI."""
    dispatch.handle(message.get_body(), os.environ)
