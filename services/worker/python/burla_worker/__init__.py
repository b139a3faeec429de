"""The worker service for Python: loads one job's function, calls it, reports. The same rooms as `services/worker/src`."""
