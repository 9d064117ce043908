"""The bare page that ours are compared with: Flask and nothing else, in the same server."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Nine bytes."""
    return "hello you"
