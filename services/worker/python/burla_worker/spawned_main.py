"""What `multiprocessing` runs as the main module of processes that it starts anew for a worker."""

from burla_worker.main_module import find_anew as __getattr__  # noqa: F401
