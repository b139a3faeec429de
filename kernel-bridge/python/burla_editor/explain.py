"""What would go along with a function, before anything does. Its file is imported for that, and nothing is sent."""

from __future__ import annotations

from typing import Any

from burla.capture import capture
from burla.modules import own_modules

from .load import function_of, load_module


def explain(request: dict[str, Any]) -> str:
    module = load_module(request["file"])
    function = function_of(module, request["fn"]["name"])
    bundle, _ = capture(function, same_machine=False)
    own = sorted(found.__name__ for found in own_modules())
    lines = [f"function: {bundle.name}", f"file: {request['file']}", f"code: {len(bundle.code):,} bytes, with what it uses", "", "Modules of yours that travel inside, as far as the function uses them:"]
    lines += [f"  {name}" for name in own] or ["  none"]
    lines += ["", "Packages that the workers need:"]
    lines += [f"  {name} {version}" for name, version in bundle.externals] or ["  none"]
    return "\n".join(lines) + "\n"
