"""The studio: a local page on which people paint and explore. It only translates between the page and the library.

Imported by ``impasto studio`` alone. Whatever of it is imported first, these variables are set before gradio is: without
them it would look for the names of other hosts.
"""

import os

os.environ |= {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
