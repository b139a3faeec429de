"""The door: `python3 FOLDER` runs this file, with the folder first on the module path."""

import sys

if sys.version_info < (3, 9):
    sys.exit("burla needs Python 3.9 or later; %s is %d.%d" % (sys.executable, sys.version_info[0], sys.version_info[1]))

from burla_worker.main import main  # noqa: E402

main()
