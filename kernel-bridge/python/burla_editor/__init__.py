"""Runs a function of a file for the VS Code extension: `python -m burla_editor`, one request, then it ends."""
