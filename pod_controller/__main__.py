"""`python -m pod_controller` is `podctl`, for places where the script is not on the path."""

import sys

from pod_controller.cli import main

sys.exit(main())
